"""Trigger types, triggers, trigger instances, webhooks, timers, traces."""

import uuid
from typing import Any
from urllib.parse import parse_qs

from st2solo.api.calls import Answer, Call, Page, Route, chosen, ids_of, listed, shown, wants
from st2solo.errors import InvalidError, NotFoundError
from st2solo.resources import Kind, Resource
from st2solo.room import Room
from st2solo.schedules import TIMERS
from st2solo.traces import FILTERS
from st2solo.triggers import WEBHOOK

_INSTANCE_FILTERS = {
    "id": "id IN (SELECT value FROM json_each(?))",
    "trigger": "trigger = ?",
    "trigger_type": (
        "trigger IN (SELECT ref FROM resources"
        " WHERE kind = 'trigger' AND json_extract(document, '$.type') = ?)"
    ),
    "status": "status = ?",
    "timestamp_gt": "occurrence_time > ?",
    "timestamp_lt": "occurrence_time < ?",
    "trace_tag": "trace_tag = ?",
}
_FORM = "application/x-www-form-urlencoded"
_SECRET_HEADERS = frozenset({"x-auth-token", "st2-api-key", "cookie", "authorization"})


def list_types(call: Call) -> Answer:
    documents = [t.document() for t in call.services.resources.list(Kind.TRIGGER_TYPE)]
    return listed(call, documents, "name", "pack")


def get_type(call: Call, ref: str) -> dict[str, Any]:
    return shown(call, call.services.resources.get(Kind.TRIGGER_TYPE, ref).document())


def list_triggers(call: Call) -> Answer:
    documents = [t.document() for t in call.services.resources.list(Kind.TRIGGER)]
    return listed(call, documents, "type", "name", "pack")


def get_trigger(call: Call, ref: str) -> dict[str, Any]:
    return call.services.resources.get(Kind.TRIGGER, ref).document()


def list_instances(call: Call) -> Answer:
    """Those whose payloads do not fit into one answer come without them."""
    where, values = chosen(call, _INSTANCE_FILTERS)
    page, execute = Page.of(call), call.services.store.execute
    total = execute(f"SELECT count(*) FROM trigger_instances WHERE {where}", values)  # noqa: S608
    rows = execute(
        f"SELECT id FROM trigger_instances WHERE {where}"  # noqa: S608 - fixed texts
        " ORDER BY occurrence_time DESC, id DESC LIMIT ? OFFSET ?",
        (*values, -1 if page.limit is None else page.limit, page.offset),
    )
    room = Room() if wants(call, "payload") else Room(0)
    found = [call.services.triggers.fitting(row["id"], room) for row in rows.fetchall()]
    return page.answer(call, found, total.fetchone()[0])


def get_instance(call: Call, instance_id: str) -> dict[str, Any]:
    return shown(call, call.services.triggers.instance(instance_id).document())


def re_emit(call: Call, instance_id: str) -> dict[str, Any]:
    instance = call.services.triggers.re_emit(instance_id)
    return {
        "message": f"Trigger instance {instance_id} succesfully re-sent.",
        "payload": instance.payload,
        "trigger_instance_id": instance.id,
    }


def _hooks(call: Call) -> list[Resource]:
    """The triggers of type core.st2.webhook that a rule uses."""
    rules = call.services.resources.list(Kind.RULE)
    used = {rule.content["trigger"]["ref"] for rule in rules}
    return [t for t in call.services.triggers.of_type(WEBHOOK) if t.ref in used]


def _hooks_at(call: Call, url: str) -> list[Resource]:
    wanted = url.strip("/")
    return [t for t in _hooks(call) if t.content["parameters"]["url"].strip("/") == wanted]


def list_webhooks(call: Call) -> list[dict[str, Any]]:
    return [trigger.document() for trigger in _hooks(call)]


def get_webhook(call: Call, url: str) -> dict[str, Any]:
    for trigger in _hooks_at(call, url):
        return trigger.document()
    raise NotFoundError(f"Webhook {url} not registered with st2")


