"""Plans: what can be carried out, and what is refused, by name of the field."""

from dataclasses import replace
from pathlib import Path

import pytest

from arteriole.simulator.defaults import default_plan, made_up_samples, samples_from_csv
from arteriole.simulator.indexes import FAR, distance, pair_distance
from arteriole.simulator.instruments import Kind, NonPf
from arteriole.simulator.plan import PlanError, ReadPlan, Sample


def test_name_parts_of_a_hiseq_run():
    plan = default_plan("260114_K00188_0042_AHFJ5CBBXX")
    assert plan.name_parts == ("260114", "K00188", 42, "A", "HFJ5CBBXX")


def test_name_parts_of_a_miseq_run():
    plan = default_plan(kind=Kind.MISEQ)
    assert plan.name_parts == ("260114", "M04034", 43, "", "000000000-L6NVV")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.NEXTSEQ500, ("260114", "NB551452", 101, "A", "HW7JJAFXY")),
        (Kind.NOVASEQ6000, ("260114", "A00834", 183, "B", "HMTFYDRXX")),
        (Kind.NEXTSEQ2000, ("260114", "VH00103", 437, "", "2222FFYNX")),
        (Kind.NOVASEQX, ("20260114", "LH00217", 44, "A", "2255J2LT3")),
    ],
)
def test_name_parts_of_newer_runs(kind, expected):
    assert default_plan(kind=kind).name_parts == expected


def test_cameras_stand_in_a_nextseqs_tile_numbers():
    plan = default_plan(kind=Kind.NEXTSEQ500, lanes=4, surfaces=1, tiles=2)
    first = (11101, 11102, 11201, 11202, 11301, 11302)
    assert plan.tile_numbers(1) == plan.tile_numbers(2) == first
    assert plan.tile_numbers(3) == plan.tile_numbers(4) == tuple(n + 300 for n in first)


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        (Kind.NOVASEQ6000, None, (False, False, True)),
        (Kind.NOVASEQ6000, NonPf.FROM_FILTER_CYCLE, (False, False, True)),
        (Kind.NOVASEQ6000, NonPf.EXCLUDED, (True, True, True)),
        (Kind.NOVASEQ6000, NonPf.KEPT, (False, False, False)),
        (Kind.HISEQ4000, None, (False, False, False)),
    ],
)
def test_when_failing_clusters_are_left_out(kind, rule, expected):
    plan = default_plan(kind=kind, non_pf=rule)
    assert tuple(plan.leaves_out_failing(cycle) for cycle in (1, 25, 26)) == expected


def test_default_layout():
    plan = default_plan()
    assert (plan.lanes, plan.tile_numbers(1)) == (2, (1101, 1201, 2101, 2201))
    assert [(read.cycles, read.is_index) for read in plan.reads] == [
        (36, False), (8, True), (8, True), (36, False),
    ]  # fmt: skip
    assert plan.spans == ((0, 36), (36, 44), (44, 52), (52, 88))


@pytest.mark.parametrize(("cycles", "expected"), [(36, 25), (25, 25), (10, 10)])
def test_filter_is_known_at_25_or_at_the_end_of_a_shorter_first_read(cycles, expected):
    assert default_plan(read_cycles=(cycles, 30)).filter_cycle == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": "260114_K00188_0042_HFJ5CBBXX"}, "YYMMDD_INSTRUMENT_NNNN_"),
        ({"run": "261314_K00188_0042_AHFJ5CBBXX"}, "no date"),
        ({"run": "../260114_K00188_0042_AHFJ5"}, "YYMMDD"),
        ({"run": "260114_K00188_0042_A{{ x }}"}, "YYMMDD"),
        ({"lanes": 9}, "1 to 8 lanes"),
        ({"lanes": 0}, "1 to 8 lanes"),
        ({"surfaces": 3}, "1 to 2 surfaces"),
        ({"tiles": 29}, "1 to 28 tiles"),
        ({"clusters": 0}, "clusters a tile"),
        ({"seed": -1}, "seed"),
        ({"empty_tiles": -1}, "empty tiles: 0 to 7 of this run; found -1"),
        ({"empty_tiles": 8}, "empty tiles: 0 to 7 of this run; found 8"),
        ({"non_pf": NonPf.EXCLUDED}, "a hiseq4000 writes every cluster's base calls"),
        ({"reads": (ReadPlan(9), ReadPlan(8, True, True), ReadPlan(8, True))}, "does not tell"),
        ({"failing": 1.5}, "failing is a fraction"),
        ({"genome_length": 899}, "a genome has 900 to 10000000 bases; found 899"),
        ({"genome_length": 10_000_001}, "a genome has 900 to 10000000 bases"),
        ({"genome_length": 4000, "genome": Path("g.fa")}, "has a length of its own"),
        ({"variants": -1}, "0 variants or more; found -1"),
        ({"unknown": 0.6, "phix": 0.6}, "more than 1 together"),
        ({"samples": ()}, "at least one sample"),
        ({"reads": (ReadPlan(36), ReadPlan(36))}, "found 'TT'"),
        ({"reads": (ReadPlan(8, True), ReadPlan(36))}, "found 'IT'"),
        ({"reads": (ReadPlan(0), ReadPlan(8, True), ReadPlan(8, True))}, "1 to 300 cycles"),
        ({"reads": (ReadPlan(9), ReadPlan(4, True), ReadPlan(8, True))}, "5 to 24 cycles"),
    ],
)
def test_refused_plans(change, message):
    with pytest.raises(PlanError, match=message):
        replace(default_plan(), **change)


