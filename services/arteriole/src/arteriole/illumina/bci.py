"""The two index files of .bcl.bgzf files (NextSeq 500 and 550, MiniSeq); both end in .bci.

Little-endian. s_<lane>.bci: (u32 tile, u32 clusters) a tile, in the order in which tiles stand in
every other file of the lane. <cycle>.bcl.bgzf.bci: u32 0, u32 tiles, then the virtual offset of
each tile as u64 (the formats that Picard's TileIndex and BclIndexReader read).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError

TILE_LIMIT = 50_000
_HEADER = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class IndexedTile:
    """The `place` of a tile in the order of its lane, and its `first` cluster there."""

    place: int
    first: int
    clusters: int


@dataclass(frozen=True, slots=True)
class TileIndex:
    """The tiles of a lane by number; `clusters` counts those of all."""

    name: str
    tiles: dict[int, IndexedTile]
    clusters: int

    def tile(self, number: int) -> IndexedTile:
        """Raises RunDataError if the lane has no such tile."""
        try:
            return self.tiles[number]
        except KeyError:
            raise RunDataError(f"{self.name}: tile {number} is not in this index") from None


def read_tiles(path: Path) -> TileIndex:
    """Read s_<lane>.bci. Raises RunDataError."""
    data = _bounded(path, 8 * TILE_LIMIT)
    if not data or len(data) % 8:
        raise RunDataError(f"{path.name}: expected 8 bytes a tile, found {len(data)} in all")
    tiles: dict[int, IndexedTile] = {}
    first = 0
    for place, (number, clusters) in enumerate(struct.iter_unpack("<II", data)):
        if number in tiles:
            raise RunDataError(f"{path.name}: tile {number} stands there twice")
        tiles[number] = IndexedTile(place, first, run_file.bounded(clusters, path.name))
        first += clusters
    return TileIndex(path.name, tiles, first)


def read_offsets(path: Path, tiles: int) -> tuple[int, ...]:
    """Read <cycle>.bcl.bgzf.bci, which has `tiles` tiles. Raises RunDataError."""
    data = _bounded(path, _HEADER.size + 8 * TILE_LIMIT)
    if len(data) < _HEADER.size:
        raise RunDataError(f"{path.name} is truncated: {len(data)} bytes")
    version, count = _HEADER.unpack_from(data)
    if version != 0:
        raise RunDataError(f"{path.name}: expected bci version 0, found {version}")
    if count != tiles or len(data) != _HEADER.size + 8 * count:
        raise RunDataError(
            f"{path.name}: expected {tiles} tiles in {_HEADER.size + 8 * tiles} bytes, "
            f"found {count} in {len(data)}"
        )
    offsets = np.frombuffer(data, "<u8", count, _HEADER.size)
    if (offsets[1:] < offsets[:-1]).any():
        raise RunDataError(f"{path.name}: its offsets do not rise")
    return tuple(int(offset) for offset in offsets)


def _bounded(path: Path, limit: int) -> bytes:
    with run_file.opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise RunDataError(f"{path.name}: more than {TILE_LIMIT} tiles are not possible")
    return data
