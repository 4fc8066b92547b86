"""Files that come late, damaged, or not at all."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from arteriole.simulator.misdeeds.misdeed import AtCycle, Harmless
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.script import Part, Write
from arteriole.simulator.truth import StoredTile

_TILE = re.compile(r"([1-9]\d?)_(\d{4,5})", re.ASCII)
_EARLY = 5


class MarkerEarly(AtCycle):
    """All that says that the run is done is there after the given cycle, 5 before the last."""

    name = "marker-early"

    def cycle(self, plan: RunPlan) -> int:
        return max(1, plan.cycles - _EARLY) if self.given is None else self.given

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        held, late = [], self.cycle(plan)
        for write in writes:
            if write.part is Part.END or write.cycle > late:
                held.append(write)
            else:
                yield write
        yield from (replace(write, cycle=late) for write in held if write.part is Part.END)
        yield from (write for write in held if write.part is not Part.END)


class CopyStalls(AtCycle):
    """Nothing comes any more after the given cycle.

    Args:
        go_on: waited for at the stall, after which the rest comes; None for never.
    """

    name = "copy-stalls"

    def __init__(self, cycle: int | None = None, go_on: Callable[[], None] | None = None) -> None:
        super().__init__(cycle)
        self.go_on = go_on

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        stalled = False
        for write in writes:
            if write.cycle > self.cycle(plan) and not stalled:
                if self.go_on is None:
                    return
                self.go_on()
                stalled = True
            yield write


class TruncatedFile(AtCycle):
    """Half of the first base call file of a cycle is missing."""

    name = "truncated-file"

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        done = False
        for write in writes:
            if write.part is Part.BASE_CALLS and write.cycle == self.cycle(plan) and not done:
                done = True
                yield replace(write, content=write.content[: len(write.content) // 2])
            else:
                yield write


class MissingCycle(AtCycle):
    """A cycle's base calls never come."""

    name = "missing-cycle"

    def writes(self, plan: RunPlan, writes: Iterator[Write]) -> Iterator[Write]:
        cycle = self.cycle(plan)
        gone = (Part.BASE_CALLS, cycle)
        return (write for write in writes if (write.part, write.cycle) != gone)


class MissingTile(Harmless):
    """A tile that RunInfo.xml lists has no base calls, filter or positions of its own.

    Args:
        tile: lane and number; None for the last of the run.
    """

    name = "missing-tile"

    def __init__(self, tile: tuple[int, int] | None = None) -> None:
        self.given = tile

    @classmethod
    def parse(cls, argument: str) -> "MissingTile":
        found = _TILE.fullmatch(argument)
        if argument and not found:
            raise PlanError(
                f"{cls.name}: expected a tile as 1_1101; found {argument[:40]!r}", field="misdeed"
            )
        return cls((int(found[1]), int(found[2])) if found else None)

    def plans(self, plan: RunPlan) -> list[RunPlan]:
        if self._tile(plan) not in plan.all_tiles or len(plan.all_tiles) - plan.empty_tiles < 2:
            raise PlanError(
                f"{self.name}: expected one of several tiles of the run; found {self.given}",
                field="misdeed",
            )
        return [plan]

    def _tile(self, plan: RunPlan) -> tuple[int, int]:
        return self.given or plan.all_tiles[-1]

    def tiles(self, plan: RunPlan, tiles: list[StoredTile]) -> list[StoredTile]:
        return [tile for tile in tiles if (tile.lane, tile.number) != self._tile(plan)]
