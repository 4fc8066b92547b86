"""What the measures of an attempt amount to, by the thresholds of its projects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arteriole.bcl2fastq.qc.measures import LaneMeasures, Measures, SampleMeasures
from arteriole.bcl2fastq.qc.settings import Consequence, Limits, QcSettings, Thresholds

#: The thresholds of a lane: the code, what it is told as, the unit, and whether only a conversion
#: tells it.
_OF_LANE = (
    ("undetermined", "qc.undetermined", "of its reads belong to no sample", "%", True),
    ("pass_filter", "qc.pass_filter", "of its clusters passed the filter", "%", True),
    ("q30", "qc.q30", "of its bases have quality 30 or better", "%", False),
    ("density", "qc.density", "clusters are on a square millimetre", "K", False),
    ("phix", "qc.phix", "of its clusters align to PhiX", "%", False),
    ("error_rate", "qc.error_rate", "of the bases of PhiX are wrong", "%", False),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What crosses a threshold; `lane` is None for all lanes, `sample` empty for a lane.

    `limit` and `found` are None where there is no figure.
    """

    code: str
    consequence: Consequence
    message: str
    lane: int | None = None
    sample: str = ""
    found: float | None = None
    limit: float | None = None


def judge(measures: Measures, settings: QcSettings) -> tuple[Finding, ...]:
    """Every finding, the gravest first; of a lane that projects share each has its say.

    What several projects find of one figure is told once, with the gravest consequence.
    """
    found: dict[tuple[str, int | None, str, str], Finding] = {}
    for finding in _all(measures, settings):
        told_apart = finding.message if finding.found is None else ""
        key = (finding.code, finding.lane, finding.sample, told_apart)
        if key not in found or found[key].consequence.rank < finding.consequence.rank:
            found[key] = finding
    return gravest_first(found.values())


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: -finding.consequence.rank))


def verdict(findings: tuple[Finding, ...]) -> Consequence | None:
    """The gravest consequence, None if all is well."""
    return findings[0].consequence if findings else None


def _all(measures: Measures, settings: QcSettings) -> Iterator[Finding]:
    projects = {sample.sample_id: sample.project for sample in measures.samples}
    for one in measures.differences:
        thresholds = settings.of(projects.get(one.sample_id, ""))
        consequence = thresholds.read_counts_differ
        yield Finding("qc.read_counts_differ", consequence, one.message, one.lane, one.sample_id)
    for sample in measures.samples:
        thresholds = settings.of(sample.project)
        if settings.is_control(sample.sample_id):
            yield from _control(sample, thresholds)
        else:
            yield from _sample(sample, thresholds, waived=measures.empty_waived)
    for lane in measures.lanes:
        for project in lane.projects or ("",):
            yield from _lane(lane, settings.of(project), converted=measures.converted)


def _control(sample: SampleMeasures, thresholds: Thresholds) -> Iterator[Finding]:
    limits = thresholds.control_reads
    if limits is not None and (limit := _crossed(limits, sample.reads)) is not None:
        yield Finding(
            "qc.control_reads",
            limits.consequence,
            f"the control {sample.sample_id} has {sample.reads} reads, more than {limit:.0f}",
            sample=sample.sample_id,
            found=sample.reads,
            limit=limit,
        )


def _sample(sample: SampleMeasures, thresholds: Thresholds, *, waived: bool) -> Iterator[Finding]:
    """NB: of what a person waived it is only told."""
    for lane, reads in sample.reads_by_lane.items():
        if reads == 0:
            consequence = Consequence.WARN if waived else thresholds.empty_sample
            message = f"{sample.sample_id} has no read on lane {lane}"
            yield Finding("qc.empty_sample", consequence, message, lane, sample.sample_id)
    limits = thresholds.few_reads
    if limits is not None and (limit := _crossed(limits, sample.reads)) is not None:
        yield Finding(
            "qc.few_reads",
            limits.consequence,
            f"{sample.sample_id} has {sample.reads} reads, fewer than {limit:.0f}",
            sample=sample.sample_id,
            found=sample.reads,
            limit=limit,
        )


def _lane(lane: LaneMeasures, thresholds: Thresholds, *, converted: bool) -> Iterator[Finding]:
    for name, code, words, unit, of_conversion in _OF_LANE:
        limits: Limits | None = getattr(thresholds, name)
        value: float | None = getattr(lane, name)
        if limits is None:
            continue
        if value is None:
            if converted or not of_conversion:
                message = f"{name} of lane {lane.lane} is not known, and a threshold is set"
                yield Finding("qc.not_measured", thresholds.not_measured, message, lane.lane)
        elif (limit := _crossed(limits, value)) is not None:
            side = "fewer" if limit == limits.below and value < limit else "more"
            yield Finding(
                code,
                limits.consequence,
                f"lane {lane.lane}: {value:.4g}{unit} {words}, {side} than {limit:g}{unit}",
                lane.lane,
                found=value,
                limit=limit,
            )


def _crossed(limits: Limits, value: float) -> float | None:
    """The limit that `value` lies beyond, None if it lies within."""
    if limits.below is not None and value < limits.below:
        return limits.below
    if limits.above is not None and value > limits.above:
        return limits.above
    return None
