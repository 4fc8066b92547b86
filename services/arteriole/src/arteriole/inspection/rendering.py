"""An inspection as text for a person, 80 columns wide.

Whatever comes from files is shown without the characters that a terminal obeys.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import click

from arteriole.illumina.instruments import instrument_type
from arteriole.illumina.run_folder import BclKind
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_check import Finding, Severity
from arteriole.inspection.inspection import Inspection
from arteriole.inspection.missing import named
from arteriole.inspection.outlook import SHEET, called

WIDTH = 80
_LABEL = 14
_TOLD = 5
_ENDS = {"ended as planned": "outcome", "base calling ended": "markers", "copy ended": "copy"}
_FINDINGS = 12

_KINDS = {
    BclKind.BCL: ".bcl, a file a cycle and tile",
    BclKind.BCL_GZ: ".bcl.gz, a file a cycle and tile",
    BclKind.BCL_BGZF: ".bcl.bgzf, a file a cycle",
    BclKind.CBCL: ".cbcl, a file a cycle and surface",
}


def printable(text: str) -> str:
    """`text` on one line, with what a terminal would obey written out.

    >>> printable("a\\x1b[2Jb\\u202e")
    'a\\\\x1b[2Jb\\\\u202e'
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def render(found: Inspection) -> str:
    """The whole text, with a line end after each line."""
    parts = [_run(found), _completeness(found)]
    if found.run_info is not None:
        parts += [_sheet(found), _interop(found), _demultiplexed(found)]
    parts += [_problems(found), _outlook(found)]
    blocks = ["\n".join(lines) for lines in map(list, parts) if lines]
    return "\n\n".join(blocks) + "\n"


