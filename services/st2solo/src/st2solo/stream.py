"""The event stream: what happens to executions, told to whoever listens."""

import asyncio
import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from st2solo import json_text
from st2solo.runners.protocol import Announcement
from st2solo.statuses import COMPLETED

CREATE = "st2.execution__create"
UPDATE = "st2.execution__update"
OUTPUT = "st2.execution.output__create"
DEFAULT_EVENTS = ("st2.announcement__*", "st2.execution__*", "st2.liveaction__*")
#: Bytes that may wait for one listener; a slower one loses its connection and asks again.
_MOST_WAITING = 64 * 2**20
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class Event:
    name: str
    payload: dict[str, Any]

    @property
    def action_ref(self) -> str | None:
        """The action that it is about; None for what is no execution's."""
        ref = self.payload.get("action_ref") or (self.payload.get("action") or {}).get("ref")
        return ref if ref is None else str(ref)

    @property
    def execution_id(self) -> str | None:
        """The execution that it is about, if it is about one."""
        return self.payload.get("execution_id") or self.payload.get("id")

    @cached_property
    def data(self) -> bytes:
        """As it is sent; made once, and shared by all who are told."""
        text = json_text.written(self.payload)
        return f"event: {self.name}\ndata: {text}\n\n".encode()


@dataclass(frozen=True)
class Wanted:
    """What one listener asked for; empty sets stand for everything."""

    events: tuple[str, ...] = DEFAULT_EVENTS
    action_refs: frozenset[str] = frozenset()
    execution_ids: frozenset[str] = frozenset()
    output_types: frozenset[str] = frozenset()
    end_event: str | None = None
    end_execution_id: str | None = None
    end_statuses: frozenset[str] = frozenset(COMPLETED)

    @property
    def output(self) -> bool:
        """Whether it asks for what executions print."""
        return self._names(OUTPUT)

    def _names(self, event: str) -> bool:
        return any(fnmatch.fnmatchcase(event, glob) for glob in self.events)

    def takes(self, event: Event) -> bool:
        return (
            self._names(event.name)
            and (not self.action_refs or event.action_ref in self.action_refs)
            and (not self.execution_ids or event.execution_id in self.execution_ids)
            and (not self.output_types or event.payload.get("output_type") in self.output_types)
        )

    def ends_with(self, event: Event) -> bool:
        return (
            self.end_event == event.name
            and (self.end_execution_id in (None, event.payload.get("id")))
            and event.payload.get("status") in self.end_statuses
        )


class Listener:
    """What waits to be sent to one who listens."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._events: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0
        #: Whether the event came with which it asked to end.
        self.ended = False

    def tell(self, event: Event) -> bool:
        """Let an event wait that is wanted; False if too much does already."""
        if self.ended:
            return True
        if self._wanted.takes(event):
            if self._waiting + len(event.data) > _MOST_WAITING:
                return False
            self._waiting += len(event.data)
            self._events.put_nowait(event.data)
        if self._wanted.ends_with(event):
            self.ended = True
            self.end()
        return True

    def end(self) -> None:
        self._events.put_nowait(None)

    async def next(self) -> bytes | None:
        """The oldest event, once there is one; None says that no more comes."""
        data = await self._events.get()
        self._waiting -= len(data) if data is not None else 0
        return data

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

    def printed(self, document: dict[str, Any]) -> None:
        """Tell the listeners what an execution has printed, as `Outputs` tells it."""
        self._tell(Event(OUTPUT, document))

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            if not listener.tell(event):
                self._listeners.discard(listener)

    @contextmanager
    def listening(self, wanted: Wanted) -> Iterator[Listener]:
        """One who is told of the events that are wanted, from now on."""
        listener = Listener(wanted)
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
