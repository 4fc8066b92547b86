"""What people do wrong with the sample sheet."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from arteriole.simulator import documents
from arteriole.simulator.indexes import FAR, Pair, distinct_pairs, pair_distance
from arteriole.simulator.misdeeds.misdeed import Harmless, no_argument, whole_number
from arteriole.simulator.plan import PlanError, RunPlan, Sample
from arteriole.simulator.script import Part, Write

_LATE = 5
_COLUMN = 8
"""Wells in a column of a plate of 96."""
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


class WrongSheet(Harmless):
    """The sheet has the samples otherwise than they lie on the flow cell: the base of those."""

    def samples(self, plan: RunPlan) -> tuple[Sample, ...]:
        """As the sheet has them. Raises PlanError when the plan has no such samples."""
        raise NotImplementedError

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        self.samples(plan)
        return [plan]

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        content = documents.sample_sheet(replace(plan, samples=self.samples(plan))).encode()
        for write in writes:
            yield replace(write, content=content) if write.part is Part.SHEET else write


class I5Reversed(WrongSheet):
    """The sheet has every i5 as the reverse complement of what fits the run."""

    name = "i5-reversed"

    @classmethod
    def parse(cls, argument: str) -> "I5Reversed":
        no_argument(cls.name, argument)
        return cls()

    def samples(self, plan: RunPlan) -> tuple[Sample, ...]:
        if len(plan.index_lengths) < 2:
            raise PlanError(f"{self.name}: the run has no i5", field="misdeed")
        return tuple(
            replace(sample, i5=sample.i5.translate(_COMPLEMENT)[::-1]) for sample in plan.samples
        )


class LanesExchanged(WrongSheet):
    """The sheet has the samples of the first lane on the second, and those of this on the first."""

    name = "lanes-exchanged"

    @classmethod
    def parse(cls, argument: str) -> "LanesExchanged":
        no_argument(cls.name, argument)
        return cls()

    def samples(self, plan: RunPlan) -> tuple[Sample, ...]:
        other = {1: 2, 2: 1}
        moved = tuple(
            replace(sample, lanes=tuple(sorted(other.get(lane, lane) for lane in sample.lanes)))
            for sample in plan.samples
        )
        if plan.lanes < 2 or moved == plan.samples:
            raise PlanError(
                f"{self.name}: expected samples that lie on one of the first two lanes alone",
                field="misdeed",
            )
        return moved


class WellsShifted(WrongSheet):
    """The sheet has each sample some wells further on the plate of indexes than it was pipetted.

    Wells are counted in the order of the samples; those beyond the last one have indexes of their
    own, and nothing is in them.

    Args:
        wells: how many; a column of a plate of 96 unless given.
    """

    name = "wells-shifted"

    def __init__(self, wells: int = _COLUMN) -> None:
        self.wells = wells

    @classmethod
    def parse(cls, argument: str) -> "WellsShifted":
        return cls(whole_number(cls.name, argument) if argument else _COLUMN)

    def samples(self, plan: RunPlan) -> tuple[Sample, ...]:
        if not 1 <= self.wells <= 96:
            raise PlanError(
                f"{self.name}: expected 1 to 96 wells; found {self.wells}", field="misdeed"
            )
        pairs = [sample.index for sample in plan.samples]
        pairs += self._empty_wells(plan, pairs)
        return tuple(
            replace(sample, i7=i7, i5=i5)
            for sample, (i7, i5) in zip(plan.samples, pairs[self.wells :], strict=True)
        )

    def _empty_wells(self, plan: RunPlan, taken: list[Pair]) -> list[Pair]:
        rng = np.random.default_rng([plan.seed, 17])
        drawn = distinct_pairs(len(taken) + self.wells, plan.index_lengths, rng)
        free = [pair for pair in drawn if all(pair_distance(pair, one) >= FAR for one in taken)]
        if len(free) < self.wells:
            raise PlanError(
                f"{self.name}: only {len(free)} further indexes of this length stand far enough"
                f" apart; found {self.wells} wells",
                field="misdeed",
            )
        return free[: self.wells]
