"""The section `bcl2fastq.qc`: from which figure on something is told, holds a run, or fails it.

The figures of other programs are CheckQC's defaults or Illumina's specifications; a site is to set
its own, since what a run must give depends on the assay.
"""

import enum
import re
from collections.abc import Callable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.bcl2fastq.tool_settings import ProgramName

#: What a no-template control is called where the site does not say: NTC as a word of its name.
CONTROLS = r"(^|[^A-Za-z])NTC([^A-Za-z]|$)"


class Consequence(enum.StrEnum):
    """What follows from a finding, the mildest first."""

    WARN = "warn"  # it is told, and the run goes on
    HOLD = "hold"  # the run waits for a person
    FAIL = "fail"  # the stage fails

    @property
    def rank(self) -> int:
        return list(Consequence).index(self)


Figure = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class Limits(Section):
    """What is below `below`, or above `above`, has the consequence; what equals them has not."""

    #: What is below it has the consequence; what equals it has not.
    below: Figure | None = None
    #: What is above it has the consequence; what equals it has not.
    above: Figure | None = None
    #: `warn`: it is told, and the run goes on; `hold`: the run waits for a person; `fail`: the
    #: stage fails.
    consequence: Consequence = Consequence.WARN

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.below is None and self.above is None:
            raise ValueError("expected below or above with a figure, found neither")
        if None not in (self.below, self.above) and self.below > self.above:  # type: ignore[operator]  # neither is None
            raise ValueError(f"expected below to be less than above, found {self.below:g}")
        return self


def _only(name: str, other: str) -> Callable[[Limits], Limits]:
    def check(limits: Limits) -> Limits:
        if getattr(limits, other) is not None:
            raise ValueError(f"expected {name} alone, found {other} too")
        return limits

    return check


def _percent(limits: Limits) -> Limits:
    if max(limits.below or 0, limits.above or 0) > 100:
        raise ValueError("expected a percentage, at most 100")
    return limits


Least = Annotated[Limits, AfterValidator(_only("below", "above"))]
Most = Annotated[Limits, AfterValidator(_only("above", "below"))]
LeastPercent = Annotated[Least, AfterValidator(_percent)]
MostPercent = Annotated[Most, AfterValidator(_percent)]


class Thresholds(Section):
    """By what the samples of a project, and the lanes that they are on, are judged.

    A threshold that is null is not judged. Each is a code of its own, `qc.<name>`.
    """

    #: What follows when files of a sample and lane, and the converter's statistics, count
    #: different reads.
    read_counts_differ: Consequence = Consequence.FAIL
    #: What follows when a sample that is no control has no read on a lane of its own.
    empty_sample: Consequence = Consequence.WARN
    #: What follows when a threshold is set, and what it is about is not known.
    not_measured: Consequence = Consequence.WARN
    #: Reads (or read pairs) of a sample that is no control, on all its lanes; `below` only.
    few_reads: Least | None = None
    #: Reads of a no-template control, on all its lanes; `above` only.
    control_reads: Most | None = Limits(above=1000)
    #: Percent of a lane's reads that no sample got; `above` only.
    undetermined: MostPercent | None = Limits(above=10)
    #: Percent of a lane's clusters that passed the filter; `below` only.
    pass_filter: LeastPercent | None = Limits(below=50)
    #: Percent of a lane's bases of quality 30 or better; `below` only.
    q30: LeastPercent | None = Limits(below=70)
    #: Thousands of clusters on a square millimetre; `below`, `above` or both.
    density: Limits | None = None
    #: Percent of a lane's clusters that align to PhiX, in the read that has least; `below` only.
    phix: LeastPercent | None = None
    #: Percent of wrong bases among those of PhiX, in the read that has most; `above` only.
    error_rate: MostPercent | None = None


class CheckQcSettings(Section):
    """The site's own CheckQC (github.com/Molmed/checkQC), and what follows from its words."""

    #: The program, on PATH or by its absolute path.
    program: ProgramName = "checkqc"
    #: Its configuration, which has the thresholds.
    config: AbsolutePath
    #: What it must answer when asked for its version; it is not asked where this is left out.
    version: str | None = Field(default=None, pattern=r"^[0-9][0-9A-Za-z.+-]{0,40}$")
    #: What follows from its errors.
    error: Consequence = Consequence.HOLD
    #: What follows from its warnings.
    warning: Consequence = Consequence.WARN
    #: What follows when it cannot be run, fails, or prints no report.
    no_answer: Consequence = Consequence.HOLD
    #: Minutes after which it is stopped.
    timeout_minutes: float = Field(default=30.0, gt=0, le=1440)


class QcSettings(Section):
    #: A regular expression; a sample in whose id it is found is a no-template control. Null: none
    #: is.
    controls: str | None = Field(default=CONTROLS, max_length=1000)
    #: The thresholds of all projects; one that is null is not judged.
    default: Thresholds = Thresholds()
    #: Thresholds by Sample_Project of the sheet; what is left out is as in `default`.
    projects: dict[str, Thresholds] = Field(default={}, max_length=10_000)

    @field_validator("controls")
    @classmethod
    def _is_a_pattern(cls, text: str | None) -> str | None:
        try:
            re.compile(text or "")
        except re.error as err:
            raise ValueError(f"expected a regular expression: {err}") from err
        return text

    #: The site's own CheckQC (github.com/Molmed/checkQC), which judges each attempt too; it is not
    #: run where this is left out.
    checkqc: CheckQcSettings | None = None

    def of(self, project: str) -> Thresholds:
        own = self.projects.get(project)
        if own is None:
            return self.default
        return self.default.model_copy(update={n: getattr(own, n) for n in own.model_fields_set})

    def is_control(self, sample_id: str) -> bool:
        return self.controls is not None and re.search(self.controls, sample_id) is not None
