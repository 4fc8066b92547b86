"""What several parts wrote, joined as if one conversion had written it.

Of a lane that several parts read, each of them takes the samples of the others for reads of no
sample. So nothing that a part calls Undetermined there is kept, and what no sample got is counted
anew: all clusters that passed the filter, less those that have a sample in any part.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.bcl2fastq import stats
from arteriole.bcl2fastq.converters.bcl2fastq.about import BCL2FASTQ
from arteriole.bcl2fastq.converters.bcl2fastq.parts import SHEET, Part
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan, SamplePlan
from arteriole.bcl2fastq.converters.builtin.stats import read_infos
from arteriole.bcl2fastq.tools import joined
from arteriole.illumina.near_indexes import distance


def files(out_dir: Path, whole: Plan, parts: Sequence[Part]) -> None:
    """Put every FASTQ where the whole plan has it, and take the rest of the parts away.

    Sheets and logs of the parts stay.

    Raises:
        ConversionError: a file is no regular one.
    """
    written = joined.Written()
    for part in parts:
        written.add(part.request.out_dir, part.plan, part.owners)
    written.join(out_dir, whole)
    for part in parts:
        _clear(part.request.out_dir)


def _clear(folder: Path) -> None:
    """NB: a Stats.json of a part says wrong things of a lane that others read too."""
    for path in folder.iterdir():
        if path.name in (SHEET, BCL2FASTQ.log):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one part counted on one lane, as its Stats.json has it."""

    part: Part
    plan: LanePlan
    entry: dict[str, Any]
    unknown: dict[str, int]


def counts(out_dir: Path, whole: Plan, parts: Sequence[Part]) -> None:
    """Write Stats/Stats.json of the whole.

    Raises:
        ConversionError: the parts contradict each other.
    """
    documents = [
        json.loads((part.request.out_dir / stats.PATH).read_bytes())
        for part in parts  # each was read and judged when its part had ended
    ]
    counted = {lane.lane: list(_counted(lane.lane, parts, documents)) for lane in whole.lanes}
    unknown = {lane: _unknown(of_lane, whole) for lane, of_lane in counted.items()}
    info = whole.run_info
    document = {
        "Flowcell": info.flowcell,
        "RunNumber": info.run_number,
        "RunId": info.run_id,
        "ReadInfosForLanes": [
            {"LaneNumber": lane.lane, "ReadInfos": read_infos(lane)} for lane in whole.lanes
        ],
        "ConversionResults": [_lane(lane, counted[lane.lane]) for lane in whole.lanes],
        "UnknownBarcodes": [
            {"Lane": lane, "Barcodes": barcodes}
            for lane, barcodes in unknown.items()
            if barcodes is not None
        ],
    }
    path = out_dir / stats.PATH
    path.parent.mkdir()
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _counted(
    lane: int, parts: Sequence[Part], documents: Sequence[dict[str, Any]]
) -> Iterator[_Counted]:
    for part, document in zip(parts, documents, strict=True):
        plan = next((one for one in part.plan.lanes if one.lane == lane), None)
        if plan is None:
            continue
        entries = {entry["LaneNumber"]: entry for entry in document["ConversionResults"]}
        unknown = {
            entry["Lane"]: entry["Barcodes"] for entry in document.get("UnknownBarcodes", [])
        }
        yield _Counted(part, plan, entries[lane], unknown.get(lane, {}))


def _lane(lane: LanePlan, counted: Sequence[_Counted]) -> dict[str, Any]:
    first = counted[0].entry
    for other in counted[1:]:
        for name in ("TotalClustersRaw", "TotalClustersPF"):
            if other.entry[name] != first[name]:
                raise joined.wrong(
                    f"lane {lane.lane}: {name} is {first[name]} in part {counted[0].part.number}"
                    f" and {other.entry[name]} in part {other.part.number}"
                )
    results = [_sample(sample, counted) for sample in lane.samples]
    answer: dict[str, Any] = {
        "LaneNumber": lane.lane,
        "TotalClustersRaw": first["TotalClustersRaw"],
        "TotalClustersPF": first["TotalClustersPF"],
        "Yield": joined.number(first, "Yield"),
        "DemuxResults": results,
    }
    if len(counted) > 1:
        unknown = first.get("Undetermined")
        every = joined.summed([*first["DemuxResults"], *([unknown] if unknown else [])])
        answer["Undetermined"] = _less(every, joined.summed(results), lane.lane)
        unassigned = first["TotalClustersPF"] - sum(one["NumberReads"] for one in results)
        answer["Undetermined"]["NumberReads"] = unassigned
    elif "Undetermined" in first:
        answer["Undetermined"] = first["Undetermined"]
    return answer


def _sample(sample: SamplePlan, counted: Sequence[_Counted]) -> dict[str, Any]:
    """All that was counted of a sample, whichever names it had."""
    found = [
        result
        for one in counted
        for result in one.entry["DemuxResults"]
        if one.part.owners.get(result["SampleId"]) == sample.sample_id
    ]
    return joined.result(sample, found)


def _less(every: dict[str, Any], assigned: dict[str, Any], lane: int) -> dict[str, Any]:
    """What is left. Raises ConversionError if that is less than nothing."""
    of_reads = {metrics["ReadNumber"]: metrics for metrics in assigned["ReadMetrics"]}
    left: dict[str, Any] = {name: every[name] - assigned[name] for name in joined.COUNTED}
    left["ReadMetrics"] = [
        metrics
        | {
            name: count - of_reads.get(metrics["ReadNumber"], {}).get(name, 0)
            for name, count in metrics.items()
            if name != "ReadNumber"
        }
        for metrics in every["ReadMetrics"]
    ]
    numbers = [left, *left["ReadMetrics"]]
    if any(count < 0 for one in numbers for count in one.values() if isinstance(count, int)):
        raise joined.wrong(
            f"lane {lane}: the samples of all parts have more than one part has read"
        )
    return left


def _unknown(counted: Sequence[_Counted], whole: Plan) -> dict[str, int] | None:
    """The commonest indexes of no sample of any part; None where no part sees all that they need.

    Told by the part that reads every cycle that another one compares.
    """
    widest = next((one for one in counted if all(_covers(one, other) for other in counted)), None)
    if widest is None:
        return None
    others = [other for other in counted if other is not widest]
    return {
        text: count
        for text, count in widest.unknown.items()
        if not any(_takes(other, text, widest) for other in others)
    }


def _covers(one: _Counted, other: _Counted) -> bool:
    starts = {read.cycles.start: len(read.cycles) for read in one.plan.index_reads}
    return all(
        starts.get(read.cycles.start, 0) >= len(read.cycles) for read in other.plan.index_reads
    )


def _takes(other: _Counted, text: str, widest: _Counted) -> bool:
    """Whether a sample of another part gets the reads with this index."""
    allowed = other.part.request.barcode_mismatches
    starts = [read.cycles.start for read in widest.plan.index_reads]
    seen = dict(zip(starts, text.split("+"), strict=False))
    reads = [seen.get(read.cycles.start, "") for read in other.plan.index_reads]
    return any(
        all(
            distance(found, index) <= most
            for found, index, most in zip(reads, pair, allowed, strict=False)
        )
        for _, pair in other.plan.pairs
    )
