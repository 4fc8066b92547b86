"""InterOp files, written through Illumina's own library as the run goes on."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from interop import py_interop_metrics as interop_metrics
from interop import py_interop_run_metrics as interop_run

from arteriole.simulator.clock import at_cycle
from arteriole.simulator.clusters import PHIX, Tile
from arteriole.simulator.plan import RunPlan

_Q_VALUES = 50
_TICKS_AT_EPOCH = 621_355_968_000_000_000  # .NET counts 100 ns from year 1
_PHASING, _PREPHASING = 0.16, 0.11


def write_metrics(plan: RunPlan, tiles: list[Tile], run_folder: Path, cycle: int) -> None:
    """Write what the instrument knows after `cycle` cycles.

    TileMetrics v2, ExtractionMetrics v2, IndexMetrics v1 (once all indexes are read) and
    QMetrics in the instrument's version; from v5 on with its bins.

    NB: the library's own summaries leave out the last cycle of each read.
    """
    metrics = interop_run.run_metrics()
    metrics.set_q_metric_set(_quality_set(plan, tiles, cycle))
    _add_extraction(metrics.extraction_metric_set(), plan, tiles, cycle)
    if cycle >= plan.filter_cycle:
        _add_tiles(metrics.tile_metric_set(), plan, tiles, cycle)
    if cycle >= max(end for _, end in plan.spans_of(is_index=True)):
        _add_indexes(metrics.index_metric_set(), plan, tiles)
    (run_folder / "InterOp").mkdir(exist_ok=True)
    metrics.write_metrics(str(run_folder))


def _quality_set(plan: RunPlan, tiles: list[Tile], cycle: int) -> interop_metrics.base_q_metrics:
    values = plan.instrument.qualities
    version = plan.instrument.q_metrics
    if version > 4:
        found = interop_metrics.base_q_metrics(_bins(values), version)
        kept = np.array(values) - 1
    else:
        found = interop_metrics.base_q_metrics(interop_metrics.q_score_header(), version)
        kept = np.arange(_Q_VALUES)
    for tile in tiles:
        qualities = tile.qualities[tile.passed]
        for column in range(cycle):
            seen = np.bincount(qualities[:, column], minlength=_Q_VALUES + 1)[1:]
            counts = [int(count) for count in seen[kept]]
            found.insert(interop_metrics.q_metric(tile.lane, tile.number, column + 1, counts))
    return found


def _bins(values: tuple[int, ...]) -> interop_metrics.q_score_header:
    """Each bin reaches from above the value before to its own value."""
    edges = pairwise((0, *values))
    bins = [interop_metrics.q_score_bin(below + 1, value, value) for below, value in edges]
    return interop_metrics.q_score_header(interop_metrics.q_score_bin_vector(bins))


def _add_extraction(
    found: interop_metrics.base_extraction_metrics, plan: RunPlan, tiles: list[Tile], cycle: int
) -> None:
    found.set_version(2)
    for tile in tiles:
        for column in range(cycle):
            letters = np.bincount(tile.bases[:, column], minlength=256)
            shares = [float(letters[base]) / tile.size for base in b"ACGT"]
            bright = [int(1200 + 2400 * share - column) for share in shares]
            focus = [2.2 + 0.1 * share for share in shares]
            seconds = at_cycle(plan, column + 1).timestamp()
            ticks = int(seconds) * 10_000_000 + _TICKS_AT_EPOCH
            found.insert(
                interop_metrics.extraction_metric(
                    tile.lane, tile.number, column + 1, ticks, bright, focus
                )
            )


def _add_tiles(
    found: interop_metrics.base_tile_metrics, plan: RunPlan, tiles: list[Tile], cycle: int
) -> None:
    found.set_version(2)
    area = plan.instrument.tile_area
    ends = enumerate(zip(plan.reads, plan.spans, strict=True), start=1)
    done = [n for n, (read, (_, end)) in ends if not read.is_index and cycle >= end]
    for tile in tiles:
        passed = int(tile.passed.sum())
        aligned = 100.0 * float((tile.sample == PHIX).mean())
        reads = [
            interop_metrics.read_metric(number, aligned, _PHASING, _PREPHASING) for number in done
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


def _add_indexes(
    found: interop_metrics.base_index_metrics, plan: RunPlan, tiles: list[Tile]
) -> None:
    """Clusters of each sample that passed the filter, within one mismatch an index."""
    found.set_version(1)
    for tile in tiles:
        belongs = tile.belongs[tile.passed]
        indexes = interop_metrics.index_info_vector()
        for place, sample in enumerate(plan.samples):
            if sample.lies_in(tile.lane):
                index = "-".join(filter(None, sample.index))
                count = int((belongs == place).sum())
                indexes.push_back(
                    interop_metrics.index_info(index, sample.id, sample.project, count)
                )
        found.insert(interop_metrics.index_metric(tile.lane, tile.number, 1, indexes))
