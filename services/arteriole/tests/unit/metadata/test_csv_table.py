"""Tables of samples as spreadsheets leave them, good and bad."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.metadata.sources import csv_table
from arteriole.metadata.sources.csv_table import ALIASES, Table, TableError, read

HEADER = "sample,project,use,pipeline"
ROW = "S1,P1,research,wgs"


def refused(table):
    return [(row.line, row.column, row.code) for row in table.refused]


def records(table):
    return {name: json.loads(entry.text) for name, entry in table.entries.items()}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"{HEADER}\n{ROW}",
        f"{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\r{ROW}\r",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER};\n{ROW};\n".replace(",", ";"),
        f"sep=;\r\n{HEADER}\r\n{ROW}\r\n".replace(",", ";"),
        f"{HEADER},,,\n\n,,,\n{ROW},,,\n,,,,,,\n",
        '"sample","project","use","pipeline"\n"S1" ,"P1","research","wgs"\n'.replace('" ', '"'),
        "Sample,PROJECT,Use,Pipe-Line\n S1 , P1 ,Research, wgs\n",
        "Sample ID;Project_ID;purpose;workflow\nS1;P1;RESEARCH;wgs\n",
        f"{HEADER},comment\n{ROW},a word; and another\n",
        f'{HEADER},notes\n{ROW},"two\nlines"\n',
        f"{HEADER},expected_reads,top_up_of,batch\n{ROW}\n",
        f"{HEADER}\n{ROW}\n{ROW}\n",
    ],
)
def test_what_spreadsheets_do_is_accepted(text):
    table = read(text.encode(), "a.csv")
    assert table.refused == []
    (record,) = records(table).values()
    assert {name: value for name, value in record.items() if value} == {
        "sample": "S1",
        "project": "P1",
        "use": "research",
        "pipeline": "wgs",
    }


def test_every_field_has_its_column():
    text = (
        "sample;project;use;subject;phenotype;batch;genome_build;pipeline;recipient;consent;"
        "control;expected_reads;top_up_of\n"
        "S1;P1;clinical;SBJ1;Tumour;B1;GRCh38;somatic;R1;general;;5000; RUN1  RUN2 \n"
        "N1;P1;research;;;;;;;;No-Template;;\n"
    )
    table = read(text.encode(), "a.csv")
    assert table.refused == []
    found = records(table)
    assert found["S1"]["phenotype"] == "tumor" and found["S1"]["expected_reads"] == 5000
    assert found["S1"]["top_up_of"] == ["RUN1", "RUN2"]
    assert found["N1"]["control"] == "no-template"


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_its_field(alias):
    of = ALIASES[alias]
    values = {"sample": "S1", "project": "P1", "use": "research", "pipeline": "wgs"}
    values[of] = values.get(of) or {"control": "phix", "expected_reads": "5"}.get(of, "X")
    names = [alias if name == of else name for name in values]
    table = read(f"{','.join(names)}\n{','.join(values.values())}\n".encode(), "a.csv")
    found = records(table)["S1"][of]
    assert str(found[0] if isinstance(found, list) else found) == values[of]


@pytest.mark.parametrize(
    ("data", "line", "column", "told"),
    [
        (b"", 0, "", "expected a row with the names of the columns"),
        (b"\n,,\n", 0, "", "expected a row with the names"),
        (f"{HEADER}\nS1,P\xe9,research,wgs".encode("latin-1"), 2, "", "UTF-8, found the byte 0xe9"),
        (f"{HEADER}\n{ROW}".encode("utf-16"), 1, "", "expected UTF-8"),
        (f"{HEADER}\n{ROW}\0".encode(), 2, "", "found a zero byte"),
        (b"PK\x03\x04\x00", 1, "", "found a zero byte"),
        (b"sample,project\nS1,P1\n", 1, "use", "expected a column use, found none"),
        (f"{HEADER},consnt\n".encode(), 1, "consnt", "found 'consnt'"),
        (f"{HEADER},,x\n".encode(), 1, "column 5", "found ''"),
        (f"{HEADER},Sample_ID\n".encode(), 1, "Sample_ID", "one column sample, found two"),
        (f'{HEADER}\n"S1,P1\n{ROW}\n'.encode(), 2, "", "expected a row of cells"),
        (f'{HEADER}\n{ROW}\n"S1"x,P1,,\n'.encode(), 3, "", "expected a row of cells"),
        (f"{HEADER}\n{'x' * 200_000}\n".encode(), 2, "", "expected a row of cells"),
        (f"{HEADER}\n".encode() + b"\n" * csv_table.SIZE_LIMIT, 0, "", "expected at most 10000000"),
        (f"{','.join(['sample'] * 201)}\n".encode(), 1, "", "at most 200 columns"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(data, line, column, told):
    with pytest.raises(TableError) as caught:
        read(data, "a.csv")
    refusal = caught.value.refusal
    assert (refusal.file, refusal.line, refusal.column) == ("a.csv", line, column)
    assert told in refusal.message and caught.value.code == "metadata.table"


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(csv_table, "ROWS_LIMIT", 3)
    rows = [f"S{n},P1,research,wgs\n" for n in range(4)]
    assert len(read(f"{HEADER}\n{''.join(rows[:3])}".encode(), "a.csv").entries) == 3
    with pytest.raises(TableError, match=r"^a\.csv:5: expected at most 3 rows, found more"):
        read(f"{HEADER}\n{''.join(rows)}".encode(), "a.csv")


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        ("S2,P1,Klinik,wgs", "Use", "expected 'clinical' or 'research', found 'klinik'"),
        ("S2,P1,clinical,wgs", "subject", "expected a pseudonym"),
        ("S 2,P1,research,wgs", "sample", "found 'S 2'"),
        ("=cmd|'/c calc'!A1,P1,research,wgs", "sample", "expected 1 to 200 of"),
        (",P1,research,wgs", "sample", "found none"),
        ("S2,{{ x }},research,wgs", "project", "found '{{ x }}'"),
        ("S2,P1,research", "pipeline", "expected a pipeline"),
        ("S2,P1,research,wgs,more", "", "no cell beyond the columns"),
        ("S2,P1,research,w\u202egs", "pipeline", "expected 1 to 200 of"),
    ],
)
def test_a_bad_row_is_refused_with_its_place_and_the_others_are_taken(row, column, told):
    text = f"{HEADER}\n\n{row}\n{ROW}\n".replace("use,", "Use,", 1)
    table = read(text.encode(), "a.csv")
    assert list(table.entries) == ["S1"]
    first = table.refused[0]
    assert (first.file, first.line, first.column) == ("a.csv", 3, column)
    assert first.code == "metadata.record" and told in first.message
    assert set(table.unsure) == ({"S2"} if row.startswith("S2,") else set())


def test_a_row_of_several_lines_is_told_by_its_first():
    text = f'{HEADER},notes\n{ROW},"a\nb\nc"\nS2,P1,x,wgs,\n'
    assert refused(read(text.encode(), "a.csv")) == [(5, "use", "metadata.record")]


def test_rows_that_contradict_each_other_are_all_refused():
    text = f"{HEADER}\n{ROW}\nS2,P1,research,wgs\nS1,P1,research,rna\nS1,P2,research,wgs\n"
    table = read(text.encode(), "a.csv")
    assert list(table.entries) == ["S2"]
    code = "metadata.contradiction"
    assert refused(table) == [(2, "pipeline", code), (4, "pipeline", code), (5, "project", code)]
    assert "line 4" in table.refused[0].message and "line 2" in table.refused[1].message
    assert set(table.unsure) == {"S1"}


def test_a_bad_row_makes_the_good_one_of_the_same_sample_doubtful():
    table = read(f"{HEADER}\n{ROW}\nS1,P1,x,wgs\n".encode(), "a.csv")
    assert table.entries == {} and set(table.unsure) == {"S1"}


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["S1", "S2", "research", "clinical", "wgs", '"', '""', "=1+1", "1E5", "\r"]),
)
NAMES = st.one_of(st.sampled_from([*csv_table.FIELDS, *ALIASES, "notes", ""]), CELLS)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    _read_or_refuse(data)


@given(
    st.lists(NAMES, min_size=1, max_size=8),
    st.lists(st.lists(CELLS, max_size=8), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_any_table_is_read_or_refused(names, rows, by, end, whole):
    head = ["sample", "project", "use", "pipeline", *names] if whole else names
    text = end.join(by.join(cells) for cells in (head, *rows))
    _read_or_refuse(text.encode("utf-8", "replace"))


def _read_or_refuse(data):
    try:
        table = read(data, "a.csv")
    except TableError:
        return
    assert isinstance(table, Table)
    assert not set(table.entries) & set(table.unsure)
    for refusal in table.refused:
        assert refusal.line > 1 and refusal.message
