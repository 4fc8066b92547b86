"""A store of the version before: its rows are kept, and its holds are holds."""

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from arteriole.app.mode import Mode
from arteriole.app.store import Store
from arteriole.runfolder.directories import Directories, Location
from arteriole.runfolder.records import Hold, Scope
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.states import RunState

from .conftest import Desk

FIRST = "2026-11-01T10:00:00.000Z"
CLAIMED = "2026-11-02T10:00:00.000Z"
REDONE = "2026-11-03T10:00:00.000Z"
HELD = "2026-11-04T10:00:00.000Z"


@pytest.fixture
def old(tmp_path):
    """Version 1, with a run that is not claimed and one in its second attempt, both held."""
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as db:
        schema = resources.files("arteriole.runfolder.sql") / "001_runs.sql"
        db.executescript(f"{schema.read_text()}; PRAGMA user_version = 1;")
        db.execute("INSERT INTO store VALUES ('epoch0', ?)", (FIRST,))
        run = "INSERT INTO run (id, name, path, first_seen, adopted, verdict, verdict_since, attempt, plan, claimed_by, claimed, held) VALUES (?, ?, ?, ?, 1, 'complete', ?, ?, ?, ?, ?, ?)"  # noqa: E501
        plan = '{"stages": {"receive": {}, "convert": {"makes_attempt": true}}}'
        for row in (
            (1, "early", "/data/early", FIRST, FIRST, 0, "{}", None, None, "no event tells"),
            (2, "late", "/data/late", FIRST, FIRST, 2, plan, "ex1", CLAIMED, "in doubt"),
            (3, "free", "/data/free", FIRST, FIRST, 1, plan, "ex2", CLAIMED, None),
        ):
            db.execute(run, row)
        stage = "INSERT INTO stage (run, stage, attempt, position, after, time_limit, state) VALUES (?, ?, ?, ?, '[]', 60, ?)"  # noqa: E501
        for row in (
            (2, "receive", 1, 0, "done"),
            (2, "convert", 1, 1, "done"),
            (2, "receive", 2, 0, "done"),
            (2, "convert", 2, 1, "waiting"),
            (3, "receive", 1, 0, "done"),
            (3, "convert", 1, 1, "done"),
        ):
            db.execute(stage, row)
        event = "INSERT INTO event (time, who, what, run, attempt, payload) VALUES (?, ?, ?, ?, ?, '{}')"  # noqa: E501
        for row in (
            (CLAIMED, "packs", "claimed", "late", 1),
            (REDONE, "ada", "stage_ready", "late", 2),
            (FIRST, "bob", "held", "late", None),
            (HELD, "ada", "held", "late", None),
        ):
            db.execute(event, row)
    db.close()
    store = Store(path, "arteriole.runfolder.sql")
    yield Desk(store, mode=Mode.ACT)
    store.close()


def test_its_holds_are_holds(old):
    assert {hold.name: hold for hold in old.runs.holds()} == {
        "early": Hold(Scope.RUN, "early", "no event tells", "unknown", FIRST),
        "late": Hold(Scope.RUN, "late", "in doubt", "ada", HELD),
    }
    assert old.runs.get("early").state is RunState.PENDING
    old.free("run", "early")
    old.free("run", "late")
    assert old.told("run_ready", "stage_ready")[-2:] == [
        ("run_ready", None, None),
        ("stage_ready", "convert", 2),
    ]


def test_its_attempts_are_real_ones(old):
    late = old.runs.get("late")
    assert [(one.attempt, one.made, one.observed, one.degraded) for one in late.attempts] == [
        (1, CLAIMED, False, False),
        (2, REDONE, False, False),
    ]
    free = old.runs.get("free")
    assert [(one.attempt, one.made) for one in free.attempts] == [(1, CLAIMED)]
    assert free.state is RunState.DONE
    assert old.attempts.redo("free", "convert", "", "ada") == 2


def test_it_is_opened_again_as_it_is(old):
    before = Runs(old.store).all()
    again = Store(old.store.path, "arteriole.runfolder.sql")
    assert Runs(again).all() == before
    again.close()


#: The directory of the old store's runs, and one in which none was ever seen.
KNOWN, UNKNOWN = Path("/data"), Path("/other")
HERE, THERE = Location("/srv/data", "12"), Location("/srv/moved", "34")


def test_a_directory_with_runs_was_scanned_and_of_another_it_is_not_known(old):
    directories = Directories(old.store, [KNOWN, UNKNOWN])
    assert directories.is_scanned(KNOWN, HERE)
    assert not directories.is_scanned(UNKNOWN, HERE)
    assert not directories.note_scan(KNOWN, HERE, is_empty=True)
    assert directories.is_scanned(KNOWN, Location("/srv/data", "13"))  # it is away just now
    assert not directories.is_scanned(KNOWN, THERE)


def test_nothing_was_scanned_where_the_first_scan_was_not_over(tmp_path):
    path = tmp_path / "early.sqlite"
    with closing(sqlite3.connect(path)) as db:
        schema = resources.files("arteriole.runfolder.sql") / "001_runs.sql"
        db.executescript(f"{schema.read_text()}; PRAGMA user_version = 1;")
        db.execute("INSERT INTO store VALUES ('epoch0', NULL)")
        db.execute(
            "INSERT INTO run (name, path, first_seen, adopted, verdict, verdict_since)"
            " VALUES ('early', '/data/early', ?, 0, 'complete', ?)",
            (FIRST, FIRST),
        )
        db.commit()
    with closing(Store(path, "arteriole.runfolder.sql")) as store:
        assert not Directories(store, [KNOWN]).is_scanned(KNOWN, HERE)
