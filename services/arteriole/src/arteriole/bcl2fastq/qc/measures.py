"""What is judged: the counts of an attempt, and what the instrument measured."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arteriole.bcl2fastq.converters import MERGED, UNDETERMINED, ConversionError
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats
from arteriole.illumina.interop_summary import InteropSummary


@dataclass(frozen=True, slots=True)
class SampleMeasures:
    """One sample: its reads (or read pairs) by lane; %Q30 over all of them, None if not known."""

    sample_id: str
    project: str
    reads_by_lane: Mapping[int, int]
    percent_q30: float | None = None

    @property
    def reads(self) -> int:
        return sum(self.reads_by_lane.values())


@dataclass(frozen=True, slots=True)
class LaneMeasures:
    """One lane; None is what is not known. Percentages are 0 to 100.

    `undetermined` is of the reads that were written, `pass_filter` of the clusters, `density` in
    thousands on a square millimetre, `phix` and `error_rate` as of LaneMetrics.
    """

    lane: int
    projects: tuple[str, ...]
    clusters_pf: int | None = None
    undetermined: float | None = None
    pass_filter: float | None = None
    q30: float | None = None
    density: float | None = None
    phix: float | None = None
    error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two counts of the reads of one sample on one lane, or on all (None), that should be equal."""

    sample_id: str
    lane: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Measures:
    """An attempt's; `converted` is False where nothing was converted: only the run is measured."""

    samples: tuple[SampleMeasures, ...]
    lanes: tuple[LaneMeasures, ...]
    differences: tuple[Difference, ...] = ()
    converted: bool = True
    empty_waived: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """What attempt.json says: reads by (sample, lane); of each file path, sample, lane and reads.

    A file of all lanes has MERGED as its lane. Files of index reads are among them: they are
    compared like the others, and add nothing to a sample's reads.
    `empty_waived` says whether a person let samples be empty.
    """

    reads: Mapping[tuple[str, int], int]
    files: tuple[tuple[str, str, int, int], ...]
    empty_waived: bool

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Counted":
        """Raises ConversionError if the record is not as one is written."""
        try:
            return cls(
                {
                    (str(row["sample_id"]), int(row["lane"])): int(row["reads"])
                    for row in record["samples"]
                },
                tuple(
                    (str(f["path"]), str(f["sample_id"]), int(f["lane"]), int(f["reads"]))
                    for f in record["files"]
                ),
                "empty-samples" in record.get("ignored", ()),
            )
        except (KeyError, TypeError, ValueError) as err:
            raise ConversionError(
                f"attempt.json is not as a converter writes it: {type(err).__name__} {err}",
                code="attempt.record",
                hint="convert the run again",
            ) from err


def measure(
    counted: Counted,
    stats: DemultiplexingStats | None,
    interop: InteropSummary | None,
    projects: Mapping[str, str],
) -> Measures:
    """Put together what is known of an attempt; `projects` is the project of each sample."""
    by_sample: dict[str, dict[int, int]] = {}
    for (sample, lane), reads in counted.reads.items():
        by_sample.setdefault(sample, {})[lane] = reads
    quality = _quality(stats)
    return Measures(
        samples=tuple(
            SampleMeasures(sample, projects.get(sample, ""), reads, quality.get(sample))
            for sample, reads in by_sample.items()
            if sample != UNDETERMINED
        ),
        lanes=tuple(
            _lane(lane, counted, stats, interop, projects)
            for lane in sorted({lane for _, lane in counted.reads})
        ),
        differences=tuple(_differences(counted, stats)),
        empty_waived=counted.empty_waived,
    )


def measure_run(
    interop: InteropSummary | None, projects_by_lane: Mapping[int, tuple[str, ...]]
) -> Measures:
    """What is known of a run that was not converted."""
    return Measures(
        samples=(),
        lanes=tuple(
            LaneMeasures(lane, projects, **_of_instrument(lane, interop))
            for lane, projects in projects_by_lane.items()
        ),
        converted=False,
    )


def _lane(
    lane: int,
    counted: Counted,
    stats: DemultiplexingStats | None,
    interop: InteropSummary | None,
    projects: Mapping[str, str],
) -> LaneMeasures:
    reads = {sample: count for (sample, at), count in counted.reads.items() if at == lane}
    samples = [sample for sample in reads if sample != UNDETERMINED]
    measured = _of_instrument(lane, interop)
    known = stats.lanes.get(lane) if stats is not None else None
    if known is not None and known.clusters and known.clusters_pf is not None:
        measured["clusters_pf"] = known.clusters_pf
        measured["pass_filter"] = _percent(known.clusters_pf, known.clusters)
    if measured.get("q30") is None and stats is not None:
        rows = [row for row in stats.samples if row.lane == lane]
        measured["q30"] = _percent(sum(r.bases_q30 for r in rows), sum(r.bases for r in rows))
    unknown = reads.get(UNDETERMINED)
    return LaneMeasures(
        lane,
        tuple(sorted({projects.get(sample, "") for sample in samples})),
        # a lane whose only sample gets every read has no row of what no sample got
        undetermined=0.0 if unknown is None else _percent(unknown, sum(reads.values())),
        **measured,
    )


def _of_instrument(lane: int, interop: InteropSummary | None) -> dict[str, Any]:
    for row in interop.lanes if interop is not None else ():
        if row.lane == lane:
            return {
                "clusters_pf": row.clusters_pf,
                "pass_filter": row.percent_pf,
                "q30": row.percent_q30 if row.yield_gigabases else None,
                "density": row.density / 1000 if row.density else None,
                "phix": row.percent_aligned,
                "error_rate": row.error_rate,
            }
    return {}


def _quality(stats: DemultiplexingStats | None) -> dict[str, float | None]:
    """%Q30 of each sample, over its lanes."""
    sums: dict[str, tuple[int, int]] = {}
    for row in stats.samples if stats is not None else ():
        good, bases = sums.get(row.sample_id, (0, 0))
        sums[row.sample_id] = (good + row.bases_q30, bases + row.bases)
    return {sample: _percent(good, bases) for sample, (good, bases) in sums.items()}


def _differences(counted: Counted, stats: DemultiplexingStats | None) -> Iterator[Difference]:
    every: Counter[str] = Counter()
    for (sample, _), reads in counted.reads.items():
        every[sample] += reads
    for path, sample, lane, reads in counted.files:
        merged = lane == MERGED
        expected = every.get(sample) if merged else counted.reads.get((sample, lane))
        if reads != expected:
            where = "all lanes" if merged else f"lane {lane}"
            text = f"{path} has {reads} reads, {sample} on {where} has {expected or 0}"
            yield Difference(sample, None if merged else lane, text)
    if stats is None:
        return
    told = {(row.sample_id, row.lane): row.reads for row in stats.samples}
    told |= {(UNDETERMINED, n): row.undetermined for n, row in stats.lanes.items()}
    for sample, lane in sorted(counted.reads.keys() | told.keys()):
        ours, theirs = counted.reads.get((sample, lane), 0), told.get((sample, lane), 0)
        if ours != theirs:
            text = f"{sample} on lane {lane} has {ours} reads, the statistics say {theirs}"
            yield Difference(sample, lane, text)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 3) if whole else None
