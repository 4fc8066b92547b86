"""Where the sample sheet of a run is looked up."""

import asyncio
import os
import sys

import pytest
from pydantic import ValidationError

from arteriole.runfolder import sheets
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.sheets import SheetLookupError, Sheets

RUN, FLOWCELL = "260101_M04034_0043_000000000-AAAAA", "000000000-AAAAA"
SHEET = b"[Data]\nSample_ID,index\na,ACGT\nb,ACGA\nb,ACGC\n"


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    monkeypatch.setattr(sheets, "SETTLE", 0.0)


@pytest.fixture
def drop(tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def of(tmp_path, *places):
    settings = RunfolderSettings(monitored_directories=[tmp_path], sheets=list(places))
    return Sheets(settings.sheets)


def program(tmp_path, text):
    """A program of the site, in Python; it writes down what it was asked."""
    path = tmp_path / "program"
    path.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        f"open({str(tmp_path / 'asked')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{text}\n"
    )
    path.chmod(0o755)
    return {"command": [str(path), "{run}", "--flowcell", "{flowcell}"], "timeout": 10}


def asked(tmp_path):
    path = tmp_path / "asked"
    return path.read_text().splitlines() if path.exists() else []


def find(looked, in_folder=False, **more):
    found = asyncio.run(looked.find(RUN, FLOWCELL, in_folder=in_folder, **more))
    return found and (found.source, found.data)


def test_the_run_folder_alone_unless_a_site_says_more(tmp_path):
    looked = Sheets(RunfolderSettings(monitored_directories=[tmp_path]).sheets)
    assert not looked.is_elsewhere and looked.described(RUN, FLOWCELL) == ""
    assert (find(looked, in_folder=True), find(looked)) == (("run_folder", None), None)


@pytest.mark.parametrize("name", [RUN, FLOWCELL])
def test_a_drop_folder_by_the_run_or_by_the_flow_cell(tmp_path, drop, name):
    looked = of(tmp_path, "run_folder", {"folder": str(drop)})
    assert looked.is_elsewhere
    assert looked.described(RUN, FLOWCELL) == f"{drop}/{FLOWCELL}.csv"
    assert find(looked) is None
    (drop / f"{name}.csv").write_bytes(b"  \n")
    assert find(looked) is None
    (drop / f"{name}.csv").write_bytes(SHEET)
    assert find(looked) == (f"folder {drop}", SHEET)


@pytest.mark.parametrize("first", ["run_folder", "drop"])
def test_the_first_place_that_has_one_counts(tmp_path, drop, first):
    (drop / f"{FLOWCELL}.csv").write_bytes(SHEET)
    places = ["run_folder", {"folder": str(drop)}]
    looked = of(tmp_path, *(places if first == "run_folder" else reversed(places)))
    source = "run_folder" if first == "run_folder" else f"folder {drop}"
    assert find(looked, in_folder=True)[0] == source


def test_a_program_prints_the_sheet(tmp_path):
    looked = of(tmp_path, program(tmp_path, f"sys.stdout.buffer.write({SHEET!r})"))
    assert find(looked, ask=False) is None and asked(tmp_path) == []
    assert find(looked) == (f"program {tmp_path}/program", SHEET)
    assert asked(tmp_path) == [f"{RUN} --flowcell {FLOWCELL}"]
    assert find(looked) == find(looked, ask=False) == (f"program {tmp_path}/program", SHEET)
    assert len(asked(tmp_path)) == 1  # what it said is known
    assert find(looked, anew=True) and len(asked(tmp_path)) == 2
    looked.forget(RUN)
    assert find(looked) and len(asked(tmp_path)) == 3


@pytest.mark.parametrize("end", ["sys.exit(3)", "print()", "print('[Data]'); sys.exit(3)"])
def test_a_program_that_has_none_yet_is_asked_again_later(tmp_path, monkeypatch, end):
    looked = of(tmp_path, program(tmp_path, end))
    assert [find(looked), find(looked), len(asked(tmp_path))] == [None, None, 1]
    monkeypatch.setattr(sheets, "ASKED_AGAIN", 0.0)
    assert [find(looked), len(asked(tmp_path))] == [None, 2]


