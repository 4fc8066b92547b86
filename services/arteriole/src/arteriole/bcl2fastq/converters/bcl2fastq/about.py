"""What the program bcl2fastq is called, and what it says about itself."""

import re

from arteriole.bcl2fastq.tools.tool import About

BCL2FASTQ = About(
    name="bcl2fastq",
    converter="bcl2fastq",
    ask=("--version",),
    answer=re.compile(r"^bcl2fastq v(\d[0-9.]{0,40})\s*$", re.MULTILINE),
    shown="v{}",
    install="install Illumina's bcl2fastq2, or name its path (bcl2fastq_tool.program) or its"
    " image (bcl2fastq_tool.image; docker/bcl2fastq makes one)",
)
