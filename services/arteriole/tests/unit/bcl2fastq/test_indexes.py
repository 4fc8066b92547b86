"""What the observed indexes say of a sheet: tables of lanes, and runs that were sequenced."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.converters.conversion import Options
from arteriole.bcl2fastq.indexes import counting
from arteriole.bcl2fastq.indexes.diagnosis import diagnose
from arteriole.bcl2fastq.indexes.examination import Examination, Question, examine
from arteriole.bcl2fastq.indexes.lane import Expected, Lane
from arteriole.bcl2fastq.indexes.proposal import ProposalError, corrected
from arteriole.illumina import used_reads
from arteriole.illumina.observed_indexes import (
    ObservedLane,
    Pair,
    Reading,
    reverse_complement,
)
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import parse
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.documents import sample_sheet
from arteriole.simulator.indexes import distinct_pairs
from arteriole.simulator.instruments import Kind
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.sequencer import write_run

PAIRS = distinct_pairs(24, (8, 8), np.random.default_rng(11))
PHIX = {("GGGGGGGG", "AGATCTCG"): 9000}


def lane(
    sheet: list[Pair],
    read: list[Pair],
    number: int = 1,
    *,
    each: int = 100,
    ids: list[str] | None = None,
    more: dict[Pair, int] | None = None,
) -> Lane:
    """A lane on which each of `read` has `each` reads, and the sheet has the pairs of `sheet`."""
    names = ids or [f"S{n}" for n in range(len(sheet))]
    samples = tuple(Expected(name, pair) for name, pair in zip(names, sheet, strict=True))
    pairs = dict.fromkeys(read, each) | (more or {})
    return Lane(ObservedLane(number, sum(pairs.values()), pairs), samples, (1, 1))


def read_as(reading: Reading, pairs: list[Pair] = PAIRS) -> list[Pair]:
    return [reading.of(pair) for pair in pairs]


def shifted(pairs: list[Pair], by: int = 1) -> list[Pair]:
    """The i5 of each well is that of its neighbour."""
    fives = [pair[1] for pair in pairs]
    moved = fives[by:] + fives[:by]
    return [(pair[0], five) for pair, five in zip(pairs, moved, strict=True)]


TURNED = [
    (Reading.I5_REVERSE_COMPLEMENT, "indexes.reversed_i5"),
    (Reading.I5_REVERSED, "indexes.reversed_i5"),
    (Reading.I5_COMPLEMENT, "indexes.reversed_i5"),
    (Reading.I7_REVERSE_COMPLEMENT, "indexes.reversed_i7"),
    (Reading.I7_REVERSED, "indexes.reversed_i7"),
    (Reading.BOTH_REVERSE_COMPLEMENT, "indexes.reversed_both"),
    (Reading.BOTH_REVERSED, "indexes.reversed_both"),
    (Reading.SWAPPED, "indexes.columns_swapped"),
]


@pytest.mark.parametrize(("reading", "code"), TURNED)
def test_one_reading_that_accounts_for_all_is_proposed(reading: Reading, code: str) -> None:
    found = diagnose([lane(PAIRS, read_as(reading), number) for number in (1, 2)])
    assert (found.code, found.reading) == (code, reading)
    assert "24 of 24 samples have reads" in found.message


I5 = Reading.I5_REVERSE_COMPLEMENT
OTHERS = distinct_pairs(24, (8, 8), np.random.default_rng(12))
SINGLE = [(i7, "") for i7, _ in PAIRS]
PLATE = [(PAIRS[n % 6][0], PAIRS[n // 6][1]) for n in range(24)]  # combinatorial, 6 by 4 wells


def with_control(read_like: str) -> Lane:
    """23 samples and a control; it has the reads of a sample, of which one has none, or few."""
    ids = [f"S{n}" for n in range(23)] + ["NTC_1"]
    if read_like == "sample":
        return lane(PAIRS, PAIRS[1:], ids=ids)
    return lane(PAIRS, PAIRS[:23], ids=ids, more={PAIRS[23]: 8})


GOOD: dict[str, Callable[[], list[Lane]]] = {
    "all there": lambda: [lane(PAIRS, PAIRS)],
    "one sample without reads": lambda: [lane(PAIRS, PAIRS[1:])],
    "errors of reading": lambda: [lane(PAIRS, PAIRS, more={("ACGTACGT", "TTTTTTTA"): 9})],
    "one sample": lambda: [lane(PAIRS[:1], PAIRS[:1], each=900)],
    "one sample that failed": lambda: [lane(PAIRS[:1], [], more={OTHERS[0]: 400})],
    "two samples of which one failed": lambda: [lane(PAIRS[:2], PAIRS[1:2], each=900)],
    "single index": lambda: [lane(SINGLE, SINGLE)],
    "no index": lambda: [lane([("", "")], [], more={("", ""): 5000})],
    "no sample on the lane": lambda: [lane([], OTHERS)],
    "mostly PhiX": lambda: [lane(PAIRS, PAIRS, each=30, more=PHIX)],
    "PhiX alone": lambda: [lane(PAIRS, [], more=PHIX)],
    "no-calls alone": lambda: [lane(PAIRS, [], more={("NNNNNNNN", "NNNNNNNN"): 5000})],
    "an empty lane": lambda: [lane(PAIRS, []), lane(PAIRS, PAIRS, 2)],
    "a control with few": lambda: [with_control("few")],
    "a sample that the sheet lacks": lambda: [lane(PAIRS, [*PAIRS, OTHERS[0]])],
    "two samples that failed, and one that the sheet lacks": lambda: [
        lane(PAIRS, [*PAIRS[2:], OTHERS[0]])
    ],
    "a full plate": lambda: [lane(PLATE, PLATE)],
    "a shift within a full plate, which no count can see": lambda: [
        lane(PLATE, [PLATE[(n + 6) % 24] for n in range(24)])
    ],
    "the same samples on two lanes, one of PhiX": lambda: [
        lane(PAIRS, PAIRS),
        lane(PAIRS, [], 2, more=PHIX),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_raised_where_nothing_is_wrong(name: str) -> None:
    found = diagnose(GOOD[name]())
    assert (found.code, found.message, found.reading) == ("", "", None)


HELD: dict[str, tuple[str, Callable[[], list[Lane]]]] = {
    "lanes exchanged": (
        "indexes.exchanged",
        lambda: [lane(PAIRS, OTHERS), lane(OTHERS, PAIRS, 2)],
    ),
    "a sample on another lane": (
        "indexes.exchanged",
        lambda: [lane(PAIRS, [OTHERS[0], *PAIRS[1:]]), lane(OTHERS, [PAIRS[0], *OTHERS[1:]], 2)],
    ),
    "i5 of the neighbour's well": (
        "indexes.exchanged",
        lambda: [lane(PAIRS, shifted(PAIRS))],
    ),
    "wells of a plate that is not full": (
        "indexes.exchanged",
        lambda: [lane(PLATE[:23], PLATE[1:])],
    ),
    "a control that is a sample": ("indexes.exchanged", lambda: [with_control("sample")]),
    "i5 reversed on one lane of two": (
        "indexes.ambiguous",
        lambda: [lane(PAIRS, PAIRS), lane(PAIRS, read_as(I5), 2)],
    ),
    "each lane otherwise": (
        "indexes.ambiguous",
        lambda: [lane(PAIRS, read_as(I5)), lane(PAIRS, read_as(Reading.SWAPPED), 2)],
    ),
    "two readings at once": (
        "indexes.ambiguous",
        lambda: [lane(PAIRS, [*read_as(I5), *read_as(Reading.SWAPPED)])],
    ),
    "i5 reversed, and one i5 moved": (
        "indexes.ambiguous",
        lambda: [lane(PAIRS, [*read_as(I5, PAIRS[1:]), (PAIRS[0][0], I5.of(PAIRS[1])[1])])],
    ),
    "the sheet of another run": ("indexes.other_samples", lambda: [lane(PAIRS, OTHERS)]),
    "a column of wells taken for the next": (
        "indexes.other_samples",
        lambda: [lane([*PAIRS, *OTHERS[8:]], [*OTHERS[:8], *PAIRS, *OTHERS[8:16]])],
    ),
    "two samples of forty that are others": (
        "indexes.other_samples",
        lambda: [lane([*PAIRS, *OTHERS[:16]], [*PAIRS, *OTHERS[:14], *OTHERS[20:22]])],
    ),
    "i5 of the neighbour's well, and reversed": (
        "indexes.other_samples",
        lambda: [lane(PAIRS, read_as(I5, shifted(PAIRS)))],
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_what_might_give_an_index_to_another_sample_is_never_proposed(name: str) -> None:
    code, lanes = HELD[name]
    found = diagnose(lanes())
    assert (found.code, found.reading) == (code, None)
    assert "lane" in found.message


@pytest.mark.parametrize(("there", "reading"), [(22, I5), (21, None)])
def test_nine_tenths_of_the_samples_are_needed(there: int, reading: Reading | None) -> None:
    assert diagnose([lane(PAIRS, read_as(I5, PAIRS[:there]))]).reading is reading


@pytest.mark.parametrize(("few", "there"), [(11, 24), (9, 23)])
def test_a_sample_needs_a_fair_share(few: int, there: int) -> None:
    found = lane(PAIRS, PAIRS[1:], more={PAIRS[0]: few})
    assert len(found.there(found.as_written)) == there


SHEETS = {
    "plain": "[Data]\nLane,Sample_ID,index,index2\n1,A,AACCAACC,AAGTAAGT\n1,B,GGTTGGTA,CCATCCAT\n",
    "quotes and ends of lines": "[Header]\r\nDate,2026\r\n[Data]\r\nSample_ID,Description,index,"
    'index2\r\nA,"one, two",AACCAACC,"AAGTAAGT"\r\nB,, GGTTGGTA,CCATCCAT,,\r\n',
    "without an end": "[Data]\nSample_ID,index2,index\nA,AAGTAAGT,AACCAACC",
    "version 2": "[Header]\nFileFormatVersion,2\n[BCLConvert_Data]\nSample_ID,Index,Index2\n"
    "A,AACCAACC,AAGTAAGT\n",
    "casava": "FCID,Lane,SampleID,SampleRef,Index,Description,Control,Recipe,Operator,"
    "SampleProject\nF,1,A,x,AACCAACC-AAGTAAGT,y,N,R,O,P\n",
}


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_proposed_sheet_differs_in_the_indexes_only(name: str, mark: bytes) -> None:
    data = mark + SHEETS[name].encode()
    found = corrected(data, I5)
    bare = data.replace(b'"AAGTAAGT"', b"AAGTAAGT").replace(b" GGTTGGTA", b"GGTTGGTA")
    assert found != data and corrected(found, I5) == bare
    before, after = parse(data).samples, parse(found).samples
    assert [I5.of((s.index, s.index2)) for s in before] == [(s.index, s.index2) for s in after]
    assert [replace(s, index="", index2="") for s in before] == [
        replace(s, index="", index2="") for s in after
    ]


def test_a_sheet_that_cannot_be_corrected_in_place_is_left_to_people() -> None:
    data = b"[Data]\nLane,Sample_ID,index,index2\n1,A,AACCAACC,AAGTAAGT\n2,B,GGTTGGTA,\n"
    assert parse(corrected(data, I5)).samples[1].index == "GGTTGGTA"
    with pytest.raises(ProposalError, match="not so written"):
        corrected(data, Reading.SWAPPED)


@pytest.mark.parametrize(
    ("tiles", "first"),
    [
        ((1101, 1102, 1103, 1104, 2101, 2102, 2103, 2104), [1103, 2103, 1102, 2102]),
        ((1101, 1201, 2101, 2201), [1101, 2101, 1201, 2201]),
        ((11101, 11201, 21101), [11101, 21101, 11201]),
    ],
)
def test_the_first_tiles_lie_far_apart(tiles: tuple[int, ...], first: list[int]) -> None:
    found = counting.spread(tiles)
    assert found[: len(first)] == first and sorted(found) == sorted(tiles)


def turned_sheet(plan: RunPlan, reading: Reading) -> bytes:
    """The sheet that fits the plan, but for its indexes."""
    return sheet_with(plan, lambda i7, i5: reading.of((i7, i5)))


def sheet_with(plan: RunPlan, turned: Callable[[str, str], Pair]) -> bytes:
    """The sheet that fits the plan, but for its indexes."""
    samples = []
    for sample in plan.samples:
        i7, i5 = turned(*sample.index)
        samples.append(replace(sample, i7=i7, i5=i5))
    made = replace(plan, samples=tuple(samples))
    return sample_sheet(made).encode()


def sequenced(
    folder: Path, plan: RunPlan, sheet: bytes | None = None, at: int | None = None
) -> Examination:
    """What is found while the run goes on, just after its last index cycle (or after `at`)."""
    found = []
    after = at or max(end for _, end in plan.spans_of(is_index=True)) + 1

    def look(cycle: int, _: int) -> None:
        if cycle == after:
            run = folder / plan.run
            found.append(examine(Question(run, (run / "SampleSheet.csv").read_bytes())))

    assert after < plan.cycles
    write_run(plan, folder, sheet=sheet, on_cycle=look)
    return found[0]


SMALL = {"clusters": 150, "lanes": 1, "swaths": 1, "read_cycles": (26, 3), "samples": 6}
KINDS = (Kind.HISEQ4000, Kind.NEXTSEQ500, Kind.NOVASEQ6000, Kind.NOVASEQX)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_a_reversed_i5_is_found_before_the_last_cycle(tmp_path: Path, kind: Kind) -> None:
    plan = default_plan(kind=kind, **SMALL)
    found = sequenced(tmp_path, plan, turned_sheet(plan, I5))
    assert found.whole["code"] == "indexes.reversed_i5"
    assert found.proposal == sample_sheet(plan).encode()
    assert [lane["passed_only"] for lane in found.whole["lanes"]] == [True] * plan.lanes
    assert all(row["proposed"] >= 10 for row in found.whole["lanes"][0]["samples"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.value)
def test_of_a_good_run_nothing_is_raised(tmp_path: Path, kind: Kind) -> None:
    found = sequenced(tmp_path, default_plan(kind=kind, **SMALL))
    assert (found.brief["code"], found.proposal) == ("", None)
    assert found.brief["lanes"][0]["there"] == 6
    assert found.brief["bytes_read"] > 0


@pytest.mark.parametrize("kind", [Kind.NEXTSEQ500, Kind.NOVASEQX], ids=lambda kind: kind.value)
def test_index2_is_compared_as_the_site_says_that_it_is_written(tmp_path: Path, kind: Kind) -> None:
    """Both read the i5 reversed; only a NovaSeq X marks it so, and then sheets have it forward."""
    plan = default_plan(kind=kind, **SMALL)
    write_run(plan, tmp_path)
    run = tmp_path / plan.run
    usual, other = ("as-read", "forward") if kind is Kind.NEXTSEQ500 else ("forward", "as-read")
    own, turned = sample_sheet(plan).encode(), turned_sheet(plan, I5)
    for sheet, said, wrong in ((own, usual, turned), (turned, other, own), (own, None, turned)):
        assert examine(Question(run, sheet, index2=said)).brief["code"] == ""
        found = examine(Question(run, wrong, index2=said))
        assert (found.brief["code"], found.proposal) == ("indexes.reversed_i5", sheet)


def test_of_indexes_that_are_exchanged_and_turned_no_sheet_is_written(tmp_path: Path) -> None:
    plan = default_plan(kind=Kind.NEXTSEQ500, **SMALL)
    write_run(plan, tmp_path)
    run = tmp_path / plan.run
    sheet = turned_sheet(plan, Reading.SWAPPED)
    assert examine(Question(run, sheet)).proposal == sample_sheet(plan).encode()
    forward = sheet_with(plan, lambda i7, i5: (i5, reverse_complement(i7)))
    found = examine(Question(run, forward, index2="forward"))
    assert (found.brief["code"], found.proposal) == ("indexes.columns_swapped", None)
    assert "another direction" in found.brief["by_hand"]


@pytest.mark.parametrize("marked", [False, True])
def test_the_cycles_that_a_mask_uses_are_compared(tmp_path: Path, marked: bool) -> None:
    """The first two cycles of each index read are left out, by the sheet or by an option."""
    kind = Kind.NOVASEQX if marked else Kind.HISEQ4000
    plan = default_plan(kind=kind, **SMALL)
    write_run(plan, tmp_path)
    run = tmp_path / plan.run
    assert RunFolder(run).run_info.index_reads[1].is_reverse_complement is marked
    lines = sample_sheet(plan).splitlines()
    table = next(n for n, line in enumerate(lines) if "Sample_ID" in line)
    columns = lines[table].lower().split(",")
    cut = {columns.index("index"): slice(2, None)}
    cut[columns.index("index2")] = slice(0, -2) if marked else slice(2, None)
    for n in range(table + 1, len(lines)):
        cells = lines[n].split(",")
        lines[n] = ",".join(
            cell[cut[place]] if place in cut else cell for place, cell in enumerate(cells)
        )
    sheet = "\n".join(lines).encode()
    assert examine(Question(run, sheet)).brief["code"] != ""
    masked = Options(use_bases_mask=("y*,n2i6,n2i6,y*",))
    found = examine(Question(run, sheet, options=masked))
    assert (found.brief["code"], found.brief["lanes"][0]["there"]) == ("", 6)


def test_all_clusters_are_counted_while_the_filter_is_not_there(tmp_path: Path) -> None:
    plan = default_plan(**{**SMALL, "read_cycles": (4, 30)})
    write_run(plan, tmp_path)
    run = tmp_path / plan.run
    for path in run.rglob("*.filter"):
        path.unlink()
    found = examine(Question(run, (run / "SampleSheet.csv").read_bytes()))
    (told,) = found.whole["lanes"]
    assert (found.whole["code"], told["passed_only"]) == ("", False)
    assert told["clusters"] == 150 * len(plan.all_tiles)


@pytest.mark.parametrize("other", [("ACGTAC", "GTCAGT"), ("ACGTACGT", "")])
def test_indexes_of_several_lengths_are_not_judged(other: Pair) -> None:
    """Though none of the sheet's is there, no run is held for it."""
    mixed = lane([*PAIRS[:11], other], PAIRS[12:])
    assert mixed.not_judged == "indexes of several lengths" and mixed.lengths == ()
    assert diagnose([mixed]).code == ""
    assert diagnose([lane(PAIRS[:12], PAIRS[12:])]).code == "indexes.other_samples"


