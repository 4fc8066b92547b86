"""What is wrong with a sample sheet, by itself, and seen against the run that it belongs to.

The rules stand in sheet_rules/, each with the real failure that it would have caught.
"""

from arteriole.illumina.near_indexes import distance
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_rules.collisions import COLLISIONS_TOLD
from arteriole.illumina.sheet_rules.names import NAME, NAME_LENGTH
from arteriole.illumina.sheet_rules.rule import (
    NO_SITE_RULES,
    Case,
    Finding,
    Needs,
    Severity,
    SiteRules,
)
from arteriole.illumina.sheet_rules.table import RULES

__all__ = [
    "COLLISIONS_TOLD",
    "NAME",
    "NAME_LENGTH",
    "NO_SITE_RULES",
    "RULES",
    "Finding",
    "Severity",
    "SiteRules",
    "check",
    "distance",
    "samples_by_lane",
]


def check(
    sheet: SampleSheet,
    run_info: RunInfo | None,
    mismatches: tuple[int, int] = (1, 1),
    site: SiteRules = NO_SITE_RULES,
) -> tuple[Finding, ...]:
    """All findings, by line.

    Args:
        run_info: of the sheet's run; None of a sheet that is checked before its run, which rules
            that need the run leave alone.
        mismatches: those that a conversion allows in i7 and i5.
    """
    lanes = samples_by_lane(sheet, run_info)
    pools: dict[tuple[Sample, ...], int] = {}
    for lane, samples in lanes.items():
        pools.setdefault(tuple(samples), lane)
    case = Case(
        sheet=sheet,
        run_info=run_info,
        mismatches=mismatches,
        site=site,
        lanes=lanes,
        pools=tuple((lane, samples) for samples, lane in pools.items() if samples),
        masked=_masked(sheet),
    )
    findings = [
        Finding(rule.code, rule.severity, fault.line, fault.column, fault.message, fault.hint)
        for rule in RULES
        if rule.find is not None and (run_info is not None or rule.needs is not Needs.RUN)
        for fault in rule.find(case)
    ]
    return tuple(sorted(findings, key=lambda f: (f.line, f.column, f.code)))


def samples_by_lane(sheet: SampleSheet, run_info: RunInfo | None) -> dict[int, list[Sample]]:
    """The samples of each lane; a sheet without lanes means every sample on every lane.

    Without a run, the lanes are those that the sheet names; lane 0 stands for every lane if it
    names none.
    """
    if run_info is not None:
        lanes: tuple[int, ...] = run_info.lanes
    else:
        lanes = tuple(sorted({s.lane for s in sheet.samples if s.lane is not None})) or (0,)
    return {
        lane: [sample for sample in sheet.samples if sample.lane in (None, lane)] for lane in lanes
    }


def _masked(sheet: SampleSheet) -> frozenset[int]:
    masks = sheet.settings.get("OverrideCycles")
    return frozenset(line for line, text in masks.rows if text) if masks else frozenset()
