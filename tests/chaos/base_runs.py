"""The good runs that are damaged, copied and judged: every kind of instrument, in memory."""

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from arteriole.illumina.instruments import expected_markers
from arteriole.simulator.defaults import RUN_NAMES, default_plan
from arteriole.simulator.instruments import BaseCalls, Kind, NonPf
from arteriole.simulator.kinds import INSTRUMENTS
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.script import Part, script
from arteriole.simulator.truth import write_truth

Files = dict[str, bytes]
"""The content of each file by its path in the run folder, in the order in which they came."""

#: The same run with so many more clusters a tile.
_MORE = 7
_JUDGED = {Part.BASE_CALLS, Part.FILTER, Part.POSITIONS, Part.SHEET}


@dataclass(frozen=True)
class BaseRun:
    """One run; `shape` says which variant of its instrument's runs it is."""

    shape: str
    plan: RunPlan
    files: Files
    parts: dict[str, Part]
    empty: frozenset[str]
    """Tiles without a cluster, as `lane_number`."""

    @property
    def name(self) -> str:
        return f"{self.plan.kind.value} {self.shape}"

    @property
    def marker(self) -> str:
        """What this instrument writes last."""
        return expected_markers(self.plan.instrument_name)[0]

    @property
    def parameters(self) -> str:
        return self.plan.instrument.parameters_file

    @cached_property
    def judged(self) -> frozenset[str]:
        """The files that a complete run needs; others (logs, metrics) may come when they like."""
        kept = {path for path, part in self.parts.items() if part in _JUDGED}
        return frozenset({*kept, "RunInfo.xml", self.parameters, self.marker})

    def paths(self, *parts: Part) -> list[str]:
        return [path for path in self.files if self.parts[path] in parts]

    @cached_property
    def longer(self) -> Files:
        """The files of a run that differs in the number of clusters."""
        other = _plan(self.plan.kind, self.plan.number, **_fields(self.plan, _MORE))
        return _written(other)[0]


def base_runs(*, every: bool) -> list[BaseRun]:
    """One of each kind of instrument, in turn of another shape, or `every` shape of each."""
    found: list[BaseRun] = []
    for turn, kind in enumerate(Kind):
        shapes = _shapes(kind)
        one = list(shapes)[turn % len(shapes)]
        for shape in shapes if every else [one]:
            plan = _plan(kind, 100 + len(found), **shapes[shape])
            found.append(BaseRun(shape, plan, *_written(plan)))
    return found


def _shapes(kind: Kind) -> dict[str, dict[str, Any]]:
    """What differs from the usual, by a name."""
    instrument = INSTRUMENTS[kind]
    lanes = min(2, instrument.lanes)
    paired = {"read_cycles": (2, 1), "index_cycles": (5, 5), "lanes": lanes, "clusters": 21}
    single = {"read_cycles": (2,), "index_cycles": (5,), "lanes": 1, "swaths": 1, "clusters": 13}
    shapes: dict[str, dict[str, Any]] = {
        "paired": paired | {"surfaces": 1, "swaths": min(2, instrument.swaths)},
        "single": single | {"tiles": 2},
        "empty tiles": single | {"surfaces": 2, "tiles": 2, "empty_tiles": 2},
    }
    if instrument.base_calls is BaseCalls.CBCL:
        shapes["all kept"] = paired | {"swaths": 1, "non_pf": NonPf.KEPT}
        shapes["passed only"] = single | {"tiles": 3, "non_pf": NonPf.EXCLUDED}
    if instrument.base_calls is BaseCalls.BGZF:
        shapes["many blocks"] = single | {"tiles": 1, "clusters": 24_000}
    return shapes


def _plan(kind: Kind, number: int, **fields: Any) -> RunPlan:
    date, instrument, _, flowcell = RUN_NAMES[kind].split("_")
    run = f"{date}_{instrument}_{number:04d}_{flowcell}"
    return default_plan(run, **{"kind": kind, "samples": 2, "seed": number, "tiles": 1} | fields)


def _fields(plan: RunPlan, more: int) -> dict[str, Any]:
    """Those that make such a plan, with `more` clusters."""
    names = ("lanes", "surfaces", "swaths", "tiles", "empty_tiles", "non_pf")
    return {name: getattr(plan, name) for name in names} | {
        "read_cycles": tuple(read.cycles for read in plan.reads if not read.is_index),
        "index_cycles": plan.index_lengths,
        "clusters": plan.clusters + more,
    }


def _written(plan: RunPlan) -> tuple[Files, dict[str, Part], frozenset[str]]:
    """The files in the order in which each was last written, what each is, and empty tiles."""
    files: Files = {}
    parts: dict[str, Part] = {}
    with tempfile.TemporaryDirectory() as folder:
        tiles = write_truth(plan, Path(folder) / "truth")
        for write in script(plan, tiles, tiles, None):
            files.pop(write.path, None)
            files[write.path], parts[write.path] = write.content, write.part
        empty = frozenset(f"{tile.lane}_{tile.number}" for tile in tiles if not tile.size)
    return files, parts, empty
