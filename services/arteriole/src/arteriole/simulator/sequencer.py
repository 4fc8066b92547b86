"""The sequencer: writes a run folder cycle by cycle, in the order in which an instrument does."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.layouts import lane_folder
from arteriole.simulator.misdeeds import Misdeed
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.script import Write, script
from arteriole.simulator.truth import StoredTile, write_truth

__all__ = ["OnCycle", "RunExistsError", "default_plan", "write_run"]

OnCycle = Callable[[int, int], None]
"""Called after each cycle with its number and the number of cycles of the run."""


class RunExistsError(ArterioleError):
    """The run folder or its truth is there already."""

    code = "simulator.exists"
    status = 409


def write_run(
    plan: RunPlan,
    directory: Path,
    *,
    seconds_per_cycle: float = 0.0,
    on_cycle: OnCycle | None = None,
    sheet: bytes | None = None,
    truth: Path | None = None,
    misdeeds: Sequence[Misdeed] = (),
) -> Path:
    """Sequence `plan` into `directory/<run>`; files are written in place, as instruments do.

    NB: the same plan, sheet and seed give the same bytes at the same paths, whatever misdeeds
    there are: a folder written without them and copied over the other mends it.

    Args:
        directory: made when it is not there.
        seconds_per_cycle: how long a cycle takes; 0 is as fast as possible.
        on_cycle: called after each cycle.
        sheet: the content of SampleSheet.csv; None for the one that fits the plan.
        truth: folder for the truth; None for `directory/<run>.truth`.
        misdeeds: what goes wrong, one after the other.

    Returns:
        The run folder; the last one where an instrument starts anew.

    Raises:
        RunExistsError: a run folder or the truth is there already.
        PlanError: the genome cannot be used, the speed is negative, or a misdeed does not fit.
    """
    if not 0 <= seconds_per_cycle < float("inf"):
        raise PlanError(f"seconds a cycle: 0 or more; found {seconds_per_cycle}")
    plans = _plans(plan, misdeeds)
    truth = truth or directory / f"{plans[-1].run}.truth"
    for path in (*(directory / each.run for each in plans), truth):
        if path.exists():
            raise RunExistsError(f"{path} is there already", hint="remove it, or name another run")
    tiles = write_truth(plans[-1], truth)
    for each in plans:
        play = _Player(each, directory / each.run, seconds_per_cycle, on_cycle)
        play(_writes(each, tiles, sheet, misdeeds))
    return directory / plans[-1].run


def _plans(plan: RunPlan, misdeeds: Iterable[Misdeed]) -> list[RunPlan]:
    plans = [plan]
    for misdeed in misdeeds:
        plans = [found for each in plans for found in misdeed.plans(each)]
    return plans


def _writes(
    plan: RunPlan, tiles: list[StoredTile], sheet: bytes | None, misdeeds: Iterable[Misdeed]
) -> Iterator[Write]:
    present = tiles
    for misdeed in misdeeds:
        present = misdeed.tiles(plan, present)
    writes = script(plan, tiles, present, sheet)
    for misdeed in misdeeds:
        writes = misdeed.writes(plan, writes)
    return writes


class _Player:
    """Writes at the pace of the instrument, and tells of each cycle."""

    def __init__(
        self, plan: RunPlan, folder: Path, seconds_per_cycle: float, on_cycle: OnCycle | None
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.seconds_per_cycle = seconds_per_cycle
        self.on_cycle = on_cycle
        self.cycle = 0
        self.started = 0.0

    def __call__(self, writes: Iterator[Write]) -> None:
        self.folder.mkdir(parents=True)
        for name in ("InterOp", "Config", "Recipe", "Logs"):
            (self.folder / name).mkdir()
        for lane in range(1, self.plan.lanes + 1):
            (self.folder / lane_folder(lane)).mkdir(parents=True)
        self.started = time.monotonic()
        for write in writes:
            while self.cycle < write.cycle:
                self._next_cycle()
            self._put(write)
        if 0 < self.cycle <= self.plan.cycles:
            self._tell()

    def _next_cycle(self) -> None:
        if self.cycle:
            self._tell()
        self.cycle += 1
        if self.cycle <= self.plan.cycles:
            due = self.started + self.cycle * self.seconds_per_cycle
            time.sleep(max(0.0, due - time.monotonic()))

    def _tell(self) -> None:
        if self.on_cycle:
            self.on_cycle(self.cycle, self.plan.cycles)

    def _put(self, write: Write) -> None:
        path = self.folder / write.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write.content)
        if write.shift:
            stamp = path.stat().st_mtime + write.shift
            os.utime(path, (stamp, stamp))
