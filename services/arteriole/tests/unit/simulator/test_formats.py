"""The bytes of each binary file, written out by hand."""

import gzip
import struct

import numpy as np
import pytest

from arteriole.simulator import formats
from arteriole.simulator.places import Places, binned_places
from arteriole.simulator.tiles import packed

CODES = np.array([0, 1, 2, 3, 4], dtype=np.uint8)
FLAGS = np.array([True, False, True])


def calls(codes, qualities):
    return packed(np.array(codes, dtype=np.uint8), np.array(qualities, dtype=np.uint8))


def places(x, y):
    arrays = (np.array(values, dtype=np.float32) for values in (x, y))
    return Places(np.zeros(len(x), int), np.zeros(len(x), int), *arrays)


def test_bcl():
    content = formats.bcl(calls(CODES, [2, 12, 23, 41, 2]))
    assert content == bytes.fromhex("05000000") + bytes(
        [2 << 2, 12 << 2 | 1, 23 << 2 | 2, 41 << 2 | 3, 0]
    )


def test_filter():
    content = formats.filter_file([FLAGS, FLAGS[:1]])
    assert content == bytes.fromhex("00000000 03000000 04000000 01 00 01 01")


def test_locations():
    tiles = [places([1.5], [0.0]), places([-2.0], [8.0])]
    assert formats.locations(tiles) == bytes.fromhex(
        "01000000 0000803f 02000000 0000c03f 00000000 000000c0 00000041"
    )


def test_binned_locations():
    """Two in the first bin, none in the second, one in the third; then one in the next row."""
    found = formats.binned_locations(places([0.1, 24.9, 50.0, 3.3], [24.9, 0.0, 1.2, 26.0]))
    assert found == bytes([1]) + struct.pack("<I", 83) + bytes(
        [2, 1, 249, 249, 0, 0, 1, 0, 12, *[0] * 79, 1, 33, 10]
    )


def test_a_binned_tile_without_clusters():
    none = binned_places(0, np.random.default_rng(1))
    assert formats.binned_locations(none) == bytes([1, 1, 0, 0, 0, 0])


def test_compressed_carries_no_time():
    content = formats.compressed(b"abc")
    assert content[4:8] == bytes(4) and gzip.decompress(content) == b"abc"


@pytest.mark.parametrize("left_out", [False, True])
def test_cbcl(left_out):
    tiles = [
        formats.CbclTile(1101, calls(CODES, [12, 23, 37, 12, 2])),
        formats.CbclTile(1102, calls([3, 2], [37, 23])),
        formats.CbclTile(1201, calls([], [])),
    ]
    content = formats.cbcl(tiles, (12, 23, 37), failing_left_out=left_out)
    raw = [bytes([0b1001_0100, 0b0111_1110, 0]), bytes([0b1010_1111]), b""]
    blocks = [formats.compressed(part) for part in raw]
    sizes = [(1101, 5, 3), (1102, 2, 1), (1201, 0, 0)]
    header = struct.pack("<HIBBI", 1, 97, 2, 2, 4)
    header += struct.pack("<8I", 0, 0, 1, 12, 2, 23, 3, 37) + struct.pack("<I", 3)
    for row, block in zip(sizes, blocks, strict=True):
        header += struct.pack("<IIII", *row, len(block))
    assert content == header + bytes([left_out]) + b"".join(blocks)


def test_bgzf_is_a_gzip_with_the_size_of_each_block():
    content = np.random.default_rng(1).integers(0, 256, 150_000, dtype=np.uint8).tobytes()
    packed_content, starts = formats.bgzf(content)
    assert gzip.decompress(packed_content) == content
    at, found = 0, []
    while at < len(packed_content):
        assert packed_content[at : at + 16].hex() == "1f8b08040000000000ff060042430200"
        found.append(at)
        at += struct.unpack_from("<H", packed_content, at + 16)[0] + 1
    assert at == len(packed_content)
    assert found[:-1] == starts and len(starts) == 3
    assert packed_content[found[-1] :].hex() == "1f8b08040000000000ff0600424302001b0003" + "00" * 9


def test_the_index_of_a_lane_points_at_each_tile():
    sizes = [65_270, 6, 65_280, 0]
    tiles = [calls(np.arange(size) % 5, np.full(size, 30)) for size in sizes]
    content, index = formats.lane_calls(tiles)
    assert gzip.decompress(content)[:4] == struct.pack("<I", sum(sizes))
    version, count, *pointers = struct.unpack("<II4Q", index)
    second = struct.unpack_from("<H", content, 16)[0] + 1
    assert (version, count) == (0, 4)
    third = second + struct.unpack_from("<H", content, second + 16)[0] + 1
    # 4 + 65270 = 65274; + 6 = 65280, a block's end; + 65280 is the next one's, behind which
    # there is no block.
    assert pointers == [4, 65_274, second << 16, second << 16 | 65_280]
    assert third == len(content) - 28


def test_tile_index():
    assert formats.tile_index([(11101, 5), (11102, 0)]) == struct.pack("<4I", 11101, 5, 11102, 0)
