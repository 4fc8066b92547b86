"""Whether every file of base calls that RunInfo.xml promises is there, and whole.

Reads directory listings once, of each file its header and its ends; writes nothing. So it notices
what is missing, cut, of another length or count, or in no RunInfo.xml, and nothing else: a changed
byte inside of compressed calls is found by the checksums when they are unpacked, while one in the
calls of a .bcl, the flags of a .filter or the coordinates of a .locs or .clocs changes a value to
another valid one, and nobody can know it before the files have digests.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from arteriole.illumina import bci, filters, locs, reading, run_file, whole_calls
from arteriole.illumina.bci import TileIndex
from arteriole.illumina.cbcl import Header
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import BclKind, RunFolder, leads_out, surface
from arteriole.illumina.run_info import FILE_NAME, RunInfo

PROBLEMS_KEPT = 20
OUTSIDE = "a link that leads out of the run folder"
Listing = Mapping[str, int | None]
"""The size of each file of a folder; None for a link that leads out of the run folder."""
T = TypeVar("T")


class Sort(Enum):
    """What a file is for."""

    CALLS = "bcls"
    FILTER = "filter"
    POSITIONS = "positions"


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many files were expected and found whole; the first problems, `path: reason`.

    `expected` counts the files of base calls (a .bcl or .bcl.gz a lane, cycle and tile; a .cbcl a
    lane, cycle and surface; a .bcl.bgzf and its .bci a lane and cycle, and a .bci a lane), the
    .filter files and the positions: one s.locs for the run, or an s_<lane>.locs a lane, or a .locs
    or .clocs a lane and tile (a lane beside .bcl.bgzf). `counts` and `firsts` tell of the problems
    of each sort.

    `passed_only` is the path of a .cbcl without the clusters that failed the filter, empty if there
    is none; `filter_needed` says that it holds a tile whose filter is missing or damaged, so that
    nobody can tell whose calls these are.
    """

    expected: int
    found: int
    problems: tuple[str, ...]
    problem_count: int
    counts: Mapping[Sort, int] = field(default_factory=dict)
    firsts: Mapping[Sort, str] = field(default_factory=dict)
    passed_only: str = ""
    filter_needed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing or damaged."""
        return self.problem_count == 0


@dataclass
class _Tally:
    root: Path
    ends: bool
    expected: int = 0
    found: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    counts: dict[Sort, int] = field(default_factory=dict)
    firsts: dict[Sort, str] = field(default_factory=dict)
    passed_only: str = ""
    filter_needed: bool = False

    def note_passed_only(self, path: Path, filter_needed: bool) -> None:
        if not self.passed_only or (filter_needed and not self.filter_needed):
            self.passed_only = path.relative_to(self.root).as_posix()
            self.filter_needed = filter_needed

    def problem(self, path: Path, reason: str, sort: Sort, files: int = 1) -> None:
        """Of `files` files of a sort, of which `path` is the first."""
        self.problem_count += files
        self.counts[sort] = self.counts.get(sort, 0) + files
        if sort in self.firsts and len(self.problems) == PROBLEMS_KEPT:
            return
        text = f"{path.relative_to(self.root).as_posix()}: {reason}"
        self.firsts.setdefault(sort, text)
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(text)


def check(run_dir: Path, run_info: RunInfo, ends: bool = True) -> Completeness:
    """Compare the run folder with its RunInfo.

    Args:
        ends: False looks at the listings only, so that what is missing or empty is found; not what
            RunInfo.xml does not have.
    """
    folder = RunFolder(run_dir)
    tally = _Tally(run_dir, ends)
    wells = _Wells(folder, tally)
    for lane, tiles in run_info.tiles.items():
        kind = folder.bcl_kind(lane)
        lane_check = _LaneCheck(folder, run_info, lane, tiles, kind, tally)
        if kind is BclKind.BCL_BGZF:
            lane_check.lane_files(wells.of(lane))
        else:
            lane_check.tile_files(wells.of(lane))
        if ends:
            lane_check.further_cycles()
    if ends:
        _further_lanes(folder, run_info, tally)
    return Completeness(
        tally.expected,
        tally.found,
        tuple(tally.problems),
        tally.problem_count,
        tally.counts,
        tally.firsts,
        tally.passed_only,
        tally.filter_needed,
    )


def _further_lanes(folder: RunFolder, run_info: RunInfo, tally: _Tally) -> None:
    """See that there is no lane that RunInfo.xml does not have."""
    for lane in folder.lanes_with_calls():
        if lane not in run_info.tiles:
            reason = f"it has base calls, and no tile of it is in {FILE_NAME}"
            tally.problem(folder.lane(lane), reason, Sort.CALLS)


def _listing(folder: Path, root: Path) -> Listing:
    """Of the files of the folder, and of links that lead out of `root`; empty without a folder."""
    found: dict[str, int | None] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink() and leads_out(root, Path(entry.path)):
                    found[entry.name] = None
                elif entry.is_file():
                    found[entry.name] = entry.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        found = {}
    reading.looked(1 + len(found))
    return found


def _size(listing: Listing, name: str) -> int:
    """Raises RunDataError for a link that leads out of the run folder."""
    size = listing[name]
    if size is None:
        raise RunDataError(OUTSIDE)
    return size


def _head(path: Path, size: int) -> bytes:
    with run_file.opened(path) as file:
        return file.read(size)


@dataclass(frozen=True)
class _Shared:
    """The name of the positions that the tiles of a lane share; `clusters` is -1 if damaged."""

    name: str
    clusters: int


@dataclass(frozen=True)
class _Wells:
    """The positions that tiles share; each file is read once."""

    folder: RunFolder
    tally: _Tally
    read: dict[Path, _Shared] = field(default_factory=dict)

    def of(self, lane: int) -> _Shared | None:
        """None where each tile has its own."""
        path = self.folder.shared_positions(lane)
        if path is not None and path not in self.read:
            self.read[path] = _Shared(path.name, self._clusters(path))
        return self.read[path] if path is not None else None

    def _clusters(self, path: Path) -> int:
        self.tally.expected += 1
        try:
            if leads_out(self.folder.path, path):
                raise RunDataError(OUTSIDE)
            clusters = _position_count(path, path.stat().st_size)
        except RunDataError as err:
            self.tally.problem(path, str(err), Sort.POSITIONS)
            return -1
        self.tally.found += 1
        return clusters


def _position_count(path: Path, size: int) -> int:
    if path.suffix == ".locs":
        return locs.locs_clusters(_head(path, locs.LOCS_HEADER_SIZE), size, path.name)
    data = run_file.read(path, locs.CLOCS_LIMIT)
    return sum(count for _, count in locs.clocs_counts(data, path.name))


@dataclass(frozen=True)
class _LaneCheck:
    folder: RunFolder
    run_info: RunInfo
    lane: int
    tiles: tuple[int, ...]
    kind: BclKind | None
    tally: _Tally

    def further_cycles(self) -> None:
        """See that there is no cycle that RunInfo.xml does not have: then it is not of this run."""
        cycles = self.run_info.cycles
        for path in self.folder.cycles_after(self.lane, cycles):
            self.tally.problem(path, f"{FILE_NAME} has only {cycles} cycles", Sort.CALLS)

    def _further_tiles(self, path: Path, tiles: Iterable[int]) -> None:
        """See that there is no tile that RunInfo.xml does not list: its reads would be lost."""
        further = sorted(set(tiles) - self._listed)
        if further and self.tally.ends:
            more = f", nor {len(further) - 1} more" if len(further) > 1 else ""
            reason = f"{FILE_NAME} does not list tile {further[0]} of lane {self.lane}{more}"
            self.tally.problem(path, reason, Sort.CALLS)

    def tile_files(self, shared: _Shared | None) -> None:
        """A lane with a filter a tile."""
        clusters = self._filters()
        if shared is None:
            self._positions(clusters)
        else:
            self._compare_with_shared(clusters, shared)
        check = self._cbcls if self.kind is BclKind.CBCL else self._bcls
        excluded: dict[int, int] = {}
        for cycle in range(1, self.run_info.cycles + 1):
            check(cycle, clusters, excluded)

    def lane_files(self, shared: _Shared | None) -> None:
        """A lane whose tiles stand one after the other in every file."""
        path = self.folder.tile_index(self.lane)
        index = self._one(path, Sort.CALLS, bci.read_tiles)
        if index is not None:
            missing = [tile for tile in self.tiles if tile not in index.tiles]
            if missing:
                self.tally.found -= 1
                self.tally.problem(path, f"tile {missing[0]} is not in it", Sort.CALLS)
            filled = (number for number, tile in index.tiles.items() if tile.clusters)
            self._further_tiles(path, filled)
        clusters = index.clusters if index else None
        count = self._one(self.folder.lane_filter(self.lane), Sort.FILTER, _filter_count)
        self._agree(self.folder.lane_filter(self.lane), Sort.FILTER, count, clusters)
        if shared is None:
            path = self.folder.lane_positions(self.lane)
            count = self._one(path, Sort.POSITIONS, lambda p: _position_count(p, p.stat().st_size))
            self._agree(path, Sort.POSITIONS, count, clusters)
        for cycle in range(1, self.run_info.cycles + 1):
            self._bgzf(self.folder.bgzf(self.lane, cycle), self._lane_listing, index)

    def _one(self, path: Path, sort: Sort, read: Callable[[Path], T]) -> T | None:
        """What `read` makes of a file that is expected; None, and a problem, if it is not sound."""
        self.tally.expected += 1
        if leads_out(self.folder.path, path):
            self.tally.problem(path, OUTSIDE, sort)
            return None
        if not path.is_file():
            self.tally.problem(path, "missing", sort)
            return None
        try:
            value = read(path)
        except RunDataError as err:
            self.tally.problem(path, str(err), sort)
            return None
        self.tally.found += 1
        return value

    def _agree(self, path: Path, sort: Sort, found: int | None, expected: int | None) -> None:
        if found is not None and expected is not None and found != expected:
            self.tally.found -= 1
            index = self.folder.tile_index(self.lane).name
            self.tally.problem(path, f"{found} clusters, {index} has {expected}", sort)

    def _filters(self) -> dict[int, int]:
        """The clusters of each tile whose filter file is sound."""
        listing = self._lane_listing
        clusters: dict[int, int] = {}
        for tile in self.tiles:
            self.tally.expected += 1
            path = self.folder.filter(self.lane, tile)
            if path.name not in listing:
                self.tally.problem(path, "missing", Sort.FILTER)
                continue
            try:
                size = _size(listing, path.name)
                if self.tally.ends:
                    head = _head(path, filters.HEADER_SIZE)
                    _, clusters[tile] = filters.header(head, size, path.name)
                self.tally.found += 1
            except RunDataError as err:
                self.tally.problem(path, str(err), Sort.FILTER)
        if self.kind is not BclKind.CBCL:  # whose headers name its tiles
            self._further_tiles(
                self.folder.lane(self.lane), self.folder.tiles_with_filter(self.lane)
            )
        return clusters

    def _positions(self, clusters: dict[int, int]) -> None:
        lane_dir = self.folder.intensities / f"L{self.lane:03d}"
        listing = _listing(lane_dir, self.folder.path)
        for tile in self.tiles:
            self.tally.expected += 1
            stem = f"s_{self.lane}_{tile:04d}"
            ends = (".locs", ".clocs")
            name = next((stem + end for end in ends if stem + end in listing), None)
            if name is None:
                reason = "missing (nor .clocs, nor s.locs)"
                self.tally.problem(lane_dir / (stem + ".locs"), reason, Sort.POSITIONS)
                continue
            try:
                size = _size(listing, name)
                if self.tally.ends:
                    found = _position_count(lane_dir / name, size)
                    _same_count(f"{name}: ", found, clusters.get(tile))
                self.tally.found += 1
            except RunDataError as err:
                self.tally.problem(lane_dir / name, str(err), Sort.POSITIONS)

    def _compare_with_shared(self, clusters: dict[int, int], shared: _Shared) -> None:
        """Every tile of a patterned flow cell has all of the wells, or is empty."""
        for tile, count in clusters.items():
            if shared.clusters >= 0 and count not in (0, shared.clusters):
                self.tally.found -= 1
                reason = f"{count} clusters, {shared.name} has {shared.clusters}"
                self.tally.problem(self.folder.filter(self.lane, tile), reason, Sort.FILTER)

    def _bcls(self, cycle: int, clusters: dict[int, int], _: dict[int, int]) -> None:
        """The files of one cycle, one a tile."""
        cycle_dir = self.folder.cycle(self.lane, cycle)
        self.tally.expected += len(self.tiles)
        if self._is_outside(cycle_dir):
            self.tally.problem(cycle_dir, OUTSIDE, Sort.CALLS, len(self.tiles))
            return
        listing = _listing(cycle_dir, self.folder.path)
        if not listing:
            reason = f"missing, with all of its {len(self.tiles)} files"
            self.tally.problem(cycle_dir, reason, Sort.CALLS, len(self.tiles))
            return
        for tile in self.tiles:
            stem = f"s_{self.lane}_{tile:04d}.bcl"
            name = next((name for name in (stem + ".gz", stem) if name in listing), None)
            if name is None:
                usual, other = (
                    (stem, ".bcl.gz") if self.kind is BclKind.BCL else (stem + ".gz", stem)
                )
                reason = f"missing (nor .{other.split('.', 1)[1]})"
                self.tally.problem(cycle_dir / usual, reason, Sort.CALLS)
                continue
            try:
                size = _size(listing, name)
                if self.tally.ends or not size:
                    count = whole_calls.bcl_clusters(cycle_dir / name, size)
                    _same_count("", count, clusters.get(tile))
                self.tally.found += 1
            except RunDataError as err:
                self.tally.problem(cycle_dir / name, str(err), Sort.CALLS)

    def _cbcls(self, cycle: int, clusters: dict[int, int], excluded: dict[int, int]) -> None:
        """The files of one cycle; `excluded` is for the cycles after it."""
        cycle_dir = self.folder.cycle(self.lane, cycle)
        if self._is_outside(cycle_dir):
            self.tally.expected += len(self._surfaces)
            self.tally.problem(cycle_dir, OUTSIDE, Sort.CALLS, len(self._surfaces))
            return
        listing = _listing(cycle_dir, self.folder.path)
        usual = {self.folder.cbcl(self.lane, cycle, s): tiles for s, tiles in self._surfaces}
        headers: dict[Path, Header] = {}
        for path in sorted({*usual, *self.folder.cbcls(self.lane, cycle)}):
            self.tally.expected += 1
            if path.name not in listing:
                self.tally.problem(path, "missing", Sort.CALLS)
                continue
            try:
                size = _size(listing, path.name)
                if self.tally.ends:
                    headers[path] = whole_calls.cbcl_header(path)
                elif not size:
                    raise RunDataError("truncated: 0 bytes")
                self.tally.found += 1
            except RunDataError as err:
                self.tally.problem(path, str(err), Sort.CALLS)
        if cycle == 1:
            for path, header in headers.items():
                filled = header.numbers[header.sizes[:, 0] > 0]
                self._further_tiles(path, filled.tolist())
        places = Counter(tile for header in headers.values() for tile in header.numbers.tolist())
        for path, header in headers.items():
            if header.excludes_failed:
                held = self._listed.intersection(header.numbers.tolist())
                self.tally.note_passed_only(path, filter_needed=not held <= clusters.keys())
            try:
                _check_places(header, usual.get(path, frozenset()), places)
                self._compare_cbcl(header, clusters, excluded)
            except RunDataError as err:
                self.tally.found -= 1
                self.tally.problem(path, str(err), Sort.CALLS)

    @cached_property
    def _lane_listing(self) -> Listing:
        return _listing(self.folder.lane(self.lane), self.folder.path)

    def _is_outside(self, cycle_dir: Path) -> bool:
        return self._lane_listing.get(cycle_dir.name, 0) is None

    @cached_property
    def _listed(self) -> frozenset[int]:
        return frozenset(self.tiles)

    @cached_property
    def _surfaces(self) -> list[tuple[int, frozenset[int]]]:
        """The surfaces of the lane, each with its tiles."""
        found: dict[int, set[int]] = {}
        for tile in self.tiles:
            found.setdefault(surface(tile), set()).add(tile)
        return [(number, frozenset(tiles)) for number, tiles in found.items()]

    def _compare_cbcl(
        self, header: Header, clusters: dict[int, int], excluded: dict[int, int]
    ) -> None:
        """The clusters of each tile are those of its filter, or as few in every such cycle."""
        counts = zip(header.numbers.tolist(), header.sizes[:, 0].tolist(), strict=True)
        for tile, found in sorted(counts):
            expected = clusters.get(tile)
            if not header.excludes_failed:
                _same_count(f"tile {tile}: ", found, expected)
            elif tile in self._listed and tile not in excluded:
                excluded[tile] = found
                self._check_left_out(tile, found, expected)
            elif tile in self._listed and found != excluded[tile]:
                raise RunDataError(
                    f"tile {tile}: {found} clusters passed the filter, "
                    f"in an earlier cycle {excluded[tile]}"
                )

    def _check_left_out(self, tile: int, found: int, expected: int | None) -> None:
        """See that as many are left out as did not pass, as far as that costs little.

        NB: a filter's flags are read only where none is left out, which no real tile has.
        """
        if expected is None or found < expected or not expected:
            return
        _same_count(f"tile {tile}: ", found, expected)
        if not filters.read(self.folder.filter(self.lane, tile)).all():
            raise RunDataError(f"tile {tile}: none is left out of those that failed the filter")

    def _bgzf(self, path: Path, listing: Listing, index: TileIndex | None) -> None:
        """The file of one cycle and its index."""
        index_path = path.with_name(path.name + ".bci")
        tiles = len(index.tiles) if index else 0
        offsets = None
        self.tally.expected += 2
        if index_path.name not in listing:
            self.tally.problem(index_path, "missing", Sort.CALLS)
        else:
            try:
                _size(listing, index_path.name)
                if index and self.tally.ends:
                    offsets = bci.read_offsets(index_path, tiles)
                self.tally.found += 1
            except RunDataError as err:
                self.tally.problem(index_path, str(err), Sort.CALLS)
        if path.name not in listing:
            self.tally.problem(path, "missing", Sort.CALLS)
            return
        try:
            size = _size(listing, path.name)
            if offsets is not None and index is not None:
                whole_calls.check_bgzf(path, size, offsets, index)
            elif not size:
                raise RunDataError("truncated: 0 bytes")
            self.tally.found += 1
        except RunDataError as err:
            self.tally.problem(path, str(err), Sort.CALLS)


def _filter_count(path: Path) -> int:
    return filters.header(_head(path, filters.HEADER_SIZE), path.stat().st_size, path.name)[1]


def _same_count(where: str, found: int, expected: int | None) -> None:
    if expected is not None and found != expected:
        raise RunDataError(f"{where}{found} clusters, its filter file has {expected}")


def _check_places(header: Header, expected: frozenset[int], places: Counter[int]) -> None:
    """Each tile stands in one of a cycle's files, as a rule in that of its surface."""
    missing = min((tile for tile in expected if not places[tile]), default=None)
    if missing is not None:
        raise RunDataError(f"tile {missing} is not in this file")
    twice = next((tile for tile in header.numbers.tolist() if places[tile] > 1), None)
    if twice is not None:
        raise RunDataError(f"tile {twice} is in another file of this cycle too")
