"""How far the stores had come, kept beside each bin: a store from a backup lacks what came later.

It would not know of a hold, or of a restore, that was asked for after the backup was made.
"""

import json
import os
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.archive.clean.objections import NoRoomError
from arteriole.checksum.manifest import sync_folder
from arteriole.jobs.folder import NO_SPACE

NAME = ".mark.json"
#: Seconds within which a later word may tell of less than an earlier one.
OVERTAKING = 60.0
#: The keys: our own store, and that of the service of runs.
OWN, RUNS = "archive", "runfolder"


class Mark:
    """The file in `folder`, one of the bins."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def read(self) -> dict[str, Any]:
        """What it says; OSError or ValueError if it is there and cannot be read."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")
        return found

    def lost(self) -> list[str]:
        """What a store had come to and has no more, for a person; errors as of `read`."""
        return [
            f"the store of {key} had come to {known['cursor']}, and lost that"
            for key, known in self.read().items()
            if known.get("lost")
        ]

    def raise_own(self, cursor: str, time: str, then: str) -> None:
        """Note how far our store has come; that it lost what it had is noted for good.

        Args:
            time: of its newest event. then: of the event that was marked, as it has that now.

        Raises:
            NoRoomError: nothing is lost, and that it has come farther cannot be written.
        """
        known = self.read().get(OWN)
        lost = known and (is_behind(known["cursor"], cursor) or known["time"] != then)
        self._raise(OWN, cursor, time, lost=bool(lost))

    def raise_runs(self, cursor: str, time: str) -> None:
        """The same of the store of runs, as told at `time`; one word may overtake another."""
        known = self.read().get(RUNS)
        behind = known is not None and is_behind(known["cursor"], cursor)
        if known is None or not behind:
            self._raise(RUNS, cursor, time, lost=False)
        elif seconds_between(known["time"], time) > OVERTAKING:
            self._raise(RUNS, cursor, time, lost=True)

    def _raise(self, key: str, cursor: str, time: str, *, lost: bool) -> None:
        found = self.read()
        if found.get(key, {}).get("lost"):
            return
        found[key] = {**found[key], "lost": True} if lost else {"cursor": cursor, "time": time}
        try:
            self._write(found)
        except OSError as err:
            if lost or err.errno not in NO_SPACE:
                raise
            raise NoRoomError(f"{self.path} cannot be written", err) from err

    def _write(self, document: dict[str, Any]) -> None:
        partial = self.path.with_name(f"{NAME}.partial")
        try:
            with open(partial, "w", encoding="utf-8") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        partial.rename(self.path)
        sync_folder(self.path.parent)


def is_behind(known: str, cursor: str) -> bool:
    """Whether a store that is at `cursor` is not the one that had come to `known`.

    >>> is_behind("e1-7", "e1-6"), is_behind("e1-7", "e2-9"), is_behind("e1-7", "e1-7")
    (True, True, False)
    """
    (epoch, _, number), (now_epoch, _, now) = known.rpartition("-"), cursor.rpartition("-")
    return epoch != now_epoch or int(now) < int(number)


def seconds_between(earlier: str, later: str) -> float:
    return (times.parse(later) - times.parse(earlier)).total_seconds()
