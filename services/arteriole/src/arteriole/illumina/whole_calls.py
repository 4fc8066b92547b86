"""Whether one file of base calls is whole, told from its header and its ends.

Nothing is unpacked but the first bytes of a file, and no more is read than what is named here.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from arteriole.illumina import bcl, bgzf, cbcl, reading, run_file
from arteriole.illumina.bci import IndexedTile, TileIndex
from arteriole.illumina.cbcl import Header
from arteriole.illumina.errors import RunDataError

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_HEAD_SIZE = 512
_GZIP_MAGIC = b"\x1f\x8b"


def bcl_clusters(path: Path, size: int) -> int:
    """The clusters of a .bcl or .bcl.gz of `size` bytes, once that agrees with its header.

    Reads the first 512 and the last 28 bytes. Raises RunDataError.
    """
    if size == 0:
        raise RunDataError("truncated: 0 bytes")
    with run_file.opened(path) as file:
        head = file.read(_HEAD_SIZE)
        file.seek(max(0, size - len(BGZF_END)))
        tail = file.read(len(BGZF_END))
    if path.suffix != ".gz":
        count = _count(head[: bcl.HEADER_SIZE])
        if size != bcl.HEADER_SIZE + count:
            raise RunDataError(
                f"truncated or damaged: {size} bytes, its header asks for {bcl.HEADER_SIZE + count}"
            )
        return count
    count = _count(_first_unpacked(head))
    if head[12:16] == bgzf.EXTRA:
        if tail != BGZF_END:
            raise RunDataError("truncated: the end marker of its gzip blocks is missing")
        return count
    (length,) = struct.unpack("<I", tail[-4:])
    if length != (bcl.HEADER_SIZE + count) & 0xFFFFFFFF:
        raise RunDataError(
            f"truncated or damaged: its gzip end says {length} bytes, its header asks for "
            f"{bcl.HEADER_SIZE + count}"
        )
    return count


def unpacked_clusters(path: Path) -> int:
    """The clusters that the header of a .bcl or .bcl.gz speaks of. Raises RunDataError."""
    with run_file.opened(path) as file:
        head = file.read(_HEAD_SIZE)
    try:
        count = _count(head if path.suffix != ".gz" else _first_unpacked(head))
    except RunDataError as err:
        raise RunDataError(f"{path.name}: {err}") from err
    return run_file.bounded(count, path.name)


def cbcl_header(path: Path) -> Header:
    """The header of a .cbcl, once each of its gzip members begins and ends as the header says.

    Reads the header and 6 bytes where two members meet. Raises RunDataError.
    """
    header = cbcl.read_header(path)
    with run_file.opened(path) as file:
        descriptor = file.fileno()
        stored = np.flatnonzero(header.sizes[:, 2])
        begins = header.starts[stored]
        ends = begins + header.sizes[stored, 2]
        expected = header.sizes[stored, 1]
        if len(begins) and os.pread(descriptor, 2, int(begins[0])) != _GZIP_MAGIC:
            raise RunDataError(f"damaged: tile {header.numbers[stored[0]]} is not gzip")
        meetings = [os.pread(descriptor, 6, end - 4) for end in ends.tolist()]
    reading.looked(0, len(meetings) * mmap.PAGESIZE)
    for place, (meeting, size) in enumerate(zip(meetings, expected.tolist(), strict=True)):
        tile = header.numbers[stored[place]]
        if meeting[:4] != struct.pack("<I", size):
            raise RunDataError(
                f"truncated or damaged: the gzip end of tile {tile} is not that of {size} bytes"
            )
        if place + 1 < len(meetings) and meeting[4:] != _GZIP_MAGIC:
            raise RunDataError(f"damaged: what follows tile {tile} is not gzip")
    return header


def check_bgzf(path: Path, size: int, offsets: tuple[int, ...], tiles: TileIndex) -> None:
    """See that a .bcl.bgzf of `size` bytes has a block where each tile begins, and ends well.

    Reads the first block's first bytes, the 18 bytes with which the block of each tile begins, and
    those of the blocks of the last tile. Raises RunDataError.
    """
    if size == 0:
        raise RunDataError("truncated: 0 bytes")
    with run_file.opened(path) as file:
        count = _count(_first_unpacked(file.read(_HEAD_SIZE)))
        if count != tiles.clusters:
            raise RunDataError(f"{count} clusters, {tiles.name} has {tiles.clusters}")
        filled = [t for t in tiles.tiles.values() if t.clusters]
        _check_offsets(offsets, filled)
        for tile in filled:
            place = offsets[tile.place] >> 16
            file.seek(place)
            if place >= size:
                raise RunDataError(f"truncated: {size} bytes, a tile begins at byte {place}")
            if bgzf.block_size(file.read(bgzf.HEADER.size)) is None:
                raise RunDataError(f"damaged: no gzip block at byte {place}, where a tile begins")
        if filled:
            last = filled[-1]
            _check_last(file, size, offsets[last.place], last.clusters)


def _check_offsets(offsets: tuple[int, ...], filled: list[IndexedTile]) -> None:
    """Tiles that begin in one block stand as far apart as the first has calls.

    NB: the places of others would be known by the length of every block in between.
    """
    begins = [offsets[tile.place] for tile in filled]
    if begins and begins[0] >> 16 == 0 and begins[0] != bcl.HEADER_SIZE:
        raise RunDataError(f"damaged: its index has the first tile at byte {begins[0]}")
    for tile, begin, following in zip(filled, begins, begins[1:], strict=False):
        if begin >> 16 == following >> 16 and following - begin != tile.clusters:
            raise RunDataError(
                f"damaged: a tile of {tile.clusters} clusters takes {following - begin} bytes by"
                " its index"
            )


def _check_last(file: BinaryIO, size: int, start: int, clusters: int) -> None:
    """The blocks of the last tile reach to the file's end and hold as many calls as it has."""
    place, held = start >> 16, -(start & 0xFFFF)
    while place < size and held <= clusters:
        file.seek(place)
        length = bgzf.block_size(file.read(bgzf.HEADER.size))
        if length is None or place + length > size:
            raise RunDataError(f"truncated or damaged: no whole gzip block at byte {place}")
        file.seek(place + length - 4)
        held += struct.unpack("<I", file.read(4))[0]
        place += length
    if held != clusters or place != size:
        raise RunDataError(
            f"truncated or damaged: {held} calls of the last tile, which has {clusters} clusters"
        )


def _first_unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, bcl.HEADER_SIZE)
    except zlib.error as err:
        raise RunDataError(f"damaged: not gzip ({err})") from err


def _count(head: bytes) -> int:
    if len(head) < bcl.HEADER_SIZE:
        raise RunDataError("truncated: its header is not complete")
    (count,) = struct.unpack_from("<I", head)
    return int(count)
