"""A row of bench.json: a figure, that of its peer, and whether the goal is met."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goal:
    """At most `most`, of ours or of the ratio of ours to the peer's."""

    of: str
    most: float

    def __str__(self) -> str:
        return f"{self.of} <= {self.most:g}"


@dataclass(frozen=True)
class Row:
    """What was measured in one run of the bench.

    Attributes:
        name: says the size too, so that a check never shrinks silently.
        ours, peer: one figure a repetition, in `unit`; no figure of a peer that did not run.
        against: who the peer is, also when it did not run; "" if there is none.
        goal: None where the size is too small to judge.
    """

    name: str
    unit: str
    size: int
    ours: Sequence[float]
    peer: Sequence[float] = ()
    against: str = ""
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's, of the medians."""
        if not self.peer:
            return None
        return statistics.median(self.ours) / statistics.median(self.peer)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if it was not measured, or there is none."""
        if self.goal is None:
            return None
        found = statistics.median(self.ours) if self.goal.of == "ours" else self.ratio
        return None if found is None else found <= self.goal.most

    def document(self) -> dict[str, Any]:
        """As it stands in bench.json."""
        return {
            "name": self.name,
            "ours": _rounded(statistics.median(self.ours)),
            "peer": _rounded(statistics.median(self.peer)) if self.peer else None,
            "against": self.against,
            "ratio": _rounded(self.ratio),
            "spread": {"ours": _spread(self.ours), "peer": _spread(self.peer)},
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
            "unit": self.unit,
            "runs": len(self.ours),
            "size": self.size,
        }


def table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [("", "ours", "peer", "ratio", "goal", "met", "runs", "peer is")]
    for row in rows:
        document = row.document()
        lines.append(
            (
                row.name,
                _told(document["ours"], document["spread"]["ours"], row.unit),
                _told(document["peer"], document["spread"]["peer"], row.unit),
                "" if row.ratio is None else f"{row.ratio:.3f}",
                document["goal"] or "",
                {True: "yes", False: "NO", None: "-"}[row.met],
                str(len(row.ours)),
                row.against,
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _told(median: float | None, spread: list[float] | None, unit: str) -> str:
    if median is None or spread is None:
        return "-"
    return f"{median:g} {unit} ({spread[0]:g}-{spread[1]:g})"


def _spread(figures: Sequence[float]) -> list[float | None] | None:
    return [_rounded(min(figures)), _rounded(max(figures))] if figures else None


def _rounded(figure: float | None) -> float | None:
    """To four digits."""
    return None if figure is None else float(f"{figure:.4g}")
