"""The volumes that the services of a process write to: what is free, what is known to come, and
whether that is too little.

A volume is told of by the name of the first of its roots, such as `bcl2fastq.fastq_root`: several
roots on one volume are one.
"""

import enum
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.disk.settings import DiskSettings
from arteriole.disk.space import Root, Space, Watched, space_of

#: What has been told ends when there is so much more, in percent of the volume.
SLACK = 1.0
#: Seconds over which the rate is taken, and after which it is known at the earliest.
RATE_OF, RATE_AFTER = 3600.0, 600.0
#: A volume below `early_percent` is told of if its reserve is reached within so many seconds.
AHEAD = 86400.0
#: Seconds beyond which nothing is foreseen.
LONGEST = 100 * 365 * 86400.0


class Level(enum.IntEnum):
    ENOUGH = 0
    EARLY = 1
    CRITICAL = 2


@dataclass(frozen=True)
class Volume:
    """`to_come` are the bytes that are known to be written to it; `seconds_left` those until its
    reserve is reached at the present rate, None if that is not known or it does not shrink.
    """

    name: str
    roots: tuple[Root, ...]
    space: Space
    level: Level
    to_come: int
    seconds_left: float | None

    @property
    def early(self) -> float:
        return max(root.early for root in self.roots)

    @cached_property
    def critical(self) -> float:
        return max(root.critical for root in self.roots)

    @cached_property
    def reserve(self) -> int:
        """Bytes that are kept free."""
        return int(self.space.size * self.critical / 100)

    @property
    def most(self) -> int:
        """Bytes that an empty one has beside its reserve."""
        return self.space.size - self.reserve

    @property
    def reserve_reached(self) -> str | None:
        """UTC, to the minute."""
        left = self.seconds_left
        return None if left is None else f"{times.now(min(left, LONGEST))[:16]}Z"

    @cached_property
    def words(self) -> str:
        """What a person should know of it."""
        space = self.space
        told = f"{size(space.free)} of {size(space.size)} are free ({_percent(space)} %)"
        if space.inodes and 100 * space.free_inodes < self.early * space.inodes:
            told += f", {space.free_inodes:,} of {space.inodes:,} inodes"
        if self.to_come:
            told += f"; {size(self.to_come)} are known to come"
        if self.reserve_reached is not None:
            told += f"; at the rate of the last hour its reserve is reached {self.reserve_reached}"
        return told

    def document(self) -> dict[str, Any]:
        return {
            "roots": {root.name: str(root.path) for root in self.roots},
            "level": self.level.name.lower(),
            "size": self.space.size,
            "free": self.space.free,
            "reserve": self.reserve,
            "inodes": self.space.inodes,
            "free_inodes": self.space.free_inodes,
            "to_come": self.to_come,
            "reserve_reached": self.reserve_reached,
        }


