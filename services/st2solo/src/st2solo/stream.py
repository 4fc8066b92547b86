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
#: What may wait for one listener; a slower one loses its connection and asks again.
_MOST_WAITING = 64 * 2**20
#: About what an event takes beside its result.
_EVENT_BYTES = 8 * 1024
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    name: str
    payload: dict[str, Any]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _EVENT_BYTES + int(self.payload.get("result_size") or 0)


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


class Listener:
    """The events that wait for one who listens."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._waiting = 0

    def tell(self, event: Event) -> bool:
        """Let an event wait; False if too much does already."""
        if self._waiting + event.size > _MOST_WAITING:
            return False
        self._waiting += event.size
        self._events.put_nowait(event)
        return True

    def end(self) -> None:
        self._events.put_nowait(None)

    async def next(self) -> Event | None:
        """The oldest event, once there is one; None says that st2solo ends."""
        event = await self._events.get()
        self._waiting -= event.size if event is not None else 0
        return event

    @property
    def is_empty(self) -> bool:
        return self._events.empty()


@dataclass
class Stream:
    _listeners: set[Listener] = field(default_factory=set)

    def execution_changed(self, document: dict[str, Any]) -> None:
        """Tell the listeners; `document` is the execution as the API shows it."""
        first = len(document.get("log") or []) <= 1 and document.get("status") == "requested"
        self._tell(Event(CREATE if first else UPDATE, document))

    def announce(self, announcement: Announcement) -> None:
        """Tell the listeners what an action announces."""
        name = f"st2.announcement__{announcement.route}"
        self._tell(Event(name, {"payload": announcement.payload}))

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            if not listener.tell(event):
                self._listeners.discard(listener)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """One who is told of all events from now on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def is_listening(self, listener: Listener) -> bool:
        """False once it was given up because it did not listen."""
        return listener in self._listeners

    async def close(self) -> None:
        """Tell every listener that st2solo ends and wait (briefly) until they have gone."""
        deadline = asyncio.get_running_loop().time() + _CLOSE_SECONDS
        for listener in list(self._listeners):
            listener.end()
        while self._listeners and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        self._listeners.clear()
