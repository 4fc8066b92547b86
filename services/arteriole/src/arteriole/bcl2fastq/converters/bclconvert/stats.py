"""What BCL Convert counted, held against the plan and against the run's filter files.

It writes no count of all clusters; those and the ones that passed are counted in the filter files,
and what it gives to samples and to none must be exactly the latter.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.builtin import sources
from arteriole.bcl2fastq.converters.builtin import stats as documents
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, ConversionError
from arteriole.illumina import bclconvert_reports as reports
from arteriole.illumina.bclconvert_reports import Quality, SampleCount
from arteriole.illumina.demultiplexing_stats import DemultiplexingStatsError
from arteriole.illumina.index_orientation import reverse_complement

PATH = documents.PATH
CODE = "convert.stats"
REPORTS = "Reports"


def read(folder: Path, plan: Plan) -> list[LaneStats]:
    """The counts of each lane that was planned, of its samples and of no other.

    Args:
        folder: the one with Reports.

    Raises:
        ConversionError: a table is missing, not as expected, or contradicts itself, the plan or the
            filter files.
    """
    try:
        counted = reports.sample_counts(folder / REPORTS / "Demultiplex_Stats.csv")
        unknown = reports.unknown(folder / REPORTS / "Top_Unknown_Barcodes.csv")
    except DemultiplexingStatsError as err:
        raise _wrong(str(err)) from err
    _require_same("lanes", {row.lane for row in counted}, {lane.lane for lane in plan.lanes})
    lanes = [_lane(plan, lane, [row for row in counted if row.lane == lane.lane])
             for lane in plan.lanes]  # fmt: skip
    marks = [read.is_reverse_complement for read in plan.run_info.index_reads]
    for lane in lanes:
        rows = [row for row in unknown if row.lane == lane.plan.lane]
        lane.unknown = Counter(
            {_forward((row.index, row.index2), marks): row.reads for row in rows}
        )
    return lanes


def write(out_dir: Path, plan: Plan, lanes: list[LaneStats]) -> None:
    """Write Stats/Stats.json, with yields and qualities as BCL Convert tells them.

    Raises:
        ConversionError: Quality_Metrics.csv is missing or not as expected.
    """
    try:
        found = reports.qualities(out_dir / REPORTS / "Quality_Metrics.csv")
    except DemultiplexingStatsError as err:
        raise _wrong(str(err)) from err
    rows = {(row.lane, row.sample_id, row.read): row for row in found}
    document = documents.document(plan, lanes)
    for lane in document["ConversionResults"]:
        results = [*lane["DemuxResults"], lane.get("Undetermined", {})]
        for result in results:
            _set_yields(result, lane["LaneNumber"], rows)
        lane["Yield"] = sum(result.get("Yield", 0) for result in results)
    path = out_dir / PATH
    path.parent.mkdir()
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _set_yields(
    result: dict[str, Any], lane: int, rows: dict[tuple[int, str, int], Quality]
) -> None:
    """Trimmed bases are not told by sample and read; a sample without reads may have no row."""
    for metrics in result.get("ReadMetrics", []):
        key = lane, result.get("SampleId", UNDETERMINED), metrics["ReadNumber"]
        row = rows.get(key)
        if row is None and result["NumberReads"]:
            raise _wrong(f"Quality_Metrics.csv has no line of {key[1]}, lane {lane}, read {key[2]}")
        metrics["Yield"] = row.bases if row else 0
        metrics["YieldQ30"] = row.bases_q30 if row else 0
        metrics["QualityScoreSum"] = row.quality_sum if row else 0
        del metrics["TrimmedBases"]
    if result:
        result["Yield"] = sum(metrics["Yield"] for metrics in result["ReadMetrics"])


def _lane(plan: Plan, lane: LanePlan, rows: list[SampleCount]) -> LaneStats:
    what = f"samples of lane {lane.lane}"
    names = [row.sample_id for row in rows if row.sample_id != UNDETERMINED]
    _require_same(what, set(names), {sample.sample_id for sample in lane.samples})
    if len(names) != len(lane.samples) or len(rows) > len(names) + 1:
        raise _wrong(f"Demultiplex_Stats.csv has one of the {what} twice")
    counts = LaneStats(lane)
    by_name = {row.sample_id: row for row in rows}
    for place, output in enumerate(lane.outputs):
        row = by_name.pop(output.sample_id, None)
        if row is None:
            raise _wrong(f"Demultiplex_Stats.csv has no line Undetermined of lane {lane.lane}")
        counts.reads[place] = row.reads
        counts.mismatches[place] = (row.perfect, row.one_mismatch, row.two_mismatches)
    _count_clusters(plan, counts)
    total = int(counts.reads.sum()) + sum(row.reads for row in by_name.values())
    if total != counts.clusters_pf or any(row.reads for row in by_name.values()):
        raise _wrong(
            f"lane {lane.lane} has {counts.clusters_pf} clusters that passed the filter, and"
            f" Demultiplex_Stats.csv {total} reads of its samples and of none"
        )
    return counts


def _count_clusters(plan: Plan, counts: LaneStats) -> None:
    lane = counts.plan.lane
    source = sources.of_lane(plan.folder, plan.run_info, lane, counts.plan.kind)
    for tile in plan.run_info.tiles[lane]:
        passed = source.passed(tile)
        counts.clusters += len(passed)
        counts.clusters_pf += int(passed.sum())


def _forward(indexes: tuple[str, str], marks: list[bool]) -> str:
    """They are told as they were read; the sheet has them forward where they are marked."""
    turned = [
        reverse_complement(index) if mark else index
        for index, mark in zip(indexes, marks, strict=False)
    ]
    return "+".join(index for index in turned if index)


def _require_same(what: str, found: set[Any], planned: set[Any]) -> None:
    if found != planned:
        odd = ", ".join(sorted(map(str, found ^ planned))[:3])
        raise _wrong(f"Demultiplex_Stats.csv has other {what} than were planned: {odd}")


def _wrong(message: str) -> ConversionError:
    return ConversionError(
        message,
        hint="look at BCL Convert's version and log; its FASTQs are not published without counts",
        code=CODE,
    )
