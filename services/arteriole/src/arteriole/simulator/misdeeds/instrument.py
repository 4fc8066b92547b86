"""What the instrument itself does wrong."""

import math
from collections.abc import Iterator
from dataclasses import replace

from arteriole.simulator import markers
from arteriole.simulator.misdeeds.misdeed import AtCycle, Harmless
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.script import Part, Write

_LONGEST_SHIFT = 10 * 365 * 86_400


class FailedRun(AtCycle):
    """The instrument gives up after the given cycle, and says so where it can."""

    name = "failed-run"

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        cycle = self.cycle(plan)
        yield from _up_to(cycle, writes)
        for path, text in markers.failure(plan, cycle).items():
            yield Write(cycle, Part.END, path, text.encode())


class InstrumentRestart(AtCycle):
    """The run stops for good after the given cycle; the next one sequences the flow cell whole."""

    name = "instrument-restart"

    def __init__(self, cycle: int | None = None) -> None:
        super().__init__(cycle)
        self.abandoned = ""

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        super().plans(plan)
        self.abandoned = plan.run
        date, instrument, number, rest = plan.run.split("_")
        following = f"{int(number) + 1:0{len(number)}d}"
        return [plan, replace(plan, run="_".join((date, instrument, following, rest)))]

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        return _up_to(self.cycle(plan), writes) if plan.run == self.abandoned else writes


class ClockSkew(Harmless):
    """The instrument's clock is wrong: the run's own dates and the times of its files."""

    name = "clock-skew"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @classmethod
    def parse(cls, argument: str) -> "ClockSkew":
        try:
            seconds = float(argument)
        except ValueError:
            seconds = math.nan
        if not abs(seconds) <= _LONGEST_SHIFT:
            raise PlanError(
                f"{cls.name}: expected seconds, at most {_LONGEST_SHIFT} either way, after the"
                f" colon; found {argument[:40]!r}",
                field="misdeed",
            )
        return cls(seconds)

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        return [replace(plan, clock_shift=plan.clock_shift + self.seconds)]

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        return (replace(write, shift=write.shift + self.seconds) for write in writes)


def _up_to(cycle: int, writes: Iterator[Write]) -> Iterator[Write]:
    for write in writes:
        if write.cycle > cycle:
            return
        yield write
