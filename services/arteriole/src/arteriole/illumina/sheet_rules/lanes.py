"""Lanes of the sheet against those of the flow cell."""

from collections.abc import Iterator

from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity


def _missing(case: Case) -> Iterator[Fault]:
    if all(sample.lane is None for sample in case.sheet.samples):
        return
    for sample in case.sheet.samples:
        if sample.lane is None:
            yield case.at(sample, "Lane", "Lane is empty here", "fill it in every row")


def _unknown(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        if sample.lane is not None and sample.lane not in case.lanes:
            yield case.at(
                sample,
                "Lane",
                f"lane {sample.lane} is not on this flow cell",
                "its lanes are " + ", ".join(map(str, case.lanes)),
            )


def _unused(case: Case) -> Iterator[Fault]:
    for lane, samples in case.lanes.items():
        if case.sheet.samples and not samples:
            yield Fault(0, 0, f"no sample on lane {lane}: it is not converted")


def _without_index(case: Case) -> Iterator[Fault]:
    if not case.run.index_reads:
        return
    for lane, samples in case.lanes.items():
        if len(samples) == 1 and not samples[0].index and not samples[0].index2:
            yield case.at(
                samples[0],
                "index",
                f"lane {lane} has one sample without an index: it takes every read of the lane,"
                " whatever the index reads say",
                "nothing, if it is meant; with its index other reads would be kept out",
            )


RULES = (
    Rule(
        "sheet.lane_missing",
        Severity.ERROR,
        Needs.SHEET,
        "Some rows have a lane and others have none.",
        "no public report found: a row without a lane is of every lane, so rows would mix",
        _missing,
    ),
    Rule(
        "sheet.lane_unknown",
        Severity.ERROR,
        Needs.RUN,
        "A lane is not on the flow cell.",
        "NextSeq 1000/2000, Sample Sheet v2 Settings, as lit-regensburg/samshee has it: Lane is a"
        " lane of the flow cell",
        _unknown,
    ),
    Rule(
        "sheet.lane_unused",
        Severity.WARNING,
        Needs.RUN,
        "A lane of the flow cell has no sample.",
        "no public report found: reads of such a lane stay without a sample, or are not converted",
        _unused,
    ),
    Rule(
        "sheet.lane_no_index",
        Severity.WARNING,
        Needs.RUN,
        "One sample without an index takes a whole lane of a run with index reads.",
        "Clinical-Genomics/cg#3404: lanes of one sample that has no index",
        _without_index,
    ),
)
