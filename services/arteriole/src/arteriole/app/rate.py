"""How quickly a monitored directory is read: instruments write there too."""

import threading
import time
from collections.abc import Callable

#: Seconds that are not waited for one by one.
_SHORT = 0.01
#: Seconds between two looks at whether the pause is over.
_PAUSE_STEP = 0.2


class InterruptedReadingError(Exception):
    """The service stops; nothing was found out."""


class Rate:
    """So many files and bytes a second for all who read one directory, each in its own thread.

    What was not used for a second is had at once afterwards.

    Args:
        files: opened, or asked for their size, a second.
        megabytes: read a second.
        clock: seconds of a clock that nobody sets.
    """

    def __init__(
        self, files: float, megabytes: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = files
        self._bytes = megabytes * 1e6
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0  # up to then what may be read has been given away
        self._paused_until = 0.0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let every reader end, now and later."""
        self._stopped.set()

    def pause(self, until: float) -> None:
        """Let those who read in bulk wait until then, by the clock; 0 lets them go on."""
        self._paused_until = until

    def take(self, files: int, size: int) -> None:
        """Wait until so many files and bytes may have been read.

        Raises:
            InterruptedReadingError: see `stop`.
        """
        cost = files / self._files + size / self._bytes
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - 1.0) + cost
            wait = self._next - now
        self._wait(wait if wait > _SHORT else 0.0)

    def wait_for_the_pause(self) -> None:
        """Raises InterruptedReadingError."""
        while (left := self._paused_until - self._clock()) > 0:
            self._wait(min(left, _PAUSE_STEP))

    def _wait(self, seconds: float) -> None:
        if self._stopped.wait(seconds) if seconds else self._stopped.is_set():
            raise InterruptedReadingError
