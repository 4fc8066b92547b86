"""Inspects a run folder: reads, compares, and writes nothing anywhere."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.app.names import is_identifier
from arteriole.illumina import interop_summary, leavings, sheet_check, sheet_settings
from arteriole.illumina.errors import RunDataError, SampleSheetError
from arteriole.illumina.interop_summary import InteropError, InteropSummary
from arteriole.illumina.run_folder import MARKERS, BclKind, RunFolder
from arteriole.illumina.run_info import FILE_NAME, RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_check import Finding, Severity
from arteriole.inspection import demultiplexed
from arteriole.inspection.demultiplexed import Demultiplexing, FastqFiles
from arteriole.inspection.missing import missing_files
from arteriole.inspection.outlook import COMPLETE, SHEET, Outlook, again_command, called, outlook
from arteriole.runfolder.verdict import Verdict, VerdictKind, examine

OnStep = Callable[[str], None]
"""Called with what is looked at next."""

_RUN_NAME = re.compile(r"\d{6}(\d\d)?_[A-Za-z0-9-]+_\d+_.+")


class NotARunFolderError(ArterioleError):
    """This is not a run folder."""

    code = "inspect.not_a_run_folder"
    status = 400


@dataclass(frozen=True)
class Inspection:
    """What was found; a part that could not be read is None, and `problems` says why."""

    path: Path
    run_info: RunInfo | None
    parameters: RunParameters | None
    base_calls: dict[int, BclKind | None]
    verdict: Verdict
    missing: tuple[str, ...]
    sheet_path: Path | None
    sheet: SampleSheet | None
    findings: tuple[Finding, ...]
    demultiplexings: tuple[Demultiplexing, ...]
    fastq: FastqFiles | None
    interop: InteropSummary | None
    problems: tuple[str, ...]
    outlook: Outlook

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the run itself is missing."""
        return self.run_info is not None and self.verdict.kind.value in COMPLETE

    @property
    def sheet_errors(self) -> tuple[Finding, ...]:
        """Findings that stop a conversion."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def sheet_lanes(self) -> tuple[int, ...]:
        """The lanes of the run for which the sheet names samples."""
        if self.sheet is None or self.run_info is None:
            return ()
        by_lane = sheet_check.samples_by_lane(self.sheet, self.run_info)
        return tuple(lane for lane, samples in by_lane.items() if samples)

    @property
    def is_well(self) -> bool:
        """Complete, with a sheet that fits, and nothing that contradicts them."""
        return (
            self.is_complete
            and self.sheet is not None
            and not self.sheet_errors
            and not self.problems
            and not any(one.differences for one in self.demultiplexings)
            and not (self.fastq and (self.fastq.missing or self.fastq.unexpected))
        )


def inspect(
    run_dir: Path,
    sheet: Path | None = None,
    fastq: tuple[Path, ...] = (),
    on_step: OnStep = lambda step: None,
) -> Inspection:
    """Look at a run folder.

    Args:
        sheet: read instead of the SampleSheet.csv of the run folder.
        fastq: folders of FASTQ files to compare, besides those in the run folder.

    Raises:
        NotARunFolderError: nothing at `run_dir` looks like a run.
    """
    refuse_if_no_run(run_dir)
    folder = RunFolder(run_dir)
    problems: list[str] = []
    if not is_identifier(called(run_dir)):
        problems.append("the folder's name has characters other than A-Z a-z 0-9 . _ -")
    on_step("whether the run is complete")
    verdict = examine(run_dir, settle=0)
    parameters = _parameters(folder, problems)
    try:
        run_info = folder.run_info
    except RunDataError as err:
        problems.append(f"{err}{f' ({err.hint})' if err.hint else ''}")
        found = _Found(folder, problems, verdict, parameters)
        return found.without_run_info(err.code)
    on_step("what is missing")
    is_complete = verdict.kind is VerdictKind.COMPLETE
    missing = () if is_complete else missing_files(folder, run_info)
    on_step("the sample sheet")
    sheet_path, read_sheet, findings = _sheet(folder, run_info, sheet)
    on_step("InterOp")
    interop = _interop(folder, problems)
    on_step("what is already demultiplexed")
    folders = tuple(dict.fromkeys((*fastq, *leavings.usual_folders(folder))))
    demultiplexings = tuple(
        demultiplexed.examine(path, read_sheet, run_info, interop)
        for path in demultiplexed.find(folders)
    )
    base_calls = {lane: folder.bcl_kind(lane) for lane in run_info.lanes}
    went_on = bool(demultiplexings) or (interop is not None and interop.clusters_pf > 0)
    return Inspection(
        path=run_dir,
        run_info=run_info,
        parameters=parameters,
        base_calls=base_calls,
        verdict=verdict,
        missing=missing,
        sheet_path=sheet_path,
        sheet=read_sheet,
        findings=findings,
        demultiplexings=demultiplexings,
        fastq=demultiplexed.fastq_files(folders, read_sheet, run_info) if read_sheet else None,
        interop=interop,
        problems=tuple(problems),
        outlook=outlook(
            run_dir,
            run_info,
            verdict,
            read_sheet,
            findings,
            is_emptied=verdict.kind is VerdictKind.EMPTIED
            or (went_on and not any(base_calls.values())),
        ),
    )


@dataclass(frozen=True)
class _Found:
    folder: RunFolder
    problems: list[str]
    verdict: Verdict
    parameters: RunParameters | None

    def without_run_info(self, code: str) -> Inspection:
        """Nothing more can be said without RunInfo.xml."""
        return Inspection(
            path=self.folder.path,
            run_info=None,
            parameters=self.parameters,
            base_calls={},
            verdict=self.verdict,
            missing=(),
            sheet_path=None,
            sheet=None,
            findings=(),
            demultiplexings=(),
            fastq=None,
            interop=None,
            problems=tuple(self.problems),
            outlook=Outlook(
                "wait" if self.verdict.kind is VerdictKind.SEQUENCING else "refuse",
                f"not begin: {code}",
                ("restore RunInfo.xml from the instrument",),
                again_command(self.folder.path),
            ),
        )


def refuse_if_no_run(path: Path) -> None:
    """A folder passes that holds RunInfo.xml, or something else that only runs have.

    Raises:
        NotARunFolderError: saying what is there instead.
    """
    hint = "name the folder that the instrument wrote: it holds RunInfo.xml"
    try:
        if not path.exists():
            raise NotARunFolderError(f"{path} does not exist", hint=hint)
        if not path.is_dir():
            raise NotARunFolderError(f"{path} is a file, not a run folder", hint=hint)
        names = {entry.name for entry in path.iterdir()}
        if FILE_NAME in names:
            if not (path / FILE_NAME).is_file():
                # NB: a named pipe would be waited for without end.
                raise NotARunFolderError(f"{path / FILE_NAME} is not a file", hint=hint)
            with (path / FILE_NAME).open("rb"):
                pass
    except OSError as err:
        raise NotARunFolderError(
            f"{err.filename or path} cannot be read: {err.strerror}",
            hint="check its permissions and that the file system is mounted",
        ) from err
    if not names:
        raise NotARunFolderError(f"{path} is empty", hint=hint)
    signs = {FILE_NAME, *MARKERS, "RunParameters.xml", "runParameters.xml"}
    if not names & signs and not (_RUN_NAME.fullmatch(path.name) and names & {"Data", "InterOp"}):
        below = sorted(name for name in names if _RUN_NAME.fullmatch(name))[:1]
        raise NotARunFolderError(
            f"{path} holds no RunInfo.xml: it is not a run folder",
            hint=f"is {path / below[0]} meant?" if below else hint,
        )


def _parameters(folder: RunFolder, problems: list[str]) -> RunParameters | None:
    try:
        return folder.run_parameters
    except RunDataError as err:
        problems.append(str(err))
        return None


def _interop(folder: RunFolder, problems: list[str]) -> InteropSummary | None:
    try:
        summary = interop_summary.summarise(folder.path)
        return summary if summary is not None and summary.lanes else None
    except InteropError as err:
        problems.append(str(err))
        return None


def _sheet(
    folder: RunFolder, run_info: RunInfo, given: Path | None
) -> tuple[Path | None, SampleSheet | None, tuple[Finding, ...]]:
    """(its path or None, the sheet or None, findings); a sheet that cannot be read is a finding."""
    path = given or folder.path / SHEET
    if given is None and not path.is_file():
        return None, None, ()
    try:
        sheet = SampleSheet.read(path)
    except SampleSheetError as err:
        message = str(err).split(": ", 1)[-1] if err.line else str(err)
        finding = Finding(err.code, Severity.ERROR, err.line, err.column, message, err.hint)
        return path, None, (finding,)
    asked = sheet_settings.allowed_mismatches(sheet)
    return path, sheet, sheet_check.check(sheet, run_info, asked or (1, 1))
