"""The protocol of misdeeds, and what most of them share."""

from collections.abc import Iterator
from typing import Protocol

from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.script import Write
from arteriole.simulator.truth import StoredTile


class Misdeed(Protocol):
    """One thing that goes wrong; every path that is written is one of the good run."""

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        """The runs that are begun instead of `plan`, the one whose truth counts last.

        Raises:
            PlanError: the misdeed does not fit the plan.
        """
        ...

    def tiles(self, plan: RunPlan, tiles: list[StoredTile]) -> list[StoredTile]:
        """The tiles that get files of their own."""
        ...

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        """What is written instead of `writes`."""
        ...


class Harmless:
    """Changes nothing: the base of misdeeds, each of which changes one thing."""

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        return [plan]

    def tiles(self, plan: RunPlan, tiles: list[StoredTile]) -> list[StoredTile]:
        return tiles

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        return writes


class AtCycle(Harmless):
    """A misdeed at one cycle: the one given, or the middle of the run."""

    name = ""

    def __init__(self, cycle: int | None = None) -> None:
        self.given = cycle

    @classmethod
    def parse(cls, argument: str) -> "AtCycle":
        return cls(whole_number(cls.name, argument) if argument else None)

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        if not 1 <= self.cycle(plan) < plan.cycles:
            raise PlanError(
                f"{self.name}: expected a cycle of 1 to {plan.cycles - 1}; found {self.given}",
                field="misdeed",
            )
        return [plan]

    def cycle(self, plan: RunPlan) -> int:
        return max(1, plan.cycles // 2) if self.given is None else self.given


def whole_number(name: str, argument: str) -> int:
    """Raises PlanError."""
    if not (argument.isascii() and argument.isdigit() and len(argument) < 10):
        raise PlanError(
            f"{name}: expected a whole number after the colon; found {argument[:40]!r}",
            field="misdeed",
        )
    return int(argument)


def no_argument(name: str, argument: str) -> None:
    """Raises PlanError when there is one."""
    if argument:
        raise PlanError(f"{name} takes no argument; found {argument[:40]!r}", field="misdeed")
