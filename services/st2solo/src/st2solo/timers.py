"""Timers: the triggers core.st2.IntervalTimer, core.st2.DateTimer and core.st2.CronTimer.

When a timer is due is stored, and moved in the transaction that writes its trigger instance: a
restart neither loses nor repeats a tick. Ticks missed while st2solo was down come as one. A timer
without an enabled rule stands still, and begins anew with the next.
"""

import asyncio
import logging
import sqlite3
from datetime import datetime, timedelta
from typing import Any

from st2solo import moments, schedules
from st2solo.resources import Kind, Resource, Resources
from st2solo.schedules import Schedule
from st2solo.store import Store
from st2solo.triggers import Triggers

_LOG = logging.getLogger(__name__)

_NEVER = ""
_LONGEST_SLEEP_SECONDS = 3600.0
_RETRY_SECONDS = 1.0
#: A clock that is set back by less repeats no tick; by more, and the new time counts at once.
_CORRECTION = timedelta(minutes=1)


class Timers:
    def __init__(self, store: Store, resources: Resources, triggers: Triggers) -> None:
        self._store = store
        self._resources = resources
        self._triggers = triggers
        self._handle: asyncio.TimerHandle | None = None

    def refresh(self) -> None:
        """Fire what is due and wait for the next; called at start and when rules have changed."""
        self.stop()
        moment = moments.now()
        timers = self._timers(enabled=True)
        self._forget_others(timers)
        waits = [wait for t in timers if (wait := self._wait(t, moment)) is not None]
        if waits:
            delay = min(max(min(waits), 0.0), _LONGEST_SLEEP_SECONDS)
            self._handle = asyncio.get_running_loop().call_later(delay, self.refresh)

    def _wait(self, trigger: Resource, moment: datetime) -> float | None:
        """Fire a timer if it is due; the seconds until it has to be looked at again."""
        try:
            due = self._tick(trigger, moment)
        except Exception:  # one timer, or a full disk, must not end the others
            _LOG.exception("timer %s failed", trigger.ref)
            return _RETRY_SECONDS
        return None if due is None else (due - moment).total_seconds()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None

    def documents(self) -> list[dict[str, Any]]:
        """The timers as StackStorm's API lists them: the triggers of timer types with a rule."""
        return [trigger.document() for trigger in self._timers(enabled=False)]

    def _timers(self, *, enabled: bool) -> list[Resource]:
        rules = self._resources.list(Kind.RULE)
        wanted = {r.content["trigger"]["ref"] for r in rules if r.enabled or not enabled}
        timers = [t for name in schedules.TIMERS for t in self._triggers.of_type(name)]
        return [trigger for trigger in timers if trigger.ref in wanted]

    def _forget_others(self, timers: list[Resource]) -> None:
        kept = {trigger.ref for trigger in timers}
        try:
            for row in self._store.execute("SELECT trigger FROM timers").fetchall():
                if row["trigger"] not in kept:
                    self._store.execute("DELETE FROM timers WHERE trigger = ?", (row["trigger"],))
        except sqlite3.Error:  # it is tried again with the next tick
            _LOG.exception("timers that no rule uses were not forgotten")

    def _tick(self, trigger: Resource, moment: datetime) -> datetime | None:
        schedule = schedules.schedule(trigger.content["type"], trigger.content["parameters"])
        with self._store.transaction():
            due = self._due(trigger, schedule, moment)
            if due is None or due > moment:
                return due
            kind = trigger.content["type"].partition(".")[2]
            self._triggers.emit(
                trigger.ref,
                {"executed_at": str(moment), "schedule": None},
                trace_tag=f"{kind}-{trigger.content['name']}",
            )
            return self._set(trigger, schedule.following(due, moment))

    def _due(self, trigger: Resource, schedule: Schedule, moment: datetime) -> datetime | None:
        row = self._store.execute(
            "SELECT due FROM timers WHERE trigger = ?", (trigger.ref,)
        ).fetchone()
        if row is None:
            return self._set(trigger, schedule.first(moment))
        if row["due"] == _NEVER:
            return None
        due = moments.parse(row["due"])
        if due > moment:
            first = schedule.first(moment)
            if first and first < due and not self._fired_around(trigger, moment):
                # The clock was set back: the next tick would else be too far away.
                return self._set(trigger, first)
        return due

    def _fired_around(self, trigger: Resource, moment: datetime) -> bool:
        """Whether the last tick was as good as now; a corrected clock can put it in the future."""
        last: str | None = self._store.execute(
            "SELECT max(occurrence_time) FROM trigger_instances WHERE trigger = ?", (trigger.ref,)
        ).fetchone()[0]
        return last is not None and moment < moments.parse(last) < moment + _CORRECTION

    def _set(self, trigger: Resource, due: datetime | None) -> datetime | None:
        self._store.execute(
            "INSERT INTO timers (trigger, due) VALUES (?, ?)"
            " ON CONFLICT (trigger) DO UPDATE SET due = excluded.due",
            (trigger.ref, moments.text(due) if due else _NEVER),
        )
        return due
