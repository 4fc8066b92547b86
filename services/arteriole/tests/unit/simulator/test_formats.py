"""The bytes of each binary file, written out by hand."""

import gzip

import numpy as np

from arteriole.simulator import formats


def letters(text):
    return np.frombuffer(text, dtype=np.uint8)


def test_bcl():
    qualities = np.array([2, 12, 23, 37, 2], dtype=np.uint8)
    content = formats.bcl(letters(b"ACGTN"), qualities)
    assert content == bytes.fromhex("05000000") + bytes(
        [2 << 2, 12 << 2 | 1, 23 << 2 | 2, 37 << 2 | 3, 0]
    )


def test_filter():
    content = formats.filter_file(np.array([True, False, True]))
    assert content == bytes.fromhex("00000000 03000000 03000000 01 00 01")


def test_locations():
    x, y = np.array([1.5, -2.0], dtype=np.float32), np.array([0.0, 8.0], dtype=np.float32)
    assert formats.locations(x, y) == bytes.fromhex(
        "01000000 0000803f 02000000 0000c03f 00000000 000000c0 00000041"
    )


def test_compressed_carries_no_time():
    content = formats.compressed(b"abc")
    assert content[4:8] == bytes(4) and gzip.decompress(content) == b"abc"
