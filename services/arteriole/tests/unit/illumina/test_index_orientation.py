"""The table of i5 directions row by row, and how index2 goes from a sheet to a converter."""

import pytest

from arteriole.illumina import i5_readings, sample_sheet
from arteriole.illumina.i5_readings import READINGS, Direction
from arteriole.illumina.index_orientation import (
    TAKINGS,
    Convention,
    OrientationError,
    i5_of,
    index2_of,
    reverse_complement,
    rewritten,
    taken_by,
)
from arteriole.illumina.instruments import INSTRUMENTS
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.run_parameters import RunParameters

FORWARD, AS_READ = Convention.FORWARD, Convention.AS_READ
V1 = "[Data]\nSample_ID,index,index2\nS1,ACGT,AAAC\n"
V2 = "[Header]\nFileFormatVersion,2\n{}[BCLConvert_Settings]\n[BCLConvert_Data]\n"
V2 += "Sample_ID,Index,Index2\nS1,ACGT,AAAC\n"


def run(instrument: str, marked: bool = False, templates: int = 2, indexes: int = 2) -> RunInfo:
    reads = [Read(1, 8, False)]
    reads += [Read(2 + n, 4, True, marked and n == 1) for n in range(indexes)]
    reads += [Read(4, 8, False)] * (templates - 1)
    return RunInfo("r1", 1, "FC", instrument, "", tuple(reads), Layout(1, 1, 1, 1), {1: (1101,)})


def sheet(text: str = V1) -> sample_sheet.SampleSheet:
    return sample_sheet.parse(text.encode())


F, R, U = Direction.FORWARD, Direction.REVERSED, Direction.UNKNOWN
#: A run of each row: (instrument, what RunParameters.xml says, template reads, chemistry, read).
ROWS = [
    ("MN01365", {"chemistry": "MiniSeq Rapid High"}, 2, "rapid kits", F),
    ("MN01365", {"chemistry": "MiniSeq High"}, 2, "standard kits", R),
    ("MN01365", {"chemistry": "MiniSeq Mid"}, 1, "standard kits", R),
    ("MN01365", {}, 2, "a kit that is not named", U),
    ("M04034", {}, 2, "any kit", F),
    ("SH00252", {}, 2, "index-first", F),
    ("NDX550421", {}, 2, "any kit", R),
    ("NB500968", {"chemistry": "NextSeq High"}, 2, "any kit", R),
    ("VH00103", {}, 2, "any kit", R),
    ("LH00217", {}, 2, "any kit", R),
    ("A00508", {"sbs_version": "3", "application_version": "1.7.0"}, 2, "v1.5 reagents", R),
    ("A00950", {"sbs_version": "3", "application_version": "1.7.5"}, 1, "v1.5 reagents", R),
    ("A00512", {"application_version": "1.4.0"}, 2, "v1.0 reagents", F),
    ("A00512", {"sbs_version": "1", "application_version": "1.7.5"}, 2, "v1.0 reagents", F),
    ("A00512", {"application_version": "1.7.5"}, 2, "reagents whose version is not said", U),
    ("A00512", {"application_version": "1.60"}, 2, "reagents whose version is not said", U),
    ("A00512", {}, 2, "reagents whose version is not said", U),
    ("FS10001773", {}, 2, "any kit", R),
    ("ST-E00128", {}, 2, "any kit", R),
    ("K00340", {}, 1, "a single-read flow cell", F),
    ("K00340", {}, 2, "a paired-end flow cell", R),
    ("D00611", {}, 2, "any kit", F),
]


@pytest.mark.parametrize(("instrument", "said", "templates", "chemistry", "direction"), ROWS)
def test_each_row(instrument, said, templates, chemistry, direction):
    row = i5_readings.reading_of(run(instrument, templates=templates), RunParameters(**said))
    assert row is not None
    assert (row.chemistry, row.direction) == (chemistry, direction)


def test_every_row_is_met_and_only_unknown_ones_have_no_source():
    met = {
        id(i5_readings.reading_of(run(instrument, templates=templates), RunParameters(**said)))
        for instrument, said, templates, _, _ in ROWS
    }
    assert met == {id(row) for row in READINGS}
    assert {row.direction for row in READINGS if not row.is_verified} == {U}
    assert all(row.is_verified for row in READINGS if row.direction is not U)
    assert {row.family for row in READINGS} == {kind.name for kind in INSTRUMENTS}


