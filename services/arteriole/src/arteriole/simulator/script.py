"""What an instrument writes into a run folder, piece by piece, in its order."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from arteriole.simulator import documents, layouts, markers, parameters
from arteriole.simulator.metrics import Metrics
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.truth import StoredTile


class Part(Enum):
    """What a file is to the run; misdeeds choose by it."""

    DOCUMENT = "document"
    SHEET = "sheet"
    POSITIONS = "positions"
    BASE_CALLS = "base calls"
    FILTER = "filter"
    METRICS = "metrics"
    READ_MARKER = "read marker"
    END = "end"


@dataclass(frozen=True)
class Write:
    """One file, written whole.

    Attributes:
        cycle: when; 0 is before the first cycle, cycles + 1 after the last.
        path: relative to the run folder.
        shift: seconds by which the clock that stamps it is wrong.
    """

    cycle: int
    part: Part
    path: str
    content: bytes
    shift: float = 0.0


def script(
    plan: RunPlan, tiles: list[StoredTile], present: list[StoredTile], sheet: bytes | None
) -> Iterator[Write]:
    """Everything that a good run writes; each content is made when its turn comes.

    Args:
        tiles: those of the plan. present: those of them that get files of their own.
        sheet: the content of SampleSheet.csv; None for the one that fits the plan.
    """
    layout, metrics = layouts.layout_of(plan, present), Metrics(plan, tiles)
    yield from _before(plan, sheet)
    for path, content in (*layouts.positions(plan, present), *layout.start()):
        yield Write(0, Part.POSITIONS, path, content)
    ends = {end: number for number, (_, end) in enumerate(plan.spans, start=1)}
    for cycle in range(1, plan.cycles + 1):
        calls = {(tile.lane, tile.number): tile.calls(cycle) for tile in tiles}
        for path, content in layout.cycle(cycle, calls):
            yield Write(cycle, Part.BASE_CALLS, path, content)
        metrics.add_cycle(calls)
        if cycle == plan.filter_cycle:
            for path, content in layout.filters():
                yield Write(cycle, Part.FILTER, path, content)
        if cycle == plan.filter_cycle or cycle in ends:
            for path, content in metrics.files().items():
                yield Write(cycle, Part.METRICS, path, content)
        if cycle in ends:
            texts = markers.read_markers(plan, ends[cycle], cycle)
            yield from _texts(cycle, Part.READ_MARKER, texts)
    yield from _texts(plan.cycles + 1, Part.END, markers.run_markers(plan))


def _before(plan: RunPlan, sheet: bytes | None) -> Iterator[Write]:
    texts = {
        "RunInfo.xml": documents.run_info(plan),
        plan.instrument.parameters_file: parameters.run_parameters(plan),
        **documents.start_files(plan),
    }
    yield from _texts(0, Part.DOCUMENT, texts)
    content = documents.sample_sheet(plan).encode() if sheet is None else sheet
    yield Write(0, Part.SHEET, "SampleSheet.csv", content)


def _texts(cycle: int, part: Part, texts: dict[str, str]) -> Iterator[Write]:
    for name, text in texts.items():
        yield Write(cycle, part, name, text.encode())
