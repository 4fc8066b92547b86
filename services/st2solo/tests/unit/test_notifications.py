"""What is notified when an execution ends.

Source of the cases: st2actions/notifier/notifier.py of StackStorm 3.9.
"""

import json

import pytest

from st2solo import notifications
from st2solo.testing import MemoryKeys

_EXECUTION = {
    "id": "e1",
    "action": {"ref": "demo.act", "runner_type": "noop"},
    "parameters": {"run": "R1"},
    "context": {"user": "ann"},
    "result": {"n": 1},
    "start_timestamp": "then",
    "end_timestamp": "now",
}
_ALL = {
    "on-complete": {"routes": ["all"]},
    "on-success": {"routes": ["good"]},
    "on-failure": {"routes": ["bad"]},
}


def _told(status, notify):
    execution = {**_EXECUTION, "status": status, "liveaction": {"notify": notify}}
    return list(notifications.payloads(execution, MemoryKeys(site="north"), "stanley"))


@pytest.mark.parametrize(
    ("status", "notify", "told"),
    [
        ("succeeded", _ALL, [("all", "completed"), ("good", "succeeded")]),
        ("failed", _ALL, [("all", "completed"), ("bad", "failed")]),
        ("timeout", _ALL, [("all", "completed"), ("bad", "failed")]),
        ("abandoned", _ALL, [("all", "completed"), ("bad", "failed")]),
        ("canceled", _ALL, [("all", "completed")]),
        (
            "succeeded",
            {"on-success": {"routes": ["a", "b"]}},
            [("a", "succeeded"), ("b", "succeeded")],
        ),
        ("succeeded", {"on-success": {"channels": ["c"]}}, [("c", "succeeded")]),
        ("succeeded", {"on-success": {"message": "m"}}, []),
        ("succeeded", {"on-failure": {"routes": ["a"]}}, []),
        ("succeeded", {}, []),
        ("succeeded", None, []),
    ],
)
def test_which_routes(status, notify, told):
    found = _told(status, notify)
    assert [(one["route"], one["message"]) for one in found] == [
        (route, f"Action demo.act {verb}.") for route, verb in told
    ]
    assert all(one["channel"] == one["route"] for one in found)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("plain", "plain"),
        ("{{ action_parameters.run }}", "R1"),
        ("{{ action_context.user }}", "ann"),
        ("{{ action_results.n + 1 }}", "2"),
        ("{{ st2kv.system.site }}", "north"),
        ("{{ nothing }}", "{{ nothing }}"),
        ("{{ broken", "{{ broken"),
        ("{{ ''.__class__ }}", "{{ ''.__class__ }}"),
    ],
)
def test_messages_and_data_are_rendered(text, rendered):
    notify = {"on-complete": {"routes": ["a"], "message": text, "data": {"x": text}}}
    (payload,) = _told("succeeded", notify)
    assert payload["message"] == rendered
    assert payload["data"] == {"x": rendered, "result": json.dumps({"n": 1})}


def test_what_else_it_tells():
    (payload,) = _told("succeeded", {"on-complete": {"routes": ["a"]}})
    told = {k: payload[k] for k in ("execution_id", "status", "action_ref", "runner_ref")}
    assert told == {
        "execution_id": "e1",
        "status": "succeeded",
        "action_ref": "demo.act",
        "runner_ref": "noop",
    }
    assert (payload["start_timestamp"], payload["end_timestamp"]) == ("then", "now")
