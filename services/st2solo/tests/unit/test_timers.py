"""Ticks of timers: each once, over restarts and clocks that are set."""

from datetime import UTC, datetime, timedelta

import pytest

from st2solo import moments
from st2solo.resources import Kind, Resource, Resources
from st2solo.schedules import CRON_TIMER, DATE_TIMER, INTERVAL_TIMER
from st2solo.store import Store
from st2solo.timers import Timers
from st2solo.triggers import Triggers


class Clockwork:
    """A timer that a test looks at, at moments of its choice."""

    def __init__(self, path, kind, parameters):
        content = {"name": "t", "pack": "core", "type": kind, "parameters": parameters}
        self._path = path
        self._trigger = Resource("1", Kind.TRIGGER, "core.t", "core", True, True, content)
        self.start()

    def start(self):
        self.store = Store(self._path)
        resources = Resources(self.store)
        self._timers = Timers(self.store, resources, Triggers(self.store, resources))

    def restart(self):
        self.store.close()
        self.start()

    def look(self, moment):
        """The seconds until the next tick, and whether it ticked now."""
        count = "SELECT count(*) FROM trigger_instances"
        before = self.store.execute(count).fetchone()[0]
        wait = self._timers._wait(self._trigger, moment)
        return wait, self.store.execute(count).fetchone()[0] - before


@pytest.fixture
def clockwork(tmp_path):
    made = []

    def make(kind, **parameters):
        made.append(Clockwork(tmp_path / "s.sqlite", kind, parameters))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


def test_a_restart_neither_loses_nor_doubles_a_tick(clockwork):
    timer = clockwork(CRON_TIMER, hour=3, timezone="UTC")
    day = datetime(2026, 7, 1, tzinfo=UTC)
    assert timer.look(day + timedelta(hours=2)) == (3600, 0)
    timer.restart()
    assert timer.look(day + timedelta(hours=3, seconds=1)) == (86399, 1)
    timer.restart()
    assert timer.look(day + timedelta(hours=3, seconds=1)) == (86399, 0)


def test_ticks_that_were_missed_come_as_one(clockwork):
    timer = clockwork(CRON_TIMER, second="*", timezone="UTC")
    start = datetime(2026, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    assert timer.look(start) == (0.5, 0)
    timer.restart()
    assert timer.look(start + timedelta(days=7)) == (0.5, 1)
    assert timer.look(start + timedelta(days=7)) == (0.5, 0)


def test_a_date_that_passed_while_it_was_down_comes_once(clockwork):
    timer = clockwork(DATE_TIMER, date="2026-07-01T12:00:00Z")
    date = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert timer.look(date - timedelta(hours=1)) == (3600, 0)
    timer.restart()
    assert timer.look(date + timedelta(hours=1)) == (None, 1)
    timer.restart()
    assert timer.look(date + timedelta(hours=1)) == (None, 0)


def test_a_date_that_is_over_does_not_fire(clockwork):
    timer = clockwork(DATE_TIMER, date="2014-12-31T23:59:59Z")
    assert timer.look(datetime(2026, 7, 1, tzinfo=UTC)) == (None, 0)


def test_a_clock_set_back_does_not_silence_a_timer(clockwork):
    timer = clockwork(INTERVAL_TIMER, unit="minutes", delta=1)
    now = moments.now()
    assert timer.look(now) == (60, 0)
    assert timer.look(now + timedelta(seconds=20)) == (40, 0)
    back = now - timedelta(days=1)
    assert timer.look(back) == (60, 0)
    assert timer.look(back + timedelta(seconds=45)) == (15, 0)
    assert timer.look(back + timedelta(seconds=60)) == (60, 1)


def test_a_clock_corrected_by_seconds_does_not_double_a_tick(clockwork):
    now = moments.now().replace(microsecond=0)
    at = {"hour": now.hour, "minute": now.minute, "second": now.second, "timezone": "UTC"}
    timer = clockwork(CRON_TIMER, **at)
    assert timer.look(now - timedelta(seconds=1)) == (1, 0)
    assert timer.look(now) == (86400, 1)
    assert timer.look(now - timedelta(seconds=5)) == (86405, 0)
    assert timer.look(now) == (86400, 0)
    assert timer.look(now - timedelta(days=2)) == (86400, 1)


@pytest.mark.parametrize("kind", [CRON_TIMER, INTERVAL_TIMER])
def test_the_payload_is_stackstorm_s(kind, clockwork):
    # st2reactor/timer/base.py: `schedule` is the parameter `time`, which no timer has
    fields = {"second": "*"} if kind == CRON_TIMER else {"unit": "seconds", "delta": 1}
    timer = clockwork(kind, **fields)
    moment = datetime(2026, 7, 1, 12, 0, 0, 250, tzinfo=UTC)
    timer.look(moment)
    timer.look(moment + timedelta(seconds=1))
    row = timer.store.execute("SELECT payload, trace_tag FROM trigger_instances").fetchone()
    assert row["payload"] == '{"executed_at": "2026-07-01 12:00:01.000250+00:00", "schedule": null}'
    assert row["trace_tag"] == f"{kind.removeprefix('core.')}-t"
