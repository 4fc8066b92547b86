"""The monitored directories whose first scan is done.

What lies in a directory at its first scan is not worked on by itself; what is seen there later is.
A directory is what its path leads to: a link that is turned to another folder leads to another
directory. One that was empty and is another folder now was a mount point with nothing mounted, and
was not scanned yet. One that is monitored no more is forgotten: what comes there then is not ours.
"""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arteriole.app import times
from arteriole.app.store import Store
from arteriole.runfolder.runs import stored


@dataclass(frozen=True, slots=True)
class Location:
    """What a path led to, as it stands in the store: its real path, and the inode of that."""

    real: str
    inode: str

    @classmethod
    def of(cls, descriptor: int) -> "Location":
        """Of an open directory. NB: it is what is read, whatever is mounted or turned meanwhile."""
        real = Path(f"/proc/self/fd/{descriptor}").readlink()
        return cls(stored(str(real)), str(os.fstat(descriptor).st_ino))

    @classmethod
    def around(cls, folder: Path) -> "Location | None":
        """Of the directory that `folder` lies in; None if it is no folder there, or unreadable."""
        try:
            with opened(folder.parent) as descriptor:
                found = os.stat(folder.name, dir_fd=descriptor, follow_symlinks=False)
                return cls.of(descriptor) if stat.S_ISDIR(found.st_mode) else None
        except OSError:
            return None


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A descriptor of `directory`; OSError if it cannot be read."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Directories:
    """Which of the `monitored` directories were scanned before; the others are forgotten."""

    def __init__(self, store: Store, monitored: Sequence[Path]) -> None:
        self._store = store
        paths = [stored(str(directory)) for directory in monitored]
        store.execute(
            "DELETE FROM directory WHERE path NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(paths),),
        )

    def is_scanned(self, directory: Path, location: Location) -> bool:
        """Whether `location`, to which `directory` leads, was: what is new there came later."""
        return self._row(directory, location) is not None

    def note_scan(self, directory: Path, location: Location, *, is_empty: bool) -> bool:
        """All that lies there is written down; True if this was the first scan of it."""
        path, known = stored(str(directory)), self._row(directory, location)
        was_empty = known is None or known["inode"] is not None
        inode = location.inode if is_empty and was_empty else None
        if known is None or tuple(known) != (path, location.real, inode):
            self._store.execute(
                "INSERT INTO directory (path, real, inode, first_scan) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET real = excluded.real, inode = excluded.inode,"
                " first_scan = iif(?, excluded.first_scan, first_scan)",
                (path, location.real, inode, times.now(), known is None),
            )
        return known is None

    def _row(self, directory: Path, location: Location) -> sqlite3.Row | None:
        path = stored(str(directory))
        return self._store.row(
            "SELECT path, real, inode FROM directory"
            " WHERE (real = ? OR (real IS NULL AND path = ?)) AND (inode IS NULL OR inode = ?)"
            " ORDER BY path != ? LIMIT 1",
            (location.real, path, location.inode, path),
        )
