"""What is found of others' FASTQs, however they lie."""

import gzip
import os
from pathlib import Path

import pytest

from arteriole.observe import others
from arteriole.observe.others import Content, content, find

NAME = "a_S1_L001_R1_001.fastq.gz"
RECORD = gzip.compress(b"@r\nA\n+\nI\n", mtime=0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (RECORD, Content.RECORDS),
        (gzip.compress(b"", mtime=0), Content.EMPTY),
        (gzip.compress(b"", mtime=0) + gzip.compress(b"", mtime=0), Content.EMPTY),
        (gzip.compress(b"", mtime=0) + RECORD, Content.RECORDS),
        (b"", Content.EMPTY),
        (b"@r\nA\n+\nI\n", Content.UNREADABLE),
        (gzip.compress(b"", mtime=0)[:12], Content.UNREADABLE),
        (gzip.compress(bytes(10_000_000), mtime=0), Content.RECORDS),
        (RECORD[:-8], Content.RECORDS),
    ],
)
def test_whether_a_file_has_a_record(tmp_path: Path, data: bytes, expected: Content) -> None:
    (tmp_path / NAME).write_bytes(data)
    assert content(tmp_path / NAME) is expected


def put(path: Path, data: bytes = RECORD, time: float = 1_000_000_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time, time))
    return path


def test_files_at_any_depth_with_their_dates(tmp_path: Path) -> None:
    put(tmp_path / "r1" / NAME, time=1_000_000_100)
    put(tmp_path / "r1" / "x" / "y" / NAME, gzip.compress(b"", mtime=0))
    put(tmp_path / "r1" / "x" / "notes.txt")
    stats = put(tmp_path / "r1" / "Stats" / "Stats.json")
    put(tmp_path / "r2" / NAME)
    found = find([str(tmp_path / "{run}"), str(tmp_path / "elsewhere/{run}")], "r1")
    assert found is not None
    assert sorted(file.name for file in found.files) == [NAME, f"x/y/{NAME}"]
    assert (found.first, found.last) == ("2001-09-09T01:46:40.000Z", "2001-09-09T01:48:20.000Z")
    assert found.names(Content.EMPTY) == [f"x/y/{NAME}"]
    assert (found.folders, found.stats, found.cut_short) == (
        (str(tmp_path / "r1"),),
        (stats,),
        False,
    )


def test_nothing_is_found(tmp_path: Path) -> None:
    put(tmp_path / "r2" / NAME)
    pattern = str(tmp_path / "{run}")
    for run in ("r1", "..", "r2/..", "*", "", "r2\0"):
        assert find([pattern], run) is None, run
    assert find([], "r2") is None


def test_no_link_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "secret" / NAME)
    folder = tmp_path / "r1"
    put(folder / "b_S2_L001_R1_001.fastq.gz")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / NAME).symlink_to(tmp_path / "secret" / NAME)
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "c_S3_L001_R1_001.fastq.gz")
    found = find([str(tmp_path / "{run}")], "r1")
    assert found is not None
    assert [file.name for file in found.files] == ["b_S2_L001_R1_001.fastq.gz"]


def test_more_than_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        put(tmp_path / "r1" / f"{number}" / NAME)
    monkeypatch.setattr(others, "ENTRIES", 14)
    found = find([str(tmp_path / "{run}")], "r1")
    assert found is not None and found.cut_short
    assert len(found.files) == 4
    monkeypatch.setattr(others, "ENTRIES", 100)
    monkeypatch.setattr(others, "DEPTH", 0)
    put(tmp_path / "r1" / NAME)
    found = find([str(tmp_path / "{run}")], "r1")
    assert found is not None and found.cut_short and len(found.files) == 1


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/r1/\xff\x1b_S1_L001_R1_001.fastq.gz")))
    found = find([str(tmp_path / "{run}")], "r1")
    assert found is not None and len(found.files) == 1
