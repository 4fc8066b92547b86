"""How fast a run is sequenced, as was seen; whether it stands still, and when it should end.

Only differences of times are used: of our own clock where the cycles were seen to come, and else of
the file server's, which may be wrong by hours and tells as well how long a cycle takes.
"""

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.illumina.run_info import RunInfo
from arteriole.runfolder.sighting import cycle_in

#: What one cycle takes is told by so many cycles at least, and by the last ones that were seen.
KNOWN_AFTER = 5
RECENT = 40
#: In the first cycles templates are generated and phasing is estimated (RTA: up to cycle 25), and
#: an instrument may write them all at once.
FIRST_CYCLES = 25
#: A standstill is one that takes so many times as long as a cycle ...
PATIENCE = 10
#: ... and between two reads as long as the slowest chemistry there, in seconds: an index primer
#: takes half an hour, the turnaround of a paired end up to three on a HiSeq.
BETWEEN_READS = 3 * 3600.0
#: The base calls of the last cycles of a read come with the next ones.
LAG = 3
#: No instrument is faster, in seconds a cycle: such file times are those of a copy.
FASTEST = 30.0


@dataclass(frozen=True)
class Rise:
    """The highest cycle was seen to be `cycle`, at `seen` (UTC, our clock)."""

    cycle: int
    seen: str


@dataclass(frozen=True)
class Tempo:
    """Where a run is, since when, and at what pace.

    `seconds` is what one cycle takes, None while it is not known; `allowed` how many seconds the
    next one may take before the run counts as stuck, `ends` when the run should end (UTC), empty
    where nothing can be said.
    """

    cycle: int
    since: str
    seconds: float | None = None
    allowed: float | None = None
    ends: str = ""

    @property
    def is_stuck(self) -> bool:
        return self.allowed is not None and times.seconds_since(self.since) > self.allowed

    def words(self, *, still: bool) -> str:
        """`, ends about 2026-11-27T04:10Z (5.2 min a cycle)`; empty if it is not known.

        Of a run that stands `still` nobody knows when it ends.
        """
        if self.seconds is None:
            return ""
        pace = f"{self.seconds / 60:.1f} min a cycle"
        return f", {pace}" if still or not self.ends else f", ends about {self.ends} ({pace})"

    def evidence(self, *, still: bool) -> dict[str, Any]:
        """`cycle_since` (UTC), `cycle_seconds` and `ends` (UTC, in minutes); None: not known."""
        return {
            "cycle_since": self.since,
            "cycle_seconds": None if self.seconds is None else round(self.seconds, 1),
            "ends": None if still else self.ends or None,
        }


def tempo(
    info: RunInfo,
    cycle: int,
    rises: Sequence[Rise],
    floor: float,
    written: Sequence[tuple[int, float]] = (),
) -> Tempo | None:
    """The tempo of a run that has reached `cycle`; None before its first one.

    Args:
        rises: what was seen before, the lowest cycle first. The first of them tells only that the
            cycle had come by then.
        floor: seconds for which no run counts as stuck, however fast it was.
        written: (cycle, time) in seconds by the file server, used where too little was seen.
    """
    if cycle and (not rises or cycle > rises[-1].cycle):
        rises = [*rises, Rise(cycle, times.now())]
    if not rises:
        return None
    newest = rises[-1]
    ends = [info.cycles_of(read)[-1] for read in info.reads]
    seen = [(rise.cycle, times.parse(rise.seen).timestamp()) for rise in rises[1:]]
    seconds = _seconds(seen, ends)
    if seconds is None and (told := _seconds(written, ends)) is not None and told >= FASTEST:
        seen, seconds = list(written), told
    if seconds is None or not newest.cycle < info.cycles:
        return Tempo(newest.cycle, newest.seen, seconds)
    between = any(end - LAG <= newest.cycle <= end for end in ends)
    allowed = max(floor, PATIENCE * seconds, BETWEEN_READS if between else 0.0)
    left = (info.cycles - newest.cycle) * seconds + _pauses(seen, ends, seconds, newest.cycle)
    return Tempo(
        newest.cycle,
        newest.seen,
        seconds,
        allowed if newest.cycle > FIRST_CYCLES else None,
        _minute_after(newest.seen, left),
    )


def _seconds(seen: Sequence[tuple[int, float]], ends: list[int]) -> float | None:
    """What a cycle takes: the median over the last cycles, without the pauses between reads."""
    each: list[float] = []
    for (before, since), (cycle, then) in pairwise(seen):
        if not _crosses(before, cycle, ends) and then > since:
            each += [(then - since) / (cycle - before)] * (cycle - before)
    return statistics.median(each[-RECENT:]) if len(each) >= KNOWN_AFTER else None


def _crosses(before: int, cycle: int, ends: Iterable[int]) -> bool:
    return any(before <= end < cycle for end in ends)


def _pauses(
    seen: Sequence[tuple[int, float]], ends: list[int], seconds: float, cycle: int
) -> float:
    """What the pauses between reads that are to come may take together: as those before did."""
    were = [
        max(0.0, then - since - (after - before) * seconds)
        for (before, since), (after, then) in pairwise(seen)
        if _crosses(before, after, ends)
    ]
    to_come = sum(cycle <= end for end in ends[:-1])
    return to_come * statistics.mean(were) if were else 0.0


def _minute_after(moment: str, seconds: float) -> str:
    return times.text(times.parse(moment) + timedelta(seconds=seconds))[:16] + "Z"


def written(lane: Path) -> list[tuple[int, float]]:
    """(cycle, time of its last change) of what a lane has, the first cycle first; seconds.

    The time is the file server's: it is compared with others of the same only.
    """
    found = []
    try:
        with os.scandir(lane) as entries:
            for entry in entries:
                if (cycle := cycle_in(entry.name)) is not None:
                    found.append((cycle, entry.stat(follow_symlinks=False).st_mtime))
    except OSError:
        return []
    return sorted(found)
