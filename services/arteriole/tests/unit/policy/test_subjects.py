"""Of which projects and consents an attempt is."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from arteriole.policy.errors import PolicyError
from arteriole.policy.policy import Subject
from arteriole.policy.reading import read_policy
from arteriole.policy.subjects import subjects_of

SHEET = b"[Data]\nLane,Sample_ID,index,Sample_Project\n1,S1,ACGTACGT,P1\n1,S2,TTTTACGT,CLIN_1\n"
OTHER = SHEET.replace(b"CLIN_1", b"P3")
BOTH = [Subject("CLIN_1"), Subject("P1")]


class Place:
    def __init__(self, home: Path) -> None:
        self.fastq, self.run_dir, self.tables = home / "attempt-1", home / "run", home / "tables"
        self.path = home / "policy.yaml"
        for folder in (self.fastq, self.run_dir, self.tables):
            folder.mkdir()
        self.policy("")

    def policy(self, consent: str) -> None:
        rule = f"{{rule: all{consent}}}"
        self.path.write_text(f"metadata_folder: {self.tables}\nrules: [{rule}]\n")

    def record(self, **fields) -> None:
        (self.fastq / "attempt.json").write_text(json.dumps(fields))

    def made_with(self, sheet: bytes) -> None:
        self.record(sheet_sha256=hashlib.sha256(sheet).hexdigest())

    def table(self, text: str, age: float = 100.0) -> None:
        path = self.tables / "samples.csv"
        path.write_text(text)
        moment = path.stat().st_mtime - age
        os.utime(path, (moment, moment))

    def found(self) -> list[Subject]:
        return subjects_of(read_policy(self.path), self.fastq, self.run_dir)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_attempt_json_says_so(place):
    place.record(projects={"S1": ["P1"], "S2": ["CLIN_1", "P1"]})
    assert place.found() == BOTH
    place.record(projects={})
    assert place.found() == [Subject("")]


def test_else_the_sheet_that_it_was_made_with(place):
    place.made_with(SHEET)
    (place.run_dir / "SampleSheet.csv").write_bytes(SHEET)
    assert place.found() == BOTH
    (place.run_dir / "SampleSheet.csv").write_bytes(OTHER)
    with pytest.raises(PolicyError, match=r"as it was") as raised:
        place.found()
    assert raised.value.code == "policy.projects"
    (place.fastq / "SampleSheet.csv").write_bytes(SHEET)
    assert place.found() == BOTH


def test_an_attempt_to_be_made_is_of_what_the_sheet_says_now(place):
    (place.run_dir / "SampleSheet.csv").write_bytes(OTHER)
    assert place.found() == [Subject("P1"), Subject("P3")]


@pytest.mark.parametrize("text", ["[]", "{", '{"projects": 1}', ""])
def test_a_record_of_no_use(place, text):
    (place.fastq / "attempt.json").write_text(text)
    with pytest.raises(PolicyError) as raised:
        place.found()
    assert raised.value.code == "policy.projects"


COLUMNS = "sample,project,use,subject,consent,recipient,pipeline\n"


def test_consents_by_the_tables(place):
    place.record(projects={"S1": ["P1"], "S2": ["P1"], "S3": ["P1"]})
    place.table(COLUMNS + "S1,P1,clinical,X,research-only,R,bcbio\nS2,P1,research,,,,bcbio\n")
    assert place.found() == [Subject("P1")]  # no rule asks for any
    place.policy(", consent: [none]")
    assert place.found() == [Subject("P1", "research-only"), Subject("P1", "unknown")]


@pytest.mark.parametrize(
    ("text", "age", "words"),
    [
        ("what,is,this\n1,2,3\n", 100.0, "samples.csv"),
        (COLUMNS + "S1,P1,clinical,X,,R,bcbio\n", 100.0, "expected a consent"),
        (None, 0.0, "No such file"),
    ],
)
def test_tables_that_cannot_be_read_refuse(place, text, age, words):
    place.policy(", consent: [none]")
    place.record(projects={"S1": ["P1"]})
    if text is None:
        place.tables.rmdir()
    else:
        place.table(text, age)
    with pytest.raises(PolicyError, match=words) as raised:
        place.found()
    assert raised.value.code == "policy.consents"


def test_a_table_that_is_being_written_is_waited_for(place):
    place.policy(", consent: [none]")
    place.record(projects={"S1": ["P1"]})
    place.table(COLUMNS + "S1,P1,clinical,X,none,R,bcbio\n", age=0.0)
    assert place.found() == [Subject("P1", "none")]
