import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sample_sheet import parse
from arteriole.illumina.sheet_check import Severity, check

READS = (Read(1, 50, False), Read(2, 8, True), Read(3, 8, True), Read(4, 50, False))


def run_info(reads: tuple[Read, ...] = READS, lanes: int = 2) -> RunInfo:
    tiles = dict.fromkeys(range(1, lanes + 1), (1101,))
    layout = Layout(lanes, 1, 1, 1)
    return RunInfo("260101_M1_1_A", 1, "A", "M1", "260101", reads, layout, tiles)


def found(rows: str, columns: str = "Sample_ID,index,index2", **options) -> list[tuple]:
    sheet = parse(f"[Data]\n{columns}\n{rows}\n".encode())
    info = options.pop("info", run_info())
    return [(f.code, f.line, f.column) for f in check(sheet, info, **options)]


def test_a_good_sheet_has_no_finding():
    assert found("A,AAAATAAA,CCCCTCCC\nB,TTTTATTT,CCCCTCCC\nC,AAAATAAA,GGGGTGGG") == []


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        ("Sample_ID,index", ",ACGTACGT", ("sheet.sample_id_empty", 3, 1)),
        ("Sample_ID,index", "a b,ACGTACGT", ("sheet.name_characters", 3, 1)),
        ("Sample_ID,index", "../a,ACGTACGT", ("sheet.name_characters", 3, 1)),
        ("Sample_ID,index", "<% 7 %>,ACGTACGT", ("sheet.name_characters", 3, 1)),
        ("Sample_ID,Sample_Name", "A,{{ 7 }}", ("sheet.name_characters", 3, 2)),
        ("Sample_ID,Sample_Project", "A,p;q", ("sheet.name_characters", 3, 2)),
        ("Sample_ID,Sample_Project", "A,b\N{LATIN SMALL LETTER E WITH ACUTE}", None),
        ("Sample_ID,index", "A" * 101 + ",ACGTACGT", ("sheet.name_length", 3, 1)),
        *(
            ("Sample_ID,Sample_Project", f"A,{name}", ("sheet.name_reserved", 3, 2))
            for name in ("Stats", "Reports", "InterOp", "LOGS", "Analysis", "bcl-convert")
        ),
        ("Sample_ID,index", "Undetermined,ACGTACGT", ("sheet.name_reserved", 3, 1)),
        ("Lane,Sample_ID,index", "1,A,ACGTACGT\n,B,TTTTTTTT", ("sheet.lane_missing", 4, 1)),
        ("Lane,Sample_ID,index", "1,A,ACGTACGT\n3,B,TTTTTTTT", ("sheet.lane_unknown", 4, 1)),
        ("Lane,Sample_ID,index", "1,A,ACGTACGT\n1,A,ACGTACGT", ("sheet.sample_duplicate", 4, 2)),
        ("Sample_ID,index", "A,ACGTACGT\nA,ACGTACGT", ("sheet.sample_duplicate", 4, 1)),
        ("Sample_ID,index", "A,ACGTACGT\nA,TTTTTTTT", ("sheet.sample_indexes", 4, 1)),
        ("Lane,Sample_ID,index", "1,A,ACGTACGT\n2,a,TTTTTTTT", ("sheet.sample_case", 4, 2)),
        (
            "Lane,Sample_ID,Sample_Project,index",
            "1,A,p,ACGTACGT\n2,A,q,ACGTACGT",
            ("sheet.sample_differs", 4, 2),
        ),
        ("Sample_ID,index", "A,SI-GA-A1", ("sheet.index_set", 3, 2)),
        ("Sample_ID,index", "A,acgtacgt", ("sheet.index_alphabet", 3, 2)),
        ("Sample_ID,index", "A,ACGTACGT.", ("sheet.index_alphabet", 3, 2)),
        ("Sample_ID,index", "A,ACGTACGTA", ("sheet.index_too_long", 3, 2)),
        ("Sample_ID,index,index2", "A,ACGT,ACGTACGTA", ("sheet.index_too_long", 3, 3)),
        ("Sample_ID,index", "A,ACGTACNN", ("sheet.index_no_call", 3, 2)),
        ("Sample_ID,index", "A,ACGTACGT\nB,", ("sheet.index_missing", 4, 2)),
        ("Sample_ID,index,index2", "A,,ACGTACGT", ("sheet.index_missing", 3, 2)),
        ("Sample_ID,index,index2", "A,AAAA,CCCC\nB,TTTT,", ("sheet.index_missing", 4, 3)),
        ("Sample_ID,index", "A,ACGTACGT\nB,TTTTTT", ("sheet.index_lengths", 4, 2)),
        ("Sample_ID,index", "A,ACGTACGT\nB,ACGTACGT", ("sheet.index_duplicate", 4, 2)),
        ("Sample_ID,index", "A,ACGTACGT\nB,ACGTACTA", ("sheet.index_collision", 4, 2)),
    ],
)
def test_each_finding_names_its_place(columns, rows, expected):
    codes = found(rows, columns)
    assert (expected or ("sheet.name_characters", 3, 2)) in codes
    assert all(line not in (1, 2) for _, line, _ in codes)


