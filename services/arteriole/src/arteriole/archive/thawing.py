"""Waiting for objects that cannot be read at once."""

import time
from collections.abc import Callable

from arteriole.archive.archive import Tell
from arteriole.archive.errors import ArchiveError
from arteriole.archive.settings import S3Settings
from arteriole.jobs.worker import note

HOUR = 3600.0


def wait_until_thawed(
    keys: list[str], thaw: Callable[[str], bool], settings: S3Settings, tell: Tell
) -> None:
    """Call `thaw` on each of `keys` until it is true for all of them.

    Raises:
        ArchiveError: it is not after `thaw_hours`; what was asked for goes on.
    """
    end = time.monotonic() + settings.thaw_hours * HOUR
    waiting = keys
    while waiting := [key for key in waiting if not thaw(key)]:
        note(f"waiting for {len(waiting)} of {len(keys)} cold objects to be brought back")
        tell(len(keys) - len(waiting), len(keys), "objects brought back")
        if time.monotonic() + settings.thaw_poll > end:
            raise ArchiveError(
                f"{len(waiting)} of {len(keys)} cold objects could not be read after"
                f" {settings.thaw_hours:g} hours",
                code="archive.cold",
                hint="they are still being brought back: ask for the restore again later",
            )
        time.sleep(settings.thaw_poll)
