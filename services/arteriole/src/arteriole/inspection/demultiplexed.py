"""What is already demultiplexed beside a run, and whether it agrees with the sheet and the run."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arteriole.illumina import demultiplexing_stats, leavings, sheet_check
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats, SampleReads
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.interop_summary import InteropSummary
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet

FILES_LIMIT = 200_000
_DEPTH = 4
_FASTQ = re.compile(r"(.+)_S\d+(?:_L(\d{3}))?_R(\d)_\d{3}\.fastq(?:\.gz|\.ora)?", re.ASCII)
# InterOp keeps counts as numbers of 32 bits, which round.
_TOLERANCE = 1e-4
# Of a FASTQ file: sample, lane (None: of all), read.
_Key = tuple[str, int | None, int]


@dataclass(frozen=True, slots=True)
class Demultiplexing:
    """One file of statistics; it agrees when `differences` is empty."""

    path: Path
    software: str
    samples: int
    reads: int
    undetermined: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FastqFiles:
    """FASTQ files present in `folders` against those that the sheet asks for."""

    folders: tuple[Path, ...]
    present: int
    expected: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def find(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files of statistics in these folders."""
    found: dict[Path, Path] = {}
    for path in leavings.statistics(folders):
        found.setdefault(path.resolve(), path)
    return tuple(found.values())


def examine(
    path: Path, sheet: SampleSheet | None, run_info: RunInfo, interop: InteropSummary | None
) -> Demultiplexing:
    """Compare one file of statistics with the sheet, the run and what the instrument measured."""
    try:
        stats = demultiplexing_stats.read(path)
    except RunDataError as err:
        return Demultiplexing(path, "", 0, 0, 0, (str(err),))
    differences = [*_run_differences(stats, run_info)]
    if sheet is not None:
        differences += _sample_differences(stats, sheet, run_info)
    differences += _count_differences(stats, interop)
    return Demultiplexing(
        path=path,
        software=stats.software,
        samples=len({sample.sample_id or sample.sample_name for sample in stats.samples}),
        reads=stats.reads,
        undetermined=sum(lane.undetermined for lane in stats.lanes.values()),
        differences=tuple(differences),
    )


def _run_differences(stats: DemultiplexingStats, run_info: RunInfo) -> Iterator[str]:
    if stats.run_id and stats.run_id != run_info.run_id:
        yield f"it is of run {stats.run_id}, not of {run_info.run_id}"
    elif stats.flowcell and stats.flowcell != run_info.flowcell:
        yield f"it is of flow cell {stats.flowcell}, not of {run_info.flowcell}"


def _sample_differences(
    stats: DemultiplexingStats, sheet: SampleSheet, run_info: RunInfo
) -> Iterator[str]:
    """Samples and indexes of each lane; DemultiplexingStats.xml knows samples by name alone.

    A sample may have several rows on a lane: Stats.json is read with the first of its indexes, the
    builtin converter's Demultiplex_Stats.csv joins them with semicolons.
    """
    by_id = all(sample.sample_id for sample in stats.samples)
    wanted: dict[tuple[int, str], dict[str, None]] = {}
    for lane, samples in sheet_check.samples_by_lane(sheet, run_info).items():
        for sample in samples:
            key = lane, sample.sample_id if by_id else _name(sample)
            index = "+".join(part for part in (sample.index, sample.index2) if part)
            wanted.setdefault(key, {})[index] = None
    got: dict[tuple[int, str], SampleReads] = {
        (sample.lane, sample.sample_id if by_id else sample.sample_name): sample
        for sample in stats.samples
    }
    for lane, name in sorted(wanted.keys() - got.keys()):
        yield f"lane {lane}: sample {name} of the sheet is not in it"
    for lane, name in sorted(got.keys() - wanted.keys()):
        yield f"lane {lane}: sample {name} is not in the sheet"
    for key in sorted(wanted.keys() & got.keys()):
        indexes, found = wanted[key], got[key].index
        if found and all(indexes) and not indexes.keys() >= {*found.split(";")}:
            yield (
                f"lane {key[0]}: sample {key[1]} has index {' and '.join(indexes)} in the sheet,"
                f" {found} in it"
            )


def _name(sample: Sample) -> str:
    return sample.sample_name or sample.sample_id


def _count_differences(stats: DemultiplexingStats, interop: InteropSummary | None) -> Iterator[str]:
    measured = {lane.lane: lane for lane in interop.lanes} if interop is not None else {}
    for number, lane in stats.lanes.items():
        reads = sum(s.reads for s in stats.samples if s.lane == number) + lane.undetermined
        if lane.clusters_pf is not None and reads != lane.clusters_pf:
            yield (
                f"lane {number}: samples and undetermined sum to {reads:,} reads, its clusters"
                f" that passed the filter are {lane.clusters_pf:,}"
            )
        if number not in measured:
            continue
        passed = lane.clusters_pf if lane.clusters_pf is not None else reads
        if _differ(passed, measured[number].clusters_pf):
            yield (
                f"lane {number}: {passed:,} clusters passed the filter in it,"
                f" {measured[number].clusters_pf:,} in InterOp"
            )


def _differ(one: int, other: int) -> bool:
    return abs(one - other) > _TOLERANCE * max(one, other)


def fastq_files(
    folders: tuple[Path, ...], sheet: SampleSheet, run_info: RunInfo
) -> FastqFiles | None:
    """Which FASTQ files of the sheet are there; None if there is none at all.

    A file without a lane in its name stands for all lanes of its sample. bcl2fastq calls files by
    Sample_Name, BCL Convert by Sample_ID: what fits better is taken.
    """
    present: dict[_Key, str] = {}
    for file in _fastqs(folders):
        match = _FASTQ.fullmatch(file)
        if match:
            present[match[1], int(match[2]) if match[2] else None, int(match[3])] = file
    if not present:
        return None
    samples = [
        (lane, sample)
        for lane, samples in sheet_check.samples_by_lane(sheet, run_info).items()
        for sample in samples
    ]
    reads = range(1, len(run_info.template_reads) + 1)
    found = (
        _compared(folders, present, [(name(one), lane, r) for lane, one in samples for r in reads])
        for name in (_name, _id)
    )
    return min(found, key=lambda files: len(files.missing) + len(files.unexpected))


def _id(sample: Sample) -> str:
    return sample.sample_id


def _compared(
    folders: tuple[Path, ...], present: dict[_Key, str], wanted: list[_Key]
) -> FastqFiles:
    known = {*wanted, *((name, None, read) for name, _, read in wanted)}
    return FastqFiles(
        folders=folders,
        present=len(present),
        expected=len(set(wanted)),
        missing=tuple(
            f"{name}_S*_L{lane:03d}_R{read}_001.fastq.gz"
            for name, lane, read in dict.fromkeys(wanted)
            if not {(name, lane, read), (name, None, read)} & present.keys()
        ),
        unexpected=tuple(
            file for key, file in present.items() if key not in known and key[0] != "Undetermined"
        ),
    )


def _fastqs(folders: tuple[Path, ...]) -> Iterator[str]:
    """Names of FASTQ files; folders of base calls are left out, links are not followed."""
    seen = 0
    for folder in folders:
        is_run = (folder / "RunInfo.xml").is_file()
        for path, below, files in os.walk(folder):
            depth = len(Path(path).relative_to(folder).parts)
            if is_run or depth >= _DEPTH:
                below.clear()
            below[:] = [name for name in below if not re.fullmatch(r"L\d{3}", name)]
            for name in files:
                seen += 1
                if seen > FILES_LIMIT:
                    return
                if ".fastq" in name:
                    yield name
