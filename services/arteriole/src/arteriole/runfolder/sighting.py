"""What is to be seen in a run folder at one moment, without a judgement of it.

Reads the folder, writes nothing, knows no store.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.illumina import (
    completeness,
    leavings,
    reading,
    run_info,
    run_parameters,
    run_status,
)
from arteriole.illumina.completeness import OUTSIDE, Completeness, Sort
from arteriole.illumina.errors import RunDataError, RunInfoError
from arteriole.illumina.instruments import expected_markers
from arteriole.illumina.leavings import Analysis
from arteriole.illumina.run_folder import MARKERS, RunFolder, leads_out
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.run_status import RunStatus
from arteriole.illumina.sample_sheet import SampleSheet

SHEET = "SampleSheet.csv"
#: What is read of a run folder, beside its sheet; the check of the sheet tells of a link there.
_LOOKED_INTO = (
    run_info.FILE_NAME,
    run_status.FILE_NAME,
    *run_parameters.FILE_NAMES,
    "InterOp",
    "Data",
    "Data/Intensities",
    "Data/Intensities/BaseCalls",
)
_OF_LANES = ("Data/Intensities", "Data/Intensities/BaseCalls")
#: A folder that has none of these is not known to belong to a run.
SIGNS_OF_A_RUN = frozenset(
    {run_info.FILE_NAME, "RunParameters.xml", "runParameters.xml", "Data", "InterOp", *MARKERS}
)
#: What comes after the run, and is no sign that its copy goes on: analyses on the instrument
#: (Analysis, Alignment_1) and logs.
_COMES_LATER = re.compile(r"Analysis|Alignment(_\d+)?|Logs|InstrumentAnalyticsLogs")
#: RunInfo.xml, RunParameters.xml, RunCompletionStatus.xml and the sample sheet.
FILES_ABOUT_A_RUN = 4
#: A cycle is written when the next but one has begun: a copy need not keep their order to the end.
SAFELY_PAST = 2
#: C12.1 of most instruments, 0012.bcl.bgzf of a NextSeq 500.
_CYCLE = re.compile(r"C(\d{1,5})\.1|(\d{4})\.bcl\.bgzf")


@dataclass(frozen=True)
class Surface:
    """The two upper levels of a run folder, as far as they show whether its copy goes on.

    `newest` is the latest time of change (seconds, epoch, by the file server's clock); `late` the
    newest entry, if no marker is as new.
    """

    digest: str
    names: frozenset[str]
    newest: float
    late: str


@dataclass(frozen=True)
class Sheet:
    """A sample sheet; `samples` counts distinct Sample_IDs, None if it cannot be read."""

    is_empty: bool
    samples: int | None


@dataclass(frozen=True)
class Sighting:
    """A run folder as it was; `files` is None where the base calls were not looked at.

    `near` is a digest of the folders in which something is missing, `lacking` what a waiver would
    have to ignore (bcl2fastq's names); nothing where no waiver helps.

    `leaving` is what shows that the run went on though it has no base calls at all, empty where it
    has some; `is_demultiplexed`, that this is of a conversion.

    `analyses` are those that the instrument has made itself.

    `sheet_source` is where the sheet was found if not in the run folder, `sheet_elsewhere` where
    else one was looked for in vain, `sheet_error` why nobody can say whether there is one.

    `error` is why RunInfo.xml, RunCompletionStatus.xml or RunParameters.xml cannot be used; without
    RunInfo.xml there is no `info`.
    """

    path: Path
    surface: Surface
    markers: tuple[str, ...] = ()
    expected_markers: tuple[str, ...] = ()
    info: RunInfo | None = None
    error: RunDataError | None = None
    cycles: tuple[int, ...] = ()
    files: Completeness | None = None
    near: str = ""
    lacking: tuple[str, ...] = ()
    leaving: str = ""
    is_demultiplexed: bool = False
    analyses: tuple[Analysis, ...] = ()
    status: RunStatus | None = None
    sheet: Sheet | None = None
    sheet_source: str = ""
    sheet_elsewhere: str = ""
    sheet_error: ArterioleError | None = None
    parameters: RunParameters = field(default_factory=RunParameters)

    @property
    def is_marked(self) -> bool:
        """The marker that this instrument writes last is there."""
        return any(name in self.markers for name in self.expected_markers)

    @property
    def is_whole(self) -> bool:
        """Every file of base calls was found, and is whole."""
        return self.files is not None and self.files.is_complete

    @property
    def looks_like_a_run(self) -> bool:
        return bool(SIGNS_OF_A_RUN & self.surface.names)

    @property
    def cycles_seen(self) -> int:
        """The highest cycle of the lane that is least far, of those that have begun."""
        return min((cycle for cycle in self.cycles if cycle), default=0)

    @property
    def indexes_read(self) -> bool:
        """On every lane the run is past its index reads, by SAFELY_PAST cycles."""
        if self.info is None or not self.info.index_reads:
            return False
        last = self.info.cycles_of(self.info.index_reads[-1])[-1]
        return min(self.cycles, default=0) >= last + SAFELY_PAST

    @cached_property
    def shallow_digest(self) -> str:
        return _digest([self.surface.digest, *self.markers, *map(str, self.cycles)])

    @cached_property
    def deep_digest(self) -> str:
        """Of the base calls; empty where they were not looked at."""
        if self.files is None:
            return ""
        counts = (self.files.expected, self.files.found, self.files.problem_count)
        return _digest([*map(str, counts), *self.files.problems, self.near])


def look(path: Path, *, deep: bool = False) -> Sighting:
    """Look at a run folder; all of its base calls too if it is marked complete, or `deep`.

    Raises:
        OSError: the folder or what is expected in it may not be read.
    """
    folder = RunFolder(path)
    upper = surface(path)
    reading.looked(len(MARKERS) + FILES_ABOUT_A_RUN)
    markers = folder.markers
    if (outside := _link_out(path, _LOOKED_INTO)) is not None:
        return Sighting(path, upper, markers, error=outside)
    info, error = _info(path)
    if info is not None:
        lanes = [f"{place}/L{lane:03d}" for place in _OF_LANES for lane in info.lanes]
        if (outside := _link_out(path, lanes)) is not None:
            return Sighting(path, upper, markers, error=outside)
    status, status_error = _status(path)
    parameters, parameters_error = _parameters(path)
    if info is not None:
        error = _of_another(info, parameters, path)
    converted, measured = _leavings(folder, info)
    seen = Sighting(
        path=path,
        surface=upper,
        markers=markers,
        expected_markers=expected_markers(info.instrument) if info else (),
        info=info,
        error=error or status_error or parameters_error,
        cycles=tuple(_cycle(folder.lane(lane)) for lane in info.lanes) if info else (),
        leaving=converted or measured,
        is_demultiplexed=converted != "",
        analyses=leavings.analyses(folder),
        status=status,
        sheet=_sheet(path / SHEET),
        parameters=parameters,
    )
    failed = status is not None and status.is_failure
    if info is None or not (deep or failed or seen.is_marked):
        return seen
    with reading.in_bulk():
        files = completeness.check(path, info)
    return replace(
        seen,
        files=files,
        near=_near(path, files.problems),
        lacking=_lacking(files),
    )


def _leavings(folder: RunFolder, info: RunInfo | None) -> tuple[str, str]:
    """What a conversion and what base calling have left, where there are no base calls at all."""
    if info is None or any(folder.bcl_kind(lane) for lane in info.lanes):
        return "", ""
    return leavings.demultiplexed(folder), leavings.metrics(folder)


def _lacking(files: Completeness) -> tuple[str, ...]:
    """Without the base calls of an index read samples end without a read, which is waived too."""
    if files.filter_needed:
        return ()
    missing = tuple(f"missing-{sort.value}" for sort in Sort if files.counts.get(sort))
    return (*missing, "empty-samples") if files.counts.get(Sort.CALLS) else missing


def surface(path: Path) -> Surface:
    """Raises OSError if the folder itself cannot be read; what is below is left out then."""
    lines: list[str] = []
    newest = marked = 0.0
    late = ""
    top = _entries(path)
    for name, entry in _two_levels(top):
        try:
            stat = entry.stat(follow_symlinks=False)
        except OSError:  # gone meanwhile
            continue
        lines.append(f"{name} {stat.st_size} {stat.st_ctime_ns}")
        if name in MARKERS:
            marked = max(marked, stat.st_ctime)
        elif stat.st_ctime > newest:
            newest, late = stat.st_ctime, name
    reading.looked(1 + len(lines))
    return Surface(
        digest=_digest(sorted(lines)),
        names=frozenset(entry.name for entry in top),
        newest=max(newest, marked),
        late=late if newest > marked else "",
    )


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [*entries]


def _two_levels(top: list[os.DirEntry[str]]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The entries and those of its folders, with their relative names.

    Without what legitimately comes later, and without hidden folders: at the top those are
    Arteria's `.arteria` and what a copy has not finished yet.
    """
    for entry in top:
        hidden = entry.name.startswith(".") or _COMES_LATER.fullmatch(entry.name)
        if hidden and entry.is_dir(follow_symlinks=False):
            continue
        yield entry.name, entry
        try:
            below = _entries(entry.path) if entry.is_dir(follow_symlinks=False) else []
        except OSError:  # it may not be read, or has gone: what matters in it will be missed
            continue
        for child in below:
            yield f"{entry.name}/{child.name}", child


def _digest(parts: Iterable[str]) -> str:
    text = "\n".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _link_out(path: Path, names: Iterable[str]) -> RunDataError | None:
    """That one of these is a link to somewhere else: what is there is not the run's."""
    for name in names:
        if leads_out(path, path / name):
            return RunDataError(
                f"{name} is {OUTSIDE}",
                code="run.link",
                hint="replace it with what it stands for; it is looked at again by itself",
            )
    return None


def _info(path: Path) -> tuple[RunInfo | None, RunDataError | None]:
    file = path / run_info.FILE_NAME
    try:
        return RunInfo.read(file), None
    except RunDataError as err:
        return None, err


def _status(path: Path) -> tuple[RunStatus | None, RunDataError | None]:
    try:
        return run_status.RunStatus.read(path), None
    except RunDataError as err:
        return None, err


def _parameters(path: Path) -> tuple[RunParameters, RunDataError | None]:
    try:
        return RunParameters.read(path) or RunParameters(), None
    except RunDataError as err:
        return RunParameters(), err
    except OSError:
        return RunParameters(), None


def _of_another(info: RunInfo, parameters: RunParameters, path: Path) -> RunInfoError | None:
    """What is wrong if RunInfo.xml is of another run than RunParameters.xml or else the folder.

    NB: a folder that was renamed on purpose is believed if its two files agree.
    """
    name, of = parameters.run_id, "RunParameters.xml"
    if not name:
        name, of = path.name, "the folder"
    if run_info.are_of_one_run(info.run_id, name):
        return None
    return RunInfoError(
        f"{run_info.FILE_NAME} is of run {info.run_id}, {of} of {name}",
        hint=f"copy {run_info.FILE_NAME} and RunParameters.xml again from the instrument",
    )


def _cycle(lane: Path) -> int:
    """The highest cycle of a lane, 0 before the first."""
    try:
        reading.looked(1)
        names = [entry.name for entry in lane.iterdir()]
    except OSError:
        return 0
    return max((cycle for name in names if (cycle := cycle_in(name)) is not None), default=0)


def cycle_in(name: str) -> int | None:
    """The cycle of an entry of a lane's folder; None for any other entry.

    >>> cycle_in("C12.1"), cycle_in("0012.bcl.bgzf"), cycle_in("s_1_1101.filter")
    (12, 12, None)
    """
    match = _CYCLE.fullmatch(name)
    return int(match[1] or match[2]) if match else None


def _sheet(path: Path) -> Sheet | None:
    try:
        if not path.is_file():
            return None
        if leads_out(path.parent, path):
            return Sheet(is_empty=False, samples=None)
        is_empty = path.stat().st_size == 0
        ids = {sample.sample_id for sample in SampleSheet.read(path).samples}
        return Sheet(is_empty, len(ids))
    except OSError:
        return None
    except ArterioleError as err:
        return Sheet(is_empty or err.code == "sheet.empty", None)


def _near(root: Path, problems: tuple[str, ...]) -> str:
    """A digest of the folders in which something is missing: a copy writes there next.

    NB: rsync writes a file under a hidden name beside its place, which no count of files sees.
    """
    folders = {(root / problem.partition(": ")[0]).parent for problem in problems}
    lines: list[str] = []
    for folder in folders:
        try:
            for entry in _entries(folder):
                stat = entry.stat(follow_symlinks=False)
                lines.append(f"{entry.path} {stat.st_size} {stat.st_ctime_ns}")
        except OSError:
            continue
    reading.looked(len(folders) + len(lines))
    return _digest(sorted(lines))
