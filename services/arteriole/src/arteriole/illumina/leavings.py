"""What later steps leave in a run folder: statistics and FASTQs of others, and metrics.

Looks at names only, and at few folders.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arteriole.illumina.run_folder import RunFolder

#: Statistics of a conversion, relative to the folder of its FASTQs.
STATISTICS = (
    *("Stats/Stats.json", "Stats/DemultiplexingStats.xml", "Reports/Demultiplex_Stats.csv"),
    *("Stats.json", "DemultiplexingStats.xml", "Demultiplex_Stats.csv"),
    "../../Demux/Demultiplex_Stats.csv",
)
#: Quality and clusters as base calling measured them (Illumina's InterOp library).
_METRICS = frozenset({"QMetricsOut.bin", "TileMetricsOut.bin", "ExtractionMetricsOut.bin"})
#: So many folders of analyses, and of projects in each place, are looked at.
_FOLDERS = 100
_NUMBER = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A folder `Analysis/<number>` that the instrument has made itself (DRAGEN on board).

    `ended` says that Data/Secondary_Analysis_Complete.txt is there, `copied` that its
    CopyComplete.txt is, `manifest` that its Manifest.tsv lists its files, and `fastqs` that it has
    demultiplexed. Names as in github.com/gmc-norr/cleve and in npg_tracking's monitor.
    """

    number: int
    ended: bool
    copied: bool
    manifest: bool
    fastqs: bool


def analyses(folder: RunFolder) -> tuple[Analysis, ...]:
    """Those of the instrument, by number."""
    found = [path for path in _folders(folder.path / "Analysis") if _NUMBER.fullmatch(path.name)]
    return tuple(
        Analysis(
            number=int(path.name),
            ended=(path / "Data" / "Secondary_Analysis_Complete.txt").is_file(),
            copied=(path / "CopyComplete.txt").is_file(),
            manifest=(path / "Manifest.tsv").is_file(),
            fastqs=_has_fastqs(path / "Data" / "BCLConvert" / "fastq"),
        )
        for path in sorted(found, key=lambda path: int(path.name))[:_FOLDERS]
    )


def usual_folders(folder: RunFolder) -> tuple[Path, ...]:
    """Where converters leave FASTQ files in a run folder; those that are there."""
    places = [folder.path, folder.base_calls, folder.path / "Unaligned", folder.path / "Fastq"]
    analyses = sorted(_folders(folder.path / "Analysis"))[:_FOLDERS]
    places += [analysis / "Data" / "BCLConvert" / "fastq" for analysis in analyses]
    return tuple(place for place in places if place.is_dir())


def statistics(folders: tuple[Path, ...]) -> Iterator[Path]:
    """The files of statistics in these folders."""
    for folder in folders:
        for name in STATISTICS:
            if (folder / name).is_file():
                yield folder / name


def demultiplexed(folder: RunFolder) -> str:
    """What a conversion has left in the run folder, for a message; '' if there is nothing.

    No FASTQ is named, since its name is a sample's.
    """
    places = usual_folders(folder)
    found = next(statistics(places), None)
    if found is not None:
        return os.path.relpath(found, folder.path)
    place = next(filter(_has_fastqs, places), None)
    return f"FASTQ files in {os.path.relpath(place, folder.path)}" if place is not None else ""


def metrics(folder: RunFolder) -> str:
    """A file of InterOp that is made of base calls, by its path; '' without one."""
    found = (name for name in sorted(_names(folder.path / "InterOp")) if name in _METRICS)
    name = next(found, "")
    return f"InterOp/{name}" if name else ""


def _has_fastqs(place: Path) -> bool:
    """In the folder itself or one below, which is a project's."""
    folders = (place, *sorted(_folders(place))[:_FOLDERS])
    return any(name.endswith((".fastq.gz", ".fastq")) for f in folders for name in _names(f))


def _folders(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _names(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.iterdir()]
    except OSError:
        return []
