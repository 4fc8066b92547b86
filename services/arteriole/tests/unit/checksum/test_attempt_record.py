"""The digests of now against those taken as the FASTQs were written."""

import json
from pathlib import Path
from typing import Any

import pytest

from arteriole.checksum.attempt_record import require_as_written
from arteriole.checksum.digests import FileDigest
from arteriole.checksum.errors import ChecksumError

FILE = {"path": "a.fastq.gz", "size": 3, "md5": "m", "blake3": "b"}
DIGEST = FileDigest("a.fastq.gz", 3, "m", "b")


def record(folder: Path, files: Any) -> None:
    (folder / "attempt.json").write_text(json.dumps({"files": files, "clusters": 7}))


def test_equal(tmp_path: Path) -> None:
    record(tmp_path, [FILE])
    other = FileDigest("Stats/Stats.json", 1, "x", "y")
    assert require_as_written(tmp_path, [DIGEST, other]) == 1


def test_without_a_record_nothing_is_vouched_for(tmp_path: Path) -> None:
    assert require_as_written(tmp_path, [DIGEST]) == 0


@pytest.mark.parametrize(
    ("files", "found", "words"),
    [
        ([FILE | {"md5": "n"}], [DIGEST], "not as they were written: a.fastq.gz"),
        ([FILE | {"blake3": "n"}], [DIGEST], "not as they were written: a.fastq.gz"),
        ([FILE | {"size": 4}], [DIGEST], "not as they were written: a.fastq.gz"),
        ([FILE], [], "missing: a.fastq.gz"),
        ([], [DIGEST], "not written by the conversion: a.fastq.gz"),
        ([{"path": "a"}], [DIGEST], r"attempt.json: files.0.size: Field required"),
        ("x", [DIGEST], r"attempt.json: files: "),
    ],
)
def test_differences_are_named(
    tmp_path: Path, files: Any, found: list[FileDigest], words: str
) -> None:
    record(tmp_path, files)
    with pytest.raises(ChecksumError, match=words):
        require_as_written(tmp_path, found)
