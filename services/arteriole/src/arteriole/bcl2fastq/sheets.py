"""Checks a sample sheet: against its run before anything is converted, or before there is one."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.illumina import index_orientation, index_sets, run_file, sheet_check
from arteriole.illumina.errors import RunDataError, SampleSheetError
from arteriole.illumina.index_orientation import OrientationError
from arteriole.illumina.index_sets import NO_SETS, IndexSets
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import SampleSheet, parse
from arteriole.illumina.sheet_check import NO_SITE_RULES, Finding, Severity, SiteRules
from arteriole.illumina.sheet_text import SIZE_LIMIT

SHEET = "SampleSheet.csv"
#: So many findings are told, the errors first; the rest are counted.
FINDINGS = 50


@dataclass(frozen=True)
class Standard:
    """What a sheet is measured by.

    Attributes:
        mismatches: those that a conversion allows in i7 and i5.
        collisions_allowed: indexes may lie nearer to each other than that.
        waived: the codes of rules that a person waived for this run; errors of theirs are told,
            and stop nothing.
        converter, index2: which one is to convert, and how index2 is said to be written.
        index_sets: those that a sheet may name in the place of indexes.
        more: finds what else is wrong with a sheet.
    """

    mismatches: tuple[int, int] = (1, 1)
    collisions_allowed: bool = False
    site: SiteRules = NO_SITE_RULES
    waived: frozenset[str] = frozenset()
    converter: str = "builtin"
    index2: str | None = None
    index_sets: IndexSets = NO_SETS
    more: Callable[[SampleSheet], tuple[Finding, ...]] = lambda sheet: ()


def sheet_bytes(run_dir: Path, given: str | None) -> bytes | None:
    """The sheet that came with a request, in base 64, or the one in the run folder, if any."""
    if given is not None:
        return base64.b64decode(given)
    try:
        with run_file.open_file(run_dir / SHEET) as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError:
        return None


def check(run_dir: Path, given: bytes | None, standard: Standard) -> dict[str, Any]:
    """Judge the sheet in `run_dir`, or the one that is given, against its RunInfo.xml.

    Returns:
        `{ok, code, message, hint, run, findings, finding_count}`; code, message and hint are those
        of the first error. Never raises for what the files hold.
    """
    if given is not None:
        return check_given(given, run_dir, standard)
    sheet = run_dir / SHEET
    if not sheet.is_file():
        return missing(
            f"there is no {SHEET} in the run folder", f"put the run's {SHEET} there", run_dir
        )
    if not sheet.resolve().is_relative_to(run_dir.resolve()):
        return _refused(
            "sheet.link",
            f"{SHEET} is a link that leads out of the run folder",
            "replace it with the file that it stands for",
            run_dir,
        )
    try:
        return _judged(SampleSheet.read(sheet), run_dir, standard)
    except SampleSheetError as err:
        return _unreadable(err, run_dir)


def check_given(data: bytes, run_dir: Path | None, standard: Standard) -> dict[str, Any]:
    """The same of a sheet's bytes; without a run only by the rules that need none."""
    try:
        return _judged(parse(data), run_dir, standard)
    except SampleSheetError as err:
        return _unreadable(err, run_dir)


def missing(message: str, hint: str, run_dir: Path | None = None) -> dict[str, Any]:
    """The same where there is no sheet."""
    return _refused("sheet.missing", message, hint, run_dir)


def _judged(sheet: SampleSheet, run_dir: Path | None, standard: Standard) -> dict[str, Any]:
    orientation: tuple[Finding, ...] = ()
    try:
        run_info = None if run_dir is None else RunFolder(run_dir).run_info
        sheet = index_sets.forward(sheet, standard.index_sets)
        if run_dir is not None:
            sheet, orientation = _as_taken(sheet, run_dir, standard)
    except RunDataError as err:
        return _refused(err.code, str(err), err.hint, run_dir)
    findings = sheet_check.check(sheet, run_info, standard.mismatches, standard.site)
    findings = (*orientation, *findings, *standard.more(sheet))
    if standard.collisions_allowed:
        findings = tuple(f for f in findings if f.code != "sheet.index_collision")
    return _told(findings, run_dir, standard.waived)


def _as_taken(
    sheet: SampleSheet, run_dir: Path, standard: Standard
) -> tuple[SampleSheet, tuple[Finding, ...]]:
    """The sheet with one direction of index2; an error where that is not known, and matters."""
    converter, said = standard.converter, standard.index2
    try:
        sheet = index_sets.oriented(sheet, run_dir, converter, said)
        index_orientation.for_converter(converter, sheet, run_dir, said)
    except OrientationError as err:
        line = next(sample.line for sample in sheet.samples if sample.index2)
        column = sheet.columns.get("index2", 0)
        return sheet, (Finding(err.code, Severity.ERROR, line, column, str(err), err.hint),)
    return sheet, ()


def _unreadable(err: SampleSheetError, run_dir: Path | None) -> dict[str, Any]:
    """A sheet that cannot be read has one finding, and no waiver helps."""
    where = f"line {err.line}" + (f", column {err.column}" if err.column else "")
    message = str(err).removeprefix(f"{where}: ") if err.line else str(err)
    finding = Finding(err.code, Severity.ERROR, err.line, err.column, message, err.hint)
    return _told((finding,), run_dir, frozenset())


def _told(
    findings: tuple[Finding, ...], run_dir: Path | None, waived: frozenset[str]
) -> dict[str, Any]:
    errors = [f for f in findings if f.severity is Severity.ERROR and f.code not in waived]
    first = errors[0] if errors else None
    listed = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)[:FINDINGS]
    listed.sort(key=lambda finding: (finding.line, finding.column, finding.code))
    return {
        "ok": not errors,
        "code": first.code if first else "",
        "message": _sentence(first, len(errors)) if first else "",
        "hint": first.hint if first else "",
        "run": None if run_dir is None else run_dir.name,
        "findings": [_document(finding, waived) for finding in listed],
        "finding_count": len(findings),
    }


def _refused(code: str, message: str, hint: str, run_dir: Path | None) -> dict[str, Any]:
    return {
        "ok": False,
        "code": code,
        "message": message,
        "hint": hint,
        "run": None if run_dir is None else run_dir.name,
        "findings": [],
        "finding_count": 0,
    }


def _sentence(finding: Finding, errors: int) -> str:
    column = f", column {finding.column}" if finding.column else ""
    place = f"{SHEET}, line {finding.line}{column}" if finding.line else SHEET
    more = f" (and {errors - 1} more error{'s' * (errors > 2)})" if errors > 1 else ""
    return f"{place}: {finding.message}{more}"


def _document(finding: Finding, waived: frozenset[str]) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
        "waived": finding.code in waived and finding.severity is Severity.ERROR,
    }