def missing(tmp_path, drop):
    drop.rmdir()
    return {"folder": str(drop)}


def differ(tmp_path, drop):
    (drop / f"{RUN}.csv").write_bytes(SHEET)
    (drop / f"{FLOWCELL}.csv").write_bytes(SHEET + b"c,ACGG\n")
    return {"folder": str(drop)}


def link(tmp_path, drop):
    (drop / f"{RUN}.csv").symlink_to("/etc/passwd")
    return {"folder": str(drop)}


def pipe(tmp_path, drop):
    os.mkfifo(drop / f"{RUN}.csv")
    return {"folder": str(drop)}


def large(tmp_path, drop):
    with (drop / f"{RUN}.csv").open("wb") as file:
        file.truncate(sheets.LIMIT + 1)
    return {"folder": str(drop)}


def fails(tmp_path, drop):
    return program(tmp_path, "sys.exit('the LIMS is away')")


def hangs(tmp_path, drop):
    return {**program(tmp_path, "time.sleep(60)"), "timeout": 0.3}


def talks(tmp_path, drop):
    return program(tmp_path, "print('x' * 600_000)")


def is_not_there(tmp_path, drop):
    return {"command": [str(tmp_path / "none"), "{run}"]}


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (missing, "the folder is not there"),
        (differ, f"{RUN}.csv and {FLOWCELL}.csv differ"),
        (link, "it is no file"),
        (pipe, "it is no file"),
        (large, "expected at most 524288 bytes"),
        (fails, "it ended with 1: the LIMS is away"),
        (hangs, "expected an end within 0.3 s"),
        (talks, "expected at most 524288 bytes"),
        (is_not_there, "it cannot be run"),
    ],
)
def test_a_place_that_cannot_say_hides_no_wrong_sheet_of_the_next(tmp_path, drop, place, told):
    looked = of(tmp_path, place(tmp_path, drop), "run_folder")
    with pytest.raises(SheetLookupError, match="the sheet cannot be looked up") as caught:
        find(looked, in_folder=True)
    assert told in str(caught.value)
    assert caught.value.code == "run.sheet_lookup" and caught.value.hint


def test_half_a_sheet_is_not_taken(tmp_path, drop, monkeypatch):
    """It names half of the samples, and nobody could tell."""
    monkeypatch.setattr(sheets, "SETTLE", 3.0)
    now = [100.0]
    monkeypatch.setattr("arteriole.runfolder.sheets.time.monotonic", lambda: now[0])
    looked = of(tmp_path, {"folder": str(drop)})
    path = drop / f"{FLOWCELL}.csv"
    path.write_bytes(SHEET[:20])
    for seconds, more in ((0, b""), (2, b""), (2, SHEET[20:]), (2.9, b"")):
        now[0] += seconds
        with path.open("ab") as file:
            file.write(more)
        with pytest.raises(SheetLookupError, match="written a moment ago"):
            find(looked)
    now[0] += 0.1
    assert find(looked) == (f"folder {drop}", SHEET)


@pytest.mark.parametrize(
    ("data", "samples", "is_empty"),
    [(SHEET, 2, False), (b"\x01", None, False), (b" ,,\n", None, True)],
)
def test_a_sheet_is_summed_up(tmp_path, drop, data, samples, is_empty):
    (drop / f"{RUN}.csv").write_bytes(data)
    found = asyncio.run(
        of(tmp_path, {"folder": str(drop)}).find(RUN, FLOWCELL, in_folder=False)
    ).summary()
    assert (found.samples, found.is_empty) == (samples, is_empty)


@pytest.mark.parametrize(
    "places",
    [
        [],
        ["elsewhere"],
        [{"folder": "relative"}],
        [{"folder": "/a/../b"}],
        [{"command": ["program", "{run}"]}],
        [{"command": ["/program", "run"]}],
        [{"command": ["/program", "a{run}"]}],
        [{"command": ["/program", "{run}", "\0"]}],
        [{"folder": "/a", "command": ["/program", "{run}"]}],
    ],
)
def test_a_place_that_makes_no_sense_is_refused(tmp_path, places):
    with pytest.raises(ValidationError, match="sheets"):
        of(tmp_path, *places)