def test_samples_without_any_index_beside_each_other():
    assert found("A\nB", "Sample_ID") == [
        ("sheet.index_missing", 3, 0),
        ("sheet.index_missing", 4, 0),
    ]


def test_one_sample_without_index_may_have_the_lane():
    assert found("1,A\n2,B", "Lane,Sample_ID") == [
        ("sheet.lane_no_index", 3, 0),
        ("sheet.lane_no_index", 4, 0),
    ]
    assert found("1,A\n2,B", "Lane,Sample_ID", info=run_info(READS[:1])) == []


def test_the_same_index_on_two_lanes_is_no_collision():
    assert found("1,A,ACGTACGT\n2,B,ACGTACGT", "Lane,Sample_ID,index") == []


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        (READS[:1], [("sheet.index_without_read", 3, 2), ("sheet.index2_without_read", 3, 3)]),
        (READS[:2], [("sheet.index2_without_read", 3, 3)]),
        (READS, []),
    ],
)
def test_index_reads_that_the_run_does_not_have(reads, expected):
    rows = "A,AAAATAAA,CCCCTCCC\nB,TTTTATTT,GGGGTGGG"
    assert [place for place in found(rows, info=run_info(reads)) if place[1] == 3] == expected


def test_a_sample_alone_on_its_lane_needs_no_index_read():
    columns, one, info = "Lane,Sample_ID,index", "1,A,AAAATAAA", run_info(READS[:1])
    assert ("sheet.index_not_read", 3, 3) in found(one, columns, info=info)
    assert ("sheet.index_without_read", 3, 3) in found(f"{one}\n1,B,TTTTATTT", columns, info=info)
    sheet = parse(f"[Data]\n{columns}\n{one}\n".encode())
    assert {f.severity for f in check(sheet, info)} == {Severity.WARNING}


def test_both_indexes_in_one_field_are_sent_to_their_columns():
    sheet = parse(b"[Data]\nSample_ID,index\nA,ACGT-TTTT\n")
    (finding,) = check(sheet, run_info())
    assert finding.hint == "write the i7 into index and the i5 into index2"


@pytest.mark.parametrize(
    ("mismatches", "d7", "d5", "collides"),
    [
        ((1, 1), 2, 2, True),
        ((1, 1), 3, 0, False),
        ((1, 1), 0, 3, False),
        ((1, 1), 2, 0, True),
        ((0, 0), 1, 0, False),
        ((0, 1), 0, 2, True),
        ((0, 1), 1, 2, False),
        ((2, 2), 4, 4, True),
        ((2, 2), 5, 4, False),
    ],
)
def test_collisions_are_counted_per_index(mismatches, d7, d5, collides):
    other = "T" * d7 + "A" * (8 - d7) + "," + "T" * d5 + "A" * (8 - d5)
    codes = found(f"A,AAAAAAAA,AAAAAAAA\nB,{other}", mismatches=mismatches)
    assert (("sheet.index_collision", 4, 2) in codes) is collides


