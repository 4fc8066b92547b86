"""Counts of a conversion, and bcl2fastq's Stats.json made of them.

The schema is that of the Stats.json that bcl2fastq 2.20 writes, with IgnoredFiles where a person
waived missing files; clusters that failed the filter
count in TotalClustersRaw only, unless they were converted too.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.builtin.demultiplex import Assignment, Barcodes
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan, SamplePlan
from arteriole.bcl2fastq.converters.conversion import SampleReads
from arteriole.illumina.used_reads import UsedRead

PATH = "Stats/Stats.json"
UNKNOWN_WRITTEN = 1000
_UNKNOWN_KEPT = 200_000


@dataclass
class Missing:
    """The files that were missing or damaged and were ignored, by sort; the first of each.

    `sort` is the flag of ConversionRequest.ignore, such as missing-bcls.
    """

    paths: dict[str, set[str]] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)

    def add(self, sort: str, path: str, message: str) -> None:
        """Count a file once, however often it is asked for."""
        self.paths.setdefault(sort, set()).add(path)
        self.firsts.setdefault(sort, message)

    def count(self, sort: str) -> int:
        """How many files of a sort."""
        return len(self.paths.get(sort, ()))


@dataclass
class LaneStats:
    """Counts of one lane; the arrays have a row an output and a column a template read.

    Attributes:
        mismatches: a row for each of the plan's pairs, the last for none; columns are 0, 1, 2.
        by_tile: of each tile, how many clusters that passed the filter each output has.
    """

    plan: LanePlan
    missing: Missing = field(default_factory=lambda: Missing())
    clusters: int = 0
    clusters_pf: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    by_tile: dict[int, NDArray[np.uint32]] = field(default_factory=dict)
    reads: NDArray[np.int64] = field(init=False)
    mismatches: NDArray[np.int64] = field(init=False)
    quality_sum: NDArray[np.int64] = field(init=False)
    q30: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        outputs = len(self.plan.outputs)
        self.reads = np.zeros(outputs, np.int64)
        self.mismatches = np.zeros((len(self.plan.pairs) + 1, 3), np.int64)
        self.quality_sum = np.zeros((outputs, self.template_reads), np.int64)
        self.q30 = np.zeros((outputs, self.template_reads), np.int64)

    @property
    def template_reads(self) -> int:
        """How many."""
        return len(self.plan.template_reads)

    def mismatches_of(self, place: int) -> list[list[int]]:
        """Of each index of an output; of Undetermined nothing."""
        counts = zip(self.plan.pairs, self.mismatches, strict=False)
        return [row.tolist() for (owner, _), row in counts if owner == place]

    def add_tile(self, tile: int, outputs: NDArray[np.intp]) -> None:
        """Count the outputs of a tile's clusters that passed the filter."""
        counts = np.bincount(outputs, minlength=len(self.plan.outputs))
        self.by_tile[tile] = counts.astype(np.uint32)

    def add_barcodes(self, barcodes: Barcodes, counts: NDArray[np.intp], found: Assignment) -> None:
        """Count the barcodes of a tile; `counts` says how often each was read."""
        np.add.at(self.reads, found.samples, counts)
        if self.plan.takes_all or not self.plan.index_lengths:
            return
        np.add.at(self.mismatches, (found.pairs, found.mismatches.clip(0, 2)), counts)
        unknown = np.flatnonzero((found.samples == len(self.plan.samples)) & (counts > 0))
        texts = barcodes.texts(unknown, self.plan.index_lengths)
        for text, count in zip(texts, counts[unknown].tolist(), strict=True):
            self.unknown[text] += count
        if len(self.unknown) > 5 * _UNKNOWN_KEPT:
            # NB: beyond a million distinct ones the rarest are given up, so that memory is bounded.
            self.unknown = Counter(dict(self.unknown.most_common(_UNKNOWN_KEPT)))

    def add_qualities(
        self,
        read: UsedRead,
        outputs: NDArray[np.intp],
        sums: NDArray[np.int64],
        q30: NDArray[np.int64],
    ) -> None:
        """Count some clusters' qualities of one template read."""
        column = self.plan.template_reads.index(read)
        np.add.at(self.quality_sum[:, column], outputs, sums)
        np.add.at(self.q30[:, column], outputs, q30)


