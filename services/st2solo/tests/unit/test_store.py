"""The store on a full disk."""

import sqlite3

import pytest

from st2solo.store import Store


def test_a_full_store_refuses_and_goes_on_when_there_is_room(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    insert = "INSERT INTO timers (trigger, due) VALUES (?, ?)"
    pages = store.execute("PRAGMA page_count").fetchone()[0]
    store.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"), store.transaction():
            store.execute(insert, ("a", "x" * 200_000))
    store.execute(f"PRAGMA max_page_count = {pages + 1000}")
    with store.transaction():
        store.execute(insert, ("b", "due"))
    assert [row["trigger"] for row in store.execute("SELECT trigger FROM timers")] == ["b"]
    store.close()
