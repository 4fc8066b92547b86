"""The log of who changed what, and of who was shown secrets, by the API."""

import logging

from st2solo.api.calls import Answer, Call, Route
from st2solo.auth import Identity

_LOG = logging.getLogger(__name__)

_CHANGES = frozenset({"PUT", "POST", "DELETE"})


def tell(route: Route, path: str, call: Call, answer: Answer) -> None:
    """Log a call that has been answered, without its query and body, which may hold secrets.

    NB: it tells what was proven and granted, never what was only asked for.

    Events and executions have records of their own, and come often; so do the keys that sensors
    and actions set and read.
    """
    if not call.granted and (route.method not in _CHANGES or route.recorded):
        return
    caller, body = call.caller, answer.body if isinstance(answer.body, dict) else {}
    if "faultstring" in body:
        return
    if caller and caller.process and route.pattern.startswith("/keys"):
        return
    told = {
        "user": caller.user if caller else body.get("user"),
        "by": _proof(caller),
        "secrets": ",".join(sorted(call.granted)),
        "ref": answer.about or body.get("ref") or body.get("id"),
    }
    _LOG.info("%s %s", route.method, path, extra={k: v for k, v in told.items() if v})


def _proof(caller: Identity | None) -> str:
    if caller is None:  # POST /tokens, the only change on a public route
        return "password"
    return "action or sensor" if caller.process else caller.method
