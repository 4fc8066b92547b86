"""Clusters are drawn as planned, and the truth about them holds."""

import numpy as np
import pytest

from arteriole.simulator import clusters
from arteriole.simulator.clusters import Library
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.kinds import INSTRUMENTS
from arteriole.simulator.plan import Sample
from arteriole.simulator.tiles import PHIX, UNKNOWN

PLAN = default_plan(clusters=4000, index_ruin=0.05, seed=11)


@pytest.fixture(scope="module")
def tile():
    return Library(PLAN).tile(1, 1101)


def test_fractions_are_those_of_the_plan(tile):
    assert tile.size == 4000
    assert abs((~tile.passed).mean() - 0.15) < 0.03
    assert abs((tile.sample == UNKNOWN).mean() - 0.03) < 0.015
    assert abs((tile.sample == PHIX).mean() - 0.02) < 0.015
    assert abs((tile.errors > 1).mean() - 0.05 * 0.95) < 0.02
    assert set(np.unique(tile.errors)) == {0, 1, 2, 3}


def test_each_index_carries_exactly_the_errors_it_was_given(tile):
    spans = PLAN.spans_of(is_index=True)
    for column, (start, end) in enumerate(spans):
        true = tile.true_index[:, column * 8 : column * 8 + 8]
        differing = (true != tile.bases[:, start:end]).sum(axis=1)
        assert (differing == tile.errors[:, column]).all()


def test_the_index_of_a_stranger_is_read_as_it_is(tile):
    assert (tile.errors[tile.sample < 0] == 0).all()


def test_belonging_agrees_with_matching_by_sequence(tile):
    """The truth knows without comparing; comparing every cluster to every sample must agree."""
    observed = tile.bases[:, 36:52]
    for place, sample in enumerate(PLAN.samples):
        wanted = np.frombuffer((sample.i7 + sample.i5).encode(), dtype=np.uint8)
        wrong = observed != wanted
        near = (wrong[:, :8].sum(axis=1) <= 1) & (wrong[:, 8:].sum(axis=1) <= 1)
        assert (near == (tile.belongs == place)).all()


def test_reads_are_both_ends_of_fragments_of_the_genome():
    plan = default_plan(clusters=200, no_call=0.0, phix=0.0, failing=0.0)
    library = Library(plan)
    tile = library.tile(2, 1201)
    genome = b"ACGT"
    forward = bytes(genome[code] for code in library.genome).decode()
    complement = str.maketrans("ACGT", "TGCA")
    found = 0
    for row in tile.bases:
        first, second = row[:36].tobytes().decode(), row[52:].tobytes().decode()
        for one, other in ((first, second), (second, first)):
            start, end = forward.find(one), forward.find(other.translate(complement)[::-1])
            found += 0 <= start < end and 150 <= end + 36 - start <= 450
    assert found > 120  # the rest carries sequencing errors


def test_coordinates_map_to_those_of_the_header_in_both_precisions(tile):
    for stored, whole in ((tile.places.x, tile.places.column), (tile.places.y, tile.places.row)):
        single = np.floor(np.float32(10) * stored + np.float32(1000.5))
        double = np.floor(10 * stored.astype(np.float64) + 1000.5)
        assert stored.dtype == np.float32
        assert (single == whole).all() and (double == whole).all()


def test_no_two_clusters_share_a_place(tile):
    assert len(set(zip(tile.places.column, tile.places.row, strict=True))) == tile.size


@pytest.mark.parametrize("kind", list(Kind))
def test_qualities_are_those_of_the_kind(kind):
    plan = default_plan(kind=kind)
    tile = Library(plan).tile(1, plan.tile_numbers(1)[0])
    called = tile.bases != ord("N")
    assert set(np.unique(tile.qualities[called])) <= set(INSTRUMENTS[kind].qualities)
    assert (tile.qualities[~called] == 2).all() and (~called).any()


def test_an_index_that_is_read_from_the_other_strand():
    plan = default_plan(kind=Kind.NOVASEQX, clusters=500, index_ruin=0.05)
    tile = Library(plan).tile(1, 1101)
    turned = np.frombuffer(bytes.maketrans(b"ACGT", b"TGCA"), dtype=np.uint8)
    as_in_sheet = np.hstack((tile.bases[:, 36:44], turned[tile.bases[:, 44:52]][:, ::-1]))
    wrong = tile.true_index != as_in_sheet
    assert (wrong[:, :8].sum(axis=1) == tile.errors[:, 0]).all()
    assert (wrong[:, 8:].sum(axis=1) == tile.errors[:, 1]).all()
    assert (tile.bases[:, 44:52] == ord("N")).any()


def test_empty_tiles_are_as_many_as_planned():
    plan = default_plan(kind=Kind.NOVASEQ6000, clusters=10, empty_tiles=3)
    library = Library(plan)
    sizes = [library.tile(*tile).size for tile in plan.all_tiles]
    assert sorted(sizes) == [0] * 3 + [10] * 5


def test_a_tile_is_drawn_in_pieces_that_do_not_show(monkeypatch):
    """Memory is bounded by drawing some clusters at a time; each must be filled."""
    monkeypatch.setattr(clusters, "_CHUNK", 7)
    tile = Library(default_plan(clusters=20, no_call=0.0, index_no_call=0.0)).tile(1, 1101)
    assert tile.calls.shape == (88, 20) and set(np.unique(tile.bases)) == set(b"ACGT")
    assert tile.sample.shape == tile.passed.shape == tile.errors[:, 0].shape == (20,)


def test_a_lane_holds_its_own_samples_only():
    samples = (
        Sample("a", "a", "p", "ACGTACGT", "ACGTACGT", (1,)),
        Sample("b", "b", "p", "TGCATGCA", "TGCATGCA", (2,)),
    )
    library = Library(default_plan(samples=samples))
    assert set(np.unique(library.tile(1, 1101).belongs)) == {UNKNOWN, 0}
    assert set(np.unique(library.tile(2, 1101).belongs)) == {UNKNOWN, 1}
