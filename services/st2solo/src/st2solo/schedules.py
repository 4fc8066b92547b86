"""When a timer is due: StackStorm's IntervalTimer, DateTimer and CronTimer.

Source: st2reactor/timer/base.py of StackStorm 3.9, which leaves the reckoning to APScheduler 3; its
CronTrigger computes here too, so that expressions, zones and changes to summer time mean the same.
A timer that names no time zone is in the machine's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from tzlocal import get_localzone

from st2solo import moments
from st2solo.errors import InvalidError

INTERVAL_TIMER = "core.st2.IntervalTimer"
DATE_TIMER = "core.st2.DateTimer"
CRON_TIMER = "core.st2.CronTimer"
TIMERS = (INTERVAL_TIMER, DATE_TIMER, CRON_TIMER)

_INSTANT = timedelta(microseconds=1)


class Schedule(Protocol):
    """The times at which a timer fires; None where there is none any more."""

    def first(self, moment: datetime) -> datetime | None:
        """The first time of a timer that is new at this moment."""

    def following(self, due: datetime, moment: datetime) -> datetime | None:
        """The first time after the moment, of a timer that was due at `due` or before it."""


@dataclass(frozen=True)
class _Interval:
    step: timedelta

    def first(self, moment: datetime) -> datetime | None:
        return moment + self.step

    def following(self, due: datetime, moment: datetime) -> datetime | None:
        """Counted from when it was due, so that lateness does not add up."""
        return due + self.step * ((moment - due) // self.step + 1)


@dataclass(frozen=True)
class _Date:
    date: datetime

    def first(self, moment: datetime) -> datetime | None:
        return self.date if self.date > moment else None

    def following(self, due: datetime, moment: datetime) -> datetime | None:
        return None


@dataclass(frozen=True)
class _Cron:
    trigger: CronTrigger

    def first(self, moment: datetime) -> datetime | None:
        try:
            found: datetime | None = self.trigger.get_next_fire_time(None, moment)
        except OverflowError:  # there is none before the year 10000
            return None
        return found

    def following(self, due: datetime, moment: datetime) -> datetime | None:
        return self.first(moment + _INSTANT)


def schedule(timer: str, parameters: dict[str, Any]) -> Schedule:
    """The times of a timer (one of `TIMERS`) whose parameters fit the schema of its type.

    Raises:
        InvalidError: a time zone, date or field of cron is none, or the time is beyond all dates.
    """
    zone = _zone(parameters.get("timezone"))
    if timer == DATE_TIMER:
        return _Date(moments.parse(parameters["date"], zone))
    if timer == CRON_TIMER:
        return _cron(parameters, zone)
    now = moments.now()
    return _Interval(moments.after(now, parameters["unit"], parameters["delta"]) - now)


def _cron(parameters: dict[str, Any], zone: tzinfo) -> _Cron:
    try:
        return _Cron(CronTrigger(**{**parameters, "timezone": zone}))
    except (ValueError, TypeError) as err:
        given = {name: value for name, value in parameters.items() if name != "timezone"}
        raise InvalidError(f"{err}; the fields of cron were {given}") from err


def _zone(name: str | None) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return get_localzone() if name is None else ZoneInfo(name)
    except (LookupError, ValueError, OSError) as err:
        if name is None:
            raise InvalidError(f"this machine's time zone is unclear; name one: {err}") from err
        raise InvalidError(
            f"there is no time zone {name!r}; expected a name such as Australia/Melbourne"
        ) from err
