"""What is collected by age, and what is not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from st2solo.collector import Collector, Keep
from st2solo.installed_packs import InstalledPacks
from st2solo.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    yield store
    store.close()


def _moment(days):
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _execution(store, name, *, ended=None, parent=None, workflow=False):
    status = "running" if ended is None else "succeeded"
    store.execute(
        "INSERT INTO executions (id, action_ref, runner, status, user, parent, parameters, context,"
        " result, log, action, start_timestamp, end_timestamp) VALUES (?, 'a.b', 'noop', ?, 'u', ?,"
        " '{}', '{}', '{}', '[]', ?, ?, ?)",
        (
            name,
            status,
            parent,
            json.dumps({"ref": "a.b"}),
            _moment((ended or 0) + 1),
            None if ended is None else _moment(ended),
        ),
    )
    if workflow:
        store.execute(
            "INSERT INTO workflows VALUES (?, ?, 's', '{}', '{}', 1, NULL)", (f"w{name}", name)
        )
        store.execute(
            "INSERT INTO workflow_tasks VALUES (?, ?, 't', 0, 's', NULL, NULL, 'x', 'x')",
            (f"t{name}", f"w{name}"),
        )


def _instance(store, name, days, status="processed"):
    store.execute(
        "INSERT INTO trigger_instances VALUES (?, 'a.t', '{}', ?, ?, NULL)",
        (name, _moment(days), status),
    )
    store.execute(
        "INSERT INTO rule_enforcements VALUES (?, ?, 'r', 'a.r', NULL, NULL, 'succeeded', ?)",
        (f"e{name}", name, _moment(days)),
    )


def _ids(store, table):
    return sorted(row["id"] for row in store.execute(f"SELECT id FROM {table}"))


def _collect(store, **keep):
    installed = InstalledPacks(store, store.path.parent / "installed")
    collector = Collector(store, Keep(**keep), installed)
    slices = 0
    while collector.collect_some():
        slices += 1
    return slices


def test_old_executions_go_with_all_that_they_led_to(store):
    _execution(store, "old", ended=11, workflow=True)
    _execution(store, "child", ended=12, parent="old", workflow=True)
    _execution(store, "grandchild", ended=12, parent="child")
    _execution(store, "young", ended=9, workflow=True)
    _execution(store, "its old child", ended=20, parent="young")
    _execution(store, "open", workflow=True)
    _collect(store, executions_days=10)
    assert _ids(store, "executions") == ["its old child", "open", "young"]
    assert _ids(store, "workflows") == ["wopen", "wyoung"]
    assert _ids(store, "workflow_tasks") == ["topen", "tyoung"]


def test_old_trigger_instances_go_with_their_enforcements_unless_they_wait(store):
    _instance(store, "old", 11)
    _instance(store, "failed", 11, "processing_failed")
    _instance(store, "young", 9)
    _instance(store, "waits", 11, "pending")
    _collect(store, trigger_instances_days=10)
    assert _ids(store, "trigger_instances") == ["waits", "young"]
    assert _ids(store, "rule_enforcements") == ["ewaits", "eyoung"]


def test_expired_keys_go(store):
    sql = "INSERT INTO keys VALUES (?, 'system', '', ?, 'v', 0, NULL, ?)"
    for name, expires in (("old", _moment(0.001)), ("young", _moment(-1)), ("lasting", None)):
        store.execute(sql, (name, name, expires))
    _collect(store, executions_days=None, trigger_instances_days=None)
    assert _ids(store, "keys") == ["lasting", "young"]


def test_for_ever(store):
    _execution(store, "old", ended=1000)
    _instance(store, "old", 1000)
    assert _collect(store, executions_days=None, trigger_instances_days=None) == 0
    assert _ids(store, "executions") == _ids(store, "trigger_instances") == ["old"]


def test_many_go_in_slices(store):
    for number in range(120):
        _execution(store, f"{number:03}", ended=100)
    assert _collect(store) == 3
    assert _ids(store, "executions") == []


@pytest.mark.parametrize(
    ("executions", "instances", "seconds"),
    [(90, 30, 3600), (None, None, 3600), (1, None, 3600), (0.01, 30, 86.4), (90, 0.001, 8.64)],
)
def test_it_looks_often_enough_for_what_is_kept_shortest(executions, instances, seconds):
    keep = Keep(executions_days=executions, trigger_instances_days=instances)
    assert keep.pause_seconds == pytest.approx(seconds)


def test_parts_of_a_day(store):
    _execution(store, "old", ended=0.02)
    _execution(store, "young", ended=0.005)
    _collect(store, executions_days=0.01)
    assert _ids(store, "executions") == ["young"]
