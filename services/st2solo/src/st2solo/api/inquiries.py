"""Inquiries: what waits for the answer of a person."""

from typing import Any

from st2solo.api.calls import Answer, Call, Page, Route, shown
from st2solo.errors import InvalidError

#: The roles of StackStorm's RBAC that an administrator of st2solo has.
_ADMIN_ROLES = frozenset({"system_admin", "admin", "observer"})


def list_inquiries(call: Call) -> Answer:
    page = Page.of(call)
    limit = -1 if page.limit is None else page.limit
    found, total = call.services.executions.inquiries.list(limit=limit, offset=page.offset)
    return page.answer(call, found, total)


def get_inquiry(call: Call, inquiry_id: str) -> dict[str, Any]:
    return shown(call, call.services.executions.inquiries.get(inquiry_id))


def respond(call: Call, inquiry_id: str) -> dict[str, Any]:
    content = call.object()
    if "response" not in content:
        raise InvalidError("expected the body as an object with the field response")
    identity = call.identity
    call.services.executions.inquiries.respond(
        inquiry_id,
        content["response"],
        user=identity.user,
        roles=set(_ADMIN_ROLES) if identity.admin else set(),
    )
    return {"id": inquiry_id, "response": content["response"]}


ROUTES = [
    Route("GET", "/inquiries", list_inquiries),
    Route("GET", "/inquiries/<inquiry_id>", get_inquiry),
    Route("PUT", "/inquiries/<inquiry_id>", respond),
]
