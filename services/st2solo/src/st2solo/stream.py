"""The event stream: what happens to executions, told to whoever listens."""

import asyncio
import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from st2solo.runners.protocol import Announcement
from st2solo.statuses import COMPLETED

CREATE = "st2.execution__create"
UPDATE = "st2.execution__update"
DEFAULT_EVENTS = ("st2.announcement__*", "st2.execution__*", "st2.liveaction__*")
#: Events that may wait for one listener; a slower one loses its connection and asks again.
_WAITING = 10_000
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    name: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What one listener asked for; empty sets stand for everything."""

    events: tuple[str, ...] = DEFAULT_EVENTS
    action_refs: frozenset[str] = frozenset()
    execution_ids: frozenset[str] = frozenset()
    end_event: str | None = None
    end_execution_id: str | None = None
    end_statuses: frozenset[str] = frozenset(COMPLETED)

    def takes(self, event: Event) -> bool:
        action = (event.payload.get("action") or {}).get("ref")
        return (
            any(fnmatch.fnmatchcase(event.name, glob) for glob in self.events)
            and (not self.action_refs or action in self.action_refs)
            and (not self.execution_ids or event.payload.get("id") in self.execution_ids)
        )

    def ends_with(self, event: Event) -> bool:
        return (
            self.end_event == event.name
            and (self.end_execution_id in (None, event.payload.get("id")))
            and event.payload.get("status") in self.end_statuses
        )


@dataclass
class Stream:
    _listeners: set[asyncio.Queue[Event | None]] = field(default_factory=set)

    def execution_changed(self, document: dict[str, Any]) -> None:
        """Tell the listeners; `document` is the execution as the API shows it."""
        first = len(document.get("log") or []) <= 1 and document.get("status") == "requested"
        self._tell(Event(CREATE if first else UPDATE, document))

    def announce(self, announcement: Announcement) -> None:
        """Tell the listeners what an action announces."""
        name = f"st2.announcement__{announcement.route}"
        self._tell(Event(name, {"payload": announcement.payload}))

    def _tell(self, event: Event) -> None:
        for queue in list(self._listeners):
            if queue.full():
                self._listeners.discard(queue)
            else:
                queue.put_nowait(event)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event | None]]:
        """A queue of events; None says that st2solo ends."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_WAITING)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def is_listening(self, queue: "asyncio.Queue[Event | None]") -> bool:
        """False once the queue was given up because nobody emptied it."""
        return queue in self._listeners

    async def close(self) -> None:
        """Tell every listener that st2solo ends and wait (briefly) until they have gone."""
        deadline = asyncio.get_running_loop().time() + _CLOSE_SECONDS
        for queue in list(self._listeners):
            if not queue.full():
                queue.put_nowait(None)
        while self._listeners and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        self._listeners.clear()
