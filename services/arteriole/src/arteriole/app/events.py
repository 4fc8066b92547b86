"""The append-only table of what happened; history, feed and stream are reads of it."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from arteriole.app import times
from arteriole.app.names import require_identifier
from arteriole.app.store import Store

#: Largest payload of an event, in bytes of JSON; details are fetched by link.
PAYLOAD_LIMIT = 16 * 1024

log = structlog.get_logger()


@dataclass(frozen=True)
class Event:
    """One row: at `time`, `who` did or saw `what`."""

    cursor: str  # "<epoch>-<id>"
    time: str
    who: str
    what: str
    run: str | None
    stage: str | None
    attempt: int | None
    payload: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return {
            "id": self.cursor,
            "time": self.time,
            "who": self.who,
            "what": self.what,
            "run": self.run,
            "stage": self.stage,
            "attempt": self.attempt,
            "payload": self.payload,
        }


@dataclass(frozen=True)
class Page:
    """Events after a cursor; `reset` tells that the cursor was not one of this store's."""

    events: list[Event]
    next: str
    reset: bool


class EventLog:
    """Writes and reads the `event` table of `store`.

    `replay_from` gives the id after which a reader with an unknown cursor starts again: early
    enough to hold all that is still open.
    """

    def __init__(self, store: Store, replay_from: Callable[[], int]) -> None:
        self._store = store
        self._replay_from = replay_from
        self._changed = asyncio.Condition()
        self._last = self._last_id()

    def _last_id(self) -> int:
        row = self._store.row("SELECT coalesce(max(id), 0) AS id FROM event")
        assert row is not None
        return int(row["id"])

    def append(
        self,
        what: str,
        *,
        who: str,
        run: str | None = None,
        stage: str | None = None,
        attempt: int | None = None,
        **payload: Any,
    ) -> None:
        """Write an event; NB: inside the transaction that makes the change it tells of.

        Raises:
            InvalidError: `run` or `stage` is no identifier; no other leaves a service.
        """
        assert self._store.in_transaction, "an event is part of the change it tells of"
        for field, name in (("run", run), ("stage", stage)):
            if name is not None:
                require_identifier(name, field)
        text = json.dumps(payload, separators=(",", ":"))
        if len(text) > PAYLOAD_LIMIT:
            text = json.dumps({"truncated": True})
        self._store.execute(
            "INSERT INTO event (time, who, what, run, stage, attempt, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (times.now(), who, what, run, stage, attempt, text),
        )

    def read(self, after: str | None, *, limit: int = 200, run: str | None = None) -> Page:
        """At most `limit` events after the cursor `after`; None reads from the beginning."""
        start, reset = self._start(after)
        rows = self._store.rows(
            "SELECT * FROM event WHERE id > ? AND (? IS NULL OR run = ?) ORDER BY id LIMIT ?",
            (start, run, run, limit),
        )
        events = [self._event(row) for row in rows]
        last = events[-1].cursor if events else f"{self._store.epoch}-{start}"
        return Page(events, last, reset)

    def read_back(self, before: str | None, *, limit: int, run: str) -> list[Event]:
        """At most `limit` events of `run` before the cursor `before`, the newest first.

        None, or a cursor that is not one of this store's, reads from the end.
        """
        end = self._number(before)
        rows = self._store.rows(
            "SELECT * FROM event WHERE run = ? AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
            (run, end, end, limit),
        )
        return [self._event(row) for row in rows]

    @property
    def newest(self) -> str:
        """The cursor after which no event has come yet."""
        return f"{self._store.epoch}-{self._last_id()}"

    def _event(self, row: sqlite3.Row) -> Event:
        return Event(
            cursor=f"{self._store.epoch}-{row['id']}",
            time=row["time"],
            who=row["who"],
            what=row["what"],
            run=row["run"],
            stage=row["stage"],
            attempt=row["attempt"],
            payload=json.loads(row["payload"]),
        )

    def _number(self, cursor: str | None) -> int | None:
        """The id of the last event that a reader with this cursor has seen."""
        epoch, _, number = (cursor or "").rpartition("-")
        if epoch != self._store.epoch or not re.fullmatch(r"[0-9]{1,18}", number):
            return None
        return int(number)

    def _start(self, after: str | None) -> tuple[int, bool]:
        if after is None:
            return 0, False
        start = self._number(after)
        if start is not None and start <= self._last_id():
            return start, False
        return self._replay_from(), True

    async def wait(self, seconds: float) -> None:
        """Return when an event was written, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait()
        except TimeoutError:
            return

    async def watch(self) -> None:
        """Wake the readers whenever the table has grown; runs as long as the service does."""
        while True:
            try:
                last = self._last_id()
            except sqlite3.OperationalError:  # the disk is full or failing: it may be mended
                log.exception("the events cannot be read")
                await asyncio.sleep(1.0)
                continue
            if last != self._last:
                self._last = last
                async with self._changed:
                    self._changed.notify_all()
            await asyncio.sleep(0.05)
