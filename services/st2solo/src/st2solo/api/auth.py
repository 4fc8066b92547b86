"""Tokens, the current user, API keys."""

import base64
from typing import Any

from st2solo.api.calls import Answer, Call, Route, listed, object_of, text_of
from st2solo.auth import TOKEN_TTL_SECONDS
from st2solo.errors import InvalidError, UnauthorizedError
from st2solo.schema import MASK

#: As in ApiKeyAPI of st2common/models/api/auth.py.
_KEY_FIELDS = ("id", "uid", "user", "key_hash", "metadata", "created_at", "enabled")


async def create_token(call: Call) -> Answer:
    user, password = _basic(call.headers.get("Authorization", ""))
    await call.services.users.check(user, password)
    ttl = call.object().get("ttl")
    ttl = TOKEN_TTL_SECONDS if ttl is None else ttl
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        raise InvalidError(f"expected ttl as a number of seconds, found {ttl!r}")
    if ttl > TOKEN_TTL_SECONDS:
        raise InvalidError(f"TTL specified {ttl} is greater than max allowed {TOKEN_TTL_SECONDS}.")
    issued = call.services.tokens.issue(user, ttl)
    document = {"id": issued.id, "user": user, "token": issued.token, "expiry": issued.expiry}
    return Answer(document | {"metadata": {}}, 201)


def _basic(header: str) -> tuple[str, str]:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        raise UnauthorizedError("Invalid or missing credentials")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as err:  # also of base64 and of UTF-8
        raise UnauthorizedError("Invalid or missing credentials") from err
    return user, password


def current_user(call: Call) -> dict[str, Any]:
    authentication = {"method": call.identity.method, "location": "header"}
    if call.identity.expiry:
        authentication["token_expire"] = call.identity.expiry[:19] + "Z"
    return {
        "username": call.identity.user,
        "authentication": authentication,
        "rbac": {"enabled": False, "roles": [], "is_admin": call.identity.admin},
    }


def list_keys(call: Call) -> Answer:
    mine = call.identity
    keys = [k for k in call.services.api_keys.list() if mine.admin or k["user"] == mine.user]
    secrets = call.unmasks()
    return listed(call, [_shown(key, secrets) for key in keys], "user")


def get_key(call: Call, key_id: str) -> dict[str, Any]:
    return _shown(_own(call, key_id), call.unmasks())


def _own(call: Call, key_id: str) -> dict[str, Any]:
    document = call.services.api_keys.get(key_id)
    _require_own(call, document["user"])
    return document


def _shown(document: dict[str, Any], secrets: bool) -> dict[str, Any]:
    return document if secrets else document | {"key_hash": MASK}


def create_key(call: Call) -> Answer:
    """A new key, or one that is known by its `key_hash` alone, as `st2 apikey load` brings it."""
    call.identity.require_person("Making an API key")
    content = call.object(*_KEY_FIELDS)
    user = text_of(content, "user", call.identity.user)
    _require_own(call, user)
    document, key = call.services.api_keys.create(
        user,
        object_of(content, "metadata"),
        enabled=_enabled(content),
        key_hash=text_of(content, "key_hash", "") or None,
        key_id=text_of(content, "id", "") or None,
    )
    del document["key_hash"]
    return Answer(document | {"key": key}, 201)


def _enabled(content: dict[str, Any]) -> bool:
    enabled = content.get("enabled", True)
    if not isinstance(enabled, bool):
        raise InvalidError(f"expected enabled to be true or false, found {enabled!r}")
    return enabled


def update_key(call: Call, key_id: str) -> dict[str, Any]:
    call.identity.require_person("Changing an API key")
    old, content = _own(call, key_id), call.object(*_KEY_FIELDS)
    if text_of(content, "key_hash", MASK) not in (MASK, old["key_hash"]):
        raise InvalidError("Update of key_hash is not allowed.")
    user = text_of(content, "user", old["user"])
    _require_own(call, user)
    metadata = object_of(content, "metadata")
    call.services.api_keys.update(key_id, user=user, metadata=metadata, enabled=_enabled(content))
    return get_key(call, key_id)


def delete_key(call: Call, key_id: str) -> Answer:
    call.identity.require_person("Deleting an API key")
    _own(call, key_id)
    call.services.api_keys.delete(key_id)
    return Answer(status=204)


def _require_own(call: Call, user: str) -> None:
    if user != call.identity.user:
        call.identity.require_admin("The API key of another user")


ROUTES = [
    Route("POST", "/tokens", create_token, public=True),
    Route("GET", "/user", current_user),
    Route("GET", "/apikeys", list_keys),
    Route("POST", "/apikeys", create_key),
    Route("GET", "/apikeys/<key_id>", get_key),
    Route("PUT", "/apikeys/<key_id>", update_key),
    Route("DELETE", "/apikeys/<key_id>", delete_key),
]
