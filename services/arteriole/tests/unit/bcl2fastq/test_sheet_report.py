"""What a terminal shows of a sheet's findings."""

import io

import pytest
from rich.console import Console

from arteriole.bcl2fastq import sheets
from arteriole.bcl2fastq.sheets import Standard
from arteriole.commands.sheet_report import report

GOOD = b"[Data]\nSample_ID,index\nA,ACGT\nB,TGCA\n"


def shown(data: bytes, width: int = 100, **console) -> str:
    out = io.StringIO()
    screen = Console(file=out, width=width, highlight=False, **console)
    report(sheets.check_given(data, None, Standard()), "next.csv", data, screen)
    return out.getvalue()


def test_a_finding_stands_below_its_line_and_column():
    assert shown(GOOD.replace(b"B,TGCA", b'"B",TGXA')) == (
        "error[sheet.index_alphabet]: expected an index of A, C, G, T (and N), found 'TGXA'\n"
        "  --> next.csv:4:2\n"
        '    4 | "B",TGXA\n'
        "      |     ^^^^\n"
        "  try: write out the bases in capital letters,"
        " or the name of an index set that is configured\n"
        "\n"
        "next.csv: 1 error; checked without its run (--run DIR)\n"
    )


def test_a_good_sheet():
    told = "next.csv: nothing is wrong with it; checked without its run (--run DIR)\n"
    assert shown(GOOD) == told


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["error[sheet.empty]: the sample sheet is empty", "  --> next.csv\n", "1 error"]),
        (GOOD.replace(b"A,", b"\xffA,"), ["3 | ÿA,ACGT", "warning[sheet.encoding_guessed]"]),
        (GOOD.replace(b"[Data]", b"[Dat]"), ["next.csv:1:1", "^^^^^", "is [Data] meant?"]),
        (b"\xef\xbb\xbf" + GOOD.replace(b"TGCA", b"x"), ["4 | B,x\n", "      |   ^\n"]),
        (GOOD.replace(b",", b";").replace(b"TGCA", b"x"), ["4 | B;x\n", "      |   ^\n"]),
        (GOOD.replace(b",", b"\t").replace(b"ACGT", b"x"), ["error[sheet.index_alphabet]"]),
        (
            b"\xff\xfe" + GOOD.decode().replace("TGCA", "x").encode("utf-16-le"),
            ["4 | B,x\n", "      |   ^\n", "warning[sheet.utf16]"],
        ),
    ],
)
def test_whatever_the_sheet_is(data, words):
    text = shown(data)
    assert [word for word in words if word not in text] == []


def test_a_line_without_end_is_cut_around_the_cell():
    wide = b"[Data]\nDescription,Sample_ID,index\n" + b"d" * 5000 + b",A,ACGX," + b"," * 5000
    text = shown(wide, width=60)
    line, marks = next(
        (one, two)
        for one, two in zip(text.splitlines(), text.splitlines()[1:], strict=False)
        if one.startswith("    3 | ")
    )
    assert line.startswith("    3 | ...dddd") and line.endswith("...") and len(line) <= 60
    assert line[marks.index("^") : marks.rindex("^") + 1] == "ACGX"


def test_what_a_terminal_obeys_is_written_out():
    text = shown(GOOD.replace(b"B,", "B\u202e\u001b".encode() + b","))
    assert "\u202e" not in text and "\u001b" not in text


def test_no_markup_of_rich_is_obeyed():
    assert "[red]B" in shown(GOOD.replace(b"B,TGCA", b"[red]B,TGXA"), force_terminal=False)


def test_colours_are_for_terminals_alone():
    bad = GOOD.replace(b"TGCA", b"x")
    assert "\u001b[1;31merror" in shown(bad, force_terminal=True)
    assert "\u001b" not in shown(bad, force_terminal=False)


def test_errors_are_told_before_warnings_and_the_rest_is_counted(tiny_run, monkeypatch):
    monkeypatch.setattr(sheets, "FINDINGS", 4)
    tiny_run.lanes = 8
    tiny_run.folder.mkdir()
    tiny_run._write_run_info()
    data = b"[Data]\nLane,Sample_ID\n1,A b\n"
    found = sheets.check_given(data, tiny_run.folder, Standard())
    more = found["finding_count"] - 4
    assert more >= 4
    severities = [row["severity"] for row in found["findings"]]
    assert severities == ["warning"] * 3 + ["error"]
    out = io.StringIO()
    report(found, "next.csv", data, Console(file=out))
    told = f"1 error and 3 warnings, and {more} more findings; checked against run\n"
    assert told in out.getvalue()
