"""How far the stores had come: what a store from a backup does not know any more."""

import json
from pathlib import Path

import pytest

from arteriole.archive.clean.mark import NAME, Mark

EARLY, LATER, MUCH_LATER = (f"2026-11-26T10:0{n}:00.000Z" for n in (0, 1, 5))


@pytest.fixture
def mark(tmp_path: Path) -> Mark:
    return Mark(tmp_path)


@pytest.mark.parametrize(
    ("cursor", "then", "lost"),
    [
        ("e1-7", EARLY, False),
        ("e1-8", EARLY, False),
        ("e1-6", "", True),  # an older backup
        ("e2-9", "", True),  # another store
        ("e1-8", LATER, True),  # an older backup that has gone on: event 7 is another one
        ("e1-8", "", True),
    ],
)
def test_our_own_store(mark, cursor, then, lost):
    mark.raise_own("e1-7", EARLY, "")
    mark.raise_own(cursor, MUCH_LATER, then)
    assert bool(mark.lost()) is lost
    if lost:
        assert mark.lost() == ["the store of archive had come to e1-7, and lost that"]
        mark.raise_own("e1-9", MUCH_LATER, EARLY)
        assert mark.lost(), "it stays so"


@pytest.mark.parametrize(
    ("cursor", "time", "lost", "known"),
    [
        ("e1-8", EARLY, False, "e1-8"),
        ("e1-6", EARLY, False, "e1-7"),  # a word that was overtaken
        ("e1-6", LATER, False, "e1-7"),
        ("e1-6", MUCH_LATER, True, "e1-7"),
        ("e2-9", MUCH_LATER, True, "e1-7"),
    ],
)
def test_the_store_of_runs(mark, cursor, time, lost, known):
    mark.raise_runs("e1-7", EARLY)
    mark.raise_runs(cursor, time)
    assert bool(mark.lost()) is lost
    assert mark.read()["runfolder"]["cursor"] == known


def test_a_mark_that_a_person_removed_begins_anew(mark, tmp_path):
    mark.raise_own("e1-7", EARLY, "")
    mark.raise_own("e1-6", LATER, "")
    (tmp_path / NAME).unlink()
    mark.raise_own("e1-6", LATER, "")
    assert mark.lost() == [] and json.loads((tmp_path / NAME).read_text())
