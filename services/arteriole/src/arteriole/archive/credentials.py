"""Key and secret of a bucket, from a file that only its owner can read."""

import configparser
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arteriole.archive.errors import ArchiveError

#: Ours and boto3's names.
_NAMES = {
    "key": ("key", "aws_access_key_id"),
    "secret": ("secret", "aws_secret_access_key"),
    "token": ("token", "aws_session_token"),
}


@dataclass(frozen=True)
class Credentials:
    key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def read_credentials(path: Path) -> Credentials:
    """From JSON (`{"key": ..., "secret": ...}`) or INI (the section `default`, or the only one).

    Raises:
        ArchiveError: others may read the file, or it has no key and secret. NB: no error repeats
            what stands in it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "it is not text"
        raise _unusable(path, f"it cannot be read: {reason}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _unusable(path, f"its mode is {stat.S_IMODE(mode):04o}", f"chmod 600 {path}")
    values = _json(text) if text.lstrip().startswith("{") else _ini(text)
    found = {
        name: next((values[key] for key in keys if values.get(key)), None)
        for name, keys in _NAMES.items()
    }
    key, secret, token = found["key"], found["secret"], found["token"]
    if not isinstance(key, str) or not isinstance(secret, str):
        raise _unusable(path, "it has no key and secret")
    return Credentials(key, secret, token if isinstance(token, str) else None)


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _ini(text: str) -> Mapping[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    sections = parser.sections()
    name = "default" if "default" in sections or len(sections) != 1 else sections[0]
    return parser[name] if name in sections else {}


def _unusable(path: Path, found: str, hint: str = "") -> ArchiveError:
    return ArchiveError(
        f"expected key and secret in {path}, in a file of mode 0600; {found}",
        code="archive.credentials",
        hint=hint or "correct the file, or credentials_file in arteriole.yaml; then retry",
    )
