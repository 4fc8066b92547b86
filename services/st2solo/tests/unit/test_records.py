"""What of executions is read for a list, and what is left out of it."""

import json

import pytest

from st2solo.records import LARGE, Records
from st2solo.room import Room
from st2solo.store import Store

_TEXT = json.dumps({"x": "y" * 92})  # 101 bytes


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    for name in "abc":
        store.execute(
            "INSERT INTO executions (id, action_ref, runner, status, user, parameters, context,"
            " result, log, action, trigger_instance, start_timestamp) VALUES"
            " (?, 'a.b', 'noop', 'running', 'u', ?, ?, ?, '[]', '{\"ref\": \"a.b\"}', ?, 't')",
            (name, _TEXT, _TEXT, _TEXT, _TEXT),
        )
    yield store
    store.close()


@pytest.mark.parametrize(
    ("most", "unwanted", "there"),
    [
        (12 * len(_TEXT), (), [LARGE, LARGE, LARGE]),
        (12 * len(_TEXT) - 1, (), [LARGE, LARGE, LARGE[:3]]),
        (5 * len(_TEXT), (), [LARGE, LARGE[:1], ()]),
        (5 * len(_TEXT), LARGE[1:], [LARGE[:1]] * 3),
        (0, (), [(), (), ()]),
    ],
)
def test_what_does_not_fit_is_left_out(store, most, unwanted, there):
    records = Records(store)
    found = records.fitting("abc", Room(most), unwanted=unwanted)
    documents = [records.document(execution) for execution in found]
    assert [tuple(n for n in LARGE if n in document) for document in documents] == there
    assert [(e.id, e.result_size) for e in found] == [(name, len(_TEXT)) for name in "abc"]
    shown = {
        json.dumps(document[name]) for document in documents for name in document.keys() & LARGE
    }
    assert shown <= {_TEXT}
