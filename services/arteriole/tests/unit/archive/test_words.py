"""Whose words take data away."""

from pathlib import Path

import pytest

from arteriole.app.auth import Identity, Role
from arteriole.app.store import Store
from arteriole.archive.clean.words import SAID, Words
from arteriole.jobs.queue import JobQueue


@pytest.mark.parametrize(
    ("before", "people"),
    [
        ("", ()),
        ("bob", ("bob", "ada")),
        ("admin", ()),  # a word that an earlier version took
        ("packs", ()),
        ("packs/chat:bob", ("packs/chat:bob", "ada")),
    ],
)
def test_a_word_that_was_nobodys_is_no_first_one(
    tmp_path: Path, before: str, people: tuple[str, ...]
) -> None:
    store = Store(tmp_path / "jobs.sqlite", "arteriole.jobs.sql")
    events = JobQueue(store, "archive").events
    if before:
        with store.transaction():
            said = {"about": "this", "reason": "old", "complete": False}
            events.append(SAID, who=before, run="r1", attempt=1, **said)
    ada = Identity("ada", Role.OPERATOR)
    assert Words(store, events).say("r1", 1, "this", "old", ada, both=True) == people
    store.close()
