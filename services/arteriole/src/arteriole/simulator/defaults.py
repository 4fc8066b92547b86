"""Plans made from few words: names, samples and reads that were not given are filled in."""

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from arteriole.simulator.indexes import distinct_pairs
from arteriole.simulator.instruments import Kind
from arteriole.simulator.kinds import INSTRUMENTS
from arteriole.simulator.plan import PlanError, ReadPlan, RunPlan, Sample

RUN_NAMES = {
    Kind.HISEQ4000: "260114_K00188_0042_AHFJ5CBBXX",
    Kind.HISEQ2500: "260114_D00456_0117_BH7T2WBCX2",
    Kind.MISEQ: "260114_M04034_0043_000000000-L6NVV",
    Kind.NEXTSEQ500: "260114_NB551452_0101_AHW7JJAFXY",
    Kind.NOVASEQ6000: "260114_A00834_0183_BHMTFYDRXX",
    Kind.NEXTSEQ2000: "260114_VH00103_437_2222FFYNX",
    Kind.NOVASEQX: "20260114_LH00217_0044_A2255J2LT3",
}
_PEOPLE = ("NA12878", "NA12891", "NA12892", "NA24385")
_COLUMNS = ("id", "name", "project", "lane", "i7", "i5")


def default_plan(
    run: str | None = None,
    *,
    kind: Kind = Kind.HISEQ4000,
    samples: int | tuple[Sample, ...] = 4,
    read_cycles: tuple[int, ...] = (36, 36),
    index_cycles: tuple[int, ...] = (8, 8),
    seed: int = 1,
    **others: Any,
) -> RunPlan:
    """A small run of `kind`; `others` are any other fields of RunPlan.

    Args:
        run: the run's name, or None for one of this kind.
        samples: how many to make up, or the samples themselves.
        read_cycles: cycles of the one or two template reads. index_cycles: of the index reads.

    Raises:
        PlanError: the plan cannot be carried out.
    """
    if not 1 <= len(read_cycles) <= 2 or not 1 <= len(index_cycles) <= 2:
        raise PlanError("expected one or two template reads, and one or two index reads")
    if isinstance(samples, int):
        samples = made_up_samples(samples, index_cycles, seed)
    templates = [ReadPlan(cycles) for cycles in read_cycles]
    turned = (False, INSTRUMENTS[kind].reverse_complement)
    indexes = [
        ReadPlan(cycles, is_index=True, is_reverse_complement=turn)
        for cycles, turn in zip(index_cycles, turned, strict=False)
    ]
    layout = _layout(kind) | others
    reads = (templates[0], *indexes, *templates[1:])
    name = run or RUN_NAMES[kind]
    return RunPlan(run=name, kind=kind, samples=samples, reads=reads, seed=seed, **layout)


def calling_plan(
    run: str | None = None, *, kind: Kind = Kind.HISEQ4000, depth: float = 30.0, **others: Any
) -> RunPlan:
    """A small run whose variants a caller can find: each base of a sample is read `depth` times.

    Twelve variants a sample in a genome of 4,000 bases, and two reads of 76 cycles, unless
    `others` (fields of RunPlan, arguments of default_plan) say otherwise; the clusters a tile
    follow from the depth, which is an average over samples and bases.

    Raises:
        PlanError: the plan cannot be carried out, names its clusters, or its genome is not drawn.
    """
    if "clusters" in others:
        raise PlanError("the clusters a tile follow from the depth", field="clusters")
    chosen: dict[str, Any] = {
        "variants": 12,
        "genome_length": 4000,
        "read_cycles": (76, 76),
    } | others
    plan = default_plan(run, kind=kind, **chosen)
    if plan.genome is not None:
        raise PlanError("the depth is worked out for a genome that is drawn", field="genome")
    cycles = sum(read.cycles for read in plan.reads if not read.is_index)
    counted = (1 - plan.failing) * (1 - plan.unknown - plan.phix)
    counted *= (1 - plan.index_ruin) ** len(plan.index_lengths)
    tiles = len(plan.all_tiles) - plan.empty_tiles
    bases = depth * plan.genome_length * len(plan.samples)
    if not counted:
        raise PlanError("no cluster of this plan would belong to a sample", field="failing")
    return replace(plan, clusters=math.ceil(bases / cycles / counted / tiles))


def _layout(kind: Kind) -> dict[str, Any]:
    most = INSTRUMENTS[kind]
    swaths = 1 if most.cameras else min(2, most.swaths)
    tiles = 1 if most.cameras else 2 // swaths
    return {"lanes": min(2, most.lanes), "surfaces": 2, "swaths": swaths, "tiles": tiles}


def made_up_samples(count: int, index_cycles: tuple[int, ...], seed: int) -> tuple[Sample, ...]:
    """Samples in two projects; in the first the id is not the name, in the second it is."""
    if count < 1:
        raise PlanError(f"a run needs at least one sample; found {count}", field="samples")
    pairs = distinct_pairs(count, index_cycles, np.random.default_rng([seed, 7]))
    if len(pairs) < count:
        raise PlanError(
            f"only {len(pairs)} indexes of {'+'.join(map(str, index_cycles))} bases stand far"
            f" enough apart; found {count} samples",
            hint="take fewer samples, or longer or two indexes",
            field="samples",
        )
    return tuple(_made_up(place, pair) for place, pair in enumerate(pairs))


def _made_up(place: int, pair: tuple[str, str]) -> Sample:
    turn, person = divmod(place, len(_PEOPLE))
    name = _PEOPLE[person] + (f"-{turn + 1}" if turn else "")
    if person < 2:
        return Sample(f"{name}_L26{place + 1:05d}", name, "Trio", *pair)
    return Sample(name, name, "Controls", *pair)


def samples_from_csv(path: Path) -> tuple[Sample, ...]:
    """Samples of a CSV with the columns id, name, project, lane, i7, i5.

    `lane` is empty for every lane; a sample in several lanes has a row for each.

    Raises:
        PlanError: a column is missing, a lane is no number, or the rows of a sample disagree.
    """
    found: dict[str, Sample] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        if set(_COLUMNS) - set(rows.fieldnames or ()):
            raise PlanError(f"{path.name}: expected the columns {', '.join(_COLUMNS)}")
        for row in rows:
            sample = _sample_of(row, f"{path.name} line {rows.line_num}")
            earlier = found.get(sample.id, replace(sample, lanes=()))
            if replace(earlier, lanes=sample.lanes) != sample or (
                sample.id in found and not (earlier.lanes and sample.lanes)
            ):
                raise PlanError(
                    f"{path.name} line {rows.line_num}: sample {sample.id} stands above already,"
                    " with other values; only the lane may differ"
                )
            found[sample.id] = replace(sample, lanes=earlier.lanes + sample.lanes)
    return tuple(found.values())


def _sample_of(row: dict[str, str | None], where: str) -> Sample:
    value = {column: (row[column] or "").strip() for column in _COLUMNS}
    lane = value["lane"]
    if lane and not (lane.isascii() and lane.isdigit()):
        raise PlanError(f"{where}: expected a lane's number or nothing; found {lane[:20]!r}")
    lanes = (int(lane),) if lane else ()
    sequences = value["i7"].upper(), value["i5"].upper()
    return Sample(value["id"], value["name"], value["project"], *sequences, lanes)
