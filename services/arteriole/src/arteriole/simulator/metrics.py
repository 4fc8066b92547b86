"""InterOp files, written through Illumina's own library as the run goes on."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from interop import py_interop_metrics as interop_metrics
from interop import py_interop_run_metrics as interop_run

from arteriole.simulator.clock import at_cycle
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.tiles import Calls, codes_of, qualities_of
from arteriole.simulator.truth import StoredTile

_Q_VALUES = 50
_CALLS = np.arange(256, dtype=np.uint8)
_TICKS_AT_EPOCH = 621_355_968_000_000_000  # .NET counts 100 ns from year 1
_PHASING, _PREPHASING = 0.16, 0.11

Counts = npt.NDArray[np.int64]


class Metrics:
    """What the instrument knows of its tiles, cycle by cycle.

    TileMetrics, ExtractionMetrics and QMetrics in the instrument's versions, QMetrics from v5 on
    with its bins, and IndexMetrics v1 (once all indexes are read).

    NB: the library's own summaries leave out the last cycle of each read.
    """

    def __init__(self, plan: RunPlan, tiles: list[StoredTile]) -> None:
        self.plan = plan
        self.tiles = tiles
        self.qualities: dict[tuple[int, int], list[Counts]] = {}
        self.bases: dict[tuple[int, int], list[Counts]] = {}

    def add_cycle(self, calls: dict[tuple[int, int], Calls]) -> None:
        """Count the calls of the next cycle; qualities of clusters that pass only."""
        for tile in self.tiles:
            key = tile.lane, tile.number
            everything = np.bincount(calls[key], minlength=256)
            passing = np.bincount(calls[key][tile.passed], minlength=256)
            seen = np.bincount(qualities_of(_CALLS), passing, _Q_VALUES + 2).astype(np.int64)
            self.qualities.setdefault(key, []).append(seen[1 : _Q_VALUES + 1])
            letters = np.bincount(codes_of(_CALLS), everything).astype(np.int64)
            self.bases.setdefault(key, []).append(letters[:4])

    def files(self) -> dict[str, bytes]:
        """Names below the run folder and contents, after the cycles that were added."""
        cycles = len(next(iter(self.bases.values())))
        metrics = interop_run.run_metrics()
        metrics.set_q_metric_set(self._quality_set())
        self._add_extraction(metrics.extraction_metric_set())
        if cycles >= self.plan.filter_cycle:
            self._add_tiles(metrics.tile_metric_set(), cycles)
        if cycles >= max(end for _, end in self.plan.spans_of(is_index=True)):
            self._add_indexes(metrics.index_metric_set())
        with TemporaryDirectory() as scratch:
            (Path(scratch) / "InterOp").mkdir()
            metrics.write_metrics(scratch)
            paths = sorted((Path(scratch) / "InterOp").iterdir())
            return {f"InterOp/{path.name}": path.read_bytes() for path in paths}

    def _quality_set(self) -> interop_metrics.base_q_metrics:
        values = self.plan.instrument.q_bins
        version = self.plan.instrument.q_metrics
        if version > 4:
            found = interop_metrics.base_q_metrics(_bins(values), version)
            kept = np.array(values) - 1
        else:
            found = interop_metrics.base_q_metrics(interop_metrics.q_score_header(), version)
            kept = np.arange(_Q_VALUES)
        for (lane, number), cycles in self.qualities.items():
            for cycle, seen in enumerate(cycles, start=1):
                counts = [int(count) for count in seen[kept]]
                found.insert(interop_metrics.q_metric(lane, number, cycle, counts))
        return found

    def _add_extraction(self, found: interop_metrics.base_extraction_metrics) -> None:
        found.set_version(self.plan.instrument.extraction_metrics)
        for (lane, number), cycles in self.bases.items():
            for cycle, letters in enumerate(cycles, start=1):
                shares = (letters / max(1, letters.sum())).tolist()
                bright = [int(1200 + 2400 * share - cycle) for share in shares]
                focus = [2.2 + 0.1 * share for share in shares]
                seconds = at_cycle(self.plan, cycle).timestamp()
                ticks = int(seconds) * 10_000_000 + _TICKS_AT_EPOCH
                found.insert(
                    interop_metrics.extraction_metric(lane, number, cycle, ticks, bright, focus)
                )

    def _add_tiles(self, found: interop_metrics.base_tile_metrics, cycles: int) -> None:
        found.set_version(self.plan.instrument.tile_metrics)
        area = self.plan.instrument.tile_area
        ends = enumerate(zip(self.plan.reads, self.plan.spans, strict=True), start=1)
        done = [n for n, (read, (_, end)) in ends if not read.is_index and cycles >= end]
        for tile in self.tiles:
            passed = int(tile.passed.sum())
            reads = [
                interop_metrics.read_metric(number, 100 * tile.phix, _PHASING, _PREPHASING)
                for number in done
            ]
            found.insert(
                interop_metrics.tile_metric(
                    tile.lane,
                    tile.number,
                    tile.size / area,
                    passed / area,
                    float(tile.size),
                    float(passed),
                    interop_metrics.read_metric_vector(reads),
                )
            )

    def _add_indexes(self, found: interop_metrics.base_index_metrics) -> None:
        """Clusters of each sample that passed the filter, within one mismatch an index."""
        found.set_version(1)
        for tile in self.tiles:
            indexes = interop_metrics.index_info_vector()
            for sample, count in zip(self.plan.samples, tile.members, strict=True):
                if sample.lies_in(tile.lane):
                    index = "-".join(filter(None, sample.index))
                    indexes.push_back(
                        interop_metrics.index_info(index, sample.id, sample.project, count)
                    )
            found.insert(interop_metrics.index_metric(tile.lane, tile.number, 1, indexes))


def _bins(values: tuple[int, ...]) -> interop_metrics.q_score_header:
    """Each bin reaches from above the value before to its own value."""
    edges = pairwise((0, *values))
    bins = [interop_metrics.q_score_bin(below + 1, value, value) for below, value in edges]
    return interop_metrics.q_score_header(interop_metrics.q_score_bin_vector(bins))
