"""The event stream as server-sent events."""

import asyncio
import json

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from st2solo.api.identity import identity_of
from st2solo.errors import NotFoundError, UnauthorizedError
from st2solo.services import Services
from st2solo.stream import UPDATE, Event, Listener, Wanted

_HEARTBEAT_SECONDS = 25.0


class StreamHandler(RequestHandler):
    def initialize(self, services: Services) -> None:
        self.services = services

    async def get(self) -> None:
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            identity_of(self.services, self.request.headers, query)
        except UnauthorizedError as err:
            self.set_status(err.status)
            self.finish({"faultstring": str(err)})
            return
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        try:
            await self._send(_wanted(query))
        except StreamClosedError:
            return

    async def _send(self, wanted: Wanted) -> None:
        with self.services.stream.listening() as listener:
            await self._write("\n")
            ended = self._ended_before(wanted)
            if ended is not None:
                await self._write(_text(ended))
            else:
                await self._follow(wanted, listener)
            await self.finish()

    async def _follow(self, wanted: Wanted, listener: Listener) -> None:
        while self.services.stream.is_listening(listener) or not listener.is_empty:
            try:
                event = await asyncio.wait_for(listener.next(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                await self._write("\n")
                continue
            if event is None:
                return
            if wanted.takes(event):
                await self._write(_text(event))
            if wanted.ends_with(event):
                return

    def _ended_before(self, wanted: Wanted) -> Event | None:
        """The closing event of an execution that had ended before anybody listened."""
        if wanted.end_event != UPDATE or wanted.end_execution_id is None:
            return None
        try:
            document = self.services.executions.get(wanted.end_execution_id)
        except NotFoundError:
            return None
        event = Event(UPDATE, document)
        return event if wanted.ends_with(event) else None

    async def _write(self, text: str) -> None:
        self.write(text)
        await self.flush()


def _wanted(query: dict[str, str]) -> Wanted:
    def names(parameter: str) -> tuple[str, ...]:
        return tuple(part for part in query.get(parameter, "").split(",") if part)

    default = Wanted()
    return Wanted(
        events=names("events") or default.events,
        action_refs=frozenset(names("action_refs")),
        execution_ids=frozenset(names("execution_ids")),
        end_event=query.get("end_event"),
        end_execution_id=query.get("end_execution_id"),
        end_statuses=frozenset(names("end_statuses")) or default.end_statuses,
    )


def _text(event: Event) -> str:
    return f"event: {event.name}\ndata: {json.dumps(event.payload, default=str)}\n\n"
