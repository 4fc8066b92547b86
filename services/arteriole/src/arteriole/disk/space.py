"""What is free on the volume of a folder, looked at without waiting for it."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arteriole.app.aside import aside

#: Seconds after which a file system that has not answered is said to hang.
HUNG = 30.0


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes and inodes of a volume, as far as somebody without privileges may use them.

    `inodes` is 0 where the file system has no fixed number of them.
    """

    device: int
    size: int
    free: int
    inodes: int = 0
    free_inodes: int = 0


@dataclass(frozen=True)
class Root:
    """A folder that a service writes to: the key that names it, and its limits in percent."""

    name: str
    path: Path
    early: float
    critical: float


def space_of(path: Path) -> Space:
    """Of the volume that `path` lies on. NB: on a thread that may hang.

    Raises:
        OSError: the file system cannot say.
    """
    found = os.statvfs(path)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    free = found.f_bavail * found.f_frsize
    taken = found.f_files - found.f_ffree
    inodes = taken + found.f_favail if found.f_files else 0
    return Space(path.stat().st_dev, used + free, free, inodes, found.f_favail if inodes else 0)


class Watched:
    """The newest look at one root. One look is under way at most, however often it is asked for."""

    def __init__(
        self,
        root: Root,
        look: Callable[[Path], Space] = space_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self._look = look
        self._clock = clock
        self._asked: float | None = None  # since when it is looked
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None
        self.space: Space | None = None
        self.looks = 0  # that came back
        self._error = ""
        self._is_missing = False

    def ask(self, interval: float) -> None:
        """Begin a look if one is due; never waits for it. NB: on the event loop."""
        now = self._clock()
        if self._asked is None and now >= self._next:
            self._asked, self._next = now, now + interval
            self._task = asyncio.get_running_loop().create_task(self._take_in())

    async def _take_in(self) -> None:
        error, missing = "", False
        try:
            self.space = await aside(self._look, self.root.path)
        except (FileNotFoundError, NotADirectoryError):  # whoever needs it tells of that
            self.space, missing = None, True
        except OSError as err:
            error = err.strerror or str(err)
        finally:
            self._asked = None
            self.looks += 1
        self._error, self._is_missing = error, missing

    async def looked(self) -> None:
        """Wait for the look that is under way, if there is one."""
        if self._task is not None and not self._task.done():
            await self._task

    @property
    def is_known(self) -> bool:
        """NB: some file systems of users' programs tell a size of 0."""
        return self.space is not None and self.space.size > 0 and not self.trouble

    @property
    def is_new(self) -> bool:
        """The first look has not come back, and there is no trouble so far."""
        return self.space is None and not self._is_missing and not self.trouble

    @property
    def trouble(self) -> str:
        """Why nothing is known of it now; else empty, also where there is no such folder."""
        asked = self._asked
        if asked is not None and self._clock() - asked > HUNG:
            return f"it has not answered for {self._clock() - asked:.0f} s"
        return self._error
