"""Variants are planted where and as said, and each sample's reads come from its own genome."""

from dataclasses import replace

import numpy as np
import pytest

from arteriole.simulator import mutations
from arteriole.simulator.clusters import Library
from arteriole.simulator.defaults import calling_plan, default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.mutations import MARGIN, SPACING, mutated
from arteriole.simulator.plan import PlanError
from arteriole.simulator.tiles import LETTERS, PHIX

PLAN = calling_plan(seed=3, failing=0.0, no_call=0.0, phix=0.1)


@pytest.fixture(scope="module")
def library():
    return Library(PLAN)


def letters(codes):
    return LETTERS[codes].tobytes().decode()


def test_each_sample_has_its_variants_apart_and_far_from_the_ends(library):
    length = library.genome.size
    assert length == 4000 and len(set(library.variants)) == 4
    for variants in library.variants:
        places = [variant.pos for variant in variants]
        assert len(variants) == 12 and places == sorted(places)
        assert min(np.diff(places)) >= SPACING
        assert places[0] > MARGIN and places[-1] <= length - MARGIN


def test_a_variant_is_another_base_than_the_references(library):
    for variants in library.variants:
        for variant in variants:
            assert variant.ref == letters(library.genome)[variant.pos - 1] != variant.alt
            assert variant.alt in ("A", "C", "G", "T") and variant.chrom == "genome"
    changes = {(v.ref, v.alt) for variants in library.variants for v in variants}
    assert len(changes) > 8


def test_reads_of_a_sample_come_from_its_own_genome(library):
    tile = library.tile(1, 1101)
    reference = letters(library.genome)
    genomes = [letters(mutated(library.genome, variants)) for variants in library.variants]
    complement = str.maketrans("ACGT", "TGCA")
    differing = 0
    for place, own in enumerate(genomes):
        found, strands = 0, (own, own.translate(complement)[::-1])
        rows = tile.bases[tile.sample == place]
        for row in rows:
            read = row[:76].tobytes().decode()
            found += any(read in strand for strand in strands)
            differing += read in own and read not in reference
        assert found > 0.5 * len(rows)  # the rest carries sequencing errors
    assert differing > 20
    strange = [row[:76].tobytes().decode() for row in tile.bases[tile.sample == PHIX]]
    assert not any(read in genome for read in strange for genome in genomes)


def test_the_ends_of_the_genome_are_read_too(library):
    tile = library.tile(1, 1101)
    reads = {row[:76].tobytes() for row in tile.bases}
    assert LETTERS[library.genome[:76]].tobytes() in reads
    assert LETTERS[3 - library.genome[::-1][:76]].tobytes() in reads


def test_one_seed_gives_the_same_variants_and_another_others(library):
    assert mutations.of_plan(PLAN, library.genome) == library.variants
    other = mutations.of_plan(calling_plan(seed=4), library.genome)
    assert set(other[0]).isdisjoint(library.variants[0])


def test_without_variants_every_genome_is_the_reference():
    library = Library(default_plan())
    assert library.variants == ((), (), (), ()) and not library.fragments.has_ends
    assert library.fragments.lengths.tolist() == [20_000, 5386]


@pytest.mark.parametrize(
    ("length", "most"), [(900, 0), (1000, 0), (1001, 1), (1100, 1), (1101, 2), (4000, 30)]
)
def test_a_genome_has_room_for_so_many(length, most):
    plan = default_plan(genome_length=length, variants=most, samples=2)
    places = [variant.pos for variant in Library(plan).variants[1]]
    assert len(places) == most and (np.diff(places) >= SPACING).all()
    assert all(MARGIN < place <= length - MARGIN for place in places)
    with pytest.raises(PlanError, match=f"{length} bases has no room for {most + 1} variants"):
        Library(replace(plan, variants=most + 1))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("others", [{}, {"samples": 2, "depth": 40.0, "read_cycles": (101,)}])
def test_the_depth_is_the_one_asked_for(kind, others):
    plan = calling_plan(kind=kind, seed=5, **others)
    library = Library(plan)
    passed = sum(
        int((tile.passed & (tile.belongs >= 0)).sum())
        for tile in (library.tile(*where) for where in plan.all_tiles)
    )
    cycles = sum(read.cycles for read in plan.reads if not read.is_index)
    depth = passed * cycles / plan.genome_length / len(plan.samples)
    assert depth == pytest.approx(others.get("depth", 30.0), rel=0.05)


def test_a_depth_that_cannot_be_had_is_refused(tmp_path):
    for others, message in (
        ({"failing": 1.0}, "no cluster of this plan"),
        ({"genome": tmp_path / "g.fa", "genome_length": 20_000}, "a genome that is drawn"),
        ({"clusters": 7}, "follow from the depth"),
        ({"depth": 0.0}, "clusters a tile"),
    ):
        with pytest.raises(PlanError, match=message):
            calling_plan(**others)