@pytest.mark.parametrize(
    ("one", "other", "d7", "d5", "collides"),
    [
        ("0,0", "0,0", 1, 0, False),
        ("1,0", "0,0", 1, 0, True),
        ("1,0", "0,0", 2, 0, False),
        ("1,1", "1,1", 2, 0, True),
        ("1,1", "1,0", 2, 2, False),
        ("1,na", "1,na", 2, 0, True),
        ("2,1", "1,1", 2, 0, True),
    ],
)
def test_mismatches_that_the_sheet_says_of_each_sample_count(one, other, d7, d5, collides):
    near = "T" * d7 + "A" * (8 - d7) + "," + "T" * d5 + "A" * (8 - d5)
    columns = "Sample_ID,index,index2,BarcodeMismatchesIndex1,BarcodeMismatchesIndex2"
    codes = found(f"A,AAAAAAAA,AAAAAAAA,{one}\nB,{near},{other}", columns)
    assert (("sheet.index_collision", 4, 2) in codes) is collides


@pytest.mark.parametrize(("value", "wrong"), [("y", False), ("No", False), ("ok", True)])
def test_a_switch_of_bcl2fastq_may_be_a_letter(value, wrong):
    text = f"[Settings]\nFindAdaptersWithIndels,{value}\n[Data]\nSample_ID,index\nA,ACGTACGT\n"
    (v1, v2) = (text, text.replace("[", "[BCLConvert_"))
    codes = {f.code for f in check(parse(v1.encode()), None)}
    assert ("sheet.setting_value" in codes) is wrong
    assert "sheet.setting_value" in {f.code for f in check(parse(v2.encode()), None)}


def test_names_of_index_sets_are_not_near_to_each_other():
    codes = [code for code, _, _ in found("A,SI-GA-A1\nB,SI-GA-A2", "Sample_ID,index")]
    assert codes == ["sheet.index_set"] * 2


def test_warnings_of_a_sheet_of_another_run():
    sheet = parse(b"[Reads]\n75\n[Data]\nLane,Sample_ID,index\n1,A,ACGTACGT\n")
    findings = check(sheet, run_info())
    assert [f.code for f in findings] == ["sheet.lane_unused", "sheet.reads_differ"]
    assert {f.severity for f in findings} == {Severity.WARNING}


def test_index_reads_of_another_run():
    sheet = parse(
        b"[Reads]\nRead1Cycles,50\nRead2Cycles,50\nIndex1Cycles,10\n[Data]\nSample_ID,index\nA,ACGTACGT\n"
    )
    (finding,) = check(sheet, run_info())
    assert finding.message == "[Reads] says 10 cycles of index, the run has 8 + 8 cycles of index"


def test_notes_become_warnings():
    sheet = parse(b"[Data]\nSample_ID,index,Freezer\nA,ACGTACGT,1\n")
    (finding,) = check(sheet, run_info())
    assert (finding.code, finding.severity) == ("sheet.column_ignored", Severity.WARNING)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OverrideCycles", "Y50;I8;I8;Y50", []),
        ("OverrideCycles", "R1:U5Y45;I1:I8;I2:I8;R2:Y50;", []),
        ("OverrideCycles", "R1:Y50;I1:I6N2;I2:I8;R2:Y50", ["sheet.override_index"]),
        ("OverrideCycles", "Y50;I8;I8;Y49", ["sheet.override_cycles"]),
        ("OverrideCycles", "Y50;I8;I8N2;Y50", ["sheet.override_cycles"]),
        ("OverrideCycles", "R1:Y50;R2:Y50;I1:I8;I2:I8", []),
        ("OverrideCycles", "R2:Y50;i2:i8;I1:I8; R1:Y50", []),
        ("OverrideCycles", "R1:Y50;R2:Y50;I1:I6N2;I2:I8", ["sheet.override_index"]),
        ("OverrideCycles", "R1:Y50;R2:Y49;I1:I8;I2:I8", ["sheet.override_cycles"]),
        ("OverrideCycles", "R1:Y50;I1:I8;I2:I8;Y50", ["sheet.override_form"]),
        ("OverrideCycles", "R1:Y50;I1:I8;I1:I8;R2:Y50", ["sheet.override_form"]),
        ("OverrideCycles", "Y50;I*;I8;Y50", ["sheet.override_form"]),
        ("BarcodeMismatchesIndex1", "2", []),
        ("BarcodeMismatchesIndex2", "3", ["sheet.mismatches"]),
        ("BarcodeMismatchesIndex2", "na", []),
        ("barcode_mismatches_index1", "one", ["sheet.mismatches"]),
        ("SoftwareVersion", "4.2.4", []),
        ("Index2ColumnReverseComplement", "N", []),
        ("Index2ColumnReverseComplement", "true", ["sheet.setting_value"]),
    ],
)
def test_settings_that_no_converter_can_follow(name, value, expected):
    rows = "[Data]\nSample_ID,index,index2\nA,AAAATAAA,CCCCTCCC\n"
    findings = check(parse(f"[Settings]\n{name},{value}\n{rows}".encode()), run_info())
    assert [(f.code, f.line) for f in findings] == [(code, 2) for code in expected]


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ("R2:Y40;R1:Y50;I2:I10;I1:I8", []),
        ("R2:Y50;R1:Y40;I2:I10;I1:I8", ["sheet.override_reads"]),
        ("R2:Y40;R1:Y50;I2:I8;I1:I10", ["sheet.override_index", "sheet.override_reads"]),
    ],
)
def test_masks_with_names_are_compared_by_them_before_the_run_too(masks, expected):
    reads = "Read1Cycles,50\nRead2Cycles,40\nIndex1Cycles,8\nIndex2Cycles,10\n"
    rows = "[Data]\nSample_ID,index,index2\nA,AAAATAAA,CCCCTCCCAA\n"
    text = f"[Reads]\n{reads}[Settings]\nOverrideCycles,{masks}\n{rows}"
    assert sorted({f.code for f in check(parse(text.encode()), None)}) == expected