class Disk:
    """NB: on the event loop only; whoever wants to know calls `look` now and then.

    Args:
        roots: in their order a volume gets its name.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        interval: float = 10.0,
        look: Callable[[Path], Space] = space_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = [Watched(root, look, clock) for root in roots]
        self._interval = interval
        self._clock = clock
        self._levels: dict[str, Level] = {}
        self._rates: dict[str, _Rate] = {}
        self._to_come: dict[str, Mapping[Path, int]] = {}
        self._seen: tuple[list[tuple[int, bool]], list[Volume]] | None = None

    @classmethod
    def of(cls, settings: DiskSettings, roots: Mapping[str, Path]) -> "Disk":
        found = []
        for name, path in roots.items():
            own = settings.roots.get(path)
            early = settings.early_percent
            critical = settings.critical_percent
            if own is not None and own.early_percent is not None:
                early = own.early_percent
            if own is not None and own.critical_percent is not None:
                critical = own.critical_percent
            found.append(Root(name, path, early, critical))
        return cls(found, settings.interval)

    def look(self) -> list[Volume]:
        """The volumes as they were last seen; looks that are due begin."""
        for one in self._watched:
            one.ask(self._interval)
        return self.volumes()

    async def looked(self) -> list[Volume]:
        """The same, once the looks have come back; NB: one that hangs does not."""
        self.look()
        for one in self._watched:
            await one.looked()
        return self.volumes()

    def volumes(self) -> list[Volume]:
        looks = [(one.looks, one.is_known) for one in self._watched]
        if self._seen is None or self._seen[0] != looks:  # NB: asked for once a job that waits
            grouped: dict[int, list[Watched]] = {}
            for one in self._watched:
                if one.space is not None and one.is_known:
                    grouped.setdefault(one.space.device, []).append(one)
            self._seen = looks, [self._volume(together) for together in grouped.values()]
        return self._seen[1]

    def _volume(self, together: list[Watched]) -> Volume:
        first = together[0]
        assert first.space is not None
        name = first.root.name
        rate = self._rates.setdefault(name, _Rate())
        rate.note(self._clock(), first.space.free)
        roots = tuple(one.root for one in together)
        to_come = sum(
            sum(sizes.get(root.path, 0) for root in roots) for sizes in self._to_come.values()
        )
        volume = Volume(name, roots, first.space, Level.ENOUGH, to_come, None)
        left = rate.seconds_until(volume.reserve)
        level = level_of(volume, left, self._levels.get(name, Level.ENOUGH))
        self._levels[name] = level
        return Volume(name, roots, first.space, level, to_come, left)

    @property
    def is_new(self) -> bool:
        """Something was not looked at yet."""
        return any(one.is_new for one in self._watched)

    def troubles(self) -> dict[str, str]:
        """The roots of which nothing is known, by name, and why."""
        return {one.root.name: one.trouble for one in self._watched if one.trouble}

    def remember(self, name: str, level: Level) -> None:
        """What was told of a volume before a restart: it ends by the same rule."""
        self._levels.setdefault(name, level)
        self._seen = None

    def expect(self, who: str, sizes: Mapping[Path, int]) -> None:
        """Bytes that `who` knows to come, by root; what it said before counts no more."""
        if self._to_come.get(who) != sizes:
            self._to_come[who], self._seen = dict(sizes), None

    def waits_for(self, path: Path, needed: int, promised: int) -> str:
        """Empty if `needed` bytes may be begun at the root `path`; else what that waits for.

        Args:
            promised: bytes that others, which have begun, will still write there.
        """
        one = next((one for one in self._watched if one.root.path == path), None)
        if one is None:
            return ""
        one.ask(self._interval)
        if one.trouble or one.is_new:
            return f"what is free on {path}: {one.trouble or 'it is being looked at'}"
        volume = next((found for found in self.volumes() if one.root in found.roots), None)
        if volume is None:  # there is no such folder, and the job says so; or it tells nothing
            return ""
        room = volume.space.free - volume.reserve - promised
        if volume.level is not Level.CRITICAL and needed <= room:
            return ""
        promise = f" and {size(promised)} still come from conversions that run" if promised else ""
        never = ", more than the volume ever has" if needed > volume.most else ""
        return (
            f"{size(needed)} on {path}{never}: {volume.words}; {size(volume.reserve)} are kept free"
            f"{promise}"
        )

    def on_one_volume(self, path: Path) -> Iterable[Path]:
        """The roots that share the volume of the root `path`, itself too."""
        for volume in self.volumes():
            if any(root.path == path for root in volume.roots):
                return [root.path for root in volume.roots]
        return [path]


class _Rate:
    """How fast the free space of a volume shrinks, by looks at most RATE_OF seconds old."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, free: int) -> None:
        if not self._seen or now - self._seen[-1][0] >= RATE_OF / 60:
            self._seen.append((now, free))
        while now - self._seen[0][0] > RATE_OF:
            self._seen.popleft()
        self._last = (now, free)

    def seconds_until(self, reserve: int) -> float | None:
        (begun, before), (now, free) = self._seen[0], self._last
        if now - begun < RATE_AFTER or before <= free:
            return None
        return max(0.0, (free - reserve) * (now - begun) / (before - free))


def level_of(volume: Volume, seconds_left: float | None, before: Level) -> Level:
    """Too little by its figures; what was told `before` ends only with some room to spare."""
    space, told = volume.space, before is not Level.ENOUGH
    slack = SLACK if before is Level.CRITICAL else 0.0
    if _least(space) <= volume.critical + slack:
        return Level.CRITICAL
    slack = SLACK if told else 0.0
    if volume.to_come > space.free - volume.reserve - space.size * slack / 100:
        return Level.EARLY
    filling = seconds_left is not None and seconds_left < AHEAD * (2 if told else 1)
    if filling and 100 * space.free < (volume.early + slack) * space.size:
        return Level.EARLY
    if space.inodes and 100 * space.free_inodes < (volume.early + slack) * space.inodes:
        return Level.EARLY
    return Level.ENOUGH


def _least(space: Space) -> float:
    """Of its bytes or of its inodes, whichever is less, in percent."""
    bytes_ = 100 * space.free / space.size if space.size else 0.0
    return min(bytes_, 100 * space.free_inodes / space.inodes if space.inodes else 100.0)


def _percent(space: Space) -> int:
    return int(100 * space.free / space.size) if space.size else 0


def size(count: int) -> str:
    """In a person's unit.

    >>> [size(count) for count in (0, 999, 3_200_000, 41_900_000_000, 5_200_000_000_000)]
    ['0 B', '999 B', '3.2 MB', '41.9 GB', '5.2 TB']
    """
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
