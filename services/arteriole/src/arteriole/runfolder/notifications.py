"""What the kernel tells of changes below one monitored directory, and why it does not.

It is only quick: the scan finds everything that is not told.
"""

import errno
import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from arteriole.illumina.run_folder import MARKERS
from arteriole.runfolder.sighting import SHEET

#: What is news in a run folder; every entry of a monitored directory is.
NEWS = frozenset({*MARKERS, "RunInfo.xml", "Data", SHEET})
_NONE = WatchDescriptor(-1)
_MASK = Mask(
    InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_ONLYDIR
)
#: The settings of the kernel that may be used up, by the error that tells so.
LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
}
QUEUE_LIMIT = "fs.inotify.max_queued_events"
#: Seconds for which it is told that notifications were lost.
LOSS_TOLD = 3600.0

log = structlog.get_logger()


class Notifications:
    """Calls `tell(path)` for a run folder in which something changed.

    An instance of inotify a monitored directory: to add a watch looks at the file system, and one
    that hangs must not keep the others from being heard. `tell` and `lost`, which says that some
    were lost, are called on a thread of its own.
    """

    def __init__(
        self, directory: Path, tell: Callable[[Path], None], lost: Callable[[], None]
    ) -> None:
        self.directory = directory
        self._tell = tell
        self._lost = lost
        self._instance: InotifyFD | None = None
        self._watched: dict[Path, _Watched] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._unheard: dict[Path, str] = {}  # with the limit that keeps it from being watched
        self._lost_at: float | None = None

    def watch(self, path: Path) -> None:
        """Hear of it; of what stands in its place now, if it was mounted or made anew.

        NB: on another thread than the event loop's, since it may hang.
        """
        try:
            found = path.stat()  # NB: without the lock, as it is this that hangs
            identity = (found.st_dev, found.st_ino)
            with self._lock:
                known = self._watched.get(path)
                if known is None or not known.is_alive or known.identity != identity:
                    self._remove(path)
                    self._add(path, identity)
        except OSError as err:
            self._refused(path, err)

    def _add(self, path: Path, identity: tuple[int, int]) -> None:
        if self._instance is None:
            self._instance = InotifyFD()
            self._instance.start()
        watched = _Watched(self, path, identity, CallbackId(next(self._ids)))
        watched.wd = self._instance.add_callback(os.fsencode(path), _MASK, watched, watched.id)
        if watched.wd < 0:  # it may not be read
            return
        self._watched[path] = watched
        self._unheard.pop(path, None)

    def _refused(self, path: Path, err: OSError) -> None:
        """NB: a folder that has gone is no limit; the scan tells of it."""
        limit = LIMITS.get(err.errno or 0)
        if limit is None:
            return
        if limit not in self._unheard.values():
            log.warning(
                "the kernel gives no further notifications; the scan sees what changes",
                path=str(path),
                limit=limit,
                remedy=remedy(limit),
            )
        self._unheard[path] = limit

    def unwatch(self, path: Path) -> None:
        with self._lock:
            self._unheard.pop(path, None)
            self._remove(path)

    def _remove(self, path: Path) -> None:
        watched = self._watched.pop(path, None)
        if watched is not None and watched.is_alive and self._instance is not None:
            watched.is_alive = False
            self._instance.remove_callbacks([(watched.wd, watched.id)])

    def stop(self) -> None:
        if self._instance is not None:
            self._instance.stop()

    def heard(self, path: Path, event: InotifyEvent) -> None:
        """NB: on a thread of inotify's. Only new folders and what makes a verdict are news."""
        name = os.fsdecode(event.name)
        if path == self.directory:
            if name:
                self._tell(path / name)
        elif name in NEWS:
            self._tell(path)

    def were_lost(self) -> None:
        """NB: on a thread of inotify's."""
        self._lost_at = time.monotonic()
        log.warning(
            "notifications were lost; the scan sees what changed",
            directory=str(self.directory),
            remedy=remedy(QUEUE_LIMIT),
        )
        self._lost()

    def notes(self) -> list[str]:
        """What keeps it from hearing all, and how to mend that."""
        found = []
        for limit in sorted(set(self._unheard.values())):
            count = sum(limit == other for other in self._unheard.values())
            found.append(
                f"{count} folders give no notifications: {limit} is used up; {remedy(limit)}"
            )
        if self._lost_at is not None and time.monotonic() - self._lost_at < LOSS_TOLD:
            found.append(
                "notifications were lost, since they came faster than they were read;"
                f" {remedy(QUEUE_LIMIT)}"
            )
        return found


@dataclass
class _Watched:
    """What inotify calls for one folder."""

    owner: Notifications
    path: Path
    identity: tuple[int, int]  # device and inode
    id: CallbackId
    wd: WatchDescriptor = _NONE
    is_alive: bool = True

    def on_event(self, event: InotifyEvent) -> None:
        self.owner.heard(self.path, event)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """It was removed or unmounted."""
        self.is_alive = False

    def on_queue_overflow(self) -> None:
        """NB: of all that are watched each is told; the directory itself is always watched."""
        if self.path == self.owner.directory:
            self.owner.were_lost()


def remedy(limit: str) -> str:
    """The command that raises it to twice of what it is."""
    try:
        now = int(Path("/proc/sys", *limit.split(".")).read_text())
    except (OSError, ValueError):
        return f"raise it with sysctl -w {limit}=N"
    return f"sysctl -w {limit}={2 * now}, and keep it in /etc/sysctl.d"
