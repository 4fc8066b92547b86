"""The drop folder: which files are read, when, and which of them counts."""

import asyncio
import os
import time

import pytest

from arteriole.metadata.errors import SourceError
from arteriole.metadata.settings import CsvSettings
from arteriole.metadata.sources import csv_folder
from arteriole.metadata.sources.csv_folder import CsvFolder

HEADER = "sample,project,use,pipeline\n"


class Drop:
    """A folder of tables, each as old as is said, and the source over it."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.source = CsvFolder("csv", CsvSettings(folder=path))
        self.start = time.time()

    def put(self, name, *rows, age=100.0, text=None):
        file = self.path / name
        file.write_text(HEADER + "".join(f"{row}\n" for row in rows) if text is None else text)
        os.utime(file, (self.start - age, self.start - age))
        return file

    def scan(self, times=2):
        return [asyncio.run(self.source.scan()) for _ in range(times)][-1]

    def says(self, sample):
        entry = self.source.answer(sample)
        return None if entry is None else entry.project

    def refuses(self, sample):
        with pytest.raises(SourceError) as caught:
            self.source.answer(sample)
        return f"{caught.value} [{caught.value.code}]"


@pytest.fixture
def drop(tmp_path):
    return Drop(tmp_path / "drop")


def test_a_file_is_read_once_two_scans_saw_it_the_same(drop):
    drop.put("a.csv", "S1,P1,research,wgs")
    assert drop.scan(1) == set()
    assert "still being written" in drop.refuses("S1")
    assert drop.source.pause == csv_folder.YOUNG
    assert drop.scan(1) == {"S1"}
    assert drop.says("S1") == "P1" and drop.says("S2") is None
    assert drop.source.pause == 10
    assert drop.scan(1) == set()


def test_a_file_that_grows_from_scan_to_scan_waits(drop):
    for number, text in enumerate((HEADER[:9], f"{HEADER}S1,P1,rese", f"{HEADER}S1,P1,research")):
        drop.put("a.csv", text=text, age=100)  # as copies do that keep the time
        drop.scan(1)
        assert "a.csv is still being written" in drop.refuses("S1"), number
    drop.put("a.csv", "S1,P1,research,wgs")
    drop.scan(1)
    assert drop.refuses("S1")
    drop.scan(1)
    assert drop.says("S1") == "P1"


def test_a_young_file_waits_however_often_it_is_seen(drop, monkeypatch):
    drop.put("a.csv", "S1,P1,research,wgs", age=0)
    monkeypatch.setattr(csv_folder, "YOUNG", 3600.0)
    drop.scan(3)
    assert "a.csv is still being written" in drop.refuses("S1")
    monkeypatch.setattr(csv_folder, "YOUNG", 0.0)
    drop.scan(1)
    assert drop.says("S1") == "P1"


def test_a_file_of_the_future_does_not_wait_for_it(drop):
    drop.put("a.csv", "S1,P1,research,wgs", age=-86400)
    drop.scan()
    assert drop.says("S1") == "P1"


def test_an_unchanged_file_is_not_read_again(drop, monkeypatch):
    drop.put("a.csv", "S1,P1,research,wgs")
    drop.scan()
    monkeypatch.setattr(csv_folder.csv_table, "read", lambda *_: pytest.fail("it was read"))
    drop.scan()
    assert drop.says("S1") == "P1"


def test_what_was_read_counts_while_the_file_is_written_again(drop):
    drop.put("a.csv", "S1,P1,research,wgs")
    drop.scan()
    drop.put("a.csv", "S1,P2,research,wgs", age=50)
    assert drop.scan(1) == set()
    assert drop.says("S1") == "P1"
    assert drop.scan(1) == {"S1"}
    assert drop.says("S1") == "P2"


def test_a_last_line_without_an_end_may_be_half_of_one(drop):
    half = HEADER + "S1,P1,research,wgs"  # wgs-somatic, say
    drop.put("a.csv", text=half, age=30)
    drop.scan(3)
    assert "a.csv is still being written" in drop.refuses("S1")
    assert drop.source.pause == csv_folder.YOUNG
    drop.put("a.csv", text=half, age=100)
    drop.scan()
    assert drop.says("S1") == "P1"


def test_the_newer_file_counts_whatever_its_name(drop):
    drop.put("b.csv", "S1,P1,research,wgs", "S2,P1,research,wgs", age=100)
    drop.put("a.csv", "S1,P2,research,wgs", age=50)
    drop.scan()
    assert (drop.says("S1"), drop.says("S2")) == ("P2", "P1")
    (drop.path / "a.csv").unlink()
    assert drop.scan(1) == {"S1"}
    assert drop.says("S1") == "P1"
    (drop.path / "b.csv").unlink()
    assert drop.scan(1) == {"S1", "S2"}
    assert drop.says("S1") is None


def test_two_files_as_new_as_each_other_must_say_the_same(drop):
    drop.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs")
    drop.put("b.csv", "S1,P1,research,wgs", "S2,P2,research,wgs")
    drop.scan()
    assert drop.says("S1") == "P1"
    assert "[metadata.contradiction]" in drop.refuses("S2")
    assert drop.source.document()["rejected"] == 1
    drop.put("c.csv", "S2,P3,research,wgs", age=10)
    drop.scan()
    assert drop.says("S2") == "P3" and not drop.source.is_failing


def test_a_bad_row_of_the_newer_file_leaves_the_older_ones_undecided(drop):
    drop.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs", age=100)
    drop.put("b.csv", "S1,P1,reserch,wgs", "S3,P1,research,wgs", age=50)
    drop.scan()
    assert "b.csv:2: use: expected 'clinical' or 'research'" in drop.refuses("S1")
    assert drop.says("S2") == drop.says("S3") == "P1"
    assert drop.source.is_failing and drop.source.rejected == 1
    (row,) = drop.source.document()["rejected_rows"]
    assert (row["file"], row["line"], row["column"]) == ("b.csv", 2, "use")


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_a_bad_row_of_a_file_as_new_leaves_the_other_undecided(drop, names):
    good, bad = names
    drop.put(good, "S1,P1,research,wgs")
    drop.put(bad, "S1,P1,reserch,wgs")
    drop.scan()
    assert f"{bad}:2: use: expected" in drop.refuses("S1")


def test_a_file_that_is_no_table_may_know_any_sample(drop):
    drop.put("a.csv", "S1,P1,research,wgs")
    drop.put("b.csv", text="no table")
    drop.scan()
    assert drop.says("S1") == "P1"
    assert "b.csv:1: no table: expected one of" in drop.refuses("S2")
    assert drop.source.document()["state"] == "failing"
    drop.put("b.csv", "S2,P1,research,wgs")
    drop.scan()
    assert drop.says("S2") == "P1" and drop.source.document()["state"] == "ok"


def test_links_folders_and_what_is_too_large_are_not_read(drop, tmp_path):
    outside = tmp_path / "secret.csv"
    outside.write_text(HEADER + "S1,P1,research,wgs\n")
    (drop.path / "link.csv").symlink_to(outside)
    (drop.path / "folder.csv").mkdir()
    os.mkfifo(drop.path / "pipe.csv")
    with open(drop.path / "large.csv", "wb") as file:
        file.truncate(csv_folder.csv_table.SIZE_LIMIT + 1)
    os.utime(drop.path / "large.csv", (1e9, 1e9))
    (drop.path / ".hidden.csv").write_text("x")
    (drop.path / "~$open.csv").write_text("x")
    (drop.path / "readme.txt").write_text("x")
    drop.scan()
    found = {row["file"]: row["message"] for row in drop.source.document()["rejected_rows"]}
    assert set(found) == {"link.csv", "folder.csv", "pipe.csv", "large.csv"}
    assert "a link" in found["link.csv"] and "at most 10000000 bytes" in found["large.csv"]
    assert drop.refuses("S1")


def test_names_of_files_are_told_as_plain_text(drop):
    name = os.fsdecode(b"\xff\x1b[31m<% x %>.csv")
    drop.put(name, text="x")
    drop.scan()
    (row,) = drop.source.document()["rejected_rows"]
    assert row["file"] == r"\xff\x1b[31m<% x %>.csv"


def test_a_folder_that_is_away_knows_nothing_and_says_so(drop):
    drop.put("a.csv", "S1,P1,research,wgs")
    drop.scan()
    drop.path.rename(drop.path.with_name("away"))
    assert drop.scan(1) == set()
    assert "cannot be read: No such file" in drop.refuses("S1")
    assert drop.source.is_failing and drop.source.document()["last_error"]
    drop.path.with_name("away").rename(drop.path)
    drop.scan(1)
    assert drop.says("S1") == "P1" and not drop.source.is_failing


@pytest.mark.parametrize(("limit", "value"), [("FILES_LIMIT", 1), ("FOLDER_LIMIT", 90)])
def test_a_folder_of_too_much_is_refused(drop, monkeypatch, limit, value):
    monkeypatch.setattr(csv_folder, limit, value)
    for name in ("a.csv", "b.csv"):
        drop.put(name, "S1,P1,research,wgs")
    drop.scan()
    assert f"expected at most {value} " in drop.refuses("S1")


def test_a_file_that_may_not_be_read_is_read_once_it_may(drop, monkeypatch):
    drop.put("a.csv", "S1,P1,research,wgs")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:  # root may read anything
        patch.setattr(csv_folder.os, "open", refuse)
        drop.scan()
    assert "a.csv: it cannot be read: Permission denied" in drop.refuses("S1")
    drop.scan(1)
    assert drop.says("S1") == "P1"
