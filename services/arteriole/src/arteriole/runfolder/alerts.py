"""What people should be told of, once each: a run that failed, stands still or is out of reach, a
volume that is short of space, and the packs' sensor when it is silent.

An alert is raised with the change that it tells of, and cleared when that is so no more. Whoever
tells people takes it first and says so afterwards; so an event that comes twice is told once, and
one that was lost is told by whoever asks for what was not.
"""

import sqlite3
from dataclasses import dataclass, fields
from typing import Any

from arteriole.app import times
from arteriole.app.events import EventLog
from arteriole.app.store import Store
from arteriole.runfolder.verdict import VerdictKind

RUN_FAILED = "run_failed"
RUN_STUCK = "run_stuck"
RUN_UNREACHABLE = "run_unreachable"
SENSOR_SILENT = "sensor_silent"
DISK_PRESSURE = "disk_pressure"

#: The verdicts that people should be told of.
OF_VERDICT = {
    VerdictKind.FAILED: RUN_FAILED,
    VerdictKind.INCOMPLETE: RUN_FAILED,
    VerdictKind.UNREADABLE: RUN_FAILED,
    VerdictKind.STUCK: RUN_STUCK,
    VerdictKind.STALLED: RUN_STUCK,
    VerdictKind.UNREACHABLE: RUN_UNREACHABLE,
}

#: Seconds in which what comes back is no news: a copy with pauses, a file server that flickers.
FLICKER = 3600.0
#: Seconds that somebody has to tell people of it, and after which it is tried again.
LEASE = 600.0
#: Seconds after which an alert that nobody told is history: then no rule is for it.
OLD = 86400.0


@dataclass(frozen=True)
class Alert:
    """`what` is one of the events above, `run` is empty for the sensor and for a volume."""

    id: int
    what: str
    run: str
    about: str
    code: str
    raised: str
    cleared: str | None
    lease: str | None
    told: str | None
    volume: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Alert":
        return cls(**{one.name: row[one.name] for one in fields(cls)})

    def is_owed(self, now: str) -> bool:
        """Nobody has told people of it, and nobody is about to."""
        return self.told is None and (self.lease is None or self.lease <= now)

    def document(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "run": self.run or None,
            **({"volume": self.volume} if self.volume else {}),
            "code": self.code,
            "since": self.raised,
            "told": self.told,
        }


class Alerts:
    """The table of alerts; NB: `raise_` and `clear` are part of a transaction."""

    def __init__(self, store: Store, events: EventLog) -> None:
        self._store = store
        self._events = events

    def standing(self) -> list[Alert]:
        """Those that are so now, the oldest first."""
        rows = self._store.rows("SELECT * FROM alert WHERE cleared IS NULL ORDER BY id")
        return [Alert.from_row(row) for row in rows]

    def owed(self, grace: float) -> list[Alert]:
        """Those that stand and that nobody has told for `grace` seconds, nor a day long."""
        now, before, old = times.now(), times.now(-grace), times.now(-OLD)
        return [
            alert
            for alert in self.standing()
            if old <= alert.raised <= before and alert.is_owed(now)
        ]

    def raise_(
        self,
        what: str,
        *,
        who: str,
        run: str = "",
        volume: str = "",
        about: str,
        code: str,
        told: bool = False,
    ) -> None:
        """Raise it, and tell of it in an event; the same standstill or flicker again is no news.

        Args:
            told: people are told of it with another one.
        """
        row = self._store.row(
            "SELECT * FROM alert WHERE (what, run, volume, about) = (?, ?, ?, ?)"
            " ORDER BY id DESC LIMIT 1",
            (what, run, volume, about),
        )
        last = None if row is None else Alert.from_row(row)
        if last is not None and last.cleared is None:
            return
        if last is not None and (what == RUN_STUCK or (last.cleared or "") >= times.now(-FLICKER)):
            self._store.execute("UPDATE alert SET cleared = NULL WHERE id = ?", (last.id,))
            return
        self._store.execute(
            "INSERT INTO alert (what, run, volume, about, code, raised, told)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (what, run, volume, about, code, now := times.now(), now if told else None),
        )
        of: dict[str, Any] = {"volume": volume} if volume else {}
        self._events.append(what, who=who, run=run or None, code=code, **of)

    def clear(self, run: str = "", *, volume: str = "", but: str = "") -> None:
        """What stood of `run`, of `volume` or of the sensor is so no more, but for that named
        `but`.
        """
        self._store.execute(
            "UPDATE alert SET cleared = ? WHERE (run, volume) = (?, ?) AND cleared IS NULL"
            " AND what != ?",
            (times.now(), run, volume, but),
        )

    def take(self, what: str, run: str, by: str, volume: str = "") -> bool:
        """True if `by` is to tell people of it now: it stands, and nobody else does or did."""
        with self._store.transaction():
            now = times.now()
            alert = self._standing(what, run, volume)
            if alert is None or not alert.is_owed(now):
                return False
            self._store.execute(
                "UPDATE alert SET teller = ?, lease = ? WHERE id = ?",
                (by, times.now(LEASE), alert.id),
            )
            return True

    def note_told(self, what: str, run: str, by: str, volume: str = "") -> bool:
        """`by`, who took it, has told people; False if another has it by now."""
        with self._store.transaction():
            row = self._store.row(
                "SELECT * FROM alert WHERE (what, run, volume, teller) = (?, ?, ?, ?)"
                " AND told IS NULL ORDER BY id DESC LIMIT 1",
                (what, run, volume, by),
            )
            if row is None:
                return False
            self._store.execute(
                "UPDATE alert SET told = ?, lease = NULL WHERE id = ?", (times.now(), row["id"])
            )
            return True

    def _standing(self, what: str, run: str, volume: str) -> Alert | None:
        row = self._store.row(
            "SELECT * FROM alert WHERE (what, run, volume) = (?, ?, ?) AND cleared IS NULL"
            " ORDER BY id DESC LIMIT 1",
            (what, run, volume),
        )
        return None if row is None else Alert.from_row(row)