def test_4096_samples_are_compared_in_time():
    indexes = ["".join(letters) for letters in product("ACGT", repeat=6)]
    rows = "\n".join(f"S{n},{index}AC" for n, index in enumerate(indexes))
    started = time.process_time()
    assert found(rows, "Sample_ID,index", mismatches=(0, 0)) == []
    assert time.process_time() - started < 60


WARNED = ("sheet.index_homopolymer", "sheet.index_phix")


def test_many_samples_of_a_run_without_index_read_are_checked_in_time():
    rows = "\n".join(f"S{n},{''.join(i)}" for n, i in enumerate(product("ACGT", repeat=7)))
    sheet = parse(f"[Data]\nSample_ID,index\n{rows}\n".encode())
    start = time.process_time()
    codes = {f.code for f in check(sheet, run_info(READS[:1]), (0, 0))}
    assert codes == {"sheet.index_without_read", *WARNED}
    assert time.process_time() - start < 40


def test_collisions_beyond_the_first_thousand_are_not_told():
    indexes = ("".join(letters) for letters in product("ACGT", repeat=3))
    rows = "\n".join(f"S{n},ACGTA{index}" for n, index in enumerate(indexes))
    codes = [code for code, _, _ in found(rows, "Sample_ID,index")]
    assert codes == ["sheet.index_collision"] * 1000


def test_a_sheet_is_checked_before_its_run():
    rows = "9,A,ACGTACGTACGT\n9,B,ACGTACGTACGA\n9,C,TTTT"
    assert found(rows, "Lane,Sample_ID,index", info=None) == [
        ("sheet.index_collision", 4, 3),
        ("sheet.index_lengths", 5, 3),
    ]


def test_a_sheet_without_lanes_is_checked_before_its_run():
    sheet = parse(b"[Data]\nSample_ID,index\nA,ACGT\nB,ACGT\n")
    (finding,) = check(sheet, None)
    assert finding.message == "every lane: the same index as line 3"


def test_no_sample_at_all():
    assert found("", "Sample_ID") == [("sheet.no_samples", 0, 0)]


@given(st.lists(st.text("ACGT", min_size=8, max_size=8), min_size=2, max_size=6, unique=True))
def test_without_a_collision_no_read_can_match_two(indexes):
    rows = "\n".join(f"S{n},{index}" for n, index in enumerate(indexes))
    collides = "sheet.index_collision" in {
        code for code, _, _ in found(rows, "Sample_ID,index", mismatches=(1, 1))
    }
    near = [
        {index[:place] + base + index[place + 1 :] for place in range(8) for base in "ACGTN"}
        for index in indexes
    ]
    shared = any(near[a] & near[b] for a in range(len(near)) for b in range(a))
    assert collides is shared
