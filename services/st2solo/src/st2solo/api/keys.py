"""The datastore."""

from typing import Any

from st2solo.api.calls import Answer, Call, Route, listed, text_of
from st2solo.errors import InvalidError
from st2solo.keys import SYSTEM, USER, scope_named

#: As in KeyValuePairSetAPI of st2common/models/api/keyvalue.py.
_FIELDS = (
    "id",
    "uid",
    "name",
    "description",
    "value",
    "secret",
    "encrypted",
    "scope",
    "user",
    "ttl",
    "expire_timestamp",
)
_LONGEST_TTL_SECONDS = 100 * 365 * 24 * 3600


def _scope_and_user(call: Call, scope: str | None, user: str | None) -> tuple[str, str]:
    """Naming a user implies the scope user; another user's keys are for administrators.

    `all`, which means both in a list, is the scope system of one key.
    """
    chosen = USER if user else scope_named(SYSTEM if scope in (None, "", "all") else scope)
    if user and user != call.identity.user:
        call.identity.require_admin(f"The keys of the user {user}")
    return chosen, user or call.identity.user


def _decrypt(call: Call, scope: str, *, by_name: bool = False) -> bool:
    decrypt = call.flag("decrypt")
    if decrypt and scope == SYSTEM and not (by_name and call.identity.decrypts):
        call.identity.require_admin("Decrypt option")
    if decrypt:
        call.granted.add("decrypt")
    return decrypt


def list_keys(call: Call) -> Answer:
    keys, prefix = call.services.keys, call.query.get("prefix", "")
    named = call.query.get("scope")
    both = named == "all" and not call.query.get("user")
    scope, user = _scope_and_user(call, None if both else named, call.query.get("user"))
    found = []
    for one in (SYSTEM, USER) if both else (scope,):
        decrypt = _decrypt(call, one)
        found += [
            keys.document(key, decrypt=decrypt)
            for key in keys.list(scope=one, user=user, prefix=prefix)
        ]
    return listed(call, found, "name")


def get_key(call: Call, name: str) -> dict[str, Any]:
    scope, user = _scope_and_user(call, call.query.get("scope"), call.query.get("user"))
    keys = call.services.keys
    key = keys.get(name, scope=scope, user=user)
    return keys.document(key, decrypt=_decrypt(call, scope, by_name=True))


def set_key(call: Call, name: str) -> dict[str, Any]:
    content = call.object(*_FIELDS)
    value, ttl = content.get("value"), content.get("ttl")
    if not isinstance(value, str):
        raise InvalidError(f"expected the value as text, found {value!r}")
    if ttl is not None and (not isinstance(ttl, int) or not 1 <= ttl <= _LONGEST_TTL_SECONDS):
        raise InvalidError(f"expected ttl as a number of seconds, found {ttl!r}")
    scope = scope_named(text_of(content, "scope", call.query.get("scope") or SYSTEM))
    user = text_of(content, "user", call.identity.user)
    if user != call.identity.user:
        call.identity.require_admin(f"The keys of the user {user}")
    encrypted = bool(content.get("encrypted"))
    if encrypted:
        call.identity.require_admin("Pre-encrypted option")
    key = call.services.keys.set(
        name,
        value,
        scope=scope,
        user=user,
        secret=bool(content.get("secret")),
        encrypted=encrypted,
        ttl_seconds=ttl,
        description=text_of(content, "description", "") or None,
    )
    return call.services.keys.document(key, decrypt=False)


def delete_key(call: Call, name: str) -> Answer:
    scope, user = _scope_and_user(call, call.query.get("scope"), call.query.get("user"))
    call.services.keys.delete(name, scope=scope, user=user)
    return Answer(status=204)


ROUTES = [
    Route("GET", "/keys", list_keys),
    Route("GET", "/keys/<name>", get_key),
    Route("PUT", "/keys/<name>", set_key),
    Route("DELETE", "/keys/<name>", delete_key),
]
