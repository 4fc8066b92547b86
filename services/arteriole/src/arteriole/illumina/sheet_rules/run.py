"""Whether a sheet is that of its run: flow cell, instrument and date."""

import re
from collections.abc import Iterator
from datetime import date

from arteriole.illumina.instruments import instrument_type
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_text import plain

DAYS = 90
"""A sheet is written shortly before its run; so many days before or after are let pass."""

_FLOWCELL_KEYS = frozenset({"flowcell", "flowcellid", "flowcellbarcode", "flowcellserial"})
_INSTRUMENT_KEYS = frozenset({"instrumenttype", "instrumentplatform", "instrument"})
_FAMILIES: tuple[tuple[str, str | tuple[str, ...]], ...] = (
    # as sheets write them, without signs; the longest first. NB: Illumina Experiment Manager writes
    # NextSeq/MiniSeq for either.
    ("nextseqminiseq", ("NextSeq", "MiniSeq")),
    ("novaseqx", "NovaSeq X"),
    ("novaseq6000", "NovaSeq 6000"),
    ("nextseq1000", "NextSeq 1000/2000"),
    ("nextseq2000", "NextSeq 1000/2000"),
    ("nextseq500", "NextSeq 500/550"),
    ("nextseq550", "NextSeq 5"),
    ("miseqi100", "MiSeq i100"),
    ("hiseqx", "HiSeq X"),
    ("hiseq3000", "HiSeq 3000/4000"),
    ("hiseq4000", "HiSeq 3000/4000"),
    ("novaseq", "NovaSeq"),
    ("nextseq", "NextSeq"),
    ("miniseq", "MiniSeq"),
    ("miseq", "MiSeq"),
    ("iseq", "iSeq"),
    ("hiseq", "HiSeq"),
)
_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_SHORT = re.compile(r"(\d{2})(\d{2})(\d{2})(?!\d)")
_WRITTEN = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?!\d)")


def _flowcell(case: Case) -> Iterator[Fault]:
    said = [
        (case.sheet.header_lines.get(name, 0), 2, value)
        for name, value in case.sheet.header.items()
        # A name of several words is a kit's, such as NovaSeq 6000 S4 Reagent Kit.
        if plain(name) in _FLOWCELL_KEYS and " " not in value
    ]
    column = case.sheet.columns.get("FCID", 0)
    said += [(sample.line, column, sample.flowcell) for sample in case.sheet.samples]
    told: set[str] = set()
    for line, place, value in said:
        if value and value not in told and not is_flowcell(value, case.run.flowcell):
            told.add(value)
            yield Fault(
                line,
                place,
                f"the sheet is of flow cell {value[:40]}, the run of {case.run.flowcell}",
                "find the sheet of this run, or correct the flow cell",
            )


def is_flowcell(one: str, other: str) -> bool:
    """Whether two names mean one: zeros or the side of the instrument may stand before it."""
    short, long = sorted((_bare(one), _bare(other)), key=len)
    return short == long or (len(long) == len(short) + 1 and long[1:] == short and long[0] in "AB")


def _bare(name: str) -> str:
    return name.upper().removeprefix("000000000-")


def _instrument(case: Case) -> Iterator[Fault]:
    kind = instrument_type(case.run.instrument)
    if kind is None:
        return
    for name, value in case.sheet.header.items():
        if plain(name) not in _INSTRUMENT_KEYS:
            continue
        family = next((known for text, known in _FAMILIES if plain(value).startswith(text)), "")
        if family and not kind.name.startswith(family):
            yield Fault(
                case.sheet.header_lines.get(name, 0),
                2,
                f"the sheet is for a {value[:40]}, the run {case.run.instrument} is of a"
                f" {kind.name}",
                "find the sheet of this run; the i5 may be written in the other direction there",
            )
            return


def _date(case: Case) -> Iterator[Fault]:
    of_run = _dates(case.run.date)
    for name, value in case.sheet.header.items():
        found = _dates(value) if plain(name) == "date" else set()
        if not found or not of_run:
            continue
        days = min(abs((one - other).days) for one in found for other in of_run)
        if days > DAYS:
            yield Fault(
                case.sheet.header_lines.get(name, 0),
                2,
                f"the sheet's date {value[:40]} is {days} days from that of the run",
                "find out whether this is the sheet of an earlier run",
            )


def _dates(text: str) -> set[date]:
    """The days that a text may mean: of 3/4/2026 nobody knows which is the month."""
    text = text.strip()
    if match := _ISO.match(text):
        orders = [(match[1], match[2], match[3])]
    elif match := _SHORT.fullmatch(text):
        orders = [(f"20{match[1]}", match[2], match[3])]
    elif match := _WRITTEN.match(text):
        a, b, c = match.groups()
        year = f"20{c}" if len(c) == 2 else c
        orders = [(a, b, c)] if len(a) == 4 else [(year, a, b), (year, b, a)]
    else:
        return set()
    found = set()
    for year, month, day in orders:
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found


RULES = (
    Rule(
        "sheet.flowcell_differs",
        Severity.ERROR,
        Needs.RUN,
        "The sheet names another flow cell than the run has.",
        "Clinical-Genomics/cg#2223: several sheets of a run in several places",
        _flowcell,
    ),
    Rule(
        "sheet.instrument_differs",
        Severity.WARNING,
        Needs.RUN,
        "The sheet is for another kind of instrument than that of the run.",
        "Clinical-Genomics/cg#2683: whether the i5 is turned varies between machines and versions",
        _instrument,
    ),
    Rule(
        "sheet.date_far",
        Severity.WARNING,
        Needs.RUN,
        f"The sheet's date is more than {DAYS} days from that of the run.",
        "Clinical-Genomics/cg#2223: several sheets of a run, and the question whether they are the"
        " same",
        _date,
    ),
)
