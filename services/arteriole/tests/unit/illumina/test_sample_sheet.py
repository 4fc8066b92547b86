import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina import sheet_text
from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.sample_sheet import Sample, SampleSheet, Setting, parse

SHEET = """[Header],,,
IEMFileVersion,4,,
Experiment Name,"One, two",,
,,,
[Reads],,,
151,,,
151,,,
[Settings],,,
Adapter,AGATCGG,,
[Data],,,
Lane,Sample_ID,Sample_Name,index
1,A,first,ACGT
,,,
2,B,"second",TTTT
"""


def test_every_part_with_its_place():
    sheet = parse(SHEET.encode())
    assert sheet.header["Experiment Name"] == "One, two"
    assert sheet.reads == (151, 151)
    assert (sheet.settings["Adapter"].value, sheet.settings["Adapter"].line) == ("AGATCGG", 9)
    assert sheet.samples == (
        Sample(12, 1, "A", "first", index="ACGT"),
        Sample(14, 2, "B", "second", index="TTTT"),
    )
    assert sheet.columns == {"Lane": 1, "Sample_ID": 2, "Sample_Name": 3, "index": 4}


@pytest.mark.parametrize(
    "data",
    [
        SHEET.encode("utf-8-sig"),
        SHEET.replace("\n", "\r\n").encode(),
        SHEET.replace("\n", "\r").encode(),
        SHEET.replace("\n", ",,,,\n").encode(),
        SHEET.replace("Sample_ID", "SampleID").replace("index", "Index").encode(),
        SHEET.replace("[Data]", '"[DATA]"').replace("Sample_ID", '" Sample ID"').encode(),
        SHEET.replace("2,B", "\N{NO-BREAK SPACE}2,B ").encode(),
    ],
    ids=[
        *("byte order mark", "CRLF", "CR", "trailing commas", "other spellings"),
        *("quotes and capitals", "spaces"),
    ],
)
def test_what_spreadsheets_do_changes_nothing(data):
    assert parse(data).samples == parse(SHEET.encode()).samples


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        ("", "sheet.empty", 0, 0),
        ("\r\n,,,\r\n", "sheet.empty", 0, 0),
        (b"[Header]\nName,J\x81rg\n[Data]\n", "sheet.encoding", 2, 0),
        (b"\xff\xfe\x00\xd8\x00\xd8", "sheet.encoding", 0, 0),
        ("[Header]\nA,1\n", "sheet.data_missing", 0, 0),
        ("[Data]\n", "sheet.data_missing", 0, 0),
        ("[Data]\nLane,index\n1,ACGT\n", "sheet.sample_id_missing", 2, 0),
        (
            "[Data]\nThe samples of the run,,\nSample_ID,index,\nA,ACGT,\n",
            "sheet.sample_id_missing",
            2,
            0,
        ),
        ("[Data]\nLane,Sample_ID,index\n1;A;ACGT\n", "sheet.semicolons", 3, 0),
        ("Sample_ID,index\nA,ACGT\n", "sheet.section_missing", 1, 0),
        ("[Data\nSample_ID\n", "sheet.section", 1, 1),
        ("[Data]\nSample_ID\n[Data]\n", "sheet.section_twice", 3, 0),
        ("[Data]\nLane,Sample_ID,index\n1\tA\tACGT\n", "sheet.tabs", 3, 0),
        ("[Dtaa]\nSample_ID\n", "sheet.section_unknown", 1, 1),
        ("[BCLConvertData]\nSample_ID\n", "sheet.section_unknown", 1, 1),
        ("[BCL_Convert_Setings]\n", "sheet.section_unknown", 1, 1),
        ("[]\n", "sheet.section_unknown", 1, 1),
        ("[Header]\nFileFormatVersion,3\n[Data]\nSample_ID\n", "sheet.version", 2, 2),
        (
            "[Header]\nIndexOrientation,Reverse\n[Data]\nSample_ID\n",
            *("sheet.index_orientation", 2, 2),
        ),
        ("[BCLConvert_Settings]\n", "sheet.data_missing", 0, 0),
        ("[BCLConvert_Data]\n", "sheet.data_missing", 0, 0),
        ("[BCLConvert_Data]\nSample_ID\n[Data]\nSample_ID\n", "sheet.versions_mixed", 3, 0),
        ("[Settings]\nA,1\n[BCLConvert_Data]\nSample_ID\n", "sheet.versions_mixed", 1, 0),
        ("[Reads]\nRead1Cycles,many\n[Data]\nSample_ID\n", "sheet.reads", 2, 2),
        ("[Reads]\nRead1Cycles,151\n151\n[Data]\nSample_ID\n", "sheet.reads", 2, 0),
        ("[Reads]\nmany\n[Data]\nSample_ID\n", "sheet.reads", 2, 1),
        ("[Settings]\nA,1\nA,2\n[Data]\nSample_ID\n", "sheet.setting_twice", 3, 1),
        ("[Settings]\nA_B,1\nab,2\n[Data]\nSample_ID\n", "sheet.setting_twice", 3, 1),
        (
            "[BCLConvert_Settings]\nOverrideCycles,Y1\n"
            "[BCLConvert_Data]\nSample_ID,OverrideCycles\nA,\nB,Y1\n",
            *("sheet.setting_twice", 6, 2),
        ),
        ("[Data]\nSample_ID,,index\nA,stray,ACGT\n", "sheet.column_unnamed", 3, 2),
        ("[Data]\nSample_ID,SampleID\n", "sheet.column_twice", 2, 2),
        ("[Data]\nSample_ID,index\nA,ACGT,more\n", "sheet.row_length", 3, 3),
        ("[Data]\nSample_ID,Lane\nA,1+2\n", "sheet.lane", 3, 2),
        ("[Data]\nSample_ID,Lane\nA,0\n", "sheet.lane", 3, 2),
        ("[Data]\nSample_ID,Lane\nA,\N{SUPERSCRIPT TWO}\n", "sheet.lane", 3, 2),
        ('[Data]\nSample_ID,index\n"A,ACGT\n', "sheet.quotes", 3, 0),
        ("[Data]\nSample_ID\nA\0B\n", "sheet.control_character", 3, 0),
    ],
)
def test_errors_have_a_code_and_a_place(data, code, line, column):
    with pytest.raises(SampleSheetError) as caught:
        parse(data if isinstance(data, bytes) else data.encode())
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)
    assert str(caught.value).startswith(f"line {line}" if line else "the")


