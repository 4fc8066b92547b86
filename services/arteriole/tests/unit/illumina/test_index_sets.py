"""Index sets under a name. The names and bases here are made up; the form of the files is 10x's."""

import re
from pathlib import Path

import pytest

from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.illumina import index_sets, sheet_check
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.index_orientation import OrientationError
from arteriole.illumina.index_sets import IndexSetError
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import parse

SINGLE = (
    "SI-XX-A1,GGTTTACA,CTAAACGC,TCGGCGTG,AACCGTAT\nSI-XX-A2,TTTCATGC,ACGTCCCA,CGCATGTG,GAAGGAAT\n"
)
HEADER = "index_name,index(i7),index2_workflow_a(i5),index2_workflow_b(i5)\n"
DUAL = HEADER + "SI-YY-A1,GTAACATGAA,AGTGTTACAA,TTGTAACACT\n"
SHEET = "[Data]\nSample_ID,index,index2\n"


@pytest.fixture
def kit(tmp_path):
    def make(text: str | bytes, name: str = "kit.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


@pytest.fixture
def run(tmp_path):
    """A run of some instrument, whose i5 RunInfo.xml marks or not."""

    def make(instrument: str, marked: bool = False) -> Path:
        reads = "".join(
            f'<Read Number="{n}" NumCycles="10" IsIndexedRead="{"YN"[n in (1, 4)]}"'
            f' IsReverseComplement="{"NY"[marked and n == 3]}"/>'
            for n in range(1, 5)
        )
        (tmp_path / "RunInfo.xml").write_text(
            f'<RunInfo><Run Id="260101_{instrument}_0043_A" Number="43"><Flowcell>A</Flowcell>'
            f"<Instrument>{instrument}</Instrument><Reads>{reads}</Reads>"
            '<FlowcellLayout LaneCount="1" SurfaceCount="1" SwathCount="1" TileCount="1"/>'
            "</Run></RunInfo>"
        )
        return tmp_path

    return make


def rows(sheet: str, *paths: Path, run: Path | None = None, converter: str = "builtin",
         said: str | None = None) -> list[tuple[str, str, str, int]]:  # fmt: skip
    sets = index_sets.load(paths)
    found = index_sets.written_out(parse(sheet.encode()), sets, run, converter, said)
    return [(s.index, s.index2, s.index_set, s.line) for s in found.samples]


def test_a_set_of_a_single_kit_is_four_rows(kit):
    assert rows(SHEET + "A,SI-XX-A1,\nB,ACGT,\n", kit(SINGLE)) == [
        ("GGTTTACA", "", "SI-XX-A1", 3),
        ("CTAAACGC", "", "SI-XX-A1", 3),
        ("TCGGCGTG", "", "SI-XX-A1", 3),
        ("AACCGTAT", "", "SI-XX-A1", 3),
        ("ACGT", "", "", 4),
    ]


@pytest.mark.parametrize("cells", ["SI-YY-A1,", "si-yy-a1,", "SI-YY-A1,SI-YY-A1"])
def test_a_set_of_a_dual_kit_is_one_row(kit, cells):
    found = rows(f"{SHEET}A,{cells}\n", kit(SINGLE, "one.csv"), kit(DUAL))
    assert found == [("GTAACATGAA", "AGTGTTACAA", cells.split(",")[0], 3)]


@pytest.mark.parametrize(
    ("instrument", "marked", "converter", "said", "index2"),
    [
        ("M04034", False, "builtin", None, "AGTGTTACAA"),  # the instrument reads it forward
        ("NB500968", False, "builtin", None, "TTGTAACACT"),  # reversed: workflow b
        ("NB500968", False, "bclconvert", None, "TTGTAACACT"),
        ("NB500968", False, "builtin", "forward", "AGTGTTACAA"),
        ("LH00217", True, "builtin", None, "AGTGTTACAA"),  # marked: the sheet is forward
        ("LH00217", True, "bcl2fastq", None, "TTGTAACACT"),
        ("LH00217", True, "bclconvert", "as-read", "TTGTAACACT"),
    ],
)
def test_the_i5_has_the_direction_of_the_sheet(kit, run, instrument, marked, converter, said,
                                               index2):  # fmt: skip
    found = rows(SHEET + "A,SI-YY-A1,\n", kit(DUAL), run=run(instrument, marked),
                 converter=converter, said=said)  # fmt: skip
    assert found == [("GTAACATGAA", index2, "SI-YY-A1", 3)]


def test_an_unknown_direction_is_told(kit, run):
    with pytest.raises(OrientationError, match="needed as-read: it is not known how the inst"):
        rows(SHEET + "A,SI-YY-A1,\n", kit(DUAL), run=run("ZZ1"))
    assert rows(SHEET + "A,SI-XX-A1,\n", kit(SINGLE), run=run("ZZ1"))
    with pytest.raises(RunDataError, match="absent cannot be read"):
        rows(SHEET + "A,SI-YY-A1,\n", kit(DUAL), run=kit(DUAL).parent / "absent")


def test_what_is_not_in_a_file_stays_as_it_is_and_is_told_with_the_files(kit):
    sheet = parse(f"{SHEET}A,SI-XX-H9,\nB,SI-XX-A1,ACGTACGT\n".encode())
    found = index_sets.forward(sheet, index_sets.load([kit(SINGLE), kit(DUAL, "dual.csv")]))
    assert found == sheet
    told = [f for f in sheet_check.check(found, None) if f.code == "sheet.index_set"]
    assert [(one.line, one.column) for one in told] == [(3, 2), (4, 2)]
    assert "and it is not in kit.csv, dual.csv" in told[0].message
    assert "bcl2fastq.index_sets" in told[0].hint
    told = [f for f in sheet_check.check(sheet, None) if f.code == "sheet.index_set"]
    assert "and no file of such sets is configured" in told[0].message


def test_a_single_set_is_meant_beside_dual_ones(kit, run):
    sheet = parse(f"{SHEET}A,SI-XX-A1,\nB,GTAACATGAA,AGTGTTACAA\n".encode())
    info = RunInfo.read(run("M04034"))
    found = index_sets.forward(sheet, index_sets.load([kit(SINGLE)]))
    assert {f.code for f in sheet_check.check(found, info)} == {
        *("sheet.index_lengths", "sheet.sample_indexes"),
    }
    bare = parse(f"{SHEET}A,GGTTTACA,\nB,GTAACATGAA,AGTGTTACAA\n".encode())
    assert "sheet.index_missing" in {f.code for f in sheet_check.check(bare, info)}


def test_names_are_told_as_the_sheet_has_them():
    sheet = parse(b"[Data]\nLane,Sample_ID,index\n1,A,SI-XX-A1\n2,A,ACGT\n1,B,si-xx-a2\n")
    assert index_sets.names(sheet) == {("A", 1): "SI-XX-A1", ("B", 1): "si-xx-a2"}


def test_lines_that_say_nothing_and_a_set_in_two_files(kit):
    text = "\ufeff# the kit\n\n" + SINGLE.replace(",", " , ").replace("\n", "\r\n") + ",,,,\n"
    sets = index_sets.load([kit(text), kit(SINGLE, "same.csv")])
    assert sorted(sets.pairs) == ["SI-XX-A1", "SI-XX-A2"]
    assert sets.files == ("kit.csv", "same.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected index sets, found none"),
        (SINGLE + "SI-XX-A3,GGTTTACA,CTAAACGC,TCGGCGTG\n", "line 3: expected a name and 4 differ"),
        ("SI-XX-A3,GGTTTACA,GGTTTACA,TCGGCGTG,AACCGTAT\n", "line 1: expected a name and 4 differ"),
        (SINGLE.replace("CTAAACGC", "CTAAACGX"), "line 1: expected an index of A, C, G and T, fo"),
        (SINGLE.replace("SI-XX-A2", "A2"), "line 2: expected a name such as SI-GA-A1, found 'A2'"),
        (SINGLE.replace("SI-XX-A2", "SI-XX-A1"), "line 2: SI-XX-A1 stands elsewhere with other"),
        (HEADER.replace("_b", "_c") + DUAL, "line 1: expected the columns index_name,index(i7),"),
        (DUAL.replace("TTGTAACACT", "TTGTAACACC"), "line 2: index2 of workflow b is not the rev"),
        (DUAL + "SI-YY-A2,ACGT\n", "line 3: expected 4 values, found 2"),
        (b"\xff\xfe\x00", "cannot be read as CSV"),
        ('SI-XX-A1,"GG', "cannot be read as CSV"),
        ("#" * (4 * 1024 * 1024 + 1), "cannot be read as CSV"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told_at_start(kit, tmp_path, text, message):
    path = kit(text)
    with pytest.raises(IndexSetError, match=re.escape(message)) as refused:
        index_sets.load([path])
    assert str(refused.value).startswith(str(path)) and refused.value.hint
    with pytest.raises(ValueError, match=re.escape(message)):
        Bcl2fastqSettings(run_roots=[tmp_path], fastq_root=tmp_path, converter="builtin",
                          index_sets=[path])  # fmt: skip
    with pytest.raises(IndexSetError, match="is missing"):
        index_sets.load([tmp_path / "absent.csv"])
