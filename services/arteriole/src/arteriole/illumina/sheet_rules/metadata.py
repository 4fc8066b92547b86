"""A sheet against the site's own metadata: what it knows of each sample, and what it expects."""

from collections.abc import Iterator

from arteriole.illumina.index_orientation import reverse_complement
from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.names import NAME_LENGTH
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_rules.run import is_flowcell
from arteriole.illumina.sheet_rules.site import is_control
from arteriole.illumina.sheet_text import is_near
from arteriole.illumina.site_metadata import Expected

_BASES = frozenset("ACGTN")


def _unreadable(case: Case) -> Iterator[Fault]:
    found = case.site.metadata
    if found is None or all(is_control(case, sample) for sample in case.sheet.samples):
        return
    if found.trouble:
        message = f"the site's metadata cannot be compared: {found.trouble}"
        yield Fault(0, 0, message, "mend that table, then check the sheet again")


def _unknown(case: Case) -> Iterator[Fault]:
    """NB: a control need not be known; a name is told once."""
    lost = _missing_ids(case)
    told: set[str] = set()
    for sample in case.sheet.samples:
        name = sample.sample_id
        if not _is_compared(case) or not name or name in told or is_control(case, sample):
            continue
        rows = _rows(case, sample)
        if rows:
            continue
        told.add(name)
        message = f"the site's metadata does not know {name[:NAME_LENGTH]}"
        if elsewhere := _known(case, name):
            there = ", ".join(sorted({row.flow_cell for row in elsewhere}))[:NAME_LENGTH]
            message = f"the site's metadata has {name[:NAME_LENGTH]} on flow cell {there}"
        near = next((one for one in lost if is_near(one, name, 1)), "")
        hint = f"is {near} meant?" if near else "correct the name, or add it to the metadata"
        yield case.at(sample, "Sample_ID", message, hint)


def _project(case: Case) -> Iterator[Fault]:
    if "Sample_Project" not in case.sheet.columns:
        return
    for sample in case.sheet.samples:
        rows = [row for row in _rows(case, sample) if row.project]
        if rows and all(row.project != sample.project for row in rows):
            yield _differs(case, sample, "Sample_Project", sample.project, rows[0].project, rows[0])


def _index(case: Case) -> Iterator[Fault]:
    """NB: tables have an i5 in either direction, and an index may be cut at one end."""
    for sample in case.sheet.samples:
        rows = [
            row
            for row in _rows(case, sample)
            if sample.lane is None or row.lane in (None, sample.lane)
        ]
        for column, said, forms_of in (
            ("index", sample.index, _i7),
            ("index2", sample.index2, _i5),
        ):
            told = [(row, forms) for row in rows if (forms := forms_of(row))]
            if not said or not told:
                continue
            if not any(_is_part(said, form) for _, forms in told for form in forms):
                row, forms = told[0]
                yield _differs(case, sample, column, said, forms[0], row)


def _lane(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        rows = _rows(case, sample)
        lanes = {row.lane for row in rows}
        if sample.lane is not None and rows and None not in lanes and sample.lane not in lanes:
            expected = ", ".join(str(lane) for lane in sorted(lanes - {None}, key=str))
            yield _differs(case, sample, "Lane", str(sample.lane), expected, rows[0])


def _missing(case: Case) -> Iterator[Fault]:
    for name in _missing_ids(case):
        row = _known(case, name)[0]
        message = f"the site's metadata expects {name[:NAME_LENGTH]} on this flow cell"
        yield Fault(
            0,
            0,
            f"{message} ({row.where}), and the sheet has no such sample",
            "add its row, or take the flow cell off it in the metadata",
        )


def _is_compared(case: Case) -> bool:
    return case.site.metadata is not None and not case.site.metadata.trouble


def _known(case: Case, name: str) -> tuple[Expected, ...]:
    return () if case.site.metadata is None else case.site.metadata.samples.get(name, ())


def _rows(case: Case, sample: Sample) -> list[Expected]:
    """What is known of a sample on this flow cell, which before the run is any."""
    if not _is_compared(case):
        return []
    return [
        row
        for row in _known(case, sample.sample_id)
        if case.run_info is None
        or not row.flow_cell
        or is_flowcell(row.flow_cell, case.run_info.flowcell)
    ]


def _missing_ids(case: Case) -> list[str]:
    """Those expected on this flow cell that the sheet has not; nobody knows before the run."""
    if case.run_info is None or case.site.metadata is None or case.site.metadata.trouble:
        return []
    there = {sample.sample_id for sample in case.sheet.samples}
    return [
        name
        for name, rows in case.site.metadata.samples.items()
        if name not in there
        and any(row.flow_cell and is_flowcell(row.flow_cell, case.run.flowcell) for row in rows)
    ]


def _i7(row: Expected) -> tuple[str, ...]:
    return (row.index,) if row.index else ()


def _i5(row: Expected) -> tuple[str, ...]:
    """As it is, and turned."""
    index = row.index2.upper()
    if not index:
        return ()
    return (index, reverse_complement(index)) if set(index) <= _BASES else (index,)


def _is_part(one: str, other: str) -> bool:
    """Whether the shorter stands at an end of the longer."""
    short, long = sorted((one.upper(), other.upper()), key=len)
    return long.startswith(short) or long.endswith(short)


def _differs(
    case: Case, sample: Sample, column: str, said: str, expected: str, row: Expected
) -> Fault:
    message = (
        f"{sample.sample_id[:NAME_LENGTH]} has {column} {said[:NAME_LENGTH] or 'empty'}, the site's"
        f" metadata {expected[:NAME_LENGTH]} ({row.where})"
    )
    return case.at(sample, column, message, "correct the one that is wrong")


RULES = (
    Rule(
        "sheet.metadata_unreadable",
        Severity.ERROR,
        Needs.SITE,
        "The site's metadata cannot be read, so the sheet cannot be compared with it.",
        "no public report found: with a table that is not read no sample would be compared, and"
        " nobody would know",
        _unreadable,
    ),
    Rule(
        "sheet.metadata_unknown",
        Severity.ERROR,
        Needs.SITE,
        "The site's metadata does not know a sample, or not on this flow cell.",
        "Clinical-Genomics/cg#2270: samples of a flow cell that was demultiplexed were missing in"
        " the centre's own database",
        _unknown,
    ),
    Rule(
        "sheet.metadata_project",
        Severity.ERROR,
        Needs.SITE,
        "A sample is of another project than the site's metadata says.",
        "Clinical-Genomics/cg#4044: data for the wrong customer",
        _project,
    ),
    Rule(
        "sheet.metadata_index",
        Severity.ERROR,
        Needs.SITE,
        "A sample has another index than the site's metadata says.",
        "Clinical-Genomics/cg#2220: a sample was assigned the wrong index, which dummy samples in"
        " the sheet were to find",
        _index,
    ),
    Rule(
        "sheet.metadata_lane",
        Severity.ERROR,
        Needs.SITE,
        "A sample is on another lane than the site's metadata says.",
        "no public report found: on the wrong lane a sample is empty, or has the reads of another",
        _lane,
    ),
    Rule(
        "sheet.metadata_missing",
        Severity.ERROR,
        Needs.SITE,
        "The site's metadata expects a sample on this flow cell that the sheet does not have.",
        "nf-core/demultiplex#135: 21 of 31 samples came out of a run that was 'successful'",
        _missing,
    ),
)