VERSION_2 = """[Header],,,
FileFormatVersion,2,,
RunName,Pool 7,,
InstrumentPlatform,NovaSeqXSeries,,
IndexOrientation,Forward,,
[Reads],,,
Read1Cycles,151,,
Read2Cycles,151,,
Index1Cycles,10,,
Index2Cycles,0,,
[Sequencing_Settings],,,
LibraryPrepKits,"Kit, with a comma",,
[BCLConvert_Settings],,,
SoftwareVersion,4.1.23,,
[BCLConvert_Data],,,
Lane,Sample_ID,Index,BarcodeMismatchesIndex1
1,A,ACGTACGTAC,0
2,B,TTTTACGTAC,1
[DragenGermline_Settings],,,
[DragenGermline_Data],,,
Sample_ID,ReferenceGenomeDir,,
A,hg38,,
[Cloud_Settings],,,
[Cloud_Settings],,,
"""


def test_a_sheet_of_version_2():
    sheet = parse(VERSION_2.encode())
    assert (sheet.version, sheet.reads, sheet.index_reads) == (2, (151, 151), (10,))
    assert sheet.samples == (
        Sample(17, 1, "A", index="ACGTACGTAC"),
        Sample(18, 2, "B", index="TTTTACGTAC"),
    )
    assert sheet.settings == {
        "SoftwareVersion": Setting("4.1.23", 14),
        "BarcodeMismatchesIndex1": Setting("0", 17, ((17, "0"), (18, "1"))),
    }
    assert sheet.notes == ()


def test_index_reads_may_stand_among_the_reads_without_their_cycles():
    sheet = parse(b"[Reads]\n150,\nIndex,\nIndex,\n151,\n[Data]\nSample_ID\nA\n")
    assert (sheet.reads, sheet.index_reads) == ((150, 151), ())


def test_a_sheet_of_casava_has_both_indexes_in_one_field():
    sheet = parse(
        b"FCID,Lane,SampleID,SampleRef,Index,Description,Control,Recipe,Operator,SampleProject\n"
        b"AAAXX,1,A,hg19,ACGTACGT-TTTTACGT,,N,R1,jd,P\n"
    )
    assert sheet.samples == (Sample(2, 1, "A", "", "P", "ACGTACGT", "TTTTACGT", flowcell="AAAXX"),)