FAR_I7, FAR_I5 = "ACGTACGT", "TTGGCCAA"


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([Sample("a b", "n", "p", FAR_I7, FAR_I5)], "found 'a b'"),
        ([Sample("a", "<% x %>", "p", FAR_I7, FAR_I5)], "names and projects"),
        ([Sample("a", "n", "../p", FAR_I7, FAR_I5)], "names and projects"),
        ([Sample("a", "n", "p", "ACGT", FAR_I5)], "expected an i7 and i5 of 8 and 8"),
        ([Sample("a", "n", "p", "ACGTACGN", FAR_I5)], "found 'ACGTACGN'"),
        ([Sample("a", "n", "p", FAR_I7)], "i7 and i5"),
        ([Sample("a", "n", "p", FAR_I7, FAR_I5, lanes=(3,))], "lanes are 1 to 2"),
        ([Sample("a", "n", "p", FAR_I7, FAR_I5, lanes=(1,))], "lane 2 has no sample"),
        ([Sample("a", "n", "p", FAR_I7, FAR_I5)] * 2, "must differ; found twice: a"),
    ],
)
def test_refused_samples(samples, message):
    with pytest.raises(PlanError, match=message):
        default_plan(samples=tuple(samples))


@pytest.mark.parametrize(("other", "apart"), [("ACGTTGCA", 4), ("CATGTCGT", 5)])
def test_indexes_in_one_lane_must_be_five_apart(other, apart):
    samples = (Sample("a", "a", "p", FAR_I7), Sample("b", "b", "p", other))
    assert distance(FAR_I7, other) == apart
    if apart < FAR:
        with pytest.raises(PlanError, match=r"a and b share a lane.*only 4 bases; 5 are needed"):
            default_plan(samples=samples, index_cycles=(8,))
    else:
        assert default_plan(samples=samples, index_cycles=(8,)).samples == samples


def test_one_index_may_serve_two_lanes():
    samples = (
        Sample("a", "a", "p", FAR_I7, lanes=(1,)),
        Sample("b", "b", "p", FAR_I7, lanes=(2,)),
    )
    assert default_plan(samples=samples, index_cycles=(8,)).samples == samples


@pytest.mark.parametrize(("count", "lengths"), [(4, (8, 8)), (96, (8, 8)), (6, (8,)), (16, (10,))])
def test_made_up_samples_stand_apart(count, lengths):
    samples = made_up_samples(count, lengths, seed=3)
    assert len({sample.id for sample in samples}) == count
    for place, one in enumerate(samples):
        assert all(pair_distance(one.index, other.index) >= FAR for other in samples[:place])


def test_too_many_samples_for_one_short_index():
    with pytest.raises(PlanError, match="stand far enough apart; found 200 samples"):
        made_up_samples(200, (6,), seed=1)


def test_samples_from_csv(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text(
        "id,name,project,lane,i7,i5\n"
        "a,x,p,1,acgtacgt,TTGGCCAA\n"
        "b,b,q,2,ACGTACGT,TTGGCCAA\n"
        "a,x,p,2,ACGTACGT,TTGGCCAA\n"
    )
    assert samples_from_csv(path) == (
        Sample("a", "x", "p", FAR_I7, FAR_I5, (1, 2)),
        Sample("b", "b", "q", FAR_I7, FAR_I5, (2,)),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("id,name,i7\na,a,ACGT\n", "expected the columns"),
        ("id,name,project,lane,i7,i5\na,a,p,one,ACGT,\n", "line 2: expected a lane's number"),
        ("id,name,project,lane,i7,i5\na,a,p,1,ACGT,\na,b,p,2,ACGT,\n", "line 3: sample a stands"),
        ("id,name,project,lane,i7,i5\na,a,p,,ACGT,\na,a,p,2,ACGT,\n", "line 3: sample a stands"),
    ],
)
def test_refused_csv(tmp_path, lines, message):
    path = tmp_path / "samples.csv"
    path.write_text(lines)
    with pytest.raises(PlanError, match=message):
        samples_from_csv(path)
