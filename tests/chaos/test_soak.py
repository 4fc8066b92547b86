"""A soak of seconds; `make storm` makes the one of an hour."""

import copy
import dataclasses
import random

import pytest

from tests.chaos.plan import Soak
from tests.chaos.sampled import Sample
from tests.chaos.soak import Executed, Seen, Soaking
from tests.chaos.soak_verdict import figures, problems

SOAK = Soak(minutes=0.1, sensors=2, rules=20, rate=10)
_MIB = 2**20


def _flat(minutes: int) -> list[Sample]:
    """Samples of an st2solo whose caches have filled after a tenth of the time."""
    chance = random.Random(1)
    found = []
    for number in range(minutes * 6):
        full = min(1.0, number / (minutes * 0.6))
        found.append(
            Sample(
                seconds=10.0 * (number + 1),
                memory=int((60 + 20 * full + chance.random()) * _MIB),
                fork_server_memory=12 * _MIB,
                sensors_memory=70 * _MIB,
                descriptors=30 + chance.randrange(3),
                threads=1,
                store=int(40 * full * _MIB),
                rows=int(4000 * full),
            )
        )
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What was seen in a soak of seconds, with the samples of one that is long and good."""
    seen = Soaking(tmp_path_factory.mktemp("soak"), SOAK).run()
    assert seen.samples[-1].memory > seen.samples[-1].fork_server_memory > 0
    assert seen.samples[-1].sensors_memory > 0 < seen.samples[-1].rows
    seen.samples = _flat(60)
    return seen


@pytest.mark.timeout(300)
def test_each_event_is_answered_once_by_each_rule_that_it_matches(seen):
    assert problems(SOAK, seen) == []
    told = figures(SOAK, seen)
    assert told["events"] == told["trigger_instances"] > SOAK.rules
    assert told["enforcements"] == 2 * told["events"]
    by_action = told["executions_by_action"]
    tasks = 2 * by_action["soak.chain"]
    assert told["executions"] == sum(by_action.values()) == told["enforcements"] + tasks
    assert told["memory_growth_percent"] < 5


def _any(seen: Seen, action: str) -> str:
    """The execution of a rule."""
    return next(
        name for name, one in seen.executions.items() if one.action == action and one.parent is None
    )


def _change(seen: Seen, name: str, **more: object) -> None:
    seen.executions[name] = dataclasses.replace(seen.executions[name], **more)


def _event_lost(seen: Seen) -> None:
    seen.instances.pop(next(iter(seen.instances)))


def _event_doubled(seen: Seen) -> None:
    seen.instances["again"] = next(iter(seen.instances.values()))


def _answer_lost(seen: Seen) -> None:
    seen.enforcements.pop(next(iter(seen.enforcements)))


def _answer_doubled(seen: Seen) -> None:
    seen.enforcements["again"] = next(iter(seen.enforcements.values()))


def _answer_failed(seen: Seen) -> None:
    name, one = next(iter(seen.enforcements.items()))
    seen.enforcements[name] = dataclasses.replace(one, execution=None, failure="no room")


def _execution_doubled(seen: Seen) -> None:
    seen.executions["again"] = seen.executions[_any(seen, "soak.step")]


def _execution_of_another(seen: Seen) -> None:
    one, other = _any(seen, "soak.step"), _any(seen, "core.noop")
    _change(seen, one, instance=seen.executions[other].instance, rule="soak.on_0_0")


def _failed(seen: Seen) -> None:
    _change(seen, _any(seen, "core.noop"), status="failed")


def _open(seen: Seen) -> None:
    seen.still_open.add("x")


def _task_lost(seen: Seen) -> None:
    task = next(name for name, one in seen.executions.items() if one.parent)
    seen.executions.pop(task)


def _task_astray(seen: Seen) -> None:
    seen.executions["x"] = Executed("core.noop", "succeeded", "nobody", None, None, 0.0)


def _left(seen: Seen) -> None:
    seen.left.append("work/x")


def _grow(seen: Seen, name: str, by: float) -> None:
    """Let something grow by this part of it, evenly."""
    last = len(seen.samples) - 1
    seen.samples = [
        dataclasses.replace(one, **{name: int(getattr(one, name) * (1 + by * number / last))})
        for number, one in enumerate(seen.samples)
    ]


def _leak(seen: Seen) -> None:
    _grow(seen, "memory", 0.15)


def _leak_of_sensors(seen: Seen) -> None:
    _grow(seen, "sensors_memory", 0.15)


def _leak_of_descriptors(seen: Seen) -> None:
    _grow(seen, "descriptors", 1.0)


def _never_collected(seen: Seen) -> None:
    _grow(seen, "rows", 1.0)


def _store_without_bounds(seen: Seen) -> None:
    _grow(seen, "store", 1.0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_event_lost, "was taken 1 times, and has 0 trigger instances"),
        (_event_doubled, "was taken 1 times, and has 2 trigger instances"),
        (_answer_lost, "expected one answer each of"),
        (_answer_doubled, "is the execution of 2 enforcements"),
        (_answer_failed, "has no execution: no room"),
        (_execution_doubled, "is the execution of 0 enforcements"),
        (_execution_of_another, "has another's execution"),
        (_failed, "is failed"),
        (_open, "x is still open"),
        (_task_lost, "expected 2 tasks of soak.chain"),
        (_task_astray, "a task of no workflow that is known: nobody"),
        (_left, "left behind: work/x"),
        (_leak, "memory grew by 1"),
        (_leak_of_sensors, "sensors_memory grew by 1"),
        (_leak_of_descriptors, "descriptors grew from"),
        (_never_collected, "rows grew from"),
        (_store_without_bounds, "store grew from"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_the_verdict_sees(harm, told, seen):
    seen = copy.deepcopy(seen)
    harm(seen)
    assert any(told in problem for problem in problems(SOAK, seen))


@pytest.mark.timeout(300)
def test_the_verdict_sees_that_answers_come_later_and_later(seen):
    seen, minutes = copy.deepcopy(seen), 40
    soak = dataclasses.replace(SOAK, minutes=minutes)
    for number, (instance, (event, _)) in enumerate(seen.instances.items()):
        part = number / len(seen.instances)
        sent = seen.began + 60 * minutes * part
        seen.instances[instance] = event, sent
        for name, one in list(seen.executions.items()):
            if one.instance == instance:
                _change(seen, name, ended=sent + 1 + 3 * part)
    (problem,) = problems(soak, seen)
    assert problem.startswith("the p99 rose from")


def test_rules_are_shared_out_evenly():
    with pytest.raises(ValueError, match="expected 2 rules or more for each of 3 sensors"):
        Soak(minutes=1, sensors=3, rules=20, rate=1)
    with pytest.raises(ValueError, match="found 3 in all"):
        Soak(minutes=1, sensors=3, rules=3, rate=1)