@pytest.mark.parametrize(("value", "told"), [("0", "0"), ("", "no"), (",,", "no")])
def test_a_read_of_no_cycles_is_left_out(value, told):
    lines = f"Read1Cycles,76\nRead2Cycles,{value}\nIndex1Cycles,8\nIndex2Cycles,{value}\n"
    sheet = parse(f"[Reads]\n{lines}[Data]\nSample_ID\nA\n".encode())
    assert (sheet.reads, sheet.index_reads) == ((76,), (8,))
    (note,) = sheet.notes
    assert (note.code, note.line, note.column) == ("sheet.reads_zero", 3, 2)
    assert note.message == f"Read2Cycles says {told} cycles"


@pytest.mark.parametrize("name", ["Index_Adapters", "PCR_cycles"])
def test_a_laboratorys_column_may_sound_like_one_of_a_converter(name):
    sheet = parse(f"[Data]\nSample_ID,index,{name}\nA,ACGTACGT,12\n".encode())
    assert (sheet.samples[0].index, sheet.notes) == ("ACGTACGT", ())


def test_what_stands_above_the_first_section_is_the_header():
    sheet = parse(b"Experiment Name,Pool 7\nDate,3/1/2026\n[Data]\nSample_ID\nA\n")
    assert sheet.header == {"Experiment Name": "Pool 7", "Date": "3/1/2026"}
    assert [(note.code, note.line) for note in sheet.notes] == [("sheet.header_missing", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "Pool,7\n[Header]\nDate,3/1/2026\n[Data]\nSample_ID\nA\n",
        "Pool 7\n[Data]\nSample_ID\nA\n",
        "Sample_ID,index\nA,ACGT\n",
    ],
)
def test_other_words_above_the_first_section_are_refused(text):
    with pytest.raises(SampleSheetError) as caught:
        parse(text.encode())
    assert (caught.value.code, caught.value.line) == ("sheet.section_missing", 1)


def test_a_dash_in_any_other_sheet_stays():
    (sample,) = parse(b"[Data]\nSample_ID,index\nA,ACGT-TTTT\n").samples
    assert (sample.index, sample.index2) == ("ACGT-TTTT", "")


@pytest.mark.parametrize(
    "columns",
    [
        "SampleRef,Control,Recipe,Operator",
        "Sample_Plate,Sample_Well,I7_Index_ID,I5_Index_ID,Manifest,GenomeFolder",
        "Index_Plate,Index_Plate_Well,Index_ID,Pair_ID,Sample_Type",
        "ProjectName,LibraryName,LibraryPrepKitName,IndexAdapterKitName",
        "custom_Description,Library_nM,Read_Structure,Target_Set",
        "custom_index2,Custom_Adapter,custom_lane_of_freezer,LibraryInputVolume",
    ],
)
def test_known_columns_that_say_nothing_are_passed_over(columns):
    row = ",".join("x" for _ in columns.split(","))
    sheet = parse(f"[Data]\nSample_ID,{columns}\nA,{row}\n".encode())
    assert (sheet.columns, sheet.notes) == ({"Sample_ID": 1}, ())


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("idnex2", "ACGT", "index2"),
        ("index_2nd", "ACGT", ""),
        ("Indx", "ACGT", "index"),
        ("Smaple_Name", "x", "Sample_Name"),
        ("Lanes", "1", "Lane"),
        ("i5", "ACGT", ""),
        ("P7 sequence", "ACGT", ""),
        ("UMI", "x", ""),
        ("BarcodeMismatchIndex1", "0", "BarcodeMismatchesIndex1"),
        ("Override_Cycle", "Y151", "OverrideCycles"),
        ("Tag", "ACGTACGT", "rename it to index"),
        ("second", "acgt-acgt", "rename it to index"),
    ],
)
def test_columns_that_may_matter_are_refused(name, value, hint):
    with pytest.raises(SampleSheetError) as caught:
        parse(f"[Data]\nSample_ID,{name}\nA,{value}\n".encode())
    assert (caught.value.code, caught.value.line, caught.value.column) == (
        *("sheet.column_unknown", 2),
        2,
    )
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"[Data]\nSample_ID,Freezer\nA,12\n", "sheet.column_ignored", 2, 2),
        (b"[Data]\nSample_ID\nA\n[Freezer]\nx,y\n", "sheet.section_ignored", 4, 1),
        (
            b"[Header]\nInvestigator,J\xf6rg\n[Data]\nSample_ID\nA\n",
            *("sheet.encoding_guessed", 2, 0),
        ),
    ],
)
def test_what_is_accepted_with_a_note(data, code, line, column):
    (note,) = parse(data).notes
    assert (note.code, note.line, note.column) == (code, line, column)


