"""Timers: the triggers core.st2.IntervalTimer and core.st2.DateTimer.

When a timer is due is stored, and moved in the transaction that writes its trigger instance: a
restart neither loses nor repeats a tick. Ticks missed while st2solo was down come as one.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from st2solo import moments
from st2solo.resources import Kind, Resource, Resources
from st2solo.store import Store
from st2solo.triggers import DATE_TIMER, INTERVAL_TIMER, Triggers

_LOG = logging.getLogger(__name__)

_NEVER = ""
_LONGEST_SLEEP_SECONDS = 3600.0
_RETRY_SECONDS = 1.0


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
        waits = [wait for t in self._in_use() if (wait := self._wait(t, moment)) is not None]
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
        """The timers as StackStorm's API lists them: the triggers of timer types."""
        types = (INTERVAL_TIMER, DATE_TIMER)
        return [trigger.document() for name in types for trigger in self._triggers.of_type(name)]

    def _in_use(self) -> list[Resource]:
        rules = self._resources.list(Kind.RULE)
        wanted = {rule.content["trigger"]["ref"] for rule in rules if rule.enabled}
        types = (INTERVAL_TIMER, DATE_TIMER)
        timers = [trigger for name in types for trigger in self._triggers.of_type(name)]
        return [trigger for trigger in timers if trigger.ref in wanted]

    def _tick(self, trigger: Resource, moment: datetime) -> datetime | None:
        with self._store.transaction():
            due = self._due(trigger, moment)
            if due is None or due > moment:
                return due
            kind = trigger.content["type"].partition(".")[2]
            self._triggers.emit(
                trigger.ref,
                {"executed_at": str(moment), "schedule": None},
                trace_tag=f"{kind}-{trigger.content['name']}",
            )
            following = self._following(trigger, moment)
            self._set(trigger, following)
            return following

    def _due(self, trigger: Resource, moment: datetime) -> datetime | None:
        row = self._store.execute(
            "SELECT due FROM timers WHERE trigger = ?", (trigger.ref,)
        ).fetchone()
        following = self._following(trigger, moment)
        if row is None:
            self._set(trigger, following)
            return following
        if row["due"] == _NEVER:
            return None
        due = moments.parse(row["due"])
        # after a clock that was set back the next tick would else be too far away
        return min(due, following) if following is not None else due

    def _set(self, trigger: Resource, due: datetime | None) -> None:
        self._store.execute(
            "INSERT INTO timers (trigger, due) VALUES (?, ?)"
            " ON CONFLICT (trigger) DO UPDATE SET due = excluded.due",
            (trigger.ref, moments.text(due) if due else _NEVER),
        )

    @staticmethod
    def _following(trigger: Resource, moment: datetime) -> datetime | None:
        parameters = trigger.content["parameters"]
        if trigger.content["type"] == DATE_TIMER:
            date = moments.parse_in(parameters["date"], parameters.get("timezone"))
            return date if date > moment else None
        return moments.after(moment, parameters["unit"], parameters["delta"])
