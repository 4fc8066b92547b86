"""Whether every file of base calls that RunInfo.xml promises is there, and whole.

Reads directory listings once, and of each file its first and last bytes; writes nothing.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arteriole.illumina import bcl, filters, locs
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo

PROBLEMS_KEPT = 20
_HEAD_SIZE = 512
_BGZF_EXTRA = b"BC\x02\x00"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True, slots=True)
class Completeness:
    """How many files were expected and found whole; the first problems, `path: reason`.

    `expected` counts a .bcl or .bcl.gz a lane, cycle and tile, a .filter a lane and tile, and the
    positions: one s.locs for the run, or a .locs or .clocs a lane and tile.
    """

    expected: int
    found: int
    problems: tuple[str, ...]
    problem_count: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing or damaged."""
        return self.problem_count == 0


@dataclass
class _Tally:
    root: Path
    expected: int = 0
    found: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)

    def problem(self, path: Path, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(f"{path.relative_to(self.root).as_posix()}: {reason}")


def check(run_dir: Path, run_info: RunInfo) -> Completeness:
    """Compare the run folder with its RunInfo.

    A lane whose base calls are of a kind that cannot be checked is one problem, which names it.
    """
    folder = RunFolder(run_dir)
    tally = _Tally(run_dir)
    shared = _shared_positions(folder, tally)
    for lane, tiles in run_info.tiles.items():
        clusters = _check_filters(folder, lane, tiles, tally)
        if shared is None:
            _check_positions(folder, lane, tiles, clusters, tally)
        else:
            _compare_with_shared(folder, lane, clusters, shared, tally)
        _check_lane(folder, lane, run_info, clusters, tally)
    return Completeness(tally.expected, tally.found, tuple(tally.problems), tally.problem_count)


def _listing(folder: Path) -> dict[str, int]:
    """The size of each file in the folder; empty if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _head(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as err:
        raise RunDataError(f"cannot be read ({err.strerror})") from err


def _shared_positions(folder: RunFolder, tally: _Tally) -> int | None:
    """The clusters of s.locs; None without one, -1 if it is damaged."""
    path = folder.shared_positions()
    if path is None:
        return None
    tally.expected += 1
    try:
        head = _head(path, locs.LOCS_HEADER_SIZE)
        clusters = locs.locs_clusters(head, path.stat().st_size, path.name)
    except RunDataError as err:
        tally.problem(path, str(err))
        return -1
    tally.found += 1
    return clusters


def _check_filters(
    folder: RunFolder, lane: int, tiles: tuple[int, ...], tally: _Tally
) -> dict[int, int]:
    """The clusters of each tile whose filter file is sound."""
    listing = _listing(folder.lane(lane))
    clusters: dict[int, int] = {}
    for tile in tiles:
        tally.expected += 1
        path = folder.filter(lane, tile)
        if path.name not in listing:
            tally.problem(path, "missing")
            continue
        try:
            head = _head(path, filters.HEADER_SIZE)
            _, clusters[tile] = filters.header(head, listing[path.name], path.name)
            tally.found += 1
        except RunDataError as err:
            tally.problem(path, str(err))
    return clusters


def _check_positions(
    folder: RunFolder, lane: int, tiles: tuple[int, ...], clusters: dict[int, int], tally: _Tally
) -> None:
    lane_dir = folder.intensities / f"L{lane:03d}"
    listing = _listing(lane_dir)
    for tile in tiles:
        tally.expected += 1
        stem = f"s_{lane}_{tile:04d}"
        name = next((stem + end for end in (".locs", ".clocs") if stem + end in listing), None)
        if name is None:
            tally.problem(lane_dir / (stem + ".locs"), "missing (nor .clocs, nor s.locs)")
            continue
        try:
            found = _position_count(lane_dir / name, listing[name])
            _same_count(name, found, clusters.get(tile))
            tally.found += 1
        except RunDataError as err:
            tally.problem(lane_dir / name, str(err))


def _position_count(path: Path, size: int) -> int:
    if path.suffix == ".locs":
        return locs.locs_clusters(_head(path, locs.LOCS_HEADER_SIZE), size, path.name)
    return sum(count for _, count in locs.clocs_counts(_head(path, size), path.name))


def _same_count(name: str, found: int, expected: int | None) -> None:
    if expected is not None and found != expected:
        raise RunDataError(f"{name}: {found} clusters, its filter file has {expected}")


def _compare_with_shared(
    folder: RunFolder, lane: int, clusters: dict[int, int], shared: int, tally: _Tally
) -> None:
    """Every tile of a patterned flow cell has the wells of s.locs."""
    for tile, count in clusters.items():
        if shared >= 0 and count != shared:
            tally.found -= 1
            tally.problem(folder.filter(lane, tile), f"{count} clusters, s.locs has {shared}")


def _check_lane(
    folder: RunFolder, lane: int, run_info: RunInfo, clusters: dict[int, int], tally: _Tally
) -> None:
    tiles = run_info.tiles[lane]
    tally.expected += run_info.cycles * len(tiles)
    kind = folder.bcl_kind(lane)
    if kind in {BclKind.CBCL, BclKind.BCL_BGZF}:
        tally.problem(
            folder.lane(lane), f"base calls are .{kind.value}, only .bcl and .bcl.gz are checked"
        )
        return
    for cycle in range(1, run_info.cycles + 1):
        for problem in _check_cycle(folder.cycle(lane, cycle), lane, tiles, clusters):
            if problem is None:
                tally.found += 1
            else:
                tally.problem(*problem)


def _check_cycle(
    cycle_dir: Path, lane: int, tiles: tuple[int, ...], clusters: dict[int, int]
) -> Iterator[tuple[Path, str] | None]:
    """For each tile None, or the path and the reason why it is not whole."""
    listing = _listing(cycle_dir)
    for tile in tiles:
        stem = f"s_{lane}_{tile:04d}.bcl"
        name = next((name for name in (stem + ".gz", stem) if name in listing), None)
        if name is None:
            yield cycle_dir / stem, "missing (nor .bcl.gz)"
            continue
        path = cycle_dir / name
        try:
            count = _calls(path, listing[name])
            if tile in clusters and count != clusters[tile]:
                raise RunDataError(f"{count} clusters, its filter file has {clusters[tile]}")
            yield None
        except RunDataError as err:
            yield path, str(err)


def _calls(path: Path, size: int) -> int:
    """The clusters of a file of base calls, once its size agrees with its header."""
    if size == 0:
        raise RunDataError("truncated: 0 bytes")
    if path.suffix == ".gz":
        return _compressed_calls(path, size)
    head = _head(path, bcl.HEADER_SIZE)
    count = _count(head)
    if size != bcl.HEADER_SIZE + count:
        raise RunDataError(
            f"truncated or damaged: {size} bytes, its header asks for {bcl.HEADER_SIZE + count}"
        )
    return count


def _compressed_calls(path: Path, size: int) -> int:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            file.seek(max(0, size - len(_BGZF_END)))
            tail = file.read(len(_BGZF_END))
    except OSError as err:
        raise RunDataError(f"cannot be read ({err.strerror})") from err
    try:
        count = _count(zlib.decompressobj(31).decompress(head, bcl.HEADER_SIZE))
    except zlib.error as err:
        raise RunDataError(f"damaged: not gzip ({err})") from err
    if head[12:16] == _BGZF_EXTRA:
        if tail != _BGZF_END:
            raise RunDataError("truncated: the end marker of its gzip blocks is missing")
        return count
    (length,) = struct.unpack("<I", tail[-4:])
    if length != (bcl.HEADER_SIZE + count) & 0xFFFFFFFF:
        raise RunDataError(
            f"truncated or damaged: its gzip end says {length} bytes, its header asks for "
            f"{bcl.HEADER_SIZE + count}"
        )
    return count


def _count(head: bytes) -> int:
    if len(head) < bcl.HEADER_SIZE:
        raise RunDataError("truncated: its header is not complete")
    (count,) = struct.unpack_from("<I", head)
    return int(count)
