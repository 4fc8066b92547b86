"""Who calls: users with passwords, tokens, API keys. Only digests of secrets are stored."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from st2solo import moments
from st2solo.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    St2SoloError,
    UnauthorizedError,
)
from st2solo.ids import is_id, new_id
from st2solo.store import Store

TOKEN_TTL_SECONDS = 24 * 3600
#: The runners of actions whose code is a file of their pack; of others a user may have typed it.
_PACKS_CODE = frozenset({"python-script", "local-shell-script"})
#: Those whose processes are on other hosts, where others may read their environment.
_ELSEWHERE = frozenset({"remote-shell-cmd", "remote-shell-script"})
_KEY_SALT = b"saltnpepper"
_KEY_HASH = re.compile(r"[0-9a-f]{128}|[0-9a-f]{64}")
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 * 2**20}


@dataclass(frozen=True)
class Identity:
    """Who calls, and how that was proven: `method` is StackStorm's word for it.

    A `process` is an action or a sensor that st2solo has started; it acts for the user, and is
    no person. One whose code is a pack's `decrypts`: it may read secrets by their names.
    """

    user: str
    admin: bool
    method: str
    expiry: str | None = None
    process: bool = False
    decrypts: bool = False

    @property
    def changes_packs(self) -> bool:
        return self.admin and not self.process

    def require_admin(self, wish: str) -> None:
        if not self.admin:
            raise ForbiddenError(f"{wish} requires administrator access")

    def require_person(self, wish: str) -> None:
        """For what outlives an execution: no payload may reach it."""
        if self.process:
            raise ForbiddenError(f"{wish} is not for actions and sensors, whoever runs them")


@dataclass(frozen=True)
class IssuedToken:
    """The only moment at which the token itself is known."""

    id: str
    user: str
    token: str
    expiry: str


#: In the form of a stored password; nothing has this digest.
_UNKNOWN = f"scrypt${base64.b64encode(b'no such user....').decode()}$"
_LOGINS_WAITING = 100


class BusyError(St2SoloError):
    """Too many log in at this moment; try again in a few seconds."""

    status = 503


class Users:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._hasher = ThreadPoolExecutor(1, "passwords")
        self._waiting = 0

    def add(self, name: str, password: str, *, admin: bool | None = None) -> bool:
        """Create the user, or give the existing one this password; whether it is new.

        Where `admin` is not said, a new user is an administrator, and one that is there keeps its
        right.
        """
        if not name or ":" in name:
            raise InvalidError(f"expected a user name without a colon, found {name!r}")
        if not password:
            raise InvalidError("expected a password, found nothing")
        hashed = _hash(password, os.urandom(16))
        with self._store.transaction():
            is_new = not self.is_known(name)
            self._store.execute(
                "INSERT INTO users (name, password, admin) VALUES (?1, ?2, coalesce(?3, 1))"
                " ON CONFLICT (name)"
                " DO UPDATE SET password = excluded.password, admin = coalesce(?3, admin)",
                (name, hashed, admin),
            )
        return is_new

    def remove(self, name: str) -> None:
        """End what this user logs in with: password, tokens and API keys.

        What it has done stays in the history. What it has started goes on, its processes with
        their tokens, which are no administrator's any more.

        Raises:
            NotFoundError: there is no such user.
        """
        with self._store.transaction():
            if not self.is_known(name):
                raise NotFoundError(f'there is no user "{name}"')
            self._store.execute("DELETE FROM users WHERE name = ?", (name,))
            self._store.execute("DELETE FROM tokens WHERE user = ? AND NOT service", (name,))
            self._store.execute("DELETE FROM api_keys WHERE user = ?", (name,))

    def list(self) -> list[tuple[str, bool]]:
        """The name of each, and whether it is an administrator, by name."""
        rows = self._store.execute("SELECT name, admin FROM users ORDER BY name")
        return [(row["name"], bool(row["admin"])) for row in rows]

    def is_known(self, name: str) -> bool:
        found = self._store.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone()
        return found is not None

    async def check(self, name: str, password: str) -> None:
        """Whether this is the password; it is hashed beside the event loop, one at a time.

        Raises:
            UnauthorizedError: it is not, or there is no such user.
            BusyError: too many log in at this moment.
        """
        if self._waiting >= _LOGINS_WAITING:
            raise BusyError
        row = self._store.execute("SELECT password FROM users WHERE name = ?", (name,)).fetchone()
        # An unknown user costs the same time as a wrong password.
        known = row["password"] if row else _UNKNOWN
        salt = base64.b64decode(known.split("$")[1])
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            given = await loop.run_in_executor(self._hasher, _hash, password, salt)
        finally:
            self._waiting -= 1
        if not hmac.compare_digest(given, known) or row is None:
            raise UnauthorizedError("Invalid or missing credentials")

    def is_admin(self, name: str, *, unknown: bool = False) -> bool:
        """Whether this user is an administrator; `unknown` is the answer for one without a row."""
        row = self._store.execute("SELECT admin FROM users WHERE name = ?", (name,)).fetchone()
        return bool(row["admin"]) if row else unknown


class Tokens:
    """Tokens of people, of sensors and of executions.

    Actions that rules ask for run as the `system_user`, who has no password.
    """

    def __init__(self, store: Store, users: Users, system_user: str) -> None:
        self._store = store
        self._users = users
        self._system_user = system_user
        self._forget_after = moments.now()

    def issue(self, user: str, ttl_seconds: int = TOKEN_TTL_SECONDS) -> IssuedToken:
        """For a person.

        Raises:
            UnauthorizedError: there is no such user (any more).
        """
        with self._store.transaction():
            if not self._users.is_known(user):
                raise UnauthorizedError("Invalid or missing credentials")
            return self._issue(user, ttl_seconds, service=False)

    def service_token(self, user: str, ttl_seconds: int) -> str:
        """For a sensor; it may do what an administrator may, but for what is for people."""
        return self._issue(user, ttl_seconds, service=True).token

    def action_token(self, execution_id: str, user: str, ttl_seconds: int) -> str:
        """For the process of an execution, with which it ends."""
        return self._issue(user, ttl_seconds, service=True, execution=execution_id).token

    def revoke_of(self, execution_id: str) -> None:
        self._store.execute("DELETE FROM tokens WHERE id = ?", (execution_id,))

    def revoke(self, token: str) -> None:
        self._store.execute("DELETE FROM tokens WHERE digest = ?", (_digest(token),))

    def identity(self, token: str) -> Identity:
        row = self._store.execute(
            "SELECT tokens.*, runner, json_extract(parameters, '$.env') AS env"
            " FROM tokens LEFT JOIN executions ON executions.id = execution WHERE digest = ?",
            (_digest(token),),
        ).fetchone()
        if row is None or row["expiry"] <= moments.now_text():
            raise UnauthorizedError("Unauthorized - the token is unknown or has expired")
        admin = self._is_admin(row)
        return Identity(
            row["user"],
            admin,
            "authentication token",
            row["expiry"],
            process=bool(row["service"]),
            decrypts=admin or _runs_packs_code(row),
        )

    def _is_admin(self, row: sqlite3.Row) -> bool:
        """A sensor is one; an execution has the right of its user, but not on another host.

        What rules ask for has the right only where the code is a pack's: who writes a rule
        could else take it with a command.
        """
        if row["execution"] is None:
            return bool(row["service"]) or self._users.is_admin(row["user"])
        if row["runner"] in _ELSEWHERE:
            return False
        trusted = row["user"] == self._system_user and _runs_packs_code(row)
        return self._users.is_admin(row["user"], unknown=trusted)

    def forget_expired(self) -> None:
        self._forget_after = moments.now() + timedelta(hours=1)
        self._store.execute("DELETE FROM tokens WHERE expiry <= ?", (moments.now_text(),))

    def _issue(
        self, user: str, ttl_seconds: int, *, service: bool, execution: str | None = None
    ) -> IssuedToken:
        if ttl_seconds < 1:
            raise InvalidError(f"expected a ttl of at least 1 second, found {ttl_seconds}")
        expiry = moments.text(moments.now() + timedelta(seconds=ttl_seconds))
        if moments.now() >= self._forget_after:
            self.forget_expired()
        issued = IssuedToken(execution or new_id(), user, secrets.token_hex(16), expiry)
        self._store.execute(
            "INSERT INTO tokens (digest, id, user, service, expiry, execution)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(issued.token), issued.id, user, service, expiry, execution),
        )
        return issued


class ApiKeys:
    def __init__(self, store: Store, users: Users) -> None:
        self._store = store
        self._users = users

    def create(
        self,
        user: str,
        metadata: dict[str, Any],
        *,
        enabled: bool = True,
        key_hash: str | None = None,
        key_id: str | None = None,
    ) -> tuple[dict[str, Any], str | None]:
        """The document and the key, which is shown this once.

        A key that was made elsewhere is known by its `key_hash` alone.

        Raises:
            InvalidError: the digest or the identifier is none.
            ConflictError: there is another key with one of them.
        """
        key = None if key_hash else secrets.token_urlsafe(48)
        digest = _key_hash(key) if key else _checked(key_hash or "")
        if key_id is not None and not is_id(key_id):
            raise InvalidError("expected id as 24 hexadecimal digits")
        key_id = key_id or new_id()
        try:
            self._store.execute(
                "INSERT INTO api_keys (id, digest, user, metadata, enabled, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (key_id, digest, user, json.dumps(metadata), enabled, moments.now_text()),
            )
        except sqlite3.IntegrityError as err:
            raise ConflictError("there is already an API key with this id or key_hash") from err
        return self.get(key_id), key

    def get(self, key_id: str) -> dict[str, Any]:
        row = self._store.execute("SELECT * FROM api_keys WHERE id = ?", (key_id,)).fetchone()
        if row is None:
            raise NotFoundError(f'there is no API key with the id "{key_id}"')
        return self._document(row)

    def list(self) -> list[dict[str, Any]]:
        rows = self._store.execute("SELECT * FROM api_keys ORDER BY id")
        return [self._document(row) for row in rows]

    def update(self, key_id: str, *, user: str, metadata: dict[str, Any], enabled: bool) -> None:
        self.get(key_id)
        self._store.execute(
            "UPDATE api_keys SET user = ?, metadata = ?, enabled = ? WHERE id = ?",
            (user, json.dumps(metadata), enabled, key_id),
        )

    def delete(self, key_id: str) -> None:
        self.get(key_id)
        self._store.execute("DELETE FROM api_keys WHERE id = ?", (key_id,))

    def identity(self, key: str) -> Identity:
        row = self._store.execute(
            "SELECT user FROM api_keys WHERE digest IN (?, ?) AND enabled",
            (_key_hash(key), _digest(key)),
        ).fetchone()
        if row is None:
            raise UnauthorizedError("Unauthorized - the API key is unknown or disabled")
        return Identity(row["user"], self._users.is_admin(row["user"]), "API key")

    @staticmethod
    def _document(row: Any) -> dict[str, Any]:
        return {
            "id": row["id"],
            "uid": f"api_key:{row['id']}",
            "user": row["user"],
            "key_hash": row["digest"],
            "metadata": json.loads(row["metadata"]),
            "enabled": bool(row["enabled"]),
            "created_at": row["created_at"],
        }


def _runs_packs_code(row: sqlite3.Row) -> bool:
    """Whether it is of what its pack has; an environment that was given may bring other code."""
    return row["runner"] in _PACKS_CODE and row["env"] is None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key_hash(key: str) -> str:
    """As StackStorm has it (st2common/util/hash.py); keys of earlier versions have `_digest`."""
    return hashlib.sha512(_KEY_SALT + key.encode()).hexdigest()


def _checked(key_hash: str) -> str:
    if not _KEY_HASH.fullmatch(key_hash):
        raise InvalidError(
            "expected key_hash as `st2 apikey list --show-secrets -d -j` tells it where the key"
            " was made: 128 hexadecimal digits"
        )
    return key_hash


def _hash(password: str, salt: bytes) -> str:
    digest = hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_SCRYPT)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
