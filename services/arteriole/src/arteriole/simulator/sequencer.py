"""The sequencer: writes a run folder cycle by cycle, in the order in which an instrument does."""

import time
from collections.abc import Callable
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.simulator import documents, formats
from arteriole.simulator.clusters import Library, Tile
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.metrics import write_metrics
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.truth import write_truth

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
) -> Path:
    """Sequence `plan` into `directory/<run>`; files are written in place, as instruments do.

    Args:
        directory: made when it is not there.
        seconds_per_cycle: how long a cycle takes; 0 is as fast as possible.
        on_cycle: called after each cycle.
        sheet: the content of SampleSheet.csv; None for the one that fits the plan.
        truth: folder for the truth; None for `directory/<run>.truth`.

    Returns:
        The run folder.

    Raises:
        RunExistsError: the run folder or its truth is there already.
        PlanError: the genome cannot be used, or the speed is negative.
    """
    if not 0 <= seconds_per_cycle < float("inf"):
        raise PlanError(f"seconds a cycle: 0 or more; found {seconds_per_cycle}")
    folder = directory / plan.run
    truth = truth or directory / f"{plan.run}.truth"
    for path in (folder, truth):
        if path.exists():
            raise RunExistsError(f"{path} is there already", hint="remove it, or name another run")
    library = Library(plan)
    tiles = [library.tile(lane, number) for lane, number in plan.all_tiles]
    write_truth(plan, library, tiles, truth)
    _Sequencer(plan, folder, tiles, seconds_per_cycle).run(sheet, on_cycle)
    return folder


class _Sequencer:
    def __init__(
        self, plan: RunPlan, folder: Path, tiles: list[Tile], seconds_per_cycle: float
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.tiles = tiles
        self.seconds_per_cycle = seconds_per_cycle
        self.intensities = folder / "Data" / "Intensities"
        self.ends = {end: number for number, (_, end) in enumerate(plan.spans, start=1)}

    def run(self, sheet: bytes | None, on_cycle: OnCycle | None) -> None:
        self._start(sheet)
        started = time.monotonic()
        for cycle in range(1, self.plan.cycles + 1):
            due = started + cycle * self.seconds_per_cycle
            time.sleep(max(0.0, due - time.monotonic()))
            self._cycle(cycle)
            if on_cycle:
                on_cycle(cycle, self.plan.cycles)
        self._write_texts(documents.run_markers(self.plan))

    def _start(self, sheet: bytes | None) -> None:
        plan = self.plan
        self.folder.mkdir(parents=True)
        for name in ("InterOp", "Config", "Recipe", "Logs"):
            (self.folder / name).mkdir()
        for lane in range(1, plan.lanes + 1):
            self._lane_folder(lane).mkdir(parents=True)
        self._write_texts(
            {
                "RunInfo.xml": documents.run_info(plan),
                plan.instrument.parameters_file: documents.run_parameters(plan),
                "Config/RTAStart.log": documents.rta_start_log(plan),
                "Data/Intensities/RTAConfiguration.xml": documents.rta_configuration(plan),
            }
        )
        content = documents.sample_sheet(plan).encode() if sheet is None else sheet
        (self.folder / "SampleSheet.csv").write_bytes(content)
        self._write_locations()

    def _write_locations(self) -> None:
        if self.plan.instrument.shared_locations:
            places = self.tiles[0].places
            (self.intensities / "s.locs").write_bytes(formats.locations(places.x, places.y))
            return
        for tile in self.tiles:
            folder = self.intensities / f"L{tile.lane:03d}"
            folder.mkdir(exist_ok=True)
            content = formats.locations(tile.places.x, tile.places.y)
            (folder / f"{_tile_name(tile)}.locs").write_bytes(content)

    def _cycle(self, cycle: int) -> None:
        suffix = self.plan.instrument.bcl_suffix
        for tile in self.tiles:
            folder = self._lane_folder(tile.lane) / f"C{cycle}.1"
            folder.mkdir(exist_ok=True)
            content = formats.bcl(tile.bases[:, cycle - 1], tile.qualities[:, cycle - 1])
            if self.plan.instrument.compressed:
                content = formats.compressed(content)
            (folder / f"{_tile_name(tile)}{suffix}").write_bytes(content)
        if cycle == self.plan.filter_cycle:
            self._write_filters()
        if cycle == self.plan.filter_cycle or cycle in self.ends:
            write_metrics(self.plan, self.tiles, self.folder, cycle)
        if cycle in self.ends:
            self._write_texts(documents.read_markers(self.plan, self.ends[cycle], cycle))

    def _write_filters(self) -> None:
        for tile in self.tiles:
            path = self._lane_folder(tile.lane) / f"{_tile_name(tile)}.filter"
            path.write_bytes(formats.filter_file(tile.passed))

    def _lane_folder(self, lane: int) -> Path:
        return self.intensities / "BaseCalls" / f"L{lane:03d}"

    def _write_texts(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="utf-8", newline="")


def _tile_name(tile: Tile) -> str:
    return f"s_{tile.lane}_{tile.number}"