def _line(label: str, text: str) -> str:
    """`label` and the wrapped text beside it; long words, such as paths, are not broken."""
    return (
        "\n".join(
            textwrap.wrap(
                printable(text),
                WIDTH,
                initial_indent=f"  {label:<{_LABEL}}",
                subsequent_indent=" " * (_LABEL + 2),
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        or f"  {label}"
    )


def _heading(title: str, good: bool | None, text: str) -> str:
    colour = {True: "green", False: "red", None: "yellow"}[good]
    wrapped = textwrap.wrap(
        printable(f"{title}: {text}"),
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return click.style("\n".join(wrapped), fg=colour, bold=True)


def _some(label: str, texts: tuple[str, ...] | list[str], most: int = _TOLD) -> Iterator[str]:
    for place, text in enumerate(texts[:most]):
        yield _line("" if place else label, text)
    if len(texts) > most:
        yield _line("", f"and {len(texts) - most} more")


def _run(found: Inspection) -> Iterator[str]:
    info = found.run_info
    name = called(found.path)
    yield click.style(printable(name), bold=True)
    if info is None:
        return
    if info.run_id != name:
        yield _line("run id", f"{info.run_id}, as RunInfo.xml has it")
    parameters = found.parameters or RunParameters()
    known = instrument_type(info.instrument)
    kind = known.name if known else parameters.instrument_type or "unknown instrument"
    yield _line("instrument", f"{kind} {info.instrument}, run {info.run_number}, {info.date}")
    yield _line("flow cell", f"{info.flowcell}, {_geometry(info)}")
    yield _line("reads", f"{reads(info)} cycles")
    software = f"{parameters.application} {parameters.application_version}".strip()
    rta = f"RTA {parameters.rta_version}" if parameters.rta_version else ""
    if software or rta:
        yield _line("software", ", ".join(part for part in (software, rta) if part))
    if parameters.experiment_name:
        yield _line("experiment", parameters.experiment_name)
    yield _line("base calls", _base_calls(found, info))


def reads(info: RunInfo) -> str:
    """Template reads, then index reads: `2 x 151 + 8 + 8`, or `28 + 91 + 10 + 10`."""
    templates = [read.cycles for read in info.template_reads]
    if len(set(templates)) == 1 and len(templates) > 1:
        told = [f"{len(templates)} x {templates[0]}"]
    else:
        told = [str(cycles) for cycles in templates]
    return " + ".join(told + [str(read.cycles) for read in info.index_reads])


def _geometry(info: RunInfo) -> str:
    counts = {len(tiles) for tiles in info.tiles.values()}
    lanes = len(info.lanes)
    tiles = f"{counts.pop()} tiles" if len(counts) == 1 else "tiles that differ"
    return f"{lanes} lanes of {tiles}" if lanes != 1 else f"1 lane of {tiles}"


def _base_calls(found: Inspection, info: RunInfo) -> str:
    told = []
    pairs = sorted(found.base_calls.items(), key=lambda pair: str(pair[1]))
    for kind, group in groupby(pairs, key=lambda pair: pair[1]):
        lanes = [lane for lane, _ in group]
        text = _KINDS[kind] if kind else "none"
        whole = len(lanes) == len(info.lanes)
        told.append(text if whole else f"{named('lane', lanes, info.lanes)}: {text}")
    return "; ".join(told)


def _completeness(found: Inspection) -> Iterator[str]:
    verdict = found.verdict
    if found.is_complete:
        yield _heading("Complete", True, verdict.message)
        yield from _answers(found)
        return
    code = f" ({verdict.code})" if verdict.code else ""
    yield _heading("Not complete", False, f"{verdict.kind.value}{code}")
    yield _line("why", verdict.message)
    evidence = verdict.evidence
    yield from _answers(found)
    if "files_expected" in evidence:
        yield _line(
            "files", f"{evidence['files_found']:,} of {evidence['files_expected']:,} are whole"
        )
    yield from _some("missing", found.missing)
    if not found.missing:
        problems = [str(one) for one in evidence.get("problems", ())]
        yield from _some("problems", [one for one in problems if one not in verdict.message])
    if verdict.hint:
        yield _line("to do", verdict.hint)


def _answers(found: Inspection) -> Iterator[str]:
    """What each kind of evidence says; the files and the sheet have lines of their own."""
    evidence = found.verdict.evidence
    for one in evidence.get("questions", ()):
        if label := _ENDS.get(one["question"]):
            yield _line(label, f"{one['question']}: {one['answer']} ({one['because']})")
    if not evidence.get("instrument_type", {}).get("verified", True):
        told = "how this instrument ends a run is not known for sure: its files decide alone"
        yield _line("unverified", told)
    for one in evidence.get("analyses", ()):
        state = "ended" if one["ended"] else "not ended"
        fastqs = "FASTQ files" if one["fastqs"] else "no FASTQ files"
        yield _line("on board", f"Analysis/{one['number']}: {state}, {fastqs}")


def _sheet(found: Inspection) -> Iterator[str]:
    if found.sheet_path is None:
        yield _heading("Sheet", None, f"there is no {SHEET}")
        return
    sheet, errors = found.sheet, found.sheet_errors
    name = found.sheet_path.name
    if sheet is None:
        yield _heading("Sheet", False, f"{name} cannot be used")
    else:
        samples = len({sample.sample_id for sample in sheet.samples})
        told = f"{samples} sample{'s' * (samples != 1)}"
        if found.sheet_lanes and found.run_info:
            told += f" on {named('lane', found.sheet_lanes, found.run_info.lanes)}"
        state = f", {len(errors)} error{'s' * (len(errors) != 1)}" if errors else ", no error"
        yield _heading("Sheet", not errors, f"{name}, {_version(sheet)}, {told}{state}")
    groups = _grouped(found.findings)
    for finding, lines in groups[:_FINDINGS]:
        place = named("line", lines, range(1, max(lines) + 1)) if any(lines) else ""
        place += f", column {finding.column}" if finding.column else ""
        yield _line(
            finding.severity.value,
            f"{place}{': ' if place else ''}{finding.message} [{finding.code}]",
        )
        if finding.hint:
            yield _line("", finding.hint)
    if len(groups) > _FINDINGS:
        more = sum(len(lines) for _, lines in groups[_FINDINGS:])
        yield _line("", f"and {more} more findings; --json tells more of them")


def _version(sheet: SampleSheet) -> str:
    if sheet.version == 1 and sheet.header.get("FileFormatVersion") == "2":
        return "version 1 (which calls itself 2)"
    return f"version {sheet.version}"


def _grouped(findings: tuple[Finding, ...]) -> list[tuple[Finding, list[int]]]:
    """Errors first; findings that differ in their line alone stand together."""
    groups: dict[Finding, list[int]] = {}
    for finding in sorted(findings, key=lambda f: f.severity is Severity.WARNING):
        groups.setdefault(replace(finding, line=0), []).append(finding.line)
    return list(groups.items())


def _interop(found: Inspection) -> Iterator[str]:
    summary = found.interop
    if summary is None:
        return
    clusters = f"{_millions(summary.clusters_pf)} of {_millions(summary.clusters)} clusters passed"
    if not summary.yield_gigabases:
        yield _heading("InterOp", True, f"no qualities, {clusters}")
    else:
        quality = f"{_bases(summary.yield_gigabases)}, {summary.percent_q30:.1f} % >= Q30"
        yield _heading("InterOp", True, f"{quality}, {clusters}")
    for lane in summary.lanes if len(summary.lanes) > 1 else ():
        good = f", {lane.percent_q30:.1f} % >= Q30" if lane.yield_gigabases else ""
        yield _line(
            f"lane {lane.lane}",
            f"{_millions(lane.clusters_pf)} of {_millions(lane.clusters)} clusters"
            f" ({lane.percent_pf:.1f} %){good}",
        )


def _bases(gigabases: float) -> str:
    if gigabases >= 1:
        return f"{gigabases:,.2f} gigabases"
    return f"{gigabases * 1000:,.2f} megabases"


def _millions(number: int) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 100_000 else f"{number:,}"


def _demultiplexed(found: Inspection) -> Iterator[str]:
    files = found.fastq
    if not found.demultiplexings and files is None:
        return
    differences = sum(len(one.differences) for one in found.demultiplexings)
    if files is not None:
        differences += len(files.missing) + len(files.unexpected)
    state = "it disagrees" if differences else "it agrees"
    if found.sheet is None:
        state += " with the run (no sheet to compare with)"
    else:
        state += " with the sheet and the run"
    yield _heading("Demultiplexed already", not differences, state)
    for one in found.demultiplexings:
        where = _below(one.path, found.path)
        if one.software:
            yield _line(
                one.software,
                f"{where}: {one.samples} samples, {one.reads:,} reads, {one.undetermined:,}"
                " undetermined",
            )
        else:
            yield _line("unreadable", where)
        yield from _some("differs", one.differences)
    if files is not None:
        yield _line(
            "FASTQ files", f"{files.present} are there, {files.expected} belong to the sheet"
        )
        yield from _some("missing", files.missing)
        yield from _some("not in sheet", files.unexpected)


def _below(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _problems(found: Inspection) -> Iterator[str]:
    for problem in found.problems:
        yield _heading("Problem", False, problem)


def _outlook(found: Inspection) -> Iterator[str]:
    outlook = found.outlook
    good = {"convert": True, "wait": None}.get(outlook.would, False)
    if outlook.reasons and outlook.would == "convert":
        good = None
    yield _heading("Arteriole would", good, outlook.message)
    yield from _some("note", outlook.reasons)
    if outlook.command:
        # On one line, however long, so that it can be copied.
        yield f"  {'try next':<{_LABEL}}{printable(outlook.command)}"
