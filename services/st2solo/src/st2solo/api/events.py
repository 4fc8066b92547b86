"""The event stream, and what one execution prints, as server-sent events."""

import asyncio
import contextlib

from tornado.iostream import StreamClosedError

from st2solo.api.handlers import JsonErrors
from st2solo.api.identity import identity_of
from st2solo.errors import InvalidError, NotFoundError, St2SoloError, UnauthorizedError
from st2solo.outputs import STREAMS
from st2solo.services import Services
from st2solo.statuses import COMPLETED, Status
from st2solo.stream import OUTPUT, UPDATE, Event, Listener, Wanted

_HEARTBEAT_SECONDS = 25.0
#: As in StackStorm (st2stream/controllers/v1/executions.py), where these end it, too.
_EOF = b"event: EOF\ndata: ''\n\n"
_OUTPUT_ENDS = COMPLETED | {Status.PAUSING, Status.RESUMING}


class StreamHandler(JsonErrors):
    """What is wanted, until the event that ends it."""

    def initialize(self, services: Services) -> None:
        self.services = services

    async def get(self, *path: str) -> None:
        arguments = self.request.query_arguments
        self._query = {name: self.get_query_argument(name) for name in arguments}
        try:
            self._check_caller()
            wanted = self._wanted(self._query, *path)
        except St2SoloError as err:
            self.set_status(err.status)
            self.finish({"faultstring": str(err)})
            return
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        with contextlib.suppress(StreamClosedError, UnauthorizedError):
            await self._send(wanted)

    def _check_caller(self) -> None:
        identity_of(self.services, self.request.headers, self._query)

    def _wanted(self, query: dict[str, str], *path: str) -> Wanted:
        default = Wanted()
        return Wanted(
            events=tuple(_names(query, "events")) or default.events,
            action_refs=frozenset(_names(query, "action_refs")),
            execution_ids=frozenset(_names(query, "execution_ids")),
            end_event=query.get("end_event"),
            end_execution_id=query.get("end_execution_id"),
            end_statuses=frozenset(_names(query, "end_statuses")) or default.end_statuses,
        )

    async def _send(self, wanted: Wanted) -> None:
        outputs = self.services.executions.outputs
        followed: contextlib.AbstractContextManager[None]
        followed = outputs.followed() if wanted.output else contextlib.nullcontext()
        with self.services.stream.listening(wanted) as listener, followed:
            if await self._catch_up(wanted) or await self._follow(listener):
                await self._end()
            await self.finish()

    async def _catch_up(self, wanted: Wanted) -> bool:
        """Send what was before anybody listened; whether the end is among it."""
        before = self._before(wanted)  # NB: at once, or what is told meanwhile came twice
        await self._write(b"\n")
        for event in filter(wanted.takes, before):
            await self._write(event.data)
        return any(wanted.ends_with(event) for event in before)

    async def _follow(self, listener: Listener) -> bool:
        """Send what comes; whether the end came, and not that of st2solo or of its patience."""
        while self.services.stream.is_listening(listener) or not listener.is_empty:
            try:
                data = await asyncio.wait_for(listener.next(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                data = b"\n"
            if data is None:
                return listener.ended
            self._check_caller()  # who was removed meanwhile is told nothing more
            await self._write(data)
        return False

    def _before(self, wanted: Wanted) -> list[Event]:
        """What an execution has printed, and its end if it is over."""
        if wanted.end_event != UPDATE or wanted.end_execution_id is None:
            return []
        executions = self.services.executions
        try:
            document = executions.get(wanted.end_execution_id)
        except NotFoundError:
            return []
        printed = executions.outputs.so_far(document["id"]) if wanted.output else []
        events = [Event(OUTPUT, one) for one in printed]
        end = Event(UPDATE, document)
        return [*events, end] if wanted.ends_with(end) else events

    async def _end(self) -> None:
        """Send what follows the event that ended it."""

    async def _write(self, data: bytes) -> None:
        self.write(data)
        await self.flush()


class OutputHandler(StreamHandler):
    """What one execution prints, from the first line to the last."""

    def _wanted(self, query: dict[str, str], *path: str) -> Wanted:
        execution_id = self.services.executions.get(path[0])["id"]
        output_type = query.get("output_type", "all")
        if output_type not in (*STREAMS, "all"):
            raise InvalidError(
                f"expected output_type as stdout, stderr or all, not {output_type!r}"
            )
        return Wanted(
            events=(OUTPUT,),
            execution_ids=frozenset({execution_id}),
            output_types=frozenset(STREAMS if output_type == "all" else {output_type}),
            end_event=UPDATE,
            end_execution_id=execution_id,
            end_statuses=_OUTPUT_ENDS,
        )

    async def _end(self) -> None:
        await self._write(_EOF)


def _names(query: dict[str, str], parameter: str) -> list[str]:
    return [part for part in query.get(parameter, "").split(",") if part]
