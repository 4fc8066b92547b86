"""One monitored directory: how quickly it is read, and what is known of its state."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arteriole.app.rate import Rate
from arteriole.illumina import reading
from arteriole.runfolder.lag import Cycles, Pauses
from arteriole.runfolder.mounts import file_system, is_silent
from arteriole.runfolder.notifications import Notifications
from arteriole.runfolder.records import Run
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.verdict import VerdictKind

#: So many runs of one directory are looked at at once, each in its own thread; those that are
#: being sequenced have places of their own, since it is their cycles that end a pause.
PLACES, PLACES_OF_SEQUENCING = 4, 2
#: Seconds without a sign of life after which a file system is said to hang.
HUNG = 30.0


class Landing:
    """What the event loop's thread and those that read share of one directory.

    Args:
        tell: called on the event loop for a run folder in which something changed.
    """

    def __init__(
        self,
        directory: Path,
        settings: RunfolderSettings,
        tell: Callable[["Landing", Path], None],
    ) -> None:
        self.directory = directory
        rate = settings.read_rate
        self.rate = Rate(rate.files, rate.megabytes)
        self.cycles = Cycles()
        self._pauses = Pauses(rate.longest_pause)
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self.notifications = Notifications(directory, self._heard, self._lost)
        self.scanning = asyncio.Lock()
        self.wake = asyncio.Event()
        self.places = asyncio.Semaphore(PLACES)
        self.places_of_sequencing = asyncio.Semaphore(PLACES_OF_SEQUENCING)
        self.scanned = asyncio.Semaphore(PLACES - 1)  # one is left to what is heard of
        self.is_unfinished = False  # the last scan left folders to the next
        #: What told a change of its entries when it was listed; None if it was empty.
        self.listed: tuple[int, int, int] | None = None
        self.unreachable: str | None = None  # why it cannot be listed
        self.trouble: str | None = None  # why the last scan failed
        self.file_system = ""
        self._looks: set[_Look] = set()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def is_running(self) -> bool:
        return self._loop is not None

    def stop(self) -> None:
        self._loop = None
        self.rate.stop()
        self.notifications.stop()

    def _heard(self, path: Path) -> None:
        self._on_loop(self._tell, self, path)

    def _lost(self) -> None:
        self._on_loop(self.wake.set)

    def _on_loop(self, deed: Callable[..., object], *args: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(deed, *args)

    def place(self, run: Run) -> asyncio.Semaphore:
        is_written = run.verdict is VerdictKind.SEQUENCING and run.path in self.cycles
        return self.places_of_sequencing if is_written else self.places

    @contextmanager
    def look(self, path: Path) -> Iterator[None]:
        """What is read of `path` within is counted. NB: on the thread that reads."""
        look = _Look(path, self.rate)
        self._looks.add(look)
        try:
            with reading.metered(look):
                yield
        finally:
            self._looks.discard(look)

    def review(self) -> None:
        """Read no base calls while an instrument lags; go on when it does not any more."""
        pause = self._pauses.review(self.cycles)
        self.rate.pause(0.0 if pause is None else pause.until)

    @property
    def paused(self) -> str:
        """Why base calls are not read just now, and how long at most; else empty."""
        pause = self._pauses.now
        left = 0.0 if pause is None else pause.until - time.monotonic()
        if pause is None or left <= 0:
            return ""
        return (
            f"no base calls in {self.directory} are read, to leave the file system to an instrument"
            f" that lags: {pause.reason}; reading goes on in {left:.0f} s at the latest"
        )

    @property
    def trouble_reading(self) -> str | None:
        """Why the directory, or a folder in it, cannot be read; None if it can."""
        silent = [look for look in tuple(self._looks) if look.silent_for() > HUNG]
        if not silent:
            return self.unreachable
        longest = max(silent, key=_Look.silent_for)
        return f"{longest.path.name} has not answered for {longest.silent_for():.0f} s"

    @property
    def hangs(self) -> bool:
        """It, not a folder in it, does not answer."""
        looks = tuple(self._looks)
        return any(one.path == self.directory and one.silent_for() > HUNG for one in looks)

    def note_file_system(self) -> None:
        """NB: on the thread that reads."""
        self.file_system = file_system(self.directory)

    def notes(self, scan_interval: float) -> list[str]:
        """What a person should know though nothing is wrong."""
        found = [f"{self.directory}: {note}" for note in self.notifications.notes()]
        if is_silent(self.file_system):
            found.append(
                f"{self.directory}: {self.file_system} sends no notifications of what others write"
            )
        if found:
            found.append(f"the scan sees every change within {scan_interval:g} s all the same")
        if self.paused:
            found.append(self.paused)
        return found

    def document(self) -> dict[str, Any]:
        return {"file_system": self.file_system, "paused": self.paused or None}


class _Look:
    """One thread that reads."""

    def __init__(self, path: Path, rate: Rate) -> None:
        self.path = path
        self._rate = rate
        self._asked: float | None = time.monotonic()  # None while it is we who wait
        self.in_bulk = False

    def silent_for(self) -> float:
        """Seconds since it last came back from the file system."""
        asked = self._asked
        return 0.0 if asked is None else time.monotonic() - asked

    def take(self, files: int, size: int) -> None:
        self._asked = None
        if self.in_bulk:
            self._rate.wait_for_the_pause()
        self._rate.take(files, size)
        self._asked = time.monotonic()
