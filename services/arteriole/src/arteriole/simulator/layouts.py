"""Where base calls, filters and positions lie in a run folder, and what is in each file."""

from collections.abc import Iterator
from typing import Protocol

from arteriole.simulator import formats
from arteriole.simulator.instruments import BaseCalls, Positions
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.tiles import Calls
from arteriole.simulator.truth import StoredTile

INTENSITIES = "Data/Intensities"
BASE_CALLS = f"{INTENSITIES}/BaseCalls"

File = tuple[str, bytes]
"""A path relative to the run folder, and its content."""
CycleCalls = dict[tuple[int, int], Calls]
"""The calls of one cycle, by lane and tile."""


class Layout(Protocol):
    """How the base calls and filters of some instruments lie on disk."""

    def start(self) -> Iterator[File]:
        """What is there before the first cycle, positions apart."""
        ...

    def cycle(self, cycle: int, calls: CycleCalls) -> Iterator[File]:
        """The base calls of `cycle`, counted from 1."""
        ...

    def filters(self) -> Iterator[File]: ...


class TileLayout:
    """`L<lane>/C<cycle>.1/s_<lane>_<tile>.bcl[.gz]`, and a `.filter` a tile."""

    def __init__(self, plan: RunPlan, tiles: list[StoredTile]) -> None:
        self.suffix = plan.instrument.base_calls.value
        self.packed = plan.instrument.base_calls is BaseCalls.BCL_GZ
        self.tiles = tiles

    def start(self) -> Iterator[File]:
        return iter(())

    def cycle(self, cycle: int, calls: CycleCalls) -> Iterator[File]:
        for tile in self.tiles:
            content = formats.bcl(calls[tile.lane, tile.number])
            if self.packed:
                content = formats.compressed(content)
            yield f"{lane_folder(tile.lane)}/C{cycle}.1/{_tile_name(tile)}{self.suffix}", content

    def filters(self) -> Iterator[File]:
        for tile in self.tiles:
            path = f"{lane_folder(tile.lane)}/{_tile_name(tile)}.filter"
            yield path, formats.filter_file([tile.passed])


class CbclLayout(TileLayout):
    """`L<lane>/C<cycle>.1/L<lane>_<surface>.cbcl`, and a `.filter` a tile."""

    def __init__(self, plan: RunPlan, tiles: list[StoredTile]) -> None:
        super().__init__(plan, tiles)
        self.plan = plan

    def cycle(self, cycle: int, calls: CycleCalls) -> Iterator[File]:
        left_out = self.plan.leaves_out_failing(cycle)
        surfaces = {(tile.lane, str(tile.number)[0]) for tile in self.tiles}
        for lane, surface in sorted(surfaces):
            parts = []
            for tile in self.tiles:
                if (tile.lane, str(tile.number)[0]) == (lane, surface):
                    found = calls[tile.lane, tile.number]
                    kept = found[tile.passed] if left_out else found
                    parts.append(formats.CbclTile(tile.number, kept))
            name = f"C{cycle}.1/L{lane:03d}_{surface}.cbcl"
            qualities = self.plan.instrument.qualities
            content = formats.cbcl(parts, qualities, failing_left_out=left_out)
            yield f"{lane_folder(lane)}/{name}", content


class LaneLayout:
    """`L<lane>/<cycle>.bcl.bgzf` with its `.bci`, `s_<lane>.bci` and `s_<lane>.filter`."""

    def __init__(self, plan: RunPlan, tiles: list[StoredTile]) -> None:
        lanes = range(1, plan.lanes + 1)
        self.lanes = {lane: [tile for tile in tiles if tile.lane == lane] for lane in lanes}

    def start(self) -> Iterator[File]:
        for lane, tiles in self.lanes.items():
            index = formats.tile_index([(tile.number, tile.size) for tile in tiles])
            yield f"{lane_folder(lane)}/s_{lane}.bci", index

    def cycle(self, cycle: int, calls: CycleCalls) -> Iterator[File]:
        for lane, tiles in self.lanes.items():
            both = formats.lane_calls([calls[lane, tile.number] for tile in tiles])
            path = f"{lane_folder(lane)}/{cycle:04d}.bcl.bgzf"
            yield from zip((path, f"{path}.bci"), both, strict=True)

    def filters(self) -> Iterator[File]:
        for lane, tiles in self.lanes.items():
            path = f"{lane_folder(lane)}/s_{lane}.filter"
            yield path, formats.filter_file([tile.passed for tile in tiles])


def layout_of(plan: RunPlan, tiles: list[StoredTile]) -> Layout:
    """The layout of the plan's instrument; `tiles` are those that get files, ascending."""
    match plan.instrument.base_calls:
        case BaseCalls.CBCL:
            return CbclLayout(plan, tiles)
        case BaseCalls.BGZF:
            return LaneLayout(plan, tiles)
        case _:
            return TileLayout(plan, tiles)


def positions(plan: RunPlan, tiles: list[StoredTile]) -> Iterator[File]:
    """The files that tell where the clusters lie."""
    match plan.instrument.locations:
        case Positions.SHARED:
            full = next(tile for tile in tiles if tile.size)
            yield f"{INTENSITIES}/s.locs", formats.locations([full.places()])
        case Positions.LANE:
            for lane in range(1, plan.lanes + 1):
                places = [tile.places() for tile in tiles if tile.lane == lane]
                yield f"{INTENSITIES}/L{lane:03d}/s_{lane}.locs", formats.locations(places)
        case Positions.TILE_CLOCS:
            for tile in tiles:
                path = f"{INTENSITIES}/L{tile.lane:03d}/{_tile_name(tile)}.clocs"
                yield path, formats.binned_locations(tile.places())
        case Positions.TILE:
            for tile in tiles:
                path = f"{INTENSITIES}/L{tile.lane:03d}/{_tile_name(tile)}.locs"
                yield path, formats.locations([tile.places()])


def lane_folder(lane: int) -> str:
    return f"{BASE_CALLS}/L{lane:03d}"


def _tile_name(tile: StoredTile) -> str:
    return f"s_{tile.lane}_{tile.number}"
