"""Timers of a real `st2solo serve`, through rules."""

import signal
from datetime import datetime

import pytest

_RULE = (
    "name: each_second\nenabled: true\n"
    "trigger: {{type: core.st2.CronTimer, parameters: {{second: '*', timezone: {zone}}}}}\n"
    "action: {{ref: core.noop, parameters: {{at: '{{{{trigger.executed_at}}}}'}}}}\n"
)
_TICKS = (
    "SELECT json_extract(payload, '$.executed_at') AS at FROM trigger_instances"
    " WHERE at IS NOT NULL ORDER BY occurrence_time"
)
_EXECUTIONS = (
    "SELECT count(*) FROM rule_enforcements WHERE rule_ref = 'demo.each_second'"
    " AND status = 'succeeded'"
)
_DIES_IN_A_TICK = """
import os, signal
from st2solo.{module} import {owner}
real = {owner}.{name}
def killed(self, *arguments, **more):
    done = real(self, *arguments, **more)
    ticks = "SELECT count(*) FROM trigger_instances WHERE trace_tag LIKE 'st2.CronTimer-%'"
    ticks += " AND payload LIKE '%executed_at%'"
    if self._store.execute(ticks).fetchone()[0] == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
{owner}.{name} = killed
from st2solo.cli import main
main()
"""


@pytest.fixture
def each_second(stopped):
    """A server with a rule on a CronTimer that fires every second; not started yet."""
    rule = stopped.folder / "packs/demo/rules/each_second.yaml"
    rule.write_text(_RULE.format(zone="Europe/Stockholm"))
    return stopped


def _moments(served):
    return [datetime.fromisoformat(moment) for (moment,) in served.rows(_TICKS)]


def _require_each_once(moments):
    """A tick belongs to a full second; two in one second would be one tick twice."""
    seconds = [moment.replace(microsecond=0) for moment in moments]
    assert seconds == sorted(set(seconds))


def test_a_cron_timer_fires_through_a_rule(each_second, until):
    each_second.start()
    until(lambda: each_second.rows(_EXECUTIONS)[0][0] >= 3, "three executions")
    _require_each_once(_moments(each_second))
    [execution] = each_second.get("/executions?limit=1&action=core.noop")
    assert set(execution["parameters"]) == {"at"}


@pytest.mark.parametrize(
    ("module", "owner", "name"),
    [("triggers", "Triggers", "emit"), ("timers", "Timers", "_set"), ("timers", "Timers", "_tick")],
    ids=["before the due time is moved", "before the end of the transaction", "after it"],
)
def test_a_kill_in_a_tick_neither_loses_nor_doubles_it(module, owner, name, each_second, until):
    each_second.start(_DIES_IN_A_TICK.format(module=module, owner=owner, name=name))
    assert each_second.process.wait(120) == -signal.SIGKILL
    before = _moments(each_second)
    [(due,)] = each_second.rows("SELECT due FROM timers")
    # What is written and when it is due next agree: the tick is either in both or in neither.
    assert len(before) == (3 if name == "_tick" else 2)
    assert before[-1] < datetime.fromisoformat(due)
    each_second.start()
    until(lambda: len(_moments(each_second)) >= len(before) + 2, "it ticks on")
    after = _moments(each_second)
    assert after[: len(before)] == before
    _require_each_once(after)


def test_timers_are_listed_while_a_rule_uses_them(each_second, until):
    each_second.start()
    path = "/timers/?timer_type=core.st2.CronTimer"
    [timer] = each_second.get(path)
    assert timer["type"] == "core.st2.CronTimer"
    assert timer["parameters"] == {"second": "*", "timezone": "Europe/Stockholm"}
    assert each_second.get(f"/timers/{timer['ref']}") == timer
    assert each_second.get("/timers/?timer_type=core.st2.DateTimer") == []
    wanted = ("--timer-type", "core.st2.CronTimer", "-a", "ref")
    each_second.st2("login", "alice", "-p", "sesame")
    assert timer["ref"] in each_second.st2("timer", "list", *wanted)
    refused = each_second.call("GET", "/timers/?timer_type=core.st2.Sundial")
    assert refused.status_code == 400
    assert "not in supported types" in refused.json()["faultstring"]
    rule = each_second.get("/rules/demo.each_second")
    assert each_second.call("DELETE", f"/rules/{rule['id']}").status_code == 204
    assert each_second.get(path) == []
    assert each_second.rows("SELECT * FROM timers") == []


def test_a_disabled_rule_s_timer_begins_anew(each_second, until):
    each_second.start()
    until(lambda: len(_moments(each_second)) >= 1, "it ticks")
    rule = each_second.get("/rules/demo.each_second")

    def enable(enabled):
        body = {name: value for name, value in rule.items() if name != "ref"}
        body["enabled"] = enabled
        reply = each_second.call("PUT", f"/rules/{rule['id']}", json=body)
        assert reply.status_code == 200, reply.text

    enable(False)
    assert each_second.rows("SELECT * FROM timers") == []
    ticks = len(_moments(each_second))
    enable(True)
    until(lambda: len(_moments(each_second)) > ticks, "it ticks again")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        # StackStorm test_rules.py: test_post_invalid_crontimer_trigger_parameters and before it
        ({"day_of_week": 1000}, "1000 is greater than the maximum of 6"),
        ({"day_of_week": "abcdef"}, 'Invalid weekday name "abcdef"'),
        ({"day_of_week": "a-1"}, 'Invalid weekday name "a"'),
        ({"minutex": 0}, "Additional properties are not allowed ('minutex' was unexpected)"),
        ({"hour": [1]}, "[1] is not valid under any of the given schemas"),
        ({"hour": 1, "timezone": "No/Zone"}, "there is no time zone 'No/Zone'"),
    ],
)
def test_a_wrong_cron_timer_is_refused(serve, parameters, told):
    trigger = {"type": "core.st2.CronTimer", "parameters": parameters}
    body = {"name": "wrong", "trigger": trigger, "action": {"ref": "core.noop"}}
    reply = serve.call("POST", "/rules", json=body)
    assert reply.status_code == 400
    assert told in reply.json()["faultstring"]
