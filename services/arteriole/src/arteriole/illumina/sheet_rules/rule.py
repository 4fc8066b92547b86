"""What a rule is, what it looks at and what it finds."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.site_metadata import SiteMetadata

INDEXES: tuple[tuple[str, Callable[[Sample], str]], ...] = (
    ("index", lambda sample: sample.index),
    ("index2", lambda sample: sample.index2),
)
"""The column and the value of the i7, then of the i5."""


class Severity(Enum):
    """An error stops a conversion, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


class Needs(Enum):
    """What a rule looks at beside the sheet."""

    SHEET = "sheet"
    RUN = "run"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `line` and `column` count from 1, 0 means that none applies."""

    code: str
    severity: Severity
    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a sheet breaks a rule; `line` and `column` as those of a finding."""

    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SiteRules:
    """What a centre asks of its sheets beyond what a conversion needs.

    Attributes:
        sample_id, project: what a whole Sample_ID, Sample_Project has to look like.
        projects: the projects that the centre knows; None if any may stand in a sheet.
        controls: what the Sample_ID of a no-template control looks like; a sheet without one is
            told, and controls need not look like samples.
        metadata: what the centre knows of samples; None if sheets are not compared with it.
    """

    sample_id: re.Pattern[str] | None = None
    project: re.Pattern[str] | None = None
    projects: frozenset[str] | None = None
    controls: re.Pattern[str] | None = None
    metadata: SiteMetadata | None = None


NO_SITE_RULES = SiteRules()


@dataclass(frozen=True, slots=True)
class Case:
    """What every rule looks at.

    Attributes:
        run_info: None before the run.
        mismatches: those that a conversion allows in i7 and i5.
        lanes: the samples of each lane of the flow cell.
        pools: `lanes` without those that hold the same samples as an earlier one.
        masked: the lines of samples that have OverrideCycles of their own.
    """

    sheet: SampleSheet
    run_info: RunInfo | None
    mismatches: tuple[int, int]
    site: SiteRules
    lanes: Mapping[int, list[Sample]]
    pools: tuple[tuple[int, tuple[Sample, ...]], ...]
    masked: frozenset[int]

    @property
    def run(self) -> RunInfo:
        """The run, for rules that need it; they are not asked without one."""
        if self.run_info is None:
            raise ValueError("a rule that needs the run was asked without one")
        return self.run_info

    def at(self, sample: Sample, column: str, message: str, hint: str) -> Fault:
        """A fault of a sample; its place is that column, where the sheet has it."""
        return Fault(sample.line, self.sheet.columns.get(column, 0), message, hint)

    def named(self, lane: int) -> str:
        """A lane in a message."""
        return "every lane" if self.sheet.samples[0].lane is None else f"lane {lane}"

    def has_own_mask(self, sample: Sample) -> bool:
        """Whether the sample has OverrideCycles of its own."""
        return sample.line in self.masked

    def is_alone(self, sample: Sample) -> bool:
        """Whether no other sample lies on a lane of this one."""
        return all(
            len(samples) == 1 for lane, samples in self.lanes.items() if sample.lane in (None, lane)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        code: stable; whoever waives a finding names it.
        what: what is wrong with a sheet that breaks the rule.
        failure: a real failure that it would have caught, or one like it, or the document that
            asks for it; `repository#number` is an issue or pull request on GitHub. A document that
            was seen through another names both; where nobody could be found to tell of it, it says
            `no public report found` and why the rule makes sense.
        find: where a sheet breaks it; None of a rule of the reader, which refuses the sheet.
    """

    code: str
    severity: Severity
    needs: Needs
    what: str
    failure: str
    find: Callable[[Case], Iterator[Fault]] | None = None
