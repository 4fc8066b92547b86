"""The store: migrations, transactions, and files that it must not touch."""

import sqlite3

import pytest

from arteriole.app.store import Store, StoreBusyError, StoreError

SCHEMA = "arteriole.runfolder.sql"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "runs.sqlite"


@pytest.fixture
def store(path):
    store = Store(path, SCHEMA)
    yield store
    store.close()


def note(store, who):
    store.execute(
        "INSERT INTO event (time, who, what, payload) VALUES ('', ?, 'x', '{}')",
        (who,),
    )


def written(store):
    return [row["who"] for row in store.rows("SELECT who FROM event ORDER BY id")]


def test_a_store_opened_again_is_the_same(path, store):
    note(store, "a")
    again = Store(path, SCHEMA)
    assert again.epoch == store.epoch
    assert written(again) == ["a"]
    again.close()


def test_two_stores_have_two_epochs(tmp_path, store):
    other = Store(tmp_path / "other.sqlite", SCHEMA)
    assert other.epoch != store.epoch
    other.close()


def test_only_the_owner_reads_it(store):
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_a_newer_schema_is_refused_and_left_alone(path):
    Store(path, SCHEMA).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer arteriole \(schema 99, this one knows \d+\)") as e:
        Store(path, SCHEMA)
    assert e.value.hint
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"runs\.sqlite"):
        Store(path, SCHEMA)
    assert path.read_bytes() == before


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(ZeroDivisionError), store.transaction():
        note(store, "a")
        with store.transaction():
            note(store, "b")
        assert store.in_transaction
        raise ZeroDivisionError
    assert not store.in_transaction
    assert written(store) == []
    with store.transaction(), store.transaction():
        note(store, "c")
    assert written(store) == ["c"]


def test_an_inner_failure_that_is_caught_does_not_end_the_outer_transaction(store):
    with store.transaction():
        note(store, "a")
        with pytest.raises(ZeroDivisionError), store.transaction():
            raise ZeroDivisionError
        assert store.in_transaction
        note(store, "b")
    assert written(store) == ["a", "b"]


def test_a_full_disk_changes_nothing_and_is_told_and_passes(store):
    """SQLite's own limit of pages fails as a full disk does, with SQLITE_FULL."""
    pages = store.row("PRAGMA page_count")[0]
    store.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        told = pytest.raises(StoreBusyError, match=r"runs\.sqlite cannot be written.* full")
        with told as error, store.transaction():
            for _ in range(100):
                note(store, "x" * 10_000)
        assert error.value.status == 503 and "make room" in error.value.hint
        assert not store.in_transaction
        assert written(store) == []
    store.execute("PRAGMA max_page_count = 100000")
    with store.transaction():
        note(store, "a")
    assert written(store) == ["a"]


def test_a_mistake_in_a_statement_is_not_taken_for_a_full_disk(store):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), store.transaction():
        store.execute("INSERT INTO nowhere VALUES (1)")
    assert not store.in_transaction
