"""Base calls of one lane, cycle and surface: .cbcl (NovaSeq, NextSeq 1000 and 2000, iSeq).

Little-endian: u16 version 1, u32 header size, u8 bits a base (2), u8 bits a quality (2), u32 bins,
bins x (u32 bin, u32 quality), u32 tiles, tiles x (u32 tile, u32 clusters, u32 size, u32 gzip size),
u8 1 if clusters that failed the filter are left out; then a gzip member a tile, in that order. A
byte holds two clusters, the low 4 bits first; of these the low 2 bits are the base (A, C, G, T),
the others the bin. 0 is a no-call (the format that Picard's CbclReader describes).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina import gzip_data, run_file
from arteriole.illumina.bcl import Calls
from arteriole.illumina.errors import RunDataError

START = struct.Struct("<HIBBI")
"""Version, header size, bits a base, bits a quality, bins."""
HEADER_LIMIT = 1024 * 1024
_BINS = 4
_QUALITY_LIMIT = 64
_TILE_SIZE = 16
_SLACK = 8
"""The last member may be so much longer than the header says, as in Picard's test run, where every
other header is a byte short; that it ends with the file is seen when it is unpacked."""


@dataclass(frozen=True, slots=True)
class Block:
    """The calls of one tile: `start` and `gzip_size` in the file, `size` unpacked."""

    clusters: int
    size: int
    gzip_size: int
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What the header of a file says.

    Attributes:
        name: of the file, for messages.
        excludes_failed: clusters that failed the filter are left out.
        numbers: of the tiles, in the file's order.
        sizes: shape (tiles, 3): clusters, size unpacked, gzip size.
        starts: where the gzip member of each tile stands.
        firsts, seconds: for each byte the two .bcl bytes that it stands for.
        known: for each byte whether its bins are in the header; None if all are.
    """

    name: str
    excludes_failed: bool
    numbers: NDArray[np.uint32]
    sizes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    firsts: bytes
    seconds: bytes
    known: NDArray[np.bool_] | None

    def block(self, tile: int) -> Block:
        """Where the calls of `tile` stand. Raises RunDataError if they are not in the file."""
        rows = np.flatnonzero(self.numbers == tile)
        if not len(rows):
            raise RunDataError(f"{self.name}: tile {tile} is not in this file")
        clusters, size, gzip_size = (int(number) for number in self.sizes[rows[0]])
        run_file.bounded(clusters, self.name)
        return Block(clusters, size, gzip_size, int(self.starts[rows[0]]))


def read_header(path: Path) -> Header:
    """The header of a file, once the file's size agrees with it.

    Raises:
        RunDataError: missing, truncated, too long, or not as its format asks for.
    """
    with run_file.opened(path) as file:
        head = file.read(START.size)
        if len(head) < START.size:
            raise RunDataError(f"{path.name} is truncated: {len(head)} bytes")
        size = _checked_size(head, path.name)
        head += file.read(size - len(head))
        return parse(head, file.seek(0, 2), path.name)


def parse(head: bytes, file_size: int, name: str) -> Header:
    """The header in `head`, of a file of `file_size` bytes. Raises RunDataError."""
    size = _checked_size(head, name)
    bins = struct.unpack_from("<I", head, START.size - 4)[0]
    if bins > _BINS:
        raise RunDataError(f"{name}: expected at most {_BINS} quality bins, found {bins}")
    place = START.size + 8 * bins
    if min(len(head), size) < place + 5:
        raise RunDataError(f"{name} is truncated in its header: {len(head)} bytes")
    firsts, seconds, known = _decoding(struct.unpack_from(f"<{2 * bins}I", head, START.size), name)
    (tiles,) = struct.unpack_from("<I", head, place)
    wanted = place + 4 + _TILE_SIZE * tiles + 1
    if size != wanted or len(head) < wanted:
        raise RunDataError(
            f"{name}: a header of {tiles} tiles has {wanted} bytes, found {min(len(head), size)}"
        )
    table = np.frombuffer(head, "<u4", 4 * tiles, place + 4).reshape(tiles, 4).copy()
    ends = size + np.cumsum(table[:, 3], dtype=np.int64)
    beyond = file_size - (int(ends[-1]) if tiles else size)
    if tiles and table[-1, 2] and 0 < beyond <= _SLACK:
        table[-1, 3] += beyond
        ends[-1] += beyond
        beyond = 0
    _check_tiles(table, file_size - beyond, file_size, name)
    excluded = head[wanted - 1]
    if excluded > 1:
        raise RunDataError(f"{name}: expected 0 or 1 for clusters left out, found {excluded}")
    return Header(
        name=name,
        excludes_failed=excluded == 1,
        numbers=table[:, 0].copy(),
        sizes=table[:, 1:].copy(),
        starts=ends - table[:, 3],
        firsts=firsts,
        seconds=seconds,
        known=known,
    )


