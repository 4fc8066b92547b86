"""What the program bcl-convert is called, and what it says about itself."""

import re

from arteriole.bcl2fastq.tools.tool import About

BCL_CONVERT = About(
    name="bcl-convert",
    converter="bclconvert",
    ask=("--version",),
    answer=re.compile(r"^bcl-convert Version (?:00\.000\.000\.)?(\d[0-9.]{0,40})\s*$", re.M),
    shown="{}",
    install="install Illumina's BCL Convert 4, or name its path (bclconvert_tool.program) or an"
    " image that has it (bclconvert_tool.image)",
    writable=("/var/log/bcl-convert",),
)
