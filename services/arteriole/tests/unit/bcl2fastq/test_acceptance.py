"""Whose word makes a proposed sheet the run's."""

from typing import Any

import pytest

from arteriole.app.auth import Identity, Role
from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.indexes.acceptance import Acceptance, needs_second, require_second
from arteriole.illumina.sample_sheet import parse
from arteriole.jobs.jobs import Job, JobState

FIRST = Acceptance("5" * 64, 7, "indexes.reversed_i5", "ada", "2026-01-15T10:00:00", "r", False)
SHEET = b"[Data]\nSample_ID,Sample_Project,index\nA,CLIN_1,ACGT\nB,research,TGCA\n"


@pytest.mark.parametrize(
    ("setting", "needed"),
    [
        (False, False),
        (True, True),
        ([], False),
        (["research"], True),
        (["CLIN_[0-9]+"], True),
        (["CLIN"], False),  # of the whole name
        (["clin_1"], False),
    ],
)
def test_of_which_projects_two_people_are_asked(setting: list[str] | bool, needed: bool) -> None:
    assert needs_second(setting, parse(SHEET)) is needed


def person(name: str, **more: Any) -> Identity:
    return Identity(name, Role.OPERATOR, **more)


@pytest.mark.parametrize(
    ("first", "who", "found"),
    [
        ("", person("ada"), False),
        ("ada", person("grace"), True),
        ("ada", person("packs/chat:grace"), True),
        ("packs/chat:ada", person("packs/chat:grace"), True),
        ("ada", person("ada"), "indexes.same_person"),
        ("ada", person("packs/chat:ada"), "indexes.same_person"),
        ("packs/chat:ada", person("ada"), "indexes.same_person"),
        ("", person("packs", is_person=False), "indexes.not_a_person"),
        ("ada", person("local", is_person=False), "indexes.not_a_person"),
        ("admin", person("ada"), False),  # a word that an earlier version took
        ("packs", person("ada"), False),
    ],
)
def test_the_second_is_another_person(first: str, who: Identity, found: bool | str) -> None:
    word = Acceptance(**{**vars(FIRST), "by": first}) if first else None
    if isinstance(found, bool):
        assert require_second(word, who, "r1") is found
        return
    with pytest.raises(ArterioleError) as refused:
        require_second(word, who, "r1")
    assert refused.value.code == found
    assert "arteriole indexes r1 --accept --reason TEXT" in refused.value.hint


def comparison(job_id: int, proposed: str | None, state: JobState = JobState.DONE) -> Job:
    unset: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    known = {"job_id": job_id, "state": state, "result": {"proposal_sha256": proposed}}
    return Job(**{**unset, **known})


@pytest.mark.parametrize(
    ("later", "is_void"),
    [
        ([], False),
        ([comparison(7, FIRST.sha256), comparison(6, "6" * 64)], False),
        ([comparison(8, FIRST.sha256)], False),
        ([comparison(8, None, JobState.STARTED)], False),
        ([comparison(8, None, JobState.ERROR)], False),
        ([comparison(8, "6" * 64)], True),
        ([comparison(8, None)], True),  # the sheet was mended meanwhile
        ([comparison(9, FIRST.sha256), comparison(8, "6" * 64)], True),
    ],
)
def test_a_first_word_is_of_the_sheet_that_was_proposed(later: list[Job], is_void: bool) -> None:
    assert FIRST.is_void(later) is is_void
    assert not Acceptance(**{**vars(FIRST), "complete": True}).is_void(later)