def read(path: Path, header: Header, tile: int, clusters: int) -> Calls:
    """The calls of a tile as bytes of .bcl files, one a cluster that is in the file.

    Args:
        clusters: so many are expected.

    Raises:
        RunDataError: missing, truncated, corrupt, or not of `clusters` clusters.
    """
    block = header.block(tile)
    if block.clusters != clusters:
        raise RunDataError(
            f"{header.name}: expected {clusters} clusters of tile {tile}, "
            f"its header says {block.clusters}"
        )
    if block.gzip_size > 2 * block.size + 65_536:
        raise RunDataError(
            f"{header.name}: {block.gzip_size} bytes of gzip data cannot hold {block.size} bytes"
        )
    if block.gzip_size == 0:
        return np.empty(0, np.uint8)
    with run_file.opened(path) as file:
        file.seek(block.start)
        data = file.read(block.gzip_size)
    if len(data) != block.gzip_size:
        raise RunDataError(f"{header.name} is truncated in tile {tile}")
    packed = gzip_data.member(data, block.size, f"{header.name}, tile {tile}")
    if header.known is not None and not header.known[np.frombuffer(packed, np.uint8)].all():
        raise RunDataError(f"{header.name}, tile {tile}: a quality bin that its header lacks")
    calls = np.empty((len(packed), 2), np.uint8)
    calls[:, 0] = np.frombuffer(packed.translate(header.firsts), np.uint8)
    calls[:, 1] = np.frombuffer(packed.translate(header.seconds), np.uint8)
    return calls.reshape(-1)[:clusters]


def _checked_size(head: bytes, name: str) -> int:
    version, size, base_bits, quality_bits, _ = START.unpack_from(head)
    if version != 1:
        raise RunDataError(f"{name}: expected cbcl version 1, found {version}")
    if not START.size < size <= HEADER_LIMIT:
        raise RunDataError(f"{name}: a header of {size} bytes is not possible")
    if (base_bits, quality_bits) != (2, 2):
        raise RunDataError(
            f"{name}: expected 2 bits a base and 2 bits a quality, "
            f"found {base_bits} and {quality_bits}"
        )
    return int(size)


def _check_tiles(table: NDArray[np.uint32], end: int, file_size: int, name: str) -> None:
    numbers, clusters, sizes, gzip_sizes = (column.astype(np.int64) for column in table.T)
    if len(np.unique(numbers)) != len(numbers):
        raise RunDataError(f"{name}: a tile stands twice in its header")
    wrong = np.flatnonzero(sizes != (clusters + 1) // 2)
    if len(wrong):
        row = wrong[0]
        raise RunDataError(
            f"{name}: {clusters[row]} clusters of tile {numbers[row]} take "
            f"{(clusters[row] + 1) // 2} bytes, its header says {sizes[row]}"
        )
    if (gzip_sizes[sizes > 0] == 0).any():
        raise RunDataError(f"{name}: a tile with clusters has no data")
    if end != file_size:
        raise RunDataError(f"{name}: expected {end} bytes by its header, found {file_size}")


@lru_cache(maxsize=256)
def _decoding(bins: tuple[int, ...], name: str) -> tuple[bytes, bytes, NDArray[np.bool_] | None]:
    """Header's firsts, seconds and known; without bins a quality stands for itself."""
    qualities = dict(zip(bins[::2], bins[1::2], strict=True)) or {n: n for n in range(_BINS)}
    if (2 * len(qualities) != len(bins) and bins) or not set(qualities) <= set(range(_BINS)):
        raise RunDataError(f"{name}: expected quality bins from 0 to 3, found {bins[::2]}")
    if max(qualities.values()) >= _QUALITY_LIMIT:
        raise RunDataError(f"{name}: quality {max(qualities.values())} is not possible")
    calls = np.zeros(16, np.uint8)
    for number in range(1, 16):  # NB: 0 stays 0, which is the no-call of .bcl files
        calls[number] = qualities.get(number >> 2, 0) << 2 | number & 3
    every = np.arange(256)
    firsts, seconds = calls[every & 15].tobytes(), calls[every >> 4].tobytes()
    if len(qualities) == _BINS:
        return firsts, seconds, None
    known = np.isin(every >> 2 & 3, list(qualities)) & np.isin(every >> 6, list(qualities))
    return firsts, seconds, known | (every == 0)
