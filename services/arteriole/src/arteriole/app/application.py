"""Makes the Tornado application of a service from its table of routes."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
import tornado.httpserver
import tornado.httputil
import tornado.netutil
import tornado.web
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector
from pydantic import BaseModel, ValidationError

from arteriole.app.auth import Identity, Role, Tokens
from arteriole.app.chat import ON_BEHALF_OF, ChatSettings
from arteriole.app.errors import ArterioleError, ForbiddenError, InvalidError, TooLargeError
from arteriole.app.events import EventLog
from arteriole.app.hosts import is_loopback
from arteriole.app.routes import (
    TEXT,
    Call,
    NoBody,
    Reply,
    Request,
    Route,
    Upload,
    help_document,
    openapi_document,
)
from arteriole.app.slips import place, slip

VERSION = version("arteriole")
#: Largest request body, in bytes.
BODY_LIMIT = 1024 * 1024
#: Bytes of a body that are read to answer in words; a larger one ends the connection.
MOST_READ = 1024 * 1024 * 1024
#: Seconds in which a body must have come; those that never come would fill the memory.
BODY_TIMEOUT = 60.0
#: A stream says at least this often (seconds) that it is alive.
STREAM_HEARTBEAT = 10.0

log = structlog.get_logger()


class Service(Protocol):
    """What `arteriole serve` runs: a table of routes over a store with events."""

    name: str
    events: EventLog

    def routes(self) -> list[Route]: ...

    def health(self) -> dict[str, Any]:
        """What `/health` tells beside `{"status": "ok"}`; it may overwrite `status`."""
        ...

    def figures(self) -> Iterable[Metric]:
        """What `/metrics` tells beside the requests."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class _Figures(Collector):
    """Those of a service, asked for when they are wanted."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._service.figures()


class EventQuery(Request):
    after: str | None = None
    run: str | None = None
    limit: int = 200
    wait: float = 0.0


class Application:
    """The service's routes and those that every service has, served on one port.

    With `tokens` None every caller is an administrator; that is allowed on 127.0.0.1 only.
    """

    def __init__(
        self, service: Service, tokens: Tokens | None, chat: ChatSettings | None = None
    ) -> None:
        self.service = service
        self.tokens = tokens
        self._chat = chat or ChatSettings()
        self.metrics = CollectorRegistry()
        self._requests = Counter(
            "arteriole_requests_total",
            "Answers by route and status.",
            ["service", "method", "route", "status"],
            registry=self.metrics,
        )
        self._seconds = Histogram(
            "arteriole_request_seconds",
            "Time to answer.",
            ["service", "method", "route"],
            registry=self.metrics,
        )
        self.metrics.register(_Figures(service))
        self.routes = [*service.routes(), *self._common()]
        by_pattern: dict[str, dict[str, Route]] = {}
        for route in self.routes:
            by_pattern.setdefault(route.pattern, {})[route.method] = route
        self._tornado = tornado.web.Application(
            [
                (pattern, _Handler, {"application_": self, "table": table})
                for pattern, table in by_pattern.items()
            ],
            default_handler_class=_Handler,
            default_handler_args={"application_": self, "table": {}},
            log_function=lambda handler: None,
        )
        self._server: tornado.httpserver.HTTPServer | None = None

    def _common(self) -> list[Route]:
        get = "GET"
        return [
            Route(get, "/health", self._health, None, "is the service well"),
            Route(
                get, "/metrics", self._metrics, None, "figures for Prometheus", answers={200: TEXT}
            ),
            Route(get, "/openapi.json", self._openapi, None, "this API as OpenAPI 3.1"),
            Route(get, "/api", self._help, None, "the routes"),
            Route(get, "/api/1.0", self._help, None, "the routes"),
            Route(
                get,
                "/api/1.0/events",
                self._events,
                Role.READER,
                "events after a cursor; wait=SECONDS waits for the next",
                query=EventQuery,
            ),
            Route(
                get,
                "/api/1.0/events/stream",
                self._events,
                Role.READER,
                "events as a stream (SSE); Last-Event-ID goes on after it",
                query=EventQuery,
                answers={200: "text/event-stream"},
                headers={"Last-Event-ID": "the cursor of the last event that was seen"},
                streams=True,
            ),
        ]

    def _health(self, call: Call) -> Reply:
        return Reply({"status": "ok", "service": self.service.name, **self.service.health()})

    def _metrics(self, call: Call) -> Reply:
        return Reply(generate_latest(self.metrics).decode(), content_type=TEXT)

    def _openapi(self, call: Call) -> Reply:
        return Reply(openapi_document(f"arteriole {self.service.name}", VERSION, self.routes))

    def _help(self, call: Call) -> Reply:
        return Reply(help_document(self.routes))

    async def _events(self, call: Call) -> Reply:
        query: EventQuery = call.query
        limit = max(1, min(query.limit, 1000))
        page = self.service.events.read(query.after, limit=limit, run=query.run)
        if not page.events and query.wait > 0:
            await self.service.events.wait(min(query.wait, 60.0))
            again = self.service.events.read(page.next, limit=limit, run=query.run)
            page = type(page)(again.events, again.next, page.reset)
        return Reply(
            {
                "events": [event.document() for event in page.events],
                "next": page.next,
                "reset": page.reset,
            }
        )

    def identify(self, authorization: str | None, on_behalf_of: str | None) -> Identity:
        """Who acts: the caller, or somebody of the chat for whom it calls."""
        if self.tokens is None:
            caller = Identity("local", Role.ADMIN, is_person=False)
        else:
            caller = self.tokens.identify(authorization)
        if on_behalf_of is not None:
            return self._chat.identity(caller, on_behalf_of)
        return replace(caller, is_person=caller.is_person and caller.name not in self._chat.by)

    def listen(self, host: str, port: int) -> int:
        """Serve on `host`:`port` (0: a free one) and return the port."""
        sockets = tornado.netutil.bind_sockets(port, host)
        self._server = tornado.httpserver.HTTPServer(
            self._tornado, max_body_size=MOST_READ, body_timeout=BODY_TIMEOUT
        )
        self._server.add_sockets(sockets)
        return int(sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()

    def observe(self, route: Route, status: int, seconds: float) -> None:
        labels = (self.service.name, route.method, route.path)
        self._requests.labels(*labels, str(status)).inc()
        self._seconds.labels(*labels).observe(seconds)


@tornado.web.stream_request_body
class _Handler(tornado.web.RequestHandler):
    """Answers one pattern of the table.

    What of a body is beyond the limit is read and let go: few clients listen before all is sent.
    """

    def initialize(self, application_: Application, table: dict[str, Route]) -> None:
        self._app = application_
        self._table = table
        self._received = bytearray()
        self._is_too_large = False

    def data_received(self, chunk: bytes) -> None:
        self._is_too_large = self._is_too_large or len(self._received) + len(chunk) > BODY_LIMIT
        if not self._is_too_large:
            self._received += chunk

    async def _answer(self, **path: str) -> None:
        began = time.monotonic()
        route = self._table.get(self.request.method or "")
        try:
            if route is None:
                self._refuse_method()
                return
            if self._is_too_large:
                raise TooLargeError(f"expected a body of at most {BODY_LIMIT} bytes, found more")
            call = self._call(route, path)
            if route.streams:
                with contextlib.suppress(asyncio.CancelledError):  # the service stops
                    await self._stream(call)
                return
            reply = await route.answer(call)
        except ArterioleError as err:
            failure = route.failure if route is not None else None
            reply = Reply(err.document() if failure is None else failure(err), err.status)
        except tornado.iostream.StreamClosedError:
            return
        except Exception:
            # NB: not the path, which may hold the name of a sample
            told = "none" if route is None else route.path
            log.exception("request failed", service=self._app.service.name, route=told)
            reply = Reply(
                ArterioleError(
                    "the service failed while answering",
                    hint="its log has the details",
                    code="service.failed",
                ).document(),
                500,
            )
        self._send(reply)
        if route is not None:
            self._app.observe(route, reply.status, time.monotonic() - began)

    get = head = post = put = delete = patch = options = _answer

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Tornado refuses by itself, in the shape of every other error."""
        if self._table and status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self._refuse_method()
        else:
            phrase = HTTPStatus(status_code).phrase.lower()
            error = InvalidError(f"the request cannot be answered: {phrase}")
            self._send(Reply(error.document(), status_code))

    def log_exception(self, *_: Any) -> None:
        """Nothing: Tornado would write the path, which may hold the name of a sample."""

    def _refuse_method(self) -> None:
        if self._table:
            offered = ", ".join(self._table)
            error = InvalidError(
                f"{(self.request.method or '')[:20]} is not offered here, only {offered}"
            )
            self._send(Reply(error.document(), 405, headers={"Allow": offered}))
        else:
            error = InvalidError("there is nothing at this address", hint="see /api")
            self._send(Reply(error.document(), 404))

    def _call(self, route: Route, path: dict[str, str]) -> Call:
        headers = self.request.headers
        if route.role is None:
            identity = Identity("anyone", Role.READER)
        else:
            if self._app.tokens is None:
                self._require_own_origin()
            identity = self._app.identify(headers.get("Authorization"), headers.get(ON_BEHALF_OF))
            identity.require(route.role)
        return Call(
            identity=identity,
            path={name: value for name, value in path.items() if value is not None},
            query=self._query(route),
            body=self._body(route),
            headers={name.lower(): value for name, value in headers.get_all()},
            base_url=f"{self.request.protocol}://{self.request.host}",
        )

    def _require_own_origin(self) -> None:
        """Without tokens a browser on this machine would act for any page that it has open."""
        origin = self.request.headers.get("Origin")
        own = origin is None or urlsplit(origin).netloc == self.request.host
        if not own or not is_loopback(self.request.host_name.strip("[]")):
            raise ForbiddenError(
                "this was asked for by a page of another address than this service's",
                hint="use the service's own page at 127.0.0.1, or set auth: tokens",
                code="auth.origin",
            )

    def _query(self, route: Route) -> BaseModel | None:
        if route.query is None:
            return None
        values = {
            name: given[-1].decode("utf-8", "replace")
            for name, given in self.request.query_arguments.items()
        }
        return _validated(route.query, values)

    def _body(self, route: Route) -> BaseModel | None:
        if route.body is None or route.body is NoBody:
            return None
        if route.form:
            return _validated(route.body, self._form())
        try:
            values = json.loads(self._received or b"{}")
            json.dumps(values, ensure_ascii=False).encode()  # NB: JSON may hold half a character
        except (ValueError, RecursionError) as err:
            raise InvalidError(f"the body is not JSON: {err}", code="request.json") from err
        return _validated(route.body, values)

    def _form(self) -> dict[str, Any]:
        """The fields of a form, and its files by the field that they were sent as."""
        given: dict[str, list[bytes]] = {}
        uploads: dict[str, list[tornado.httputil.HTTPFile]] = {}
        kind = self.request.headers.get("Content-Type", "")
        try:
            tornado.httputil.parse_body_arguments(kind, bytes(self._received), given, uploads)
        except tornado.httputil.HTTPInputError as err:
            raise InvalidError(f"the body is no form: {err}") from err
        fields: dict[str, Any] = {
            name: values[-1].decode("utf-8", "replace") for name, values in given.items()
        }
        for name, files in uploads.items():
            fields[name] = [Upload(file["filename"], file["body"]) for file in files]
        return fields

    def _send(self, reply: Reply) -> None:
        if self.request.connection is None or self._finished:
            return
        self.set_status(reply.status)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.set_header("X-Content-Type-Options", "nosniff")
        if reply.body is None:
            self.clear_header("Content-Type")
            self.finish()
            return
        self.set_header("Content-Type", reply.content_type)
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        self.finish(text)

    async def _stream(self, call: Call) -> None:
        events = self._app.service.events
        cursor = call.headers.get("last-event-id") or call.query.after
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        while True:
            page = events.read(cursor, run=call.query.run)
            cursor = page.next
            if page.reset:
                self.write("event: reset\ndata: {}\n\n")
            for event in page.events:
                self.write(f"id: {event.cursor}\nevent: {event.what}\n")
                self.write(f"data: {json.dumps(event.document())}\n\n")
            if not page.events:
                self.write("\n")
            await self.flush()
            if not page.events:
                await events.wait(STREAM_HEARTBEAT)


def _validated(model: type[BaseModel], values: Any) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = place(first)
        raise InvalidError(f"{field or 'the body'}: {slip(first, model)}", field=field) from err


async def run_until_cancelled(application: Application) -> None:
    """Start the service and wake readers of its events until the task is cancelled."""
    watch = asyncio.create_task(application.service.events.watch())
    try:
        await application.service.start()
        await asyncio.Event().wait()
    finally:
        watch.cancel()
        await application.close()
        await application.service.stop()
