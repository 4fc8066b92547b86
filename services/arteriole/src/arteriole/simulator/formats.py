"""The bytes of the binary files, little-endian.

The layouts are those of the bcl2fastq2 guide's chapter on input files, and of Picard's readers.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arteriole.simulator.places import BIN, Numbers, Places, bins_of
from arteriole.simulator.tiles import NO_CALL, Calls, codes_of, qualities_of

_FAST = 1
_BGZF_BLOCK = 65_280
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def calls_of_bcl(calls: Calls) -> npt.NDArray[np.uint8]:
    """A byte a cluster: quality << 2 | base; 0 is a no-call."""
    codes = codes_of(calls)
    return np.where(codes == NO_CALL, 0, qualities_of(calls) << 2 | codes).astype(np.uint8)


def bcl(calls: Calls) -> bytes:
    """One cycle of one tile: u32 count, then its calls."""
    return struct.pack("<I", calls.size) + calls_of_bcl(calls).tobytes()


def compressed(content: bytes) -> bytes:
    """As gzip without a time, so that one seed always gives the same bytes."""
    return gzip.compress(content, _FAST, mtime=0)


def filter_file(tiles: list[npt.NDArray[np.bool_]]) -> bytes:
    """u32 0, u32 version 3, u32 count, then a byte a cluster of the tiles, 1 = passed."""
    count = sum(passed.size for passed in tiles)
    flags = b"".join(passed.astype(np.uint8).tobytes() for passed in tiles)
    return struct.pack("<III", 0, 3, count) + flags


def locations(tiles: list[Places]) -> bytes:
    """`.locs`: i32 1, f32 1.0, u32 count, then x and y of each cluster of the tiles as f32."""
    pairs = (np.column_stack((places.x, places.y)).astype("<f4").tobytes() for places in tiles)
    return struct.pack("<ifI", 1, 1.0, sum(places.size for places in tiles)) + b"".join(pairs)


def binned_locations(places: Places) -> bytes:
    """`.clocs`: u8 1, u32 bins; of each bin u8 count, then x and y as u8 tenths of a pixel in it.

    NB: the places stand in the order of the bins; bins behind the last place are left out.
    """
    x, y = (_tenths(values) for values in (places.x, places.y))
    bins = bins_of(x, y)
    total = int(bins[-1]) + 1 if bins.size else 1
    counts = np.bincount(bins, minlength=total)
    content = np.empty(total + 2 * bins.size, dtype=np.uint8)
    heads = np.arange(total) + 2 * (np.cumsum(counts) - counts)
    content[heads] = counts
    at = bins + 1 + 2 * np.arange(bins.size)
    content[at], content[at + 1] = x % BIN, y % BIN
    return struct.pack("<BI", 1, total) + content.tobytes()


def _tenths(values: npt.NDArray[np.float32]) -> Numbers:
    return np.rint(values.astype(np.float64) * 10).astype(np.int64)


@dataclass(frozen=True, eq=False)
class CbclTile:
    """One cycle of one tile in a CBCL: only the calls that are written."""

    number: int
    calls: Calls


def cbcl(tiles: list[CbclTile], qualities: tuple[int, ...], *, failing_left_out: bool) -> bytes:
    """One cycle of a lane's surface: a header with quality bins and tiles, then one gzip a tile.

    A call has four bits, bin << 2 | base, the first of two in the low ones; bin 0 is a no-call.
    """
    values = (0, *qualities)
    bins = b"".join(struct.pack("<II", place, value) for place, value in enumerate(values))
    bin_of = np.zeros(256, dtype=np.uint8)
    bin_of[list(qualities)] = range(1, len(values))
    blocks, table = [], []
    for tile in tiles:
        raw = _nibbles(tile.calls, bin_of)
        blocks.append(compressed(raw))
        table.append(struct.pack("<IIII", tile.number, tile.calls.size, len(raw), len(blocks[-1])))
    body = struct.pack("<BBI", 2, 2, len(values)) + bins + struct.pack("<I", len(tiles))
    body += b"".join(table) + bytes([failing_left_out])
    return struct.pack("<HI", 1, 6 + len(body)) + body + b"".join(blocks)


def _nibbles(calls: Calls, bin_of: npt.NDArray[np.uint8]) -> bytes:
    codes = codes_of(calls)
    nibbles = np.where(codes == NO_CALL, 0, bin_of[qualities_of(calls)] << 2 | codes)
    both = np.zeros(calls.size + calls.size % 2, dtype=np.uint8)
    both[: calls.size] = nibbles
    return (both[::2] | both[1::2] << 4).tobytes()


def bgzf(content: bytes) -> tuple[bytes, list[int]]:
    """`content` in blocks of gzip (SAM specification 4.1), and where each block begins."""
    blocks, starts, at = [], [], 0
    for start in range(0, max(1, len(content)), _BGZF_BLOCK):
        starts.append(at)
        blocks.append(_bgzf_block(content[start : start + _BGZF_BLOCK]))
        at += len(blocks[-1])
    return b"".join(blocks) + _BGZF_END, starts


def _bgzf_block(part: bytes) -> bytes:
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, -15)
    body = packer.compress(part) + packer.flush()
    head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + 25)
    return head + body + struct.pack("<II", zlib.crc32(part), len(part))


def lane_calls(tiles: list[Calls]) -> tuple[bytes, bytes]:
    """`.bcl.bgzf` of one cycle of a lane, and its `.bci`.

    The one is u32 count and the calls of all tiles, as BGZF; the other u32 0, u32 tiles, and of
    each tile u64 where it begins: block's offset << 16 | offset within the block.
    """
    content = struct.pack("<I", sum(calls.size for calls in tiles))
    content += b"".join(calls_of_bcl(calls).tobytes() for calls in tiles)
    packed, starts = bgzf(content)
    begins = np.cumsum([4, *(calls.size for calls in tiles)])[:-1]
    offsets = []
    for begin in begins.tolist():
        block, within = divmod(begin, _BGZF_BLOCK)
        # NB: an empty last tile may begin just behind the last block.
        block, within = (block, within) if block < len(starts) else (block - 1, _BGZF_BLOCK)
        offsets.append(starts[block] << 16 | within)
    return packed, struct.pack(f"<II{len(offsets)}Q", 0, len(offsets), *offsets)


def tile_index(tiles: list[tuple[int, int]]) -> bytes:
    """`s_<lane>.bci`: u32 number and u32 clusters of each tile."""
    return b"".join(struct.pack("<II", number, count) for number, count in tiles)
