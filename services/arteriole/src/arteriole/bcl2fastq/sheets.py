"""Checks the sample sheet of a run before anything is converted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from arteriole.illumina import index_orientation, sheet_check
from arteriole.illumina.errors import RunDataError, SampleSheetError
from arteriole.illumina.index_orientation import OrientationError
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import SampleSheet, parse
from arteriole.illumina.sheet_check import Finding, Severity

SHEET = "SampleSheet.csv"
#: So many findings are told; the rest are counted.
FINDINGS = 50


def check(
    run_dir: Path,
    given: bytes | None,
    mismatches: tuple[int, int],
    collisions_allowed: bool,
    converter: str = "builtin",
    index2: str | None = None,
) -> dict[str, Any]:
    """Judge the sheet in `run_dir`, or the one that is given, against its RunInfo.xml.

    Args:
        converter, index2: which one is to convert, and how index2 is said to be written.

    Returns:
        `{ok, code, message, hint, findings, finding_count}`; code, message and hint are those of
        the first error. Never raises for what the files hold.
    """
    sheet = run_dir / SHEET
    asked = mismatches, collisions_allowed, converter, index2
    if given is not None:
        return _judged(run_dir, lambda: parse(given), *asked)
    if not sheet.is_file():
        return _refused(
            "sheet.missing",
            f"there is no {SHEET} in the run folder",
            f"put the run's {SHEET} there",
        )
    if not sheet.resolve().is_relative_to(run_dir.resolve()):
        return _refused(
            "sheet.link",
            f"{SHEET} is a link that leads out of the run folder",
            "replace it with the file that it stands for",
        )
    return _judged(run_dir, lambda: SampleSheet.read(sheet), *asked)


def _judged(
    run_dir: Path,
    read: Callable[[], SampleSheet],
    mismatches: tuple[int, int],
    collisions_allowed: bool,
    converter: str,
    index2: str | None,
) -> dict[str, Any]:
    try:
        run_info = RunFolder(run_dir).run_info
        sheet = read()
        unknown = _orientation(sheet, run_dir, converter, index2)
        findings = (*unknown, *sheet_check.check(sheet, run_info, mismatches))
    except SampleSheetError as err:
        return _refused(err.code, f"{SHEET}{', ' if err.line else ': '}{err}", err.hint)
    except RunDataError as err:
        return _refused(err.code, str(err), err.hint)
    if collisions_allowed:
        findings = tuple(f for f in findings if f.code != "sheet.index_collision")
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    first = errors[0] if errors else None
    return {
        "ok": not errors,
        "code": first.code if first else "",
        "message": _sentence(first, len(errors)) if first else "",
        "hint": first.hint if first else "",
        "findings": [_document(finding) for finding in findings[:FINDINGS]],
        "finding_count": len(findings),
    }


def _orientation(
    sheet: SampleSheet, run_dir: Path, converter: str, index2: str | None
) -> tuple[Finding, ...]:
    """An error where it is not known how index2 is to be read, and that matters."""
    try:
        index_orientation.for_converter(converter, sheet, run_dir, index2)
    except OrientationError as err:
        line = next(sample.line for sample in sheet.samples if sample.index2)
        column = sheet.columns.get("index2", 0)
        return (Finding(err.code, Severity.ERROR, line, column, str(err), err.hint),)
    return ()


def _refused(code: str, message: str, hint: str) -> dict[str, Any]:
    return {
        "ok": False,
        "code": code,
        "message": message,
        "hint": hint,
        "findings": [],
        "finding_count": 0,
    }


def _sentence(finding: Finding, errors: int) -> str:
    place = f"{SHEET}, line {finding.line}" if finding.line else SHEET
    more = f" (and {errors - 1} more errors)" if errors > 1 else ""
    return f"{place}: {finding.message}{more}"


def _document(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    }
