"""The process that is measured as ours: RUN OUT converts a run as the bcl2fastq service does."""

import os
import sys
from pathlib import Path

from arteriole.jobs.supervisor import ENVIRONMENT

THREADS = 2


def main(run: Path, out: Path) -> None:
    os.environ |= ENVIRONMENT  # as a worker has it, and before numpy looks
    from arteriole.bcl2fastq.converters import ConversionRequest, find
    from arteriole.bcl2fastq.sheets import SHEET

    request = ConversionRequest(run, run / SHEET, out, threads=THREADS)
    find("builtin").convert(request, lambda done, total: None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
