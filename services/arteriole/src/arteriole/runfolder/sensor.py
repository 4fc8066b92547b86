"""Whether the packs' sensor is alive: it says so every ten seconds, and its silence is an alarm.

And when the packs last looked for what is overdue, which a rule of theirs does every minute.
"""

import asyncio
import sqlite3
from typing import Any

import structlog

from arteriole.app import times
from arteriole.runfolder.alerts import SENSOR_SILENT
from arteriole.runfolder.runs import WHO, Runs

#: The code of an alert of it.
CODE = "sensor.silent"
#: Seconds after which a sensor that was never heard again is not expected any more.
GIVEN_UP = 7 * 86400.0
#: Seconds after a look for what is overdue in which the next one, a minute later, is expected.
LOOKED = 150.0
#: Seconds after its last heartbeat in which a sensor that has just died was not missed yet.
MISSED = 20.0
#: That there is a sensor is written so often, in seconds.
WRITTEN = 86400.0
_NOTHING = "nobody looks for what is overdue either, so no stage begins until it is back"
_LOOK = "see whether the orchestrator runs: st2 sensor list"

log = structlog.get_logger()


class SensorWatch:
    """Raises an alert when no heartbeat came for `limit` seconds, and takes it back.

    A sensor that was there in the last days is expected also by a service that has just started.
    """

    def __init__(self, runs: Runs, limit: float) -> None:
        self._runs = runs
        self._limit = limit
        row = runs.store.row("SELECT sensor_seen FROM store")
        self._written: str | None = row["sensor_seen"] if row is not None else None
        expected = self._written and times.seconds_since(self._written) < GIVEN_UP
        self._since = times.now() if expected else None
        self.heartbeat: str | None = None
        self._who: str | None = None
        self._looked: dict[str, str] = {}

    def beat(self, who: str) -> str:
        """Note that it is alive and whose token it has, and return when."""
        self._who = who
        self.heartbeat = self._since = times.now()
        if self._written is None or times.seconds_since(self._written) > WRITTEN:
            self._runs.store.execute("UPDATE store SET sensor_seen = ?", (self.heartbeat,))
            self._written = self.heartbeat
        return self.heartbeat

    def looked(self, who: str) -> None:
        """Note that somebody has asked for what is overdue."""
        self._looked[who] = times.now()

    @property
    def reconciled(self) -> str | None:
        """When one with the sensor's token has asked last: the packs, if they have it alone."""
        return None if self._who is None else self._looked.get(self._who)

    @property
    def is_silent(self) -> bool | None:
        """None if no sensor is known of."""
        return None if self._since is None else times.seconds_since(self._since) > self._limit

    @property
    def is_repaired(self) -> bool:
        """Whether the packs, or as long as it is not known who they are, anybody, have looked for
        what is overdue without the sensor, and not long ago.
        """
        looked = self.reconciled if self._who else max(self._looked.values(), default=None)
        if looked is None or (ago := times.seconds_since(looked)) > LOOKED:
            return False
        return self.heartbeat is None or times.seconds_since(self.heartbeat) - ago > MISSED

    def silence(self) -> dict[str, Any] | None:
        """What its silence means for the runs, and what to do; None unless it is silent."""
        if not self.is_silent:
            return None
        then = "runs go on, once a minute only" if self.is_repaired else _NOTHING
        return {
            "code": CODE,
            "repaired": self.is_repaired,
            "message": f"the orchestrator's sensor is silent: {then}",
            "hint": "st2 sensor list" if self.is_repaired else _LOOK,
            "page": f"docs/runbook/{CODE}.md",
        }

    def check(self) -> None:
        """Raise the alert or take it back."""
        alerts = self._runs.alerts
        silent = bool(self.is_silent)
        if silent == any(alert.what == SENSOR_SILENT for alert in alerts.standing()):
            return
        with self._runs.store.transaction():
            if silent:
                alerts.raise_(SENSOR_SILENT, who=WHO, about=CODE, code=CODE)
            else:
                alerts.clear()

    async def run(self) -> None:
        """Check for as long as the service runs."""
        while True:
            try:
                self.check()
            except sqlite3.Error:  # a full disk, say: it may be mended
                log.exception("the sensor's silence cannot be told of")
            await asyncio.sleep(min(5.0, self._limit / 2))
