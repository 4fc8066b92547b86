"""A file that only its owner may read, and that stays its owner's whoever writes it.

A command that root gives beside a running service must not take the service's file from it.
"""

import contextlib
import os
import tempfile
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write `path` by rename, mode 0600, so that a reader sees all or nothing.

    Where root writes, the file has the owner and group of the one that it replaces; a new one has
    those of its folder.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    # NB: by a name that nobody can foresee: in a folder of another user it could be a link
    number, partial = tempfile.mkstemp(".partial", f".{path.name}.", path.parent)
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if os.geteuid() == 0:
                _give(number, path)
            os.fsync(number)
        Path(partial).rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(partial).unlink()
        raise


def _give(number: int, path: Path) -> None:
    """The open file `number`, which is to be `path`, to whom `path` belongs."""
    try:
        owner = path.lstat()
    except FileNotFoundError:
        owner = path.parent.stat()
    mine = os.fstat(number)
    if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
        os.fchown(number, owner.st_uid, owner.st_gid)
