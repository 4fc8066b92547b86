"""The command line of a conversion, as words.

What the options mean is told in github.com/umccr/cwl-ica, tools/bclConvert/3.7.5; the names of
those of threads, and the defaults of 1, are in a log of BCL Convert 4.0.3 among the tests of the
Python package anacore (anacore.illumina). Each takes a value.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from arteriole.bcl2fastq.converters.conversion import ConversionRequest

#: Below out_dir, as BCL Convert makes its folder itself.
FOLDER = "bcl-convert"
#: The sheet that it gets, below out_dir.
SHEET = "SampleSheet.bcl-convert.csv"
#: Files of Sample_Project lie in a folder of that name.
PROJECTS = "--bcl-sampleproject-subdirectories"


@dataclass(frozen=True, slots=True)
class Option:
    """An option, its value for one request, and why it is given."""

    name: str
    value: str
    reason: str


def options(request: ConversionRequest, projects: bool, cpus: int | None = None) -> list[Option]:
    """Every option that is given.

    Args:
        projects: whether a sample of the sheet has a project.
        cpus: of this machine; None finds out.
    """
    most = cpus or os.cpu_count() or 1
    threads = str(min(request.threads, most))
    half = str(max(1, min(request.threads, most) // 2))
    return [
        Option("--bcl-input-directory", str(request.run_dir), "the run folder"),
        Option(
            "--output-directory",
            str(request.out_dir / FOLDER),
            "it must not be there; `--force`, which allows it, is never given",
        ),
        Option("--sample-sheet", str(request.out_dir / SHEET), "version 2, written for this run"),
        Option(
            "--strict-mode",
            "true",
            "it ends where a filter, locs, bcl or bci file is missing or damaged, and does not"
            " go on with a warning",
        ),
        Option(PROJECTS, str(projects).lower(), "else the column Sample_Project is not used"),
        Option("--no-lane-splitting", "false", "a file a lane, as all converters here"),
        Option("--fastq-gzip-compression-level", "1", "its default, said"),
        Option("--bcl-num-parallel-tiles", "1", "its default: memory is that of one tile"),
        Option("--bcl-num-conversion-threads", threads, "1 to the threads of the machine"),
        Option("--bcl-num-compression-threads", threads, "1 to the threads of the machine"),
        Option("--bcl-num-decompression-threads", half, "half of those"),
    ]


def arguments(request: ConversionRequest, projects: bool) -> list[str]:
    """What follows the program's name."""
    return [word for one in options(request, projects) for word in (one.name, one.value)]


def folder(out_dir: Path) -> Path:
    """Where it writes."""
    return out_dir / FOLDER
