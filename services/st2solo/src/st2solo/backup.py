"""A copy of the store, made while st2solo serves."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from st2solo.errors import St2SoloError


class BackupError(St2SoloError):
    """The backup was not made."""


def copy(store: Path, target: Path) -> None:
    """Copy the store as it is at one moment; the copy is checked, and appears when it is whole.

    Raises:
        BackupError: there is no store, something stands at `target`, or the copy failed.
    """
    if not store.is_file():
        raise BackupError(f"there is no store at {store}; is this the right st2solo.yaml?")
    if target.exists():
        raise BackupError(f"{target} is there already; name a file that is not")
    draft = target.with_name(target.name + ".partial")
    try:
        descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.close(descriptor)
        _copy(store, draft)
        _flush(draft)
        draft.rename(target)
        _flush(target.parent)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise BackupError(f"the store was not copied to {target}: {error}") from error


def _copy(store: Path, draft: Path) -> None:
    source = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(draft)) as copied:
        source.backup(copied)  # one step: a reader's view of one moment, which hinders no writer
        copied.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        found = copied.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(f"the copy of {store} is not whole: {found}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
