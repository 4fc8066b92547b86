"""Which base calls, filters and positions are not there, in few lines rather than a thousand.

Looks at names and for empty files; whether a file is whole is told by
arteriole.illumina.completeness.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from arteriole.illumina import bcl
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo

_RANGES = 3
_SMALLEST_GZIP = 24
"""Bytes of a header of base calls alone as gzip packs it; what is shorter has not even that."""
_NO_CALLS = "no base calls at all"
_NO_FILTERS = "no .filter file"
_NO_POSITIONS = "no positions (.locs, .clocs or s.locs)"
_NOTHING = (_NO_CALLS, _NO_FILTERS, _NO_POSITIONS)


def missing_files(folder: RunFolder, run_info: RunInfo) -> tuple[str, ...]:
    """One sentence for each group of lanes that lack the same; empty if every name is there."""
    lanes: dict[tuple[str, ...], list[int]] = {}
    for lane in run_info.lanes:
        lacking = tuple(_of_lane(folder, run_info, lane))
        if lacking == _NOTHING:
            lacking = ("nothing at all of base calls, filters and positions",)
        if lacking:
            lanes.setdefault(lacking, []).append(lane)
    return tuple(
        f"{named('lane', numbers, run_info.lanes)}: {'; '.join(lacking)}"
        for lacking, numbers in lanes.items()
    )


def named(what: str, numbers: Sequence[int], known: Sequence[int]) -> str:
    """`lanes 1-3, 5`: ranges of neighbours in `known`, which is in order.

    >>> named("tile", [1101, 1102, 1201, 1203], [1101, 1102, 1201, 1202, 1203])
    'tiles 1101-1201, 1203'
    """
    place = {number: index for index, number in enumerate(known)}
    ranges: list[list[int]] = []
    for number in sorted(numbers, key=place.__getitem__):
        if ranges and place[number] == place[ranges[-1][1]] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    told = [f"{a}-{b}" if a != b else str(a) for a, b in ranges[:_RANGES]]
    more = f" and {len(ranges) - _RANGES} more places" if len(ranges) > _RANGES else ""
    return f"{what}{'s' * (len(numbers) > 1)} {', '.join(told)}{more}"


def _of_lane(folder: RunFolder, run_info: RunInfo, lane: int) -> Iterator[str]:
    tiles = run_info.tiles[lane]
    names = _names(folder.lane(lane))
    kind = folder.bcl_kind(lane)
    if kind is None:
        yield _NO_CALLS
    elif kind is BclKind.CBCL:
        have = [cycle for cycle, found in _cycle_names(folder, run_info, lane) if found]
        yield from _cycles_without(have, run_info)
    elif kind is BclKind.BCL_BGZF:
        have = [cycle for cycle in _cycles(run_info) if f"{cycle:04d}.bcl.bgzf" in names]
        yield from _cycles_without(have, run_info)
    else:
        yield from _without_calls(folder, run_info, lane)
    filters = [tile for tile in tiles if not _has_filter(folder, lane, tile, names)]
    if len(filters) == len(tiles):
        yield _NO_FILTERS
    elif filters:
        yield f"no .filter file of {named('tile', filters, tiles)}"
    yield from _without_positions(folder, tiles, lane)


def _has_filter(folder: RunFolder, lane: int, tile: int, names: set[str]) -> bool:
    return folder.filter(lane, tile).name in names


def _without_calls(folder: RunFolder, run_info: RunInfo, lane: int) -> Iterator[str]:
    tiles, cycles = run_info.tiles[lane], _cycles(run_info)
    lacking: dict[int, set[int]] = {}
    hollow: list[str] = []
    for cycle in cycles:
        sizes = _sizes(folder.cycle(lane, cycle))
        hollow += [f"C{cycle}.1/{name}" for name, size in sizes.items() if _is_hollow(name, size)]
        stems = {name.removesuffix(".gz").removesuffix(".bcl") for name in sizes}
        lacking[cycle] = {tile for tile in tiles if f"s_{lane}_{tile:04d}" not in stems}
    empty = [cycle for cycle in cycles if len(lacking[cycle]) == len(tiles)]
    begun = [cycle for cycle in cycles if len(lacking[cycle]) < len(tiles)]
    if empty:
        yield f"no base calls of {named('cycle', empty, cycles)}"
    always = set.intersection(*(lacking[cycle] for cycle in begun)) if begun else set()
    if always:
        where = " in the other cycles" if empty else ""
        yield f"no base calls of {named('tile', sorted(always), tiles)}{where}"
    single = sum(len(lacking[cycle] - always) for cycle in begun)
    if single:
        first = next(cycle for cycle in begun if lacking[cycle] - always)
        tile = min(lacking[first] - always)
        yield f"{single:,} files of base calls, the first of cycle {first} tile {tile}"
    if hollow:
        yield f"{len(hollow):,} files of base calls hold no call, such as {min(hollow)}"


def _is_hollow(name: str, size: int) -> bool:
    """Whether the file is too short for a single call."""
    return size < (_SMALLEST_GZIP if name.endswith(".gz") else bcl.HEADER_SIZE + 1)


def _without_positions(folder: RunFolder, tiles: tuple[int, ...], lane: int) -> Iterator[str]:
    if folder.shared_positions(lane) is not None:
        return
    names = _names(folder.intensities / f"L{lane:03d}")
    stems = {Path(name).stem for name in names if name.endswith((".locs", ".clocs"))}
    lacking = [tile for tile in tiles if f"s_{lane}_{tile:04d}" not in stems]
    if len(lacking) == len(tiles):
        yield _NO_POSITIONS
    elif lacking:
        yield f"no positions of {named('tile', lacking, tiles)}"


def _cycles_without(have: Iterable[int], run_info: RunInfo) -> Iterator[str]:
    cycles, found = _cycles(run_info), set(have)
    lacking = [cycle for cycle in cycles if cycle not in found]
    if lacking:
        yield f"no base calls of {named('cycle', lacking, cycles)}"


def _cycles(run_info: RunInfo) -> range:
    return range(1, run_info.cycles + 1)


def _cycle_names(folder: RunFolder, run_info: RunInfo, lane: int) -> Iterator[tuple[int, set[str]]]:
    for cycle in _cycles(run_info):
        yield cycle, _names(folder.cycle(lane, cycle))


def _sizes(folder: Path) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}
    except OSError:
        return {}


def _names(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()
