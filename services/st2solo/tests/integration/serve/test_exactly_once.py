"""What was accepted is acted upon once, whenever the process is killed."""

import contextlib
import signal

import pytest
import requests

#: Where `st2solo serve` kills itself: just before the call, or just after it.
_KILLED = {
    "before_the_rules": "RulesEngine.process",
    "before_the_matching": "RulesEngine._apply",
    "after_the_requests": "RulesEngine._apply after",
    "before_the_mark": "Triggers.mark",
    "before_the_execution_starts": "RulesEngine.process after",
}
_CODE = """
import os, signal
from st2solo.rules import RulesEngine
from st2solo.triggers import Triggers
owner, name = {place!r}.split()[0].split(".")
owner = globals()[owner]
real = getattr(owner, name)
def killed(self, instance, *rest):
    if instance.trigger != "demo.event":
        return real(self, instance, *rest)
    if {after}:
        real(self, instance, *rest)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
from st2solo.cli import main
main()
"""


@pytest.mark.parametrize("place", _KILLED.values(), ids=_KILLED)
def test_an_accepted_event_makes_one_execution(stopped, until, place):
    stopped.start(_CODE.format(place=place, after=place.endswith("after")))
    # It may be killed before the answer is out; the row is there all the same.
    with contextlib.suppress(requests.ConnectionError):
        stopped.dispatch("demo.event", {"n": 5})
    assert stopped.process.wait(120) == -signal.SIGKILL
    before = "processed" if place == "RulesEngine.process after" else "pending"
    event = "SELECT status FROM trigger_instances WHERE trigger = 'demo.event'"
    assert stopped.rows(event) == [(before,)]

    stopped.start()
    execution = "SELECT id, status FROM executions WHERE action_ref = 'demo.wf'"
    until(lambda: [s for _, s in stopped.rows(execution)] == ["succeeded"], "the workflow ran")
    assert stopped.rows(event) == [("processed",)]
    done = stopped.rows(
        "SELECT rule_ref, status, execution_id FROM rule_enforcements"
        " WHERE rule_ref IN ('demo.on_event', 'demo.breaks') ORDER BY rule_ref"
    )
    assert [row[:2] for row in done] == [
        ("demo.breaks", "failed"),
        ("demo.on_event", "succeeded"),
    ]
    assert done[1][2] == stopped.rows(execution)[0][0]


def test_a_burst_of_accepted_events_survives_kill_9(stopped, until):
    stopped.start()
    accepted = [
        n for n in range(1, 21) if stopped.dispatch("demo.event", {"n": n}).status_code == 202
    ]
    stopped.stop(signal.SIGKILL)
    stopped.start()
    sql = "SELECT json_extract(parameters, '$.n') FROM executions WHERE action_ref = 'demo.wf'"
    ended = sql + " AND status = 'succeeded'"
    until(lambda: len(stopped.rows(ended)) >= len(accepted), "all workflows ran")
    assert sorted(n for (n,) in stopped.rows(sql)) == accepted
