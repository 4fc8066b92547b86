"""What a long test is given, and how it fails."""

from dataclasses import dataclass
from pathlib import Path

_MOST_TOLD = 30


class CheckError(Exception):
    """A check does not hold; the message says what is wrong and where to look."""

    def __init__(self, problems: list[str], look: str) -> None:
        more = [f"and {len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
        lines = [f"{len(problems)} problems", *problems[:_MOST_TOLD], *more, f"look at {look}"]
        super().__init__("\n  ".join(lines))


@dataclass(frozen=True)
class Check:
    """The size and the seed.

    Attributes:
        folder: for whatever a check writes; kept if it fails.
        case: one case of many, alone.
        minutes, sensors, rules, rate: of a soak, with events a second.
    """

    seed: int
    folder: Path
    workflows: int
    kills: int
    requests: int
    corruptions: int = 10_000
    good_runs: int = 1000
    case: str = ""
    files: int = 20_000
    minutes: float = 60
    sensors: int = 5
    rules: int = 50
    rate: float = 5
