"""Bearer tokens: made at first start, stored hashed, one for the packs and one a person."""

import enum
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arteriole.app import private_file
from arteriole.app.errors import ArterioleError, ConflictError, ForbiddenError, UnauthorizedError
from arteriole.app.names import require_identifier


class Role(enum.IntEnum):
    """Each role may do what those before it may."""

    READER = 1
    OPERATOR = 2
    ADMIN = 3


#: Made at first start: one for the packs, one for whoever sets the system up. Others can read them,
#: so nobody of these names counts as a person.
FIRST_TOKENS = {"packs": Role.OPERATOR, "admin": Role.ADMIN}


@dataclass(frozen=True)
class Identity:
    """Who asks; not `is_person` where several people have the name, or a program."""

    name: str
    role: Role
    is_person: bool = True

    def is_same_person(self, name: str) -> bool:
        """Whether `name` is that of the same person, at a terminal or in a chat."""
        return _person(self.name) == _person(name)

    def require(self, role: Role) -> None:
        if self.role < role:
            raise ForbiddenError(
                f"{self.name} has the role {self.role.name.lower()}; this needs {role.name.lower()}"
            )


class TokensFileError(ArterioleError):
    """The file with the tokens cannot be used, so nobody is known."""

    code = "auth.tokens_file"
    status = 503


class Tokens:
    """The hashed tokens in `path` (JSON, mode 0600); read again whenever the file changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._by_hash: dict[str, Identity] = {}

    def create(self, name: str, role: Role) -> str:
        """Make a token for `name` and return it: it is not stored and cannot be shown again."""
        require_identifier(name, "name")
        entries = self._load()
        if name in entries:
            raise ConflictError(
                f"{name} has a token already", hint=f"arteriole token revoke {name}"
            )
        token = _new_token()
        entries[name] = _entry(role, token)
        self._save(entries)
        return token

    def create_first(self, keep: Callable[[str, str], None]) -> None:
        """Make FIRST_TOKENS; they are known once `keep(name, token)` has kept them all."""
        made = {name: _new_token() for name in FIRST_TOKENS}
        for name, token in made.items():
            keep(name, token)
        self._save({name: _entry(FIRST_TOKENS[name], token) for name, token in made.items()})

    def revoke(self, name: str) -> bool:
        entries = self._load()
        if entries.pop(name, None) is None:
            return False
        self._save(entries)
        return True

    def names(self) -> dict[str, str]:
        return {name: entry["role"] for name, entry in sorted(self._load().items())}

    def identify(self, authorization: str | None) -> Identity:
        """The identity behind an `Authorization: Bearer ...` header; UnauthorizedError if none."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError(
                "this needs the header 'Authorization: Bearer TOKEN'",
                hint="an administrator makes one with 'arteriole token create NAME'",
            )
        self._refresh()
        identity = self._by_hash.get(_digest(token.strip()))
        if identity is None:
            raise UnauthorizedError("this token is not known here, or was revoked")
        return identity

    def _refresh(self) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._by_hash, self._stamp = {}, None
            return
        except OSError as err:
            raise _unusable(err.strerror or str(err)) from err
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            self._by_hash = {
                entry["sha256"]: Identity(
                    name, Role[entry["role"].upper()], is_person=name not in FIRST_TOKENS
                )
                for name, entry in self._load().items()
            }
            self._stamp = stamp

    def _load(self) -> dict[str, dict[str, str]]:
        try:
            entries: dict[str, dict[str, str]] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except OSError as err:
            raise _unusable(err.strerror or str(err)) from err
        except ValueError as err:
            raise _unusable("it is not JSON") from err
        return entries

    def _save(self, entries: dict[str, dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        private_file.write(self.path, json.dumps(entries, indent=1))


def _unusable(found: str) -> TokensFileError:
    """NB: without the path, since callers that are not known yet are told it."""
    return TokensFileError(
        f"expected tokens.json in state_dir to be readable for this user, found: {found}",
        hint="give it to the services' user: chown --reference=STATE_DIR STATE_DIR/tokens.json",
    )


def _person(name: str) -> str:
    """Of `packs/chat:ada` ada."""
    return name.rpartition("/chat:")[2]


def _new_token() -> str:
    """256 random bits, hexadecimal: what begins with a dash is taken for an option."""
    return secrets.token_hex(32)


def _entry(role: Role, token: str) -> dict[str, str]:
    return {"role": role.name.lower(), "sha256": _digest(token)}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
