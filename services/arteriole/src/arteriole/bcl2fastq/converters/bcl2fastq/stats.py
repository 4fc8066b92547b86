"""Stats/Stats.json of bcl2fastq, read as what an untrusted program wrote."""

import json
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, ConversionError, SampleReads
from arteriole.bcl2fastq.tools.outputs import Counts
from arteriole.illumina import demultiplexing_stats
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats, DemultiplexingStatsError

PATH = "Stats/Stats.json"
CODE = "convert.stats"


def read(out_dir: Path, plan: Plan) -> Counts:
    """The counts of the lanes and samples that were planned, of each and of no other.

    Raises:
        ConversionError: the file is missing, not as expected, or contradicts itself or the plan.
    """
    try:
        found = demultiplexing_stats.read_json(out_dir / PATH)
    except DemultiplexingStatsError as err:
        raise _wrong(str(err)) from err
    _require_unknown(json.loads((out_dir / PATH).read_bytes()))
    _require_same("lanes", sorted(found.lanes), sorted(lane.lane for lane in plan.lanes))
    samples: list[SampleReads] = []
    for lane in plan.lanes:
        samples += _of_lane(found, lane)
    lanes = found.lanes.values()
    return Counts(
        clusters=sum(lane.clusters or 0 for lane in lanes),
        clusters_pf=sum(lane.clusters_pf or 0 for lane in lanes),
        samples=tuple(samples),
    )


def _of_lane(found: DemultiplexingStats, lane: LanePlan) -> list[SampleReads]:
    counted = [sample for sample in found.samples if sample.lane == lane.lane]
    planned = sorted(sample.sample_id for sample in lane.samples)
    what = f"samples of lane {lane.lane}"
    _require_same(what, sorted(sample.sample_id for sample in counted), planned)
    reads = {sample.sample_id: sample.reads for sample in counted}
    total = found.lanes[lane.lane]
    if not lane.takes_all:
        reads[UNDETERMINED] = total.undetermined
    clusters, passed = total.clusters or 0, total.clusters_pf or 0
    if not sum(reads.values()) <= passed <= clusters:
        raise _wrong(
            f"lane {lane.lane} has {clusters} clusters, {passed} that passed the filter, and"
            f" {sum(reads.values())} reads"
        )
    return [
        SampleReads(output.sample_id, lane.lane, reads[output.sample_id]) for output in lane.outputs
    ]


def _require_unknown(document: Any) -> None:
    """UnknownBarcodes, as it is read where a sample is empty. Raises ConversionError."""
    entries = document.get("UnknownBarcodes", [])
    fits = isinstance(entries, list) and all(
        isinstance(entry, dict)
        and type(entry.get("Lane")) is int
        and isinstance(entry.get("Barcodes"), dict)
        and all(type(count) is int for count in entry["Barcodes"].values())
        for entry in entries
    )
    if not fits:
        raise _wrong("Stats.json: UnknownBarcodes is not as expected")


def _require_same(what: str, found: list[Any], planned: list[Any]) -> None:
    if found != planned:
        odd = sorted(set(map(str, found)) ^ set(map(str, planned)))
        named = ", ".join(odd[:3]) or "one of them twice"
        raise _wrong(f"Stats.json has other {what} than were planned: {named}")


def _wrong(message: str) -> ConversionError:
    return ConversionError(
        message,
        hint="look at bcl2fastq's version and log; its FASTQs are not published without counts",
        code=CODE,
    )
