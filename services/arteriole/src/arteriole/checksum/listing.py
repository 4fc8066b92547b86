"""The files of a folder, as they are now."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from arteriole.checksum.errors import ChecksumError, listed

#: What Arteria and we keep at the top of a run folder; no part of the run.
OWN_PREFIX = ".arteria"
#: What md5sum and b3sum take for their stdin.
STDIN = "-"
#: What md5sum would have to escape, and what is not UTF-8.
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class FoundFile(NamedTuple):
    """A file below a folder; `name` is its path relative to it, with slashes.

    `inode` and `ctime_ns` are 0 where nobody asked for them.
    """

    name: str
    size: int
    mtime_ns: int
    inode: int = 0
    ctime_ns: int = 0


def list_files(folder: Path, *, without_own: bool = False) -> list[FoundFile]:
    """Every file below `folder`, sorted by name; see `walk_files`."""
    return sorted(walk_files(folder, without_own=without_own))


def walk_files(folder: Path, *, without_own: bool = False, below: str = "") -> Iterator[FoundFile]:
    """Every file below `folder`, in no order, one after the other: there may be a million.

    A link to a file inside `folder` counts as a file with that content. Nothing else is followed.

    Args:
        without_own: leave out `.arteria*` at the top.
        below: only what is in this folder of `folder`; it ends with a slash.

    Raises:
        ChecksumError: a name that a line of a manifest cannot hold, a link that leads out of the
            folder, to a folder or to nothing, anything that is no file, or a folder that cannot
            be read; all are named.
    """
    base = folder.resolve()
    prefixes = [below]
    while prefixes:
        prefix = prefixes.pop()
        for entry in _entries(base / prefix):
            part = entry.name
            if without_own and not prefix and part.startswith(OWN_PREFIX):
                continue
            name = prefix + part
            if _NOT_PLAIN.search(part) or name == STDIN:
                raise _no_name(name)
            if entry.is_dir(follow_symlinks=False):
                prefixes.append(f"{name}/")
            else:
                yield _found(base, entry, name)


def folder_links(folder: Path) -> list[str]:
    """The links to folders below `folder`, or itself if it is one: writing there goes elsewhere."""
    if folder.is_symlink():
        return [folder.name]
    return sorted(
        path.relative_to(folder).as_posix()
        for parent, names, _ in os.walk(folder)
        for path in map(Path(parent).joinpath, names)
        if path.is_symlink()
    )


def require_unchanged(folder: Path, before: list[FoundFile]) -> list[FoundFile]:
    """As they are now; ChecksumError if any of `folder` appeared, vanished or was written since."""
    now = list_files(folder)
    if differing := {found[:4] for found in now} ^ {found[:4] for found in before}:
        raise written_to(folder, sorted({found[0] for found in differing}))
    return now


def written_to(folder: Path, names: list[str]) -> ChecksumError:
    return ChecksumError(
        f"{folder} was written to while it was read: {listed(names)}",
        code="checksum.changing",
        hint="find out what still writes there; then retry",
    )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """By its descriptor: asking for a file's size then walks through no path."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as scan:
                yield from scan
        finally:
            os.close(descriptor)
    except OSError as err:
        raise ChecksumError(
            f"cannot list {folder}: {err.strerror}",
            code="checksum.unreadable",
            hint="check its permissions, and that the file system is mounted",
        ) from err


def _no_name(name: str) -> ChecksumError:
    return ChecksumError(
        "a file name must be UTF-8 without backslash and control characters, and at the top not"
        f" '{STDIN}'; found {name!r}",
        code="checksum.name",
        hint="rename the file, or move it out of the folder",
    )


def _found(base: Path, entry: os.DirEntry[str], name: str) -> FoundFile:
    try:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            _check_link(base, base / name, name)
            status = entry.stat()
    except OSError as err:
        raise written_to(base, [name]) from err
    if not stat.S_ISREG(status.st_mode):
        raise ChecksumError(
            f"{name} in {base} is neither a file nor a folder",
            code="checksum.special",
            hint="move it out of the folder",
        )
    return FoundFile(name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)


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
