"""Since when a run folder has not changed, by watching it: no file server's clock is believed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.runfolder import sighting
from arteriole.runfolder.sighting import Sighting, Surface

#: Seconds by which a file's time may be ahead of ours before it is told.
SKEW_TOLERATED = 120


@dataclass(frozen=True)
class Quiet:
    """`seconds` for which nothing has changed as far as was watched, begun at `since` (UTC).

    `since` is empty if nobody watched. `clock_skew` is by how many seconds the newest file's time
    was ahead of our clock when it was seen, 0 up to the tolerated two minutes.
    """

    seconds: float = 0.0
    since: str = ""
    clock_skew: int = 0


def clock_skew(surface: Surface, now: float) -> int:
    """See Quiet; `now` in seconds (epoch)."""
    ahead = int(surface.newest - now)
    return ahead if ahead > SKEW_TOLERATED else 0


@dataclass(frozen=True)
class Pace:
    """How often a folder is looked at whole, in seconds."""

    settle: float
    stalled_after: float
    recheck: float


class Watch:
    """One run folder over time.

    Args:
        rested: the evidence of before a restart, see absence.rested; None if there is none.
        clock: seconds of a clock that nobody sets.
        wall: seconds since the epoch, by this machine.
    """

    def __init__(
        self,
        path: Path,
        pace: Pace,
        rested: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self.pace = pace
        self._rested = rested
        self._clock = clock
        self._wall = wall
        self._seen: Sighting | None = None
        self._surface = ""  # of the last look, however short
        self._is_stale = False  # the surface has changed since the last whole look
        self._begun = 0.0  # the last whole look
        self._watched = 0.0  # up to then it was looked for changes
        self._cost = 0.0
        self._changed = 0.0
        self._quiet = Quiet()
        self.at_rest = False  # the last verdict stands until something changes

    def look(self) -> tuple[Sighting, Quiet]:
        """Look at the surface, and at the whole folder if that is due.

        Raises:
            OSError: the folder cannot be read; afterwards it is quiet from anew.
        """
        begun = self._clock()
        try:
            upper = sighting.surface(self._path)
            changed = upper.digest != self._surface
            if self._seen is None or begun >= self._next_whole(changed):
                self._seen = self._look_whole(begun)
            elif changed:
                self._is_stale = True
                self._note_change(upper)
            elif self._is_whole and not self._is_stale:
                self._watched = begun
        except OSError:
            self._seen = None
            raise
        self._surface = upper.digest
        return self._seen, self._quiet_now()

    def due_in(self) -> float | None:
        """Seconds until another look can say more though nothing changes; None if it cannot."""
        if self._seen is None:
            return None
        if self._is_stale:
            return self._affordable - self._clock()
        if self.at_rest or self._is_settled:
            return None
        if self._is_whole:
            return self._settled_at - self._clock()
        return max(self._settled_at, self._affordable) - self._clock()

    def _next_whole(self, changed: bool) -> float:
        """When the next whole look is due."""
        if self._is_stale or changed:
            return self._affordable
        if self.at_rest or self._is_whole:
            return max(self._begun + self.pace.recheck, self._affordable)
        regular = self._begun + min(self.pace.settle, self.pace.recheck)
        if not self._is_settled:  # one just then tells whether it is at rest
            regular = min(regular, self._settled_at)
        return max(regular, self._affordable)

    @property
    def _affordable(self) -> float:
        """After as long a rest as the look took: how quickly it reads is bounded elsewhere.

        NB: a file server that hung for minutes is looked at again soon all the same.
        """
        return self._begun + self._cost + min(self._cost, self.pace.recheck)

    @property
    def _settled_at(self) -> float:
        return self._changed + self.pace.settle

    @property
    def _is_settled(self) -> bool:
        return self._quiet_now().seconds >= self.pace.settle

    @property
    def _is_whole(self) -> bool:
        """All that a marked run should have is there: only its surface can still change."""
        seen = self._seen
        return seen is not None and seen.is_marked and seen.is_whole

    def _look_whole(self, begun: float) -> Sighting:
        self._begun = self._watched = begun
        seen = sighting.look(self._path, deep=self._is_still)
        if self._seen is None:
            self._note_change(seen.surface)
            self._restore(seen)
        elif _differ(self._seen, seen):
            self._note_change(seen.surface)
        if self._is_still and seen.files is None:
            seen = sighting.look(self._path, deep=True)
        self._is_stale = False
        self._cost = self._clock() - begun
        return seen

    @property
    def _is_still(self) -> bool:
        """What has stood still for so long is worth a look at every file."""
        return self._quiet_now().seconds >= self.pace.stalled_after

    def _note_change(self, upper: Surface) -> None:
        """NB: counted from the end of the look that found it, since it may have come during it."""
        self._changed = self._clock()
        self._quiet = Quiet(0.0, times.now(), clock_skew(upper, self._wall()))

    def _restore(self, seen: Sighting) -> None:
        """Go on where another process stopped, if it had let the folder rest as it is now."""
        rested, self._rested = self._rested, None
        if not rested or rested.get("fingerprint") != fingerprint(seen):
            return
        since = rested.get("quiet_since")
        if isinstance(since, str) and since:
            self._changed = self._begun - max(0.0, times.seconds_since(since))
            self._quiet = Quiet(0.0, since, self._quiet.clock_skew)

    def _quiet_now(self) -> Quiet:
        """NB: up to the beginning of the last look for changes; later ones were not seen."""
        if not self._quiet.since:
            return self._quiet
        return replace(self._quiet, seconds=max(0.0, self._watched - self._changed))


def _differ(before: Sighting, after: Sighting) -> bool:
    if before.shallow_digest != after.shallow_digest:
        return True
    return bool(
        before.deep_digest and after.deep_digest and before.deep_digest != after.deep_digest
    )


def fingerprint(seen: Sighting) -> str:
    """What a later process compares; of the base calls where every look sees them."""
    deep = seen.deep_digest if seen.is_marked else ""
    return f"{seen.shallow_digest}{deep}"


def to_minutes(since: str) -> str:
    """`2026-11-23T14:05Z`, for a person."""
    return datetime.fromisoformat(since).astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
