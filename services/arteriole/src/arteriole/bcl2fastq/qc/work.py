"""The work of a QC job: measure, judge, write the document, and say what follows."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.qc import checkqc, document
from arteriole.bcl2fastq.qc.document import QcError
from arteriole.bcl2fastq.qc.judging import Finding, gravest_first, judge, verdict
from arteriole.bcl2fastq.qc.measures import Counted, measure, measure_run
from arteriole.bcl2fastq.qc.settings import Consequence, QcSettings
from arteriole.bcl2fastq.sheets import SHEET
from arteriole.illumina import demultiplexing_stats, interop_summary, run_file, sheet_check
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats
from arteriole.illumina.interop_summary import InteropError, InteropSummary
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import SampleSheet, parse
from arteriole.illumina.sheet_text import SIZE_LIMIT
from arteriole.jobs.worker import Task, note

#: Where a converter leaves its statistics, in an attempt's folder.
_STATISTICS = ("Stats/Stats.json", "Reports/Demultiplex_Stats.csv")
#: So many findings are in the result of a job; the document has all.
TOLD = 50
#: And so many in its message.
_NAMED = 3


def work(task: Task) -> dict[str, Any]:
    """Judge the attempt; `{verdict, findings, finding_count, path}`.

    Raises:
        QcError: something has the consequence `fail`; the document is written.
    """
    settings = QcSettings.model_validate(task.parameters["qc"])
    attempt = Attempt(Path(task.parameters["fastq_root"]), task.run, task.attempt)
    record = attempt.record()
    if record is None:
        raise ConversionError(
            f"attempt {task.attempt} of {task.run} is not complete in {attempt.home}",
            code="attempt.not_found",
        )
    sheet = _sheet_of(task, attempt, str(record.get("sheet_sha256", "")))
    sources = ["attempt.json"]
    stats = _statistics(attempt.path, sources)
    interop = _interop(task, sources)
    projects = {sample.sample_id: sample.project for sample in parse(sheet).samples}
    measures = measure(Counted.of(record), stats, interop, projects)
    findings = judge(measures, settings)
    if settings.checkqc is not None:
        sources.append("CheckQC")
        theirs = checkqc.findings(task, settings.checkqc, attempt, sheet)
        findings = gravest_first((*findings, *theirs))
    made = document.make(task.run, task.attempt, measures, findings, settings, sources)
    document.write(attempt, made)
    worst = verdict(findings)
    if worst is Consequence.FAIL:
        raise QcError(
            _message(findings),
            code=findings[0].code,
            hint=f"correct it and make it anew (arteriole redo {task.run} --from convert), or"
            f" correct bcl2fastq.qc in arteriole.yaml; then: arteriole retry {task.run}",
        )
    if worst is not None:
        hint = f'arteriole accept {task.run} --reason "WHY"' if worst is Consequence.HOLD else ""
        task.remark(findings[0].code, _message(findings), hint)
    return {**_told(made), "path": str(document.path_of(attempt))}


def observe(task: Task) -> dict[str, Any]:
    """What is known before a conversion, the instrument's measures, judged and only told."""
    settings = QcSettings.model_validate(task.parameters["qc"])
    attempt = Attempt(Path(task.parameters["fastq_root"]), task.run, task.attempt)
    run_dir = Path(task.parameters["run_dir"])
    given = task.parameters.get("sheet")
    sheet = SampleSheet.read(run_dir / SHEET) if given is None else parse(base64.b64decode(given))
    by_lane = sheet_check.samples_by_lane(sheet, RunFolder(run_dir).run_info)
    projects = {n: tuple(sorted({s.project for s in rows})) for n, rows in by_lane.items()}
    sources: list[str] = []
    measures = measure_run(_interop(task, sources), projects)
    findings = judge(measures, settings)
    made = document.make(task.run, task.attempt, measures, findings, settings, sources)
    return {**_told(made), "to": str(document.path_of(attempt))}


def _sheet_of(task: Task, attempt: Attempt, sha256: str) -> bytes:
    """The sheet that the attempt was made by, which says of which project a sample is.

    Raises:
        ConversionError: it is not there any more.
    """
    given = task.parameters.get("sheet")
    candidates = [attempt.path / SHEET, Path(task.parameters["run_dir"]) / SHEET]
    found = [run_file.read(path, SIZE_LIMIT) for path in candidates if path.is_file()]
    found += [] if given is None else [base64.b64decode(given)]
    for data in found:
        if hashlib.sha256(data).hexdigest() == sha256:
            return data
    raise ConversionError(
        f"{SHEET} is not as it was when attempt {task.attempt} was made of it",
        code="convert.sheet_changed",
        hint="look at the sheet that is there now",
    )


def _statistics(folder: Path, sources: list[str]) -> DemultiplexingStats | None:
    for name in _STATISTICS:
        if (folder / name).is_file():
            sources.append(name)
            return demultiplexing_stats.read(folder / name)
    return None


def _interop(task: Task, sources: list[str]) -> InteropSummary | None:
    """NB: what cannot be read counts as not measured, which is a finding where it is judged by."""
    try:
        summary = interop_summary.summarise(Path(task.parameters["run_dir"]))
    except InteropError as err:
        note(str(err))
        return None
    if summary is not None:
        sources.append("InterOp")
    return summary


def _told(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "verdict": made["verdict"],
        "findings": made["findings"][:TOLD],
        "finding_count": len(made["findings"]),
    }


def _message(findings: tuple[Finding, ...]) -> str:
    more = len(findings) - _NAMED
    text = "; ".join(finding.message for finding in findings[:_NAMED])
    return f"{text}; and {more} more" if more > 0 else text
