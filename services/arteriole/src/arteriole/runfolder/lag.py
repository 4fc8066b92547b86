"""Whether an instrument lags, by the cycles of its own run; then its directory is left in peace."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from arteriole.illumina.run_info import RunInfo

#: A step is one cycle or several that were first seen together; so many are remembered.
STEPS = 5
#: Fewer steps tell nothing.
STEPS_AT_LEAST = 3
#: A cycle is overdue after so many times the longest of those steps.
OVERDUE = 3.0
#: Seconds that it takes at least: the quickest instruments need longer for a cycle.
SHORTEST = 60.0


@dataclass(frozen=True)
class Overdue:
    """A run whose newest cycle has been the newest for `seconds`; no step took above `usual`."""

    run: str
    cycle: int
    seconds: float
    usual: float

    def __str__(self) -> str:
        return (
            f"{self.run} has had no cycle after {self.cycle} for {self.seconds:.0f} s; its last"
            f" steps took at most {self.usual:.0f} s"
        )


@dataclass
class _Steps:
    cycle: int
    since: float
    rests: frozenset[int]  # after these cycles an instrument does something else for long
    steps: deque[float] = field(default_factory=lambda: deque(maxlen=STEPS))


class Cycles:
    """When cycles of the runs in one directory were first seen, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._runs: dict[Path, _Steps] = {}

    def __contains__(self, path: Path) -> bool:
        return path in self._runs

    def note(self, path: Path, info: RunInfo, cycle: int, now: float) -> None:
        """Its highest cycle is this one now; it is being sequenced."""
        known = self._runs.get(path)
        if known is None or cycle < known.cycle:
            ends, total = {0}, 0
            for read in info.reads:
                total += read.cycles
                ends.add(total)
            self._runs[path] = _Steps(cycle, now, frozenset(ends))
        elif cycle > known.cycle:
            if known.cycle not in known.rests:
                known.steps.append(now - known.since)
            known.cycle, known.since = cycle, now

    def forget(self, path: Path) -> None:
        self._runs.pop(path, None)

    def overdue(self, now: float) -> list[Overdue]:
        """Between two reads, and before the first cycle and after the last, nothing is."""
        found = []
        for path, known in self._runs.items():
            if len(known.steps) < STEPS_AT_LEAST or known.cycle in known.rests:
                continue
            usual, seconds = max(known.steps), now - known.since
            if seconds > max(OVERDUE * usual, SHORTEST):
                found.append(Overdue(path.name, known.cycle, seconds, usual))
        return found


@dataclass(frozen=True)
class Pause:
    reason: Overdue
    begun: float
    until: float


class Pauses:
    """When base calls are not read, since an instrument that writes in the same place lags.

    Each cycle that is overdue is waited for once, for `longest` seconds at most; afterwards it is
    read for at least as long as it was not. So nothing waits for ever, not even where an
    instrument has died.
    """

    def __init__(self, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._clock = clock
        self._waited_for: set[tuple[str, int]] = set()
        self._not_before = 0.0
        self.now: Pause | None = None

    def review(self, cycles: Cycles) -> Pause | None:
        """The pause that there is now."""
        now = self._clock()
        overdue = {(one.run, one.cycle): one for one in cycles.overdue(now)}
        self._waited_for.intersection_update(overdue)
        if self.now is not None:
            key = (self.now.reason.run, self.now.reason.cycle)
            if key in overdue and now < self.now.until:
                return self.now
            self._not_before = now + (now - self.now.begun)
            self.now = None
        fresh = [one for key, one in overdue.items() if key not in self._waited_for]
        if fresh and self._longest and now >= self._not_before:
            worst = max(fresh, key=lambda one: one.seconds / one.usual)
            self._waited_for.add((worst.run, worst.cycle))
            self.now = Pause(worst, now, now + self._longest)
        return self.now
