"""What goes wrong, what a folder looks like then, and that the good run mends it."""

import hashlib
import shutil
from dataclasses import replace

import pytest
from defusedxml import ElementTree

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.misdeeds import MISDEEDS, misdeed_of
from arteriole.simulator.misdeeds.copying import CopyStalls
from arteriole.simulator.misdeeds.sheet import SheetLate
from arteriole.simulator.sequencer import write_run
from arteriole.simulator.truth import read_truth

from .conftest import sheet_samples

SMALL = {"clusters": 30, "read_cycles": (10, 8)}
CYCLES = 34
MIDDLE = 17
ARGUMENTS = {"clock-skew": "clock-skew:-86400", "sheet-late": "sheet-late:0"}
ALL = [ARGUMENTS.get(name, name) for name in MISDEEDS]
KINDS = list(Kind)


def plan_of(kind=Kind.HISEQ4000, *, by_lane=False):
    """With `by_lane` the first half of the samples lies on lane 1 alone, the others on lane 2."""
    plan = default_plan(kind=kind, **SMALL)
    if not by_lane:
        return plan
    half = len(plan.samples) // 2
    samples = (replace(one, lanes=(1 + n // half,)) for n, one in enumerate(plan.samples))
    return replace(plan, samples=tuple(samples))


def sequence(folder, *misdeeds, kind=Kind.HISEQ4000, by_lane=False, **others):
    plan = plan_of(kind, by_lane=by_lane)
    return write_run(plan, folder, misdeeds=[misdeed_of(text) for text in misdeeds], **others)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """By kind: the good run's folder and its digests; the folders are not to be changed."""
    found = {}

    def get(kind, by_lane=False):
        if (kind, by_lane) not in found:
            run = sequence(tmp_path_factory.mktemp(kind.value), kind=kind, by_lane=by_lane)
            found[kind, by_lane] = (run, digests(run))
        return found[kind, by_lane]

    return get


def calls_of(files, cycle):
    words = (f"/C{cycle}.1/", f"/{cycle:04d}.bcl")
    return {path for path in files if any(word in path for word in words)}


BY_LANE = "lanes-exchanged"
#: One for each way in which base calls lie in files.
LAYOUTS = [Kind.MISEQ, Kind.HISEQ4000, Kind.NEXTSEQ500, Kind.NOVASEQX]
POSSIBLE = [
    pytest.param(kind, misdeed, id=f"{kind.value}-{misdeed}")
    for kind in LAYOUTS
    for misdeed in ALL
    if misdeed != BY_LANE or default_plan(kind=kind, **SMALL).lanes > 1
]


@pytest.mark.parametrize(("kind", "misdeed"), POSSIBLE)
def test_the_good_run_copied_over_the_folder_mends_it(tmp_path, good, kind, misdeed):
    by_lane = misdeed == BY_LANE
    pristine, wanted = good(kind, by_lane)
    sequence(tmp_path, misdeed, kind=kind, by_lane=by_lane)
    run = tmp_path / pristine.name
    broken = digests(run)
    assert broken.keys() <= wanted.keys()
    harmless = ("marker-early", "sheet-late:0")
    assert (broken == wanted) == (misdeed in harmless)
    shutil.copytree(pristine, run, dirs_exist_ok=True)
    assert digests(run) == wanted


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_the_marker_comes_before_the_last_cycles(tmp_path, kind):
    markers = {}
    run = tmp_path / default_plan(kind=kind).run

    def look(cycle, cycles):
        markers[cycle] = (
            (run / "RTAComplete.txt").exists(),
            bool(calls_of({f"/{path.relative_to(run)}" for path in run.rglob("*")}, cycles)),
        )

    sequence(tmp_path, "marker-early:20", kind=kind, on_cycle=look)
    assert [markers[n] for n in (19, 20, 33, 34)] == [
        (False, False), (True, False), (True, False), (True, True),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_a_copy_that_stalls_stops_in_the_middle(tmp_path, good, kind):
    _, wanted = good(kind)
    seen = []
    found = digests(
        sequence(tmp_path, "copy-stalls", kind=kind, on_cycle=lambda *n: seen.append(n))
    )
    assert [cycle for cycle, _ in seen] == list(range(1, MIDDLE + 1))
    assert calls_of(found, MIDDLE) == calls_of(wanted, MIDDLE)
    assert not calls_of(found, MIDDLE + 1)
    assert not {"RTAComplete.txt", "CopyComplete.txt", "RunCompletionStatus.xml"} & found.keys()


def test_a_stalled_copy_goes_on_when_told(tmp_path, good):
    _, wanted = good(Kind.HISEQ4000)
    plan, seen = default_plan(**SMALL), []
    stall = CopyStalls(5, lambda: seen.append(digests(tmp_path / plan.run)))
    assert digests(write_run(plan, tmp_path, misdeeds=[stall])) == wanted
    (before,) = seen
    assert calls_of(before, 5) and not calls_of(before, 6)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_one_base_call_file_is_cut_in_half(tmp_path, good, kind):
    pristine, wanted = good(kind)
    run = sequence(tmp_path, "truncated-file:12", kind=kind)
    found = digests(run)
    (cut,) = [path for path in wanted if found[path] != wanted[path]]
    assert cut in calls_of(wanted, 12)
    assert (run / cut).read_bytes() == (
        (pristine / cut).read_bytes()[: (pristine / cut).stat().st_size // 2]
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_a_cycle_is_missing(tmp_path, good, kind):
    _, wanted = good(kind)
    found = digests(sequence(tmp_path, "missing-cycle:9", kind=kind))
    assert wanted.keys() - found.keys() == calls_of(wanted, 9) != set()
    assert all(found[path] == wanted[path] for path in found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_a_tile_that_is_listed_is_missing(tmp_path, good, kind):
    pristine, wanted = good(kind)
    run = sequence(tmp_path, "missing-tile", kind=kind)
    found = digests(run)
    lane, number = default_plan(kind=kind, **SMALL).all_tiles[-1]
    assert found["RunInfo.xml"] == wanted["RunInfo.xml"]
    gone = wanted.keys() - found.keys()
    assert all(f"_{lane}_{number}." in path for path in gone)
    calls = calls_of(wanted, 3)
    changed = {path for path in found if found[path] != wanted[path]}
    if kind is Kind.NEXTSEQ500:
        packed = number.to_bytes(4, "little")
        index = f"Data/Intensities/BaseCalls/L{lane:03d}/s_{lane}.bci"
        assert (
            packed in (pristine / index).read_bytes() and packed not in (run / index).read_bytes()
        )
        assert changed & calls and not gone
    elif any(path.endswith(".cbcl") for path in wanted):
        assert len(gone) == 1 and changed & calls
    else:
        assert gone & calls and not changed


@pytest.mark.parametrize(
    ("kind", "element", "text"),
    [
        (Kind.NEXTSEQ500, "CompletionStatus", "ExceptionEndedEarly"),
        (Kind.NEXTSEQ2000, "RunStatus", "RunErrored"),
        (Kind.NOVASEQX, "RunStatus", "RunErrored"),
        (Kind.NOVASEQ6000, "", ""),
        (Kind.HISEQ4000, "", ""),
    ],
)
def test_an_instrument_that_gives_up_says_so_where_it_can(tmp_path, kind, element, text):
    run = sequence(tmp_path, "failed-run", kind=kind)
    found = digests(run)
    assert calls_of(found, MIDDLE) and not calls_of(found, MIDDLE + 1)
    assert not {"CopyComplete.txt", "RTAComplete.txt"} & found.keys()
    status = run / "RunCompletionStatus.xml"
    assert status.exists() == bool(element)
    if element:
        assert ElementTree.parse(status).findtext(element) == text


@pytest.mark.parametrize("kind", [Kind.HISEQ4000, Kind.NEXTSEQ2000, Kind.NOVASEQX])
def test_an_instrument_that_is_restarted_sequences_the_flow_cell_anew(tmp_path, kind):
    plan = default_plan(kind=kind, **SMALL)
    run = sequence(tmp_path, "instrument-restart:7", kind=kind)
    first, second = (read.split("_") for read in (plan.run, run.name))
    assert int(second[2]) == int(first[2]) + 1 and len(second[2]) == len(first[2])
    assert first[:2] + first[3:] == second[:2] + second[3:]
    assert (run / "RTAComplete.txt").exists()
    abandoned = digests(tmp_path / plan.run)
    assert calls_of(abandoned, 7) and not calls_of(abandoned, 8)
    truth = read_truth(tmp_path / f"{run.name}.truth")
    assert (truth.run, truth.number) == (run.name, int(second[2]))
    assert not (tmp_path / f"{plan.run}.truth").exists()


def test_a_clock_that_is_wrong(tmp_path):
    days = 400
    run = sequence(tmp_path / "a", f"clock-skew:{-days * 86400}", kind=Kind.NOVASEQX)
    beside = sequence(tmp_path / "b", kind=Kind.NOVASEQX)
    for path in run.rglob("*"):
        if path.is_file():
            behind = (beside / path.relative_to(run)).stat().st_mtime - path.stat().st_mtime
            assert abs(behind - days * 86400) < 600
    date = ElementTree.parse(run / "RunInfo.xml").findtext("Run/Date")
    assert date == "2024-12-10T10:00:00Z"
    assert "12/10/2024" in (run / "RTAComplete.txt").read_text()


def test_a_sheet_that_comes_late(tmp_path):
    plan, seen = default_plan(**SMALL), []
    late = SheetLate(lambda: seen.append(digests(tmp_path / plan.run).keys()))
    run = write_run(plan, tmp_path, misdeeds=[late])
    (before,) = seen
    assert "RTAComplete.txt" in before and "SampleSheet.csv" not in before
    assert (run / "SampleSheet.csv").exists()


def test_a_sheet_that_never_comes(tmp_path):
    assert not (sequence(tmp_path, "sheet-never") / "SampleSheet.csv").exists()


@pytest.mark.parametrize("kind", [Kind.HISEQ4000, Kind.NOVASEQX])
def test_a_sheet_with_i5_reversed(tmp_path, kind):
    run = sequence(tmp_path, "i5-reversed", kind=kind)
    plan = default_plan(kind=kind, **SMALL)
    complement = str.maketrans("ACGT", "TGCA")
    assert [(row["index"], row["index2"]) for row in sheet_samples(run)] == [
        (sample.i7, sample.i5.translate(complement)[::-1]) for sample in plan.samples
    ]
    assert read_truth(tmp_path / f"{run.name}.truth").samples == plan.samples


def test_a_sheet_with_lanes_exchanged(tmp_path):
    run = sequence(tmp_path, "lanes-exchanged", by_lane=True)
    plan = plan_of(by_lane=True)
    assert [(row["Sample_ID"], row["Lane"], row["index"]) for row in sheet_samples(run)] == [
        (sample.id, {1: "2", 2: "1"}[sample.lanes[0]], sample.i7) for sample in plan.samples
    ]
    assert read_truth(tmp_path / f"{run.name}.truth").samples == plan.samples


def test_a_sheet_with_wells_shifted(tmp_path):
    run = sequence(tmp_path, "wells-shifted:1")
    pairs = [sample.index for sample in plan_of().samples]
    found = [(row["index"], row["index2"]) for row in sheet_samples(run)]
    assert found[:-1] == pairs[1:] and found[-1] not in pairs
    assert read_truth(tmp_path / f"{run.name}.truth").samples == plan_of().samples
    column = sequence(tmp_path / "column", "wells-shifted")
    found = [(row["index"], row["index2"]) for row in sheet_samples(column)]
    assert len(set(found)) == 4 and not set(found) & set(pairs)


def test_several_misdeeds_at_once(tmp_path):
    run = sequence(tmp_path, "sheet-never", "truncated-file:3", "missing-cycle:5", "copy-stalls:9")
    found = digests(run)
    assert "SampleSheet.csv" not in found and calls_of(found, 9) and not calls_of(found, 10)
    assert calls_of(found, 4) and not calls_of(found, 5)
