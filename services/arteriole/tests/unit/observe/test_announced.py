"""Is what was done what had been announced?"""

import json
from pathlib import Path
from typing import Any

import pytest

from arteriole.observe.announced import Deeds, differences, read_record

FILES = ["P/a_S1_L001_R1_001.fastq.gz", "Undetermined_S0_L001_R1_001.fastq.gz"]
CONVERT = {
    "converter": "builtin",
    "converter_version": "1",
    "ignore": [],
    "sheet_sha256": "aa",
    "samples": [{"sample_id": "a", "lane": 1}],
    "files": FILES,
    "to": "/fastq/r1/attempt-1",
    "warnings": [],
}
WOULD = {
    "convert": CONVERT,
    "checksum": {"files": 3, "bytes": 4, "to": "/manifests/r1/attempt-1"},
    "transfer": {"destination": "hpc", "to": "/far/r1/attempt-1"},
}
RECORD = {
    "converter": "builtin",
    "converter_version": "1",
    "sheet_sha256": "aa",
    "samples": [
        {"sample_id": "a", "lane": 1, "reads": 5},
        {"sample_id": "Undetermined", "lane": 1, "reads": 1},
    ],
    "files": [{"path": path} for path in [*FILES, "Stats/Stats.json"]],
}
SENT = {"destination": "hpc", "path": "/far/r1/attempt-2"}


def deeds(record: dict[str, Any] | None = None, **results: dict[str, Any]) -> Deeds:
    return Deeds(2, RECORD if record is None else record, {"transfer": SENT, **results})


def test_as_announced() -> None:
    assert differences(WOULD, deeds()) == []


def test_a_run_folder_goes_beside_the_fastqs() -> None:
    would = WOULD | {"runs": {"destination": "hpc", "to": "/far/R1/runfolder-1"}}
    sent = {"destination": "hpc", "path": "/far/R1/runfolder-2"}
    assert differences(would, deeds(runs=sent)) == []
    other = sent | {"path": "/far/R1/attempt-2"}
    (line,) = differences(would, deeds(runs=other))
    assert "went to hpc (/far/R1/attempt-2)" in line and "(/far/R1/runfolder-2)" in line


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (deeds(RECORD | {"files": []}), [f"{FILES[0]} was announced and not", "Undetermined"]),
        (
            deeds(RECORD | {"files": [*RECORD["files"], {"path": "x.fastq.gz"}]}),
            ["x.fastq.gz was made and not announced"],
        ),
        (
            deeds(RECORD | {"samples": [{"sample_id": "b", "lane": 1, "reads": 1}]}),
            ["sample a, lane 1 was announced", "sample b, lane 1 was made"],
        ),
        (deeds(RECORD | {"sheet_sha256": "bb"}), ["sample sheet is another"]),
        (deeds(RECORD | {"converter_version": "2"}), ["version is another"]),
        (Deeds(2, None, {"transfer": SENT}), ["attempt.json of attempt 2 cannot be read"]),
        (Deeds(2, RECORD, {}), ["the result of transfer is not known"]),
        (deeds(transfer=SENT | {"destination": "x"}), ["transfer went to x"]),
        (deeds(transfer=SENT | {"path": "/far/r1/attempt-1"}), ["announced was hpc"]),
    ],
)
def test_otherwise_than_announced(done: Deeds, words: list[str]) -> None:
    found = differences(WOULD, done)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True)), found


def test_many_differences_are_counted() -> None:
    many = [{"path": f"{n}.fastq.gz"} for n in range(9)]
    found = differences(WOULD, deeds(RECORD | {"files": [*RECORD["files"], *many]}))
    assert len(found) == 4 and found[-1].startswith("6 more")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"files": {}, "samples": []}', '{"files": [1], "samples": []}',
     '{"files": [], "samples": [{"sample_id": "a"}]}', "[" * 100_000],
)  # fmt: skip
def test_a_record_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "attempt-2").mkdir()
    (tmp_path / "attempt-2" / "attempt.json").write_text(text)
    assert read_record({"to": str(tmp_path / "attempt-1")}, 2) is None


def test_the_record_of_the_real_attempt(tmp_path: Path) -> None:
    (tmp_path / "attempt-2").mkdir()
    (tmp_path / "attempt-2" / "attempt.json").write_text(json.dumps(RECORD))
    assert read_record({"to": str(tmp_path / "attempt-1")}, 2) == RECORD
    assert read_record({"to": str(tmp_path / "attempt-1")}, 3) is None
    assert read_record({"to": "attempt-1"}, 2) is read_record({}, 2) is None
