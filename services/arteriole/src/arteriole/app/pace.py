"""How quickly a job goes on, and about when it ends: reckoned from how far it was before."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arteriole.app import times

#: Of less time than this, in seconds, nothing is reckoned.
LEAST = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`done` of `total` units at `at`, and `since_done` at `since`, both in POSIX seconds.

    >>> pace = Pace.begin(0.0, 0, 400, "tiles").told(100.0, 100, 400, "tiles")
    >>> pace.document()
    {'per_second': 1.0, 'ends': '1970-01-01T00:06:40.000Z'}
    >>> pace.told(101.0, 3, 400, "tiles").document()  # begun anew
    {}
    """

    since: float
    since_done: int
    at: float
    done: int
    total: int
    unit: str

    @classmethod
    def begin(cls, at: float, done: int, total: int, unit: str) -> "Pace":
        return cls(at, done, at, done, total, unit)

    def told(self, at: float, done: int, total: int, unit: str) -> "Pace":
        """The next word; another unit or total, or less than before, is of other work."""
        if (total, unit) != (self.total, self.unit) or done < self.done or at < self.at:
            return Pace.begin(at, done, total, unit)
        return Pace(self.since, self.since_done, at, done, total, unit)

    def document(self) -> dict[str, Any]:
        """`{per_second, ends}`, the mean since the first word; empty while that tells nothing."""
        seconds, units = self.at - self.since, self.done - self.since_done
        left = self.total - self.done
        if seconds < LEAST or units <= 0 or left <= 0:
            return {}
        try:
            ends = datetime.fromtimestamp(self.at + left * seconds / units, UTC)
        except (OverflowError, ValueError):  # beyond the year 9999
            return {}
        return {"per_second": float(f"{units / seconds:.3g}"), "ends": times.text(ends)}
