"""Whole run folders: what is in them, in which order they come, and that their truth is true."""

import hashlib

import pytest
from interop import py_interop_run_metrics, py_interop_summary

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind, NonPf
from arteriole.simulator.judge import judge
from arteriole.simulator.plan import Sample
from arteriole.simulator.sequencer import RunExistsError, write_run
from arteriole.simulator.tiles import PHIX
from arteriole.simulator.truth import read_truth

from .conftest import convert

LANES = (
    Sample("a", "x", "p", "ACGTACGT", "", (2,)),
    Sample("b", "b", "q", "TGCATGCA"),
    Sample("c", "", "", "GGATTCTG"),
)
SHAPES = {
    "hiseq4000": {"clusters": 80},
    "hiseq2500": {"kind": Kind.HISEQ2500, "clusters": 80},
    "miseq": {"kind": Kind.MISEQ, "clusters": 120},
    "nextseq500": {"kind": Kind.NEXTSEQ500, "clusters": 60},
    "nextseq500-mid-output": {"kind": Kind.NEXTSEQ500, "clusters": 15, "lanes": 4, "tiles": 2},
    "novaseq6000": {"kind": Kind.NOVASEQ6000, "clusters": 81},
    "nextseq2000": {"kind": Kind.NEXTSEQ2000, "clusters": 81},
    "novaseqx": {"kind": Kind.NOVASEQX, "clusters": 81},
    "failing-kept": {"kind": Kind.NOVASEQ6000, "clusters": 61, "non_pf": NonPf.KEPT},
    "failing-left-out": {"kind": Kind.NOVASEQX, "clusters": 61, "non_pf": NonPf.EXCLUDED},
    "one-surface": {"kind": Kind.NOVASEQ6000, "clusters": 31, "surfaces": 1},
    "nothing-passes-a-cbcl": {"kind": Kind.NOVASEQ6000, "clusters": 21, "failing": 1.0},
    "empty-tiles-hiseq4000": {"clusters": 40, "empty_tiles": 3},
    "empty-tiles-hiseq2500": {"kind": Kind.HISEQ2500, "clusters": 40, "empty_tiles": 3},
    "empty-tiles-nextseq500": {"kind": Kind.NEXTSEQ500, "clusters": 20, "empty_tiles": 5},
    "empty-tiles-novaseq6000": {"kind": Kind.NOVASEQ6000, "clusters": 41, "empty_tiles": 3},
    "one-read-two-indexes": {"read_cycles": (20,), "clusters": 60},
    "one-index-and-lanes": {"samples": LANES, "index_cycles": (8,), "clusters": 60},
    "index-no-calls-only": {"index_no_call": 1.0, "index_ruin": 0.1, "clusters": 60},
    "everything-passes": {"failing": 0.0, "unknown": 0.0, "phix": 0.0, "clusters": 30},
    "nothing-passes": {"failing": 1.0, "clusters": 30},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_another_converter_makes_of_the_run_is_the_truth(tmp_path, shape):
    plan = default_plan(**SHAPES[shape], seed=9)
    run = write_run(plan, tmp_path)
    convert(run, tmp_path / "fastq")
    verdict = judge(tmp_path / f"{plan.run}.truth", tmp_path / "fastq")
    truth = read_truth(tmp_path / f"{plan.run}.truth")
    passed = sum(tile.passed.sum() for lane in truth.lanes for tile in truth.lane(lane))
    assert verdict.differences == ()
    assert verdict.records == passed * len(plan.spans_of(is_index=False))
    assert verdict.samples == (0 if "nothing-passes" in shape else len(plan.samples))


Q_METRICS = {Kind.HISEQ4000: 6, Kind.HISEQ2500: 5, Kind.MISEQ: 4, Kind.NEXTSEQ500: 6}
CBCL = (Kind.NOVASEQ6000, Kind.NEXTSEQ2000, Kind.NOVASEQX)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_one_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    plan = default_plan(clusters=20, read_cycles=(10, 10))
    for name in ("one", "two"):
        write_run(plan, tmp_path / name)
    write_run(default_plan(clusters=20, read_cycles=(10, 10), seed=2), tmp_path / "three")
    one, two, three = (digests(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    bcl = f"{plan.run}/Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz"
    assert one.keys() == three.keys() and one[bcl] != three[bcl]


def test_files_come_in_the_instruments_order(tmp_path):
    plan = default_plan(clusters=10, read_cycles=(30, 30), lanes=1)
    folder = tmp_path / plan.run
    calls = folder / "Data" / "Intensities" / "BaseCalls" / "L001"
    seen = []

    def look(cycle, cycles):
        assert cycles == 76
        folders = {path.name for path in calls.glob("C*.1")}
        assert folders == {f"C{n}.1" for n in range(1, cycle + 1)}
        assert len(list((calls / f"C{cycle}.1").glob("s_1_*.bcl.gz"))) == 4
        assert (folder / "RunInfo.xml").exists() and (folder / "SampleSheet.csv").exists()
        assert (folder / "Data" / "Intensities" / "s.locs").exists()
        assert len(list(calls.glob("*.filter"))) == (4 if cycle >= 25 else 0)
        assert (folder / "InterOp" / "TileMetricsOut.bin").exists() == (cycle >= 25)
        done = [(folder / f"RTARead{n}Complete.txt").exists() for n in (1, 2, 3, 4)]
        assert done == [cycle >= end for end in (30, 38, 46, 76)]
        assert not (folder / "RTAComplete.txt").exists()
        seen.append(cycle)

    assert write_run(plan, tmp_path, on_cycle=look) == folder
    assert seen == list(range(1, 77))
    assert (folder / "RTAComplete.txt").read_text().startswith("RTA 2.7.7 completed on 1/14/2026")
    assert (folder / "SequencingComplete.txt").exists()


def test_a_miseq_writes_its_own_files(tmp_path):
    run = write_run(default_plan(kind=Kind.MISEQ, clusters=10, read_cycles=(5, 5)), tmp_path)
    intensities = run / "Data" / "Intensities"
    assert (run / "RunParameters.xml").exists() and not (intensities / "s.locs").exists()
    assert (intensities / "L001" / "s_1_1101.locs").exists()
    assert (intensities / "BaseCalls" / "L001" / "C1.1" / "s_1_1101.bcl").exists()
    assert (run / "Basecalling_Netcopy_complete_Read4.txt").exists()
    assert (run / "RTAComplete.txt").exists()


def test_a_run_folder_or_truth_that_is_there_is_never_touched(tmp_path):
    plan = default_plan(clusters=5, read_cycles=(5, 5))
    (tmp_path / f"{plan.run}.truth").mkdir()
    with pytest.raises(RunExistsError, match="there already"):
        write_run(plan, tmp_path)
    assert not (tmp_path / plan.run).exists()
    run = write_run(plan, tmp_path, truth=tmp_path / "elsewhere" / "truth", sheet=b"\xef\xbb\xbf!")
    assert read_truth(tmp_path / "elsewhere" / "truth").run == plan.run
    assert (run / "SampleSheet.csv").read_bytes() == b"\xef\xbb\xbf!"
    with pytest.raises(RunExistsError, match="there already"):
        write_run(plan, tmp_path, truth=tmp_path / "third")


@pytest.mark.parametrize("kind", list(Kind))
def test_interop_gives_the_planned_numbers(tmp_path, kind):
    plan = default_plan(kind=kind, clusters=300, seed=4)
    run = write_run(plan, tmp_path)
    truth = read_truth(tmp_path / f"{plan.run}.truth")
    tiles = [tile for lane in truth.lanes for tile in truth.lane(lane)]
    metrics = py_interop_run_metrics.run_metrics()
    metrics.read(str(run))
    versions = [
        getattr(metrics, f"{name}_metric_set")().version()
        for name in ("tile", "extraction", "index", "q")
    ]
    new = kind in CBCL
    assert versions == [3 if new else 2, 3 if new else 2, 1, Q_METRICS.get(kind, 7)]

    summary = py_interop_summary.run_summary()
    py_interop_summary.summarize_run_metrics(metrics, summary)
    assert summary.lane_count() == plan.lanes
    for lane in range(plan.lanes):
        ours = [tile for tile in tiles if tile.lane == lane + 1]
        lane_summary = summary.at(0).at(lane)
        clusters = sum(tile.passed.size for tile in ours)
        assert lane_summary.reads() == clusters
        assert lane_summary.reads_pf() == sum(tile.passed.sum() for tile in ours)
        passing = [100 * tile.passed.mean() for tile in ours]
        assert lane_summary.percent_pf().mean() == pytest.approx(sum(passing) / len(ours), rel=1e-4)
        aligned = [100 * (tile.sample == PHIX).mean() for tile in ours]
        found = lane_summary.percent_aligned().mean()
        assert found == pytest.approx(sum(aligned) / len(ours), rel=1e-4, abs=1e-6)
        # The library leaves out a read's last cycle.
        good = [tile.qualities[tile.passed][:, :35] for tile in ours]
        above = sum((q >= 30).sum() for q in good) / sum(q.size for q in good)
        assert lane_summary.percent_gt_q30() == pytest.approx(100 * above, rel=1e-4)

        index = py_interop_summary.index_lane_summary()
        py_interop_summary.summarize_index_metrics(metrics, lane + 1, index)
        counted = {
            index.at(n).sample_id(): index.at(n).cluster_count() for n in range(index.size())
        }
        assert counted == {
            sample.id: sum((tile.belongs[tile.passed] == place).sum() for tile in ours)
            for place, sample in enumerate(plan.samples)
        }