@pytest.mark.parametrize(
    ("instrument", "marked", "direction", "reason"),
    [
        ("LH00217", True, R, "IsReverseComplement"),
        ("VH00103", True, R, "IsReverseComplement"),
        ("SH00252", True, R, "IsReverseComplement"),  # read-first
        ("M04034", True, R, "IsReverseComplement"),  # RunInfo.xml has the last word
        ("LH00217", False, U, "and RunInfo.xml does not"),
        ("VH00103", False, U, "and RunInfo.xml does not"),
        ("SH00252", False, F, "index-first"),
        ("A00508", False, U, "reagents whose version is not said"),
        ("X1", False, U, "the instrument X1"),
    ],
)
def test_the_mark_of_the_run_and_the_table(instrument, marked, direction, reason):
    found = i5_of(run(instrument, marked), None)
    assert found is not None
    assert (found.direction, found.marked) == (direction, marked)
    assert reason in found.reason


@pytest.mark.parametrize("indexes", [0, 1])
def test_a_run_with_fewer_index_reads_has_no_i5(indexes):
    assert i5_of(run("A00508", indexes=indexes), None) is None
    assert index2_of(sheet(), run("A00508", indexes=indexes), None, "bclconvert") is None


def test_a_sheet_without_index2_has_no_direction():
    single = sheet("[Data]\nSample_ID,index\nS1,ACGT\n")
    assert index2_of(single, run("X1"), None, "bclconvert") is None
    assert rewritten(single, None, FORWARD) is single


@pytest.mark.parametrize(
    ("converter", "version", "marked", "convention"),
    [
        ("bcl2fastq", 1, True, AS_READ),
        ("bcl2fastq", 1, False, AS_READ),
        ("bclconvert", 1, True, FORWARD),
        ("bclconvert", 2, True, FORWARD),
        ("bclconvert", 2, False, AS_READ),
        ("builtin", 1, True, FORWARD),
        ("builtin", 2, False, AS_READ),
        ("picard", 2, True, FORWARD),
        ("picard", 1, False, AS_READ),
    ],
)
def test_what_each_converter_takes(converter, version, marked, convention):
    assert taken_by(converter, version, marked) is convention
    assert all(row.source for row in TAKINGS)


def test_bcl2fastq_takes_no_sheet_of_version_2():
    with pytest.raises(OrientationError, match="takes no sample sheet of version 2"):
        taken_by("bcl2fastq", 2, False)


def stating(value: str, text: str = V2) -> str:
    head, mark, rest = text.format("").partition("[BCLConvert_Data]")
    return f"{head}Index2ColumnReverseComplement,{value}\n{mark}{rest}"