def _body(call: Call) -> Any:
    """The body as JSON, no body as an empty object; that of a form has lists of texts."""
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not call.body.strip():
        return {}
    if kind != _FORM:
        content = call.json()
        if content is None:
            raise InvalidError("expected the body as an object or a list, found null")
        return content
    try:
        text = call.body.decode("utf-8")
        return parse_qs(text, strict_parsing=True, errors="strict")
    except ValueError as err:
        raise InvalidError(f"expected the body as its Content-Type says, {_FORM}") from err


def post_webhook(call: Call, url: str) -> Answer:
    """`st2` takes `{trigger, payload}`; any other address what a rule on core.st2.webhook names."""
    services, body = call.services, _body(call)
    tag = call.headers.get("St2-Trace-Tag") or f"webhook-{url}-{uuid.uuid4().hex}"
    if url.strip("/") == "st2":
        if not isinstance(body, dict):
            raise InvalidError(f"Webhook body needs to be an object, got: {type(body).__name__}")
        if not body.get("trigger"):
            raise InvalidError("Trigger not specified.")
        services.triggers.dispatch(body["trigger"], body.get("payload"), trace_tag=tag)
        return Answer(body, 202)
    hooks = _hooks_at(call, url)
    if not hooks:
        raise NotFoundError(f"Webhook {url} not registered with st2")
    headers = {n: v for n, v in call.headers.items() if n.lower() not in _SECRET_HEADERS}
    lower = {name.lower(): value for name, value in headers.items()}
    payload = {"headers": headers, "headers_lower": lower, "body": body}
    with services.store.transaction():
        for trigger in hooks:
            services.triggers.dispatch(trigger.ref, payload, trace_tag=tag)
    return Answer(body, 202)


def list_timers(call: Call) -> Answer:
    documents = call.services.timers.documents()
    if wanted := call.query.get("timer_type"):
        if wanted not in TIMERS:
            expected = ", ".join(TIMERS)
            raise InvalidError(f"Timer type {wanted} not in supported types - {expected}.")
        documents = [document for document in documents if document["type"] == wanted]
    return listed(call, documents)


def get_timer(call: Call, ref: str) -> dict[str, Any]:
    for document in call.services.timers.documents():
        if ref in (document["ref"], document["id"]):
            return document
    raise NotFoundError(f'there is no timer "{ref}"')


def list_traces(call: Call) -> Answer:
    page = Page.of(call)
    ascending = call.flag("sort_asc") or call.query.get("sort", "").startswith("+")
    found, total = call.services.traces.list(
        {name: call.query[name] for name in FILTERS if call.query.get(name)},
        ids=ids_of(call),
        limit=-1 if page.limit is None else page.limit,
        offset=page.offset,
        ascending=ascending,
    )
    return page.answer(call, found, total)


def get_trace(call: Call, trace_id: str) -> dict[str, Any]:
    return shown(call, call.services.traces.get(trace_id))


ROUTES = [
    Route("GET", "/triggertypes", list_types),
    Route("GET", "/triggertypes/<ref>", get_type),
    Route("GET", "/triggers", list_triggers),
    Route("GET", "/triggers/<ref>", get_trigger),
    Route("GET", "/triggerinstances", list_instances),
    Route("GET", "/triggerinstances/<instance_id>", get_instance),
    Route("POST", "/triggerinstances/<instance_id>/re_emit", re_emit),
    Route("GET", "/webhooks", list_webhooks),
    Route("GET", "/webhooks/<*url>", get_webhook),
    Route("POST", "/webhooks/<*url>", post_webhook, recorded=True),
    Route("GET", "/timers", list_timers),
    Route("GET", "/timers/<ref>", get_timer),
    Route("GET", "/traces", list_traces),
    Route("GET", "/traces/<trace_id>", get_trace),
]
