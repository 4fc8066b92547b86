"""What people do wrong with the sample sheet."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from arteriole.simulator import documents
from arteriole.simulator.misdeeds.misdeed import Harmless, no_argument, whole_number
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.script import Part, Write

_LATE = 5
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class SheetLate(Harmless):
    """The sheet comes when all else is written.

    Args:
        wait: called before it is put.
    """

    name = "sheet-late"

    def __init__(self, wait: Callable[[], None]) -> None:
        self.wait = wait

    @classmethod
    def parse(cls, argument: str) -> "SheetLate":
        """The argument is how many seconds after the rest; 5 when there is none."""
        seconds = whole_number(cls.name, argument) if argument else _LATE
        return cls(partial(time.sleep, seconds))

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        held = []
        for write in writes:
            if write.part is Part.SHEET:
                held.append(write)
            else:
                yield write
        self.wait()
        yield from held


class SheetNever(Harmless):
    """There is no sheet."""

    name = "sheet-never"

    @classmethod
    def parse(cls, argument: str) -> "SheetNever":
        no_argument(cls.name, argument)
        return cls()

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        return (write for write in writes if write.part is not Part.SHEET)


class I5Reversed(Harmless):
    """The sheet has every i5 as the reverse complement of what fits the run."""

    name = "i5-reversed"

    @classmethod
    def parse(cls, argument: str) -> "I5Reversed":
        no_argument(cls.name, argument)
        return cls()

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        if len(plan.index_lengths) < 2:
            raise PlanError(f"{self.name}: the run has no i5", field="misdeed")
        return [plan]

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        turned = tuple(
            replace(sample, i5=sample.i5.translate(_COMPLEMENT)[::-1]) for sample in plan.samples
        )
        content = documents.sample_sheet(replace(plan, samples=turned)).encode()
        for write in writes:
            yield replace(write, content=content) if write.part is Part.SHEET else write
