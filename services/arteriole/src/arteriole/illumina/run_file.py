"""Opening a file of a run, so that whatever is wrong with it is told by its name."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from arteriole.illumina.errors import RunDataError

UNREADABLE = "run.unreadable"
"""The code where the file is there and the file system does not give it."""

CLUSTERS_LIMIT = 64_000_000
"""More clusters no tile has (a NovaSeq's has some 5 million): memory is for so many at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """`count` clusters from the one numbered `first`, of a file of `of` clusters."""

    first: int
    count: int
    of: int

    def checked(self, found: int, name: str) -> tuple[int, int]:
        """(first, count), once the file has as many clusters. Raises RunDataError."""
        if found != self.of:
            raise RunDataError(f"{name}: expected {self.of} clusters, found {found}")
        return self.first, self.count


def open_file(path: Path) -> BinaryIO:
    """The file at `path`, to be read.

    NB: a pipe would be waited for without end, and a device may be endless; whoever writes a run
    folder may put either there, or a link to one.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 -- it is the caller's to close
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    return file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file at `path`, to be read.

    Raises:
        RunDataError: it is missing; with code UNREADABLE, it cannot be read.
    """
    try:
        with open_file(path) as file:
            yield file
    except (FileNotFoundError, NotADirectoryError) as err:
        raise RunDataError(f"{path.name} is missing") from err
    except OSError as err:
        raise RunDataError(
            f"{path.name} cannot be read: {err.strerror}",
            code=UNREADABLE,
            hint="look at its permissions and at the file system",
        ) from err


def read(path: Path, limit: int) -> bytes:
    """The whole file, of at most `limit` bytes. Raises RunDataError."""
    with opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise RunDataError(f"{path.name}: expected at most {limit} bytes, found more")
    return data


def bounded(clusters: int, name: str) -> int:
    """The number of clusters of a tile that `name` speaks of. Raises RunDataError."""
    if clusters > CLUSTERS_LIMIT:
        raise RunDataError(f"{name}: {clusters} clusters of a tile are not possible")
    return clusters
