"""The datastore: named strings of the scopes 'system' and 'user', secret ones encrypted at rest."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from st2solo import moments
from st2solo.crypto import CryptoKey
from st2solo.errors import InvalidError, NotFoundError
from st2solo.ids import new_id
from st2solo.store import Store

SYSTEM, USER = "system", "user"
_SCOPES = {
    "system": SYSTEM,
    "st2kv.system": SYSTEM,
    "user": USER,
    "st2kv.user": USER,
}


def scope_named(name: str) -> str:
    """'system' or 'user' for StackStorm's names, with and without the prefix `st2kv.`."""
    try:
        return _SCOPES[name]
    except KeyError as err:
        raise InvalidError(f"expected the scope system or user, found {name!r}") from err


@dataclass(frozen=True)
class Key:
    """One value; `stored` is ciphertext when `secret`."""

    id: str
    scope: str
    owner: str
    name: str
    stored: str
    secret: bool
    description: str | None
    expires: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Key":
        return cls(
            id=row["id"],
            scope=row["scope"],
            owner=row["owner"],
            name=row["name"],
            stored=row["value"],
            secret=bool(row["secret"]),
            description=row["description"],
            expires=row["expires"],
        )


class Keys:
    def __init__(self, store: Store, crypto: CryptoKey) -> None:
        self._store = store
        self._crypto = crypto
        #: Called with a key before and after each change, in the transaction that makes it; None
        #: is one that is not there.
        self.on_change: list[Callable[[Key | None, Key | None], None]] = []

    def value(self, name: str, *, scope: str, user: str | None, decrypt: bool) -> str | None:
        """The value as stored (ciphertext if secret), or in the clear with `decrypt`.

        None if there is none or it has expired.

        Raises:
            InvalidError: it is to be decrypted, and is not encrypted.
        """
        try:
            key = self.get(name, scope=scope, user=user)
        except NotFoundError:
            return None
        return self.decrypt(key.stored) if decrypt else key.stored

    def decrypt(self, value: str) -> str:
        """In the clear what `st2 key set --encrypt` stored."""
        return self._crypto.decrypt(value)

    def get(self, name: str, *, scope: str, user: str | None) -> Key:
        scope, owner = _owner(scope, user)
        key = self._found(name, scope, owner)
        if key is None:
            raise NotFoundError(f'there is no key "{name}" in the scope {scope}')
        return key

    def _found(self, name: str, scope: str, owner: str) -> Key | None:
        row = self._store.execute(
            "SELECT * FROM keys WHERE scope = ? AND owner = ? AND name = ?"
            " AND (expires IS NULL OR expires > ?)",
            (scope, owner, name, moments.now_text()),
        ).fetchone()
        return row and Key.from_row(row)

    def list(self, *, scope: str, user: str | None, prefix: str = "") -> list[Key]:
        scope, owner = _owner(scope, user)
        rows = self._store.execute(
            "SELECT * FROM keys WHERE scope = ? AND owner = ? AND substr(name, 1, ?) = ?"
            " AND (expires IS NULL OR expires > ?) ORDER BY name",
            (scope, owner, len(prefix), prefix, moments.now_text()),
        )
        return [Key.from_row(row) for row in rows]

    def set(
        self,
        name: str,
        value: str,
        *,
        scope: str,
        user: str | None,
        secret: bool = False,
        encrypted: bool = False,
        ttl_seconds: int | None = None,
        description: str | None = None,
    ) -> Key:
        """Create or replace; `encrypted` says that the value is ciphertext of this crypto key."""
        if not name:
            raise InvalidError("expected the name of a key, found nothing")
        if encrypted:
            self.decrypt(value)
        elif secret:
            value = self._crypto.encrypt(value)
        scope, owner = _owner(scope, user)
        expires = ttl_seconds and moments.text(moments.now() + timedelta(seconds=ttl_seconds))
        with self._store.transaction():
            before = self._found(name, scope, owner)
            self._store.execute(
                "INSERT INTO keys (id, scope, owner, name, value, secret, description, expires)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, owner, name) DO UPDATE SET"
                " value = excluded.value, secret = excluded.secret,"
                " description = excluded.description, expires = excluded.expires",
                (new_id(), scope, owner, name, value, secret or encrypted, description, expires),
            )
            key = self.get(name, scope=scope, user=user)
            self._tell(before, key)
        return key

    def delete(self, name: str, *, scope: str, user: str | None) -> None:
        with self._store.transaction():
            key = self.get(name, scope=scope, user=user)
            self._store.execute("DELETE FROM keys WHERE id = ?", (key.id,))
            self._tell(key, None)

    def _tell(self, before: Key | None, after: Key | None) -> None:
        for listener in self.on_change:
            listener(before, after)

    def document(self, key: Key, *, decrypt: bool) -> dict[str, Any]:
        """As StackStorm's API shows it: a secret is ciphertext unless decrypted."""
        shown: dict[str, Any] = {
            "id": key.id,
            "uid": f"key_value_pair:st2kv.{key.scope}:{key.owner and key.owner + ':'}{key.name}",
            "name": key.name,
            "value": self.decrypt(key.stored) if decrypt and key.secret else key.stored,
            "secret": key.secret,
            "encrypted": key.secret and not decrypt,
            "scope": f"st2kv.{key.scope}",
        }
        optional = {
            "user": key.owner or None,
            "description": key.description,
            "expire_timestamp": key.expires,
        }
        return shown | {name: value for name, value in optional.items() if value is not None}


def _owner(scope: str, user: str | None) -> tuple[str, str]:
    scope = scope_named(scope)
    if scope == SYSTEM:
        return scope, ""
    if not user:
        raise InvalidError("the scope user needs the name of a user")
    return scope, user