def missing_warnings(plan: Plan, lanes: list[LaneStats]) -> list[str]:
    """For people: what was ignored, how often, and the first file of each sort."""
    warnings = []
    for sort in sorted(plan.ignore):
        count = sum(lane.missing.count(sort) for lane in lanes)
        if count:
            first = next(lane.missing.firsts[sort] for lane in lanes if lane.missing.count(sort))
            warnings.append(f"{sort}: {count} files missing or damaged and ignored, first {first}")
    return warnings


def sample_reads(lanes: list[LaneStats]) -> tuple[SampleReads, ...]:
    """The reads of every output of each lane, in the plan's order."""
    return tuple(
        SampleReads(output.sample_id, lane.plan.lane, int(reads))
        for lane in lanes
        for output, reads in zip(lane.plan.outputs, lane.reads, strict=True)
    )


def write(out_dir: Path, plan: Plan, lanes: list[LaneStats]) -> None:
    """Write Stats/Stats.json below `out_dir`."""
    path = out_dir / PATH
    path.parent.mkdir()
    path.write_text(json.dumps(document(plan, lanes), indent=2) + "\n", encoding="utf-8")


def document(plan: Plan, lanes: list[LaneStats]) -> dict[str, Any]:
    """Stats.json as bcl2fastq lays it out."""
    info = plan.run_info
    answer: dict[str, Any] = {
        "Flowcell": info.flowcell,
        "RunNumber": info.run_number,
        "RunId": info.run_id,
        "ReadInfosForLanes": [
            {"LaneNumber": lane.plan.lane, "ReadInfos": read_infos(lane.plan)} for lane in lanes
        ],
        "ConversionResults": [_lane(lane) for lane in lanes],
        "UnknownBarcodes": [
            {
                "Lane": lane.plan.lane,
                "Barcodes": dict(lane.unknown.most_common(UNKNOWN_WRITTEN)),
            }
            for lane in lanes
        ],
    }
    if plan.ignore:
        # Not in bcl2fastq's schema: whoever reads the counts sees what they do not rest on.
        answer["IgnoredFiles"] = {
            sort: sum(lane.missing.count(sort) for lane in lanes)
            for sort in sorted(plan.ignore - {"empty-samples"})
        }
    return answer


def read_infos(lane: LanePlan) -> list[dict[str, Any]]:
    """Template reads and index reads are numbered apart, each from 1."""
    return [
        {
            "Number": read.number,
            "NumCycles": len(read.cycles),
            "IsIndexedRead": read.is_index,
        }
        for read in lane.said
    ]


def _lane(lane: LaneStats) -> dict[str, Any]:
    results = [_output(lane, place, output) for place, output in enumerate(lane.plan.outputs)]
    samples = results[: len(lane.plan.samples)]
    answer: dict[str, Any] = {
        "LaneNumber": lane.plan.lane,
        "TotalClustersRaw": lane.clusters,
        "TotalClustersPF": lane.clusters_pf,
        "Yield": sum(result["Yield"] for result in results),
        "DemuxResults": samples,
    }
    if not lane.plan.takes_all:
        counted = ("NumberReads", "Yield", "ReadMetrics")
        answer["Undetermined"] = {key: results[-1][key] for key in counted}
    return answer


def _output(lane: LaneStats, place: int, output: SamplePlan) -> dict[str, Any]:
    reads = int(lane.reads[place])
    templates = lane.plan.template_reads
    answer: dict[str, Any] = {"SampleId": output.sample_id, "SampleName": output.name}
    if output.index:
        answer["IndexMetrics"] = [
            {
                "IndexSequence": "+".join(index for index in pair if index),
                "MismatchCounts": {
                    str(number): count for number, count in enumerate(counts) if number < 2 or count
                },
            }
            for pair, counts in zip(output.pairs, lane.mismatches_of(place), strict=True)
        ]
    return answer | {
        "NumberReads": reads,
        "Yield": reads * sum(len(read.cycles) for read in templates),
        "ReadMetrics": [
            {
                "ReadNumber": read.number,
                "Yield": reads * len(read.cycles),
                "YieldQ30": int(lane.q30[place, column]),
                "QualityScoreSum": int(lane.quality_sum[place, column]),
                "TrimmedBases": 0,
            }
            for column, read in enumerate(templates)
        ],
    }
