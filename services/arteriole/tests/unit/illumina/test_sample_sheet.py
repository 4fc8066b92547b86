import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.sample_sheet import Sample, SampleSheet, parse

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
    ],
    ids=["byte order mark", "CRLF", "CR", "trailing commas", "other spellings"],
)
def test_what_spreadsheets_do_changes_nothing(data):
    assert parse(data).samples == parse(SHEET.encode()).samples


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        ("", "sheet.empty", 0, 0),
        ("\r\n,,,\r\n", "sheet.empty", 0, 0),
        (b"[Header]\nName,J\xf6rg\n[Data]\n", "sheet.encoding", 2, 0),
        (SHEET.encode("utf-16"), "sheet.encoding", 1, 0),
        ("[Header]\nA,1\n", "sheet.data_missing", 0, 0),
        ("[Data]\n", "sheet.data_missing", 0, 0),
        ("[Data]\nLane,index\n1,ACGT\n", "sheet.sample_id_missing", 2, 0),
        ("[Header]\n[Data]\nLane;Sample_ID;index\n1;A;ACGT\n", "sheet.semicolons", 3, 0),
        ("Sample_ID,index\nA,ACGT\n", "sheet.section_missing", 1, 0),
        ("[Data\nSample_ID\n", "sheet.section", 1, 1),
        ("[Data]\nSample_ID\n[Data]\n", "sheet.section_twice", 3, 0),
        ("[Other]\n", "sheet.section_unknown", 1, 1),
        ("[Header]\nFileFormatVersion,2\n", "sheet.version_2", 2, 0),
        ("[BCLConvert_Settings]\n", "sheet.version_2", 1, 0),
        ("[BCLConvert_Data]\n", "sheet.version_2", 1, 0),
        ("[Reads]\nRead1Cycles,151\n[Data]\nSample_ID\n", "sheet.version_2", 2, 0),
        ("[Reads]\nmany\n[Data]\nSample_ID\n", "sheet.reads", 2, 1),
        ("[Settings]\nA,1\nA,2\n[Data]\nSample_ID\n", "sheet.setting_twice", 3, 1),
        ("[Data]\nSample_ID,OverrideCycles\n", "sheet.column_unknown", 2, 2),
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
    with pytest.raises(SampleSheetError, match="line 2: FileFormatVersion 2"):
        SampleSheet.read(root / "230825_M04034_0043_000000000-L6NVV" / "SampleSheet.csv")