def test_indexes_that_are_not_all_there_are_not_judged(tmp_path: Path) -> None:
    plan = default_plan(**SMALL)
    with pytest.raises(ConversionError, match="lane 1") as refused:
        sequenced(tmp_path, plan, at=plan.spans[2][0])
    assert refused.value.code == "indexes.not_read"


def test_what_is_read_is_bounded_and_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = default_plan(**{**SMALL, "swaths": 2, "tiles": 3})
    write_run(plan, tmp_path)
    monkeypatch.setattr(counting, "CLUSTERS", 50)
    folder = RunFolder(tmp_path / plan.run)

    def look() -> Iterator[tuple[ObservedLane, int]]:
        reads = used_reads.whole(folder.run_info)
        indexes = tuple(read.cut(8) for read in reads if read.is_index)
        return counting.count(folder, {1: indexes})

    (seen, read), (again, _) = next(look()), next(look())
    assert seen == again
    assert (len(seen.tiles), seen.clusters) == (8, 8 * 50)
    monkeypatch.setattr(counting, "BYTES", read // 3)
    fewer, less = next(look())
    assert 1 < len(fewer.tiles) < 8 and less <= read // 3
    monkeypatch.setattr(counting, "BYTES", 1)
    assert len(next(look())[0].tiles) == 1


def test_a_damaged_tile_is_passed_over(tmp_path: Path) -> None:
    plan = default_plan(**SMALL)
    write_run(plan, tmp_path)
    run = tmp_path / plan.run
    first = counting.spread(plan.tile_numbers(1))[0]
    for path in run.glob(f"Data/Intensities/BaseCalls/L001/C27.1/s_1_{first}.bcl*"):
        path.write_bytes(path.read_bytes()[:-9])
    found = examine(Question(run, (run / "SampleSheet.csv").read_bytes()))
    assert first not in found.whole["lanes"][0]["tiles"] and found.whole["code"] == ""


def test_a_sheet_that_does_not_fit_is_not_compared(tmp_path: Path) -> None:
    plan = default_plan(**SMALL)
    write_run(plan, tmp_path)
    with pytest.raises(ConversionError, match="does not fit") as refused:
        examine(Question(tmp_path / plan.run, b"[Data]\nSample_ID,index\nA,XX\n"))
    assert refused.value.code == "sheet.index_alphabet"
