"""The files of a folder, as they are now."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arteriole.checksum.errors import ChecksumError, listed

#: What Arteria and we keep at the top of a run folder; no part of the run.
OWN_PREFIX = ".arteria"


@dataclass(frozen=True, order=True)
class FoundFile:
    """A file below a folder; `name` is its path relative to it, with slashes."""

    name: str
    size: int
    mtime_ns: int


def list_files(folder: Path, *, without_own: bool = False) -> list[FoundFile]:
    """Every file below `folder`, sorted by name.

    A link to a file inside `folder` counts as a file with that content. Nothing else is followed.

    Args:
        without_own: leave out `.arteria*` at the top.

    Raises:
        ChecksumError: a name that a line of a manifest cannot hold, a link that leads out of the
            folder, to a folder or to nothing, anything that is no file, or a folder that cannot
            be read; all are named.
    """
    base = folder.resolve()
    return sorted(_walk(base, base, without_own))


def require_unchanged(folder: Path, before: list[FoundFile], *, without_own: bool = False) -> None:
    """ChecksumError if files of `folder` appeared, vanished or were written since `before`."""
    now = list_files(folder, without_own=without_own)
    if now != before:
        changed = sorted({found.name for found in set(now) ^ set(before)})
        raise ChecksumError(
            f"{folder} was written to while it was read: {listed(changed)}",
            code="checksum.changing",
            hint="find out what still writes there; then retry",
        )


def _walk(base: Path, folder: Path, without_own: bool) -> Iterator[FoundFile]:
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except OSError as err:
        raise ChecksumError(
            f"cannot list {folder}: {err.strerror}",
            code="checksum.unreadable",
            hint="check its permissions, and that the file system is mounted",
        ) from err
    for entry in entries:
        if without_own and folder == base and entry.name.startswith(OWN_PREFIX):
            continue
        path = Path(entry.path)
        name = _checked_name(path.relative_to(base).as_posix())
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(base, path, without_own)
        else:
            yield _found(base, path, name)


def _checked_name(name: str) -> str:
    """`name` if md5sum needs no escapes for it: UTF-8 without backslash and control characters."""
    plain = not any(ord(c) < 32 or ord(c) == 127 or c == "\\" for c in name)
    if plain and name.isascii():
        return name
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        plain = False
    if not plain:
        raise ChecksumError(
            f"a file name must be UTF-8 without backslash and control characters; found {name!r}",
            code="checksum.name",
            hint="rename the file, or move it out of the folder",
        )
    return name


def _found(base: Path, path: Path, name: str) -> FoundFile:
    if path.is_symlink():
        _check_link(base, path, name)
    if not path.is_file():
        raise ChecksumError(
            f"{name} in {base} is neither a file nor a folder",
            code="checksum.special",
            hint="move it out of the folder",
        )
    status = path.stat()
    return FoundFile(name, status.st_size, status.st_mtime_ns)


def _check_link(base: Path, path: Path, name: str) -> None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        problem = "leads to nothing"
    else:
        if not target.is_relative_to(base):
            problem = "leads out of the folder"
        elif not target.is_file():
            problem = "does not lead to a file"
        else:
            return
    raise ChecksumError(
        f"the link {name} in {base} {problem}",
        code="checksum.link",
        hint="replace it with the file that it stands for, or remove it",
    )