def test_too_many_samples():
    rows = "A\n" * 50_000
    with pytest.raises(SampleSheetError, match="line 50002: more than 50,000 samples") as caught:
        parse(f"[Data]\nSample_ID\n{rows}".encode())
    assert caught.value.code == "sheet.too_large"


def test_too_many_lines():
    with pytest.raises(SampleSheetError, match=r"line 100001: more than 100,000 lines") as caught:
        parse(b"[Header]\n" + b"a\n" * 100_000)
    assert caught.value.code == "sheet.too_large"


@pytest.mark.timeout(60)
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "SampleSheet.csv")
    with pytest.raises(SampleSheetError, match="it is not a file") as caught:
        SampleSheet.read(tmp_path / "SampleSheet.csv")
    assert caught.value.code == "sheet.unreadable"


def test_project_stands_back_behind_sample_project():
    sheet = parse(b"[Data]\nSample_ID,Project,Sample_Project\nA,p,q\n")
    assert sheet.samples[0].project == "q"


def test_a_missing_file(tmp_path):
    with pytest.raises(SampleSheetError, match="cannot be read") as caught:
        SampleSheet.read(tmp_path / "SampleSheet.csv")
    assert caught.value.code == "sheet.unreadable"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    try:
        parse(b"[Header]\n[Data]\nSample_ID,Lane,index\n" + data)
    except SampleSheetError as err:
        assert err.code.startswith("sheet.")


cell = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=8)


@given(st.lists(st.tuples(cell.filter(lambda text: not text.startswith("[")), cell), max_size=5))
def test_round_trip_through_csv(rows):
    text = io.StringIO("")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    sheet = parse(b"[Data]\nSample_ID,Description\n" + text.getvalue().encode())
    expected = [(one, other) for one, other in rows if one or other]
    assert [(sample.sample_id, sample.description) for sample in sheet.samples] == expected


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_real_sheets():
    root = Path(os.environ["ARTERIOLE_REAL_DATA"])
    hiseq = SampleSheet.read(root / "151005_ST-00295_0022_BHH5VTCCXX" / "SampleSheet.csv")
    assert [sample.lane for sample in hiseq.samples] == list(range(1, 9))
    assert hiseq.samples[2].index == "CCGTCC"
    miseq = SampleSheet.read(root / "230825_M04034_0043_000000000-L6NVV" / "SampleSheet.csv")
    assert (miseq.version, miseq.header["FileFormatVersion"]) == (1, "2")
    assert (len(miseq.samples), miseq.notes) == (12, ())
    assert miseq.samples[0] == Sample(
        line=14,
        lane=1,
        sample_id="Sample_TSOCDNA-25ng-MultiCancerDNA-rep1",
        sample_name="TSOCDNA-25ng-MultiCancerDNA-rep1",
        project="AB-1234",
        index="ATTACTCG",
        index2="CCTATCCT",
        description="Test Runfolder",
    )
    assert miseq.settings["SoftwareVersion"].line == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[x]\n" * 1001 + "[Data]\nSample_ID\nA\n", "more than 1000 sections"),
        ("[Data]\nSample_ID" + ",q" * 1000 + "\nA\n", "more than 1000 columns"),
    ],
)
def test_what_would_take_long_is_refused(text, message):
    with pytest.raises(SampleSheetError, match=message) as caught:
        parse(text.encode())
    assert caught.value.code == "sheet.too_large"


def test_a_long_name_is_not_compared_letter_by_letter(monkeypatch):
    compared = []
    monkeypatch.setattr(sheet_text, "distance", lambda *names: compared.append(names) or 9)
    parse(f"[{'s' * 100_000}]\n[Data]\nSample_ID,{'q' * 100_000}\nA,\n".encode())
    assert all(len(name) < 100 for names in compared for name in names)
