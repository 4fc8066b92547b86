"""Where the samples' genomes differ from the reference, in places that leave a caller no doubt.

Genomes are haploid, and all variants are single bases (SNVs). Insertions and deletions are left
out: reads that end beside one are aligned otherwise, and callers then tell of more than there is.
"""

from collections.abc import Iterable

import numpy as np

from arteriole.simulator.genome import NAME, Codes, coded
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.vcf import Variant

MARGIN = 500
"""Bases at either end of the genome without a variant."""

SPACING = 100
"""The least distance of two variants of a sample."""


def of_plan(plan: RunPlan, reference: Codes) -> tuple[tuple[Variant, ...], ...]:
    """The variants of each of the plan's samples, ascending, drawn from the seed and its place.

    Raises:
        PlanError: the genome has no room for so many.
    """
    rngs = (np.random.default_rng([plan.seed, 9, place]) for place in range(len(plan.samples)))
    return tuple(_drawn(plan.variants, reference, rng) for rng in rngs)


def mutated(reference: Codes, variants: Iterable[Variant]) -> Codes:
    """The genome that has `variants` in the reference.

    >>> mutated(coded(b"ACGTA"), [Variant(NAME, 2, "C", "T"), Variant(NAME, 5, "A", "G")]).tolist()
    [0, 3, 2, 3, 2]
    """
    genome = reference.copy()
    for variant in variants:
        genome[variant.pos - 1] = coded(variant.alt.encode())[0]
    return genome


def _drawn(count: int, reference: Codes, rng: np.random.Generator) -> tuple[Variant, ...]:
    """NB: places are drawn so that they can be moved apart: the n-th by n times the spacing."""
    gap = SPACING - 1
    room = reference.size - 2 * MARGIN - max(0, count - 1) * gap
    if count > max(0, room):
        raise PlanError(
            f"a genome of {reference.size} bases has no room for {count} variants that are"
            f" {SPACING} bases apart and {MARGIN} from its ends",
            hint="take fewer variants, or a longer genome",
            field="variants",
        )
    places = (
        MARGIN + np.sort(rng.choice(max(0, room), count, replace=False)) + gap * np.arange(count)
    )
    refs = reference[places]
    alts = (refs + rng.integers(1, 4, count, dtype=np.uint8)) % 4
    return tuple(
        Variant(NAME, place + 1, "ACGT"[ref], "ACGT"[alt])
        for place, ref, alt in zip(*(part.tolist() for part in (places, refs, alts)), strict=True)
    )