#: (instrument, marked, sheet, converter, said, written, forward, as read)
CASES = [
    # without a word from the site a sheet is written for the converter that reads such sheets
    ("M04034", False, V1, "builtin", None, AS_READ, "AAAC", "AAAC"),
    ("A00508", False, V1, "bcl2fastq", None, AS_READ, "GTTT", "AAAC"),
    ("A00508", False, V1, "bclconvert", None, AS_READ, "GTTT", "AAAC"),
    ("A00508", False, V2.format(""), "bclconvert", None, AS_READ, "GTTT", "AAAC"),
    ("A00508", False, V2.format(""), "bcl2fastq", None, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, V1, "builtin", None, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, V1, "picard", None, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, V1, "bcl2fastq", None, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, V2.format(""), "bclconvert", None, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, V2.format(""), "bcl2fastq", None, FORWARD, "AAAC", "GTTT"),
    # the site says it
    ("A00508", False, V1, "builtin", FORWARD, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, V1, "bclconvert", AS_READ, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, V1, "bclconvert", FORWARD, FORWARD, "AAAC", "GTTT"),
    # forward reads: both are the same
    ("M04034", False, V2.format("IndexOrientation,Forward\n"), "bclconvert", None, AS_READ,
     "AAAC", "AAAC"),
    ("M04034", False, V1, "bclconvert", FORWARD, FORWARD, "AAAC", "AAAC"),
    # the sheet itself says it
    ("LH00217", True, stating("Y"), "builtin", None, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, stating("Y"), "bclconvert", None, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, stating("Y"), "bclconvert", FORWARD, AS_READ, "GTTT", "AAAC"),
    ("LH00217", True, stating("N"), "bclconvert", None, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, stating("N"), "builtin", AS_READ, FORWARD, "AAAC", "GTTT"),
    ("LH00217", True, stating(""), "builtin", AS_READ, AS_READ, "GTTT", "AAAC"),
    ("M04034", False, stating("N"), "bclconvert", None, FORWARD, "AAAC", "AAAC"),
    ("A00508", False, stating("Y"), "builtin", AS_READ, AS_READ, "GTTT", "AAAC"),
    ("A00508", False, stating("N"), "builtin", FORWARD, FORWARD, "AAAC", "GTTT"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("instrument", "marked", "text", "converter", "said", "written", "forward", "as_read"), CASES
)
def test_a_sheet_to_forward_and_as_read(
    instrument, marked, text, converter, said, written, forward, as_read
):
    parameters = RunParameters(sbs_version="3")
    found = index2_of(sheet(text), run(instrument, marked), parameters, converter, said)
    assert found is not None
    assert found.written is written
    assert (found.forward("AAAC"), found.taken("AAAC", AS_READ)) == (forward, as_read)
    assert found.taken("AAAC", FORWARD) == forward
    other = rewritten(sheet(text), found, FORWARD)
    assert [sample.index2 for sample in other.samples] == [forward]
    assert [sample.index for sample in other.samples] == ["ACGT"]


@pytest.mark.parametrize(
    ("instrument", "text", "message"),
    [
        ("A00508", stating("Y"), "Complement Y, which may mean either direction on this run"),
        ("A00508", stating("N"), "Complement N, which may mean either direction on this run"),
        ("X1", stating("N"), "the instrument X1"),
        ("M04034", stating("Y"), "the i5 of this run was read forward"),
    ],
)
@pytest.mark.parametrize("converter", ["builtin", "bclconvert"])
def test_what_a_sheet_states_that_may_mean_two_things(instrument, text, message, converter):
    parameters = RunParameters(sbs_version="3")
    with pytest.raises(OrientationError, match=message) as unknown:
        index2_of(sheet(text), run(instrument), parameters, converter)
    assert unknown.value.code == "sheet.orientation_unknown" and unknown.value.hint


@pytest.mark.parametrize(
    ("instrument", "marked", "text", "message"),
    [
        ("LH00217", True, V1, "written for bcl2fastq, and forward if it is written for BCL Conv"),
        ("A00508", False, V2.format("IndexOrientation,Forward\n"), "says IndexOrientation Forward"),
        ("X1", False, V2.format("IndexOrientation,Forward\n"), "the instrument X1"),
    ],
)
def test_documents_that_contradict_each_other(instrument, marked, text, message):
    info, parameters = run(instrument, marked), RunParameters(sbs_version="3")
    with pytest.raises(OrientationError, match=message) as unknown:
        index2_of(sheet(text), info, parameters, "bclconvert")
    assert unknown.value.code == "sheet.orientation_unknown"
    assert "bcl2fastq.index2" in unknown.value.hint
    for said in Convention:
        assert index2_of(sheet(text), info, parameters, "bclconvert", said) is not None
    # builtin goes on as it did
    assert index2_of(sheet(text), info, parameters, "builtin") is not None


def test_an_unknown_direction_matters_only_where_an_index_is_turned():
    as_read = index2_of(sheet(), run("X1"), None, "bclconvert")
    assert as_read is not None and as_read.taken("AAAC", AS_READ) == "AAAC"
    with pytest.raises(OrientationError, match=r"written as-read and needed forward: .* X1"):
        as_read.forward("AAAC")
    forward = index2_of(sheet(), run("X1"), None, "bclconvert", FORWARD)
    assert forward is not None and forward.forward("AAAC") == "AAAC"
    with pytest.raises(OrientationError, match=r"written forward and needed as-read: .* X1"):
        forward.taken("AAAC", AS_READ)


def test_the_reverse_complement():
    assert reverse_complement("ACCGCGATNN") == "NNATCGCGGT"
    assert reverse_complement(reverse_complement("GATTACA")) == "GATTACA"
