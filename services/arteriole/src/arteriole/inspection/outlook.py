"""What Arteriole would do with a run, from what was found."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from arteriole.app.names import is_identifier
from arteriole.illumina import sheet_check, sheet_settings
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_check import Finding, Severity
from arteriole.illumina.sheet_settings import Meaning
from arteriole.runfolder.verdict import Verdict

SHEET = "SampleSheet.csv"
COMPLETE = frozenset({"complete", "no_sheet"})
"""Kinds of verdict that say that nothing is missing from the run itself."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """`would` is convert, wait or refuse; `command` is what to try next, empty if nothing is."""

    would: str
    message: str
    reasons: tuple[str, ...] = ()
    command: str = ""


def outlook(
    run_dir: Path,
    run_info: RunInfo,
    verdict: Verdict,
    sheet: SampleSheet | None,
    findings: tuple[Finding, ...],
    *,
    is_emptied: bool,
) -> Outlook:
    """Judge in the order in which the services do: the run, its sheet, its settings.

    Args:
        is_emptied: there are no base calls at all, though later steps left their traces.
    """
    same = again_command(run_dir)
    if not is_identifier(called(run_dir)):
        return Outlook(
            "refuse",
            "not begin: run.name",
            ("rename the folder",),
        )
    if verdict.kind.value not in COMPLETE:
        return _not_ready(verdict, same, is_emptied)
    again = f"{same} --sheet FILE"
    if sheet is None and not findings:
        return Outlook(
            "wait",
            f"wait: the run has no {SHEET}; it goes on by itself when the sheet comes",
            command=again,
        )
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if sheet is None or errors:
        return Outlook(
            "refuse",
            f"refuse to convert: the sheet has {len(errors)} "
            f"error{'s' if len(errors) != 1 else ''}, the first is {errors[0].code}",
            command=again,
        )
    return _with_sheet(run_dir, run_info, sheet, again)


def called(run_dir: Path) -> str:
    """The folder's own name, by which the services know the run; also of `.` and `x/..`."""
    path = run_dir.absolute()
    return path.resolve().name if path.name == ".." else path.name


def again_command(run_dir: Path) -> str:
    """The same inspection once more, to be typed.

    >>> again_command(Path("-a b"))
    "arteriole inspect './-a b'"
    """
    folder = str(run_dir)
    return f"arteriole inspect {shlex.quote(f'./{folder}' if folder.startswith('-') else folder)}"


def _not_ready(verdict: Verdict, same: str, is_emptied: bool) -> Outlook:
    if is_emptied:
        return Outlook(
            "refuse",
            "not begin: there are no base calls to convert, though the run went on after them",
            ("they were removed or never copied; bring them back from the archive to convert",),
            same,
        )
    if verdict.kind.value in {"sequencing", "copying"}:
        return Outlook("wait", "wait until the run is complete", (), same)
    ignore = "".join(f" --ignore {name}" for name in verdict.evidence.get("waiver") or ())
    waive = (
        f"or an operator lets it be converted as it is: arteriole waive RUN{ignore} --reason TEXT"
    )
    return Outlook("refuse", f"not begin: {verdict.code}", (waive,) if ignore else (), same)


def _with_sheet(run_dir: Path, run_info: RunInfo, sheet: SampleSheet, again: str) -> Outlook:
    meanings = {name: sheet_settings.meaning(name, sheet, run_info) for name in sheet.settings}
    refused = [
        f"line {sheet.settings[name].line}: {name} {sheet.settings[name].value[:40]}".rstrip()
        for name, meaning in meanings.items()
        if meaning is Meaning.OTHER
    ]
    if refused:
        return Outlook(
            "refuse",
            "refuse to convert: the builtin converter does not follow these settings",
            tuple(refused),
            again,
        )
    lanes = {lane: len(s) for lane, s in sheet_check.samples_by_lane(sheet, run_info).items() if s}
    files = sum(lanes.values()) * len(run_info.template_reads)
    samples = len({sample.sample_id for sample in sheet.samples})
    where = run_dir.absolute().parent
    reasons = [f"arteriole.yaml has to name {where} under monitored_directories"]
    if Meaning.ADAPTERS in meanings.values():
        reasons.append(
            "the sheet asks for adapter trimming, which the builtin converter does not do: set"
            " bcl2fastq.ignore_adapters: true to convert without it"
        )
    if Meaning.MISMATCHES in meanings.values():
        allowed = sheet_settings.allowed_mismatches(sheet)
        said = f": {list(allowed)}" if allowed else ", the same for all samples"
        reasons.append(
            f"the sheet asks for other mismatches: set bcl2fastq.barcode_mismatches{said}"
        )
    return Outlook(
        "convert",
        f"convert {samples} sample{'s' * (samples != 1)} on {len(lanes)} "
        f"lane{'s' * (len(lanes) != 1)} to {files} FASTQ files, and those of undetermined reads",
        tuple(reasons),
        "arteriole --config arteriole.yaml serve",
    )
