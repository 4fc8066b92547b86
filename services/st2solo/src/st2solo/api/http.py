"""The one web handler: finds the route of a call, who calls, and how to answer."""

import inspect
import logging
import re
import sqlite3
from urllib.parse import unquote

from tornado.web import Application, HTTPError, RequestHandler

from st2solo import json_text
from st2solo.api import audit
from st2solo.api.calls import Answer, Call, Route
from st2solo.api.events import OutputHandler, StreamHandler
from st2solo.api.handlers import LARGEST_BODY, JsonErrors
from st2solo.api.identity import identity_of
from st2solo.api.routes import ROUTES
from st2solo.errors import St2SoloError
from st2solo.services import Services

_LOG = logging.getLogger(__name__)

#: The three addresses of StackStorm, and those below which its proxy serves them on one port.
_BASE = re.compile(r"/(?:(?:api|auth|stream)/)?v1(?=/|$)|/(?:auth|api)(?=/)")


class NotOfferedError(St2SoloError):
    """st2solo does not offer this."""

    status = 404


class MethodNotOfferedError(NotOfferedError):
    """st2solo does not offer to do this; `st2` takes 404 for the success of a DELETE."""

    status = 405


class BodyTooLargeError(St2SoloError):
    """The body is too large."""

    status = 413


class ApiHandler(JsonErrors):
    """Answers every path by the table of routes."""

    def initialize(self, services: Services) -> None:
        self.services = services

    def set_default_headers(self) -> None:
        self.set_header("Server", "st2solo")

    async def get(self) -> None:
        await self._answer()

    async def post(self) -> None:
        await self._answer()

    async def put(self) -> None:
        await self._answer()

    async def delete(self) -> None:
        await self._answer()

    async def _answer(self) -> None:
        try:
            answer = await self._handled()
        except St2SoloError as err:
            answer = Answer({"faultstring": str(err)}, err.status)
        except HTTPError as err:  # of tornado, on a query that is no UTF-8
            answer = Answer({"faultstring": err.log_message or "Bad Request"}, err.status_code)
        except sqlite3.OperationalError as err:
            _LOG.error("%s %s: the store: %s", self.request.method, self.request.path, err)
            answer = Answer({"faultstring": f"the store cannot be used now: {err}"}, 503)
        except Exception:
            _LOG.exception("%s %s failed", self.request.method, self.request.path)
            answer = Answer({"faultstring": "Internal Server Error"}, 500)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if answer.plain:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(answer.body)
        elif answer.status == 204:
            self.clear_header("Content-Type")
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json_text.written(answer.body))

    async def _handled(self) -> Answer:
        if self.is_too_large:
            raise BodyTooLargeError(f"expected a body of at most {LARGEST_BODY} bytes, found more")
        route, arguments = self._route()
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        headers = self.request.headers
        caller = None if route.public else identity_of(self.services, headers, query)
        call = Call(self.services, caller, query, dict(headers), bytes(self.body))
        result = route.handler(call, **arguments)
        if inspect.isawaitable(result):
            result = await result
        answer = result if isinstance(result, Answer) else Answer(result)
        audit.tell(route, self.request.path, call, answer)
        return answer

    def _route(self) -> tuple[Route, dict[str, str]]:
        path = _BASE.sub("", self.request.path, count=1).rstrip("/") or "/"
        error: type[NotOfferedError] = NotOfferedError
        for route in ROUTES:
            found = route.match(path)
            if found is not None and route.method == self.request.method:
                return route, {name: unquote(v) for name, v in found.items()}
            if found is not None:
                error = MethodNotOfferedError
        raise error(f"st2solo does not offer {self.request.method} {self.request.path}")


def application(services: Services, *, stream: bool = False) -> Application:
    """All that is offered; at the port of the `stream` an execution's output is one, too."""
    arguments = {"services": services}
    output = "(?:/stream)?(?:/v1)?" if stream else "/stream(?:/v1)?"
    return Application(
        [
            (r"/(?:stream/)?(?:v1/)?stream/?", StreamHandler, arguments),
            (rf"{output}/executions/([^/]+)/output/?", OutputHandler, arguments),
            (r".*", ApiHandler, arguments),
        ],
        log_function=_log,
    )


def _log(handler: RequestHandler) -> None:
    """Log a call without its query, which may hold a token."""
    request = handler.request
    _LOG.debug("%s %s %d", request.method, request.path, handler.get_status())
