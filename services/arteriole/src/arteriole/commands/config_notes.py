"""What `arteriole config check` notes: settings that are good, and do not work on this machine."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from arteriole.settings import Settings

#: Keys that name a secret, which none but its owner should be able to read, ...
SECRETS = frozenset(
    {"identity_file", "credentials_file", "private_key", "passphrase_file", "token_file"}
)
#: ... and those that name another file.
FILES = SECRETS | {"known_hosts", "recipients", "ca_file"}
#: The services whose jobs look for run folders.
READ_RUNS = ("bcl2fastq", "checksum", "transfer", "archive")


def notes(settings: Settings) -> Iterator[str]:
    """One line each. NB: what is readable is so for the user who asks."""
    for path, keys in settings.folders().items():
        if not _is_dir(path):
            yield f"{path} is no folder here, or not yet: {', '.join(keys)}"
    for (path, is_secret), keys in _files(settings).items():
        if found := _trouble(path, is_secret):
            yield f"{path} {found}: {', '.join(keys)}"
    yield from _unseen(settings)
    if (other := _other_user(settings.state_dir)) is not None:
        yield other


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _files(settings: Settings) -> dict[tuple[Path, bool], list[str]]:
    """Each file that has to be there, and whether it is a secret, with the keys that name it."""
    found: dict[tuple[Path, bool], list[str]] = {}
    for keys, path in _paths(settings, ()):
        name = next(key for key in reversed(keys) if not key.isdigit())
        if name in FILES:
            found.setdefault((path, name in SECRETS), []).append(".".join(keys))
    return found


def _paths(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Every path below a section, with the keys that lead to it."""
    if isinstance(value, Path):
        yield keys, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _paths(getattr(value, name), (*keys, name))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _paths(one, (*keys, str(name)))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _paths(one, (*keys, str(number)))


def _trouble(path: Path, is_secret: bool) -> str:
    """Why it cannot be used; empty if it can."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return "is no file"
        with open(path, "rb"):
            pass
    except FileNotFoundError:
        return "is not there, or not yet"
    except OSError as err:
        return f"cannot be read: {err.strerror}"
    if is_secret and mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"is a secret, and not its owner's alone: its mode is {stat.S_IMODE(mode):04o}"
    return ""


def _unseen(settings: Settings) -> Iterator[str]:
    """Monitored directories whose runs a service would not find: it looks into its own roots."""
    runfolder = settings.runfolder
    for directory in () if runfolder is None else runfolder.monitored_directories:
        blind = []
        for name in READ_RUNS:
            roots = getattr(getattr(settings, name), "run_roots", ())
            if roots and os.path.realpath(directory) not in map(os.path.realpath, roots):
                blind.append(f"{name}.run_roots")
        if blind:
            yield (
                f"{directory} of runfolder.monitored_directories is none of {', '.join(blind)},"
                " so its runs are not found there"
            )


def _other_user(state_dir: Path) -> str | None:
    """Who asks, where that is not the user whose state it is."""
    try:
        owner = state_dir.stat().st_uid
    except OSError:
        return None
    if owner == os.geteuid():
        return None
    asking = _name(os.geteuid())
    return (
        f"this was asked by {asking}, and state_dir belongs to {_name(owner)}: what is said of"
        f" reading files is true of {asking} alone"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
