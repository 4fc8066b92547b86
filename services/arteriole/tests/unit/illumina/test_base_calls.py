"""bcl, filters and locs: what a test writes is what they read."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina import bcl, filters, gzip_data, locs
from arteriole.illumina.errors import RunDataError


def bcl_bytes(calls: bytes) -> bytes:
    return struct.pack("<I", len(calls)) + calls


@given(calls=st.binary(max_size=300), compressed=st.booleans(), split=st.integers(0, 300))
def test_bcl_round_trip(tmp_path_factory, calls, compressed, split):
    folder = tmp_path_factory.getbasetemp()
    data = bcl_bytes(calls)
    path = folder / ("a.bcl.gz" if compressed else "a.bcl")
    if compressed:  # in two gzip members, as some instruments write them
        data = gzip.compress(data[:split], mtime=0) + gzip.compress(data[split:])
    path.write_bytes(data)
    found = bcl.read(path, len(calls))
    assert found.tobytes() == calls
    letters = bcl.BASES[found].tobytes().decode()
    assert letters == "".join("ACGT"[call % 4] if call else "N" for call in calls)
    assert list(bcl.QUALITIES[found]) == [call // 4 if call else 2 for call in calls]


def test_every_truncation_and_every_changed_call_is_noticed(tmp_path):
    calls = bytes(range(1, 200))
    whole = gzip.compress(bcl_bytes(calls), mtime=0)
    path = tmp_path / "s_1_1101.bcl.gz"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(RunDataError, match=r"s_1_1101\.bcl\.gz"):
            bcl.read(path, 199)
    noticed = 0
    for place in range(10, len(whole)):  # the first 10 bytes are gzip's own header
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = bcl.read(path, 199).tobytes()
        except RunDataError:
            noticed += 1
        else:
            assert found == calls  # a padding bit
    assert noticed >= len(whole) - 12


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.bcl", b"", "truncated"),
        ("a.bcl", b"\1\0", "truncated"),
        ("a.bcl", bcl_bytes(b"1234"), "expected 5 clusters, its header says 4"),
        ("a.bcl", bcl_bytes(b"12345")[:-1], "expected 9 bytes, found 8"),
        ("a.bcl", bcl_bytes(b"12345") + b"6", "expected 9 bytes, found 10"),
        ("a.bcl.gz", b"not gzip at all", "corrupt"),
        ("a.bcl.gz", gzip.compress(bcl_bytes(b"123456"), mtime=0), "header says 6"),
        ("a.bcl.gz", gzip.compress(b"\5\0\0\0" + bytes(10_000_000), mtime=0), "expected 9 bytes"),
    ],
)
def test_bcl_errors(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(RunDataError, match=message):
        bcl.read(path, 5)


def test_a_bomb_is_not_unfolded(tmp_path):
    path = tmp_path / "a.bcl.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000), mtime=0))
    assert len(gzip_data.members(path.read_bytes(), 100, path.name)) == 101


@given(st.lists(st.integers(0, 255), max_size=100), st.booleans())
def test_filter_round_trip(tmp_path_factory, flags, versioned):
    path = tmp_path_factory.getbasetemp() / "a.filter"
    head = struct.pack("<III", 0, 3, len(flags)) if versioned else struct.pack("<I", len(flags))
    if not versioned and not flags:
        return
    path.write_bytes(head + bytes(flags))
    assert filters.read(path).tolist() == [flag % 2 == 1 for flag in flags]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated"),
        (struct.pack("<II", 0, 3), "truncated"),
        (struct.pack("<III", 0, 2, 1) + b"1", "expected filter version 3, found 2"),
        (struct.pack("<III", 0, 3, 2) + b"1", "expected 14 bytes for 2 clusters, found 13"),
        (struct.pack("<III", 0, 3, 2) + b"111", "found 15"),
    ],
)
def test_filter_errors(tmp_path, data, message):
    path = tmp_path / "a.filter"
    path.write_bytes(data)
    with pytest.raises(RunDataError, match=message):
        filters.read(path)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)), max_size=50))
def test_locs_round_trip_of_tenths(tmp_path_factory, tenths):
    path = tmp_path_factory.getbasetemp() / "a.locs"
    body = b"".join(struct.pack("<ff", x / 10, y / 10) for x, y in tenths)
    path.write_bytes(struct.pack("<ifI", 1, 1.0, len(tenths)) + body)
    assert locs.read(path).tolist() == [[x + 1000, y + 1000] for x, y in tenths]


@given(
    st.dictionaries(
        st.integers(0, 500),
        st.lists(st.tuples(st.integers(0, 249), st.integers(0, 249)), min_size=1, max_size=5),
        max_size=6,
    )
)
def test_clocs_round_trip(tmp_path_factory, squares):
    path = tmp_path_factory.getbasetemp() / "a.clocs"
    count = max(squares, default=-1) + 1
    data = struct.pack("<BI", 1, count)
    expected = []
    for number in range(count):
        points = squares.get(number, [])
        data += bytes([len(points), *(value for point in points for value in point)])
        for x, y in points:
            expected.append([1000 + number % 82 * 250 + x, 1000 + number // 82 * 250 + y])
    path.write_bytes(data)
    assert locs.read(path).tolist() == expected


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.locs", b"\1\0", "truncated"),
        ("a.locs", struct.pack("<ifI", 2, 1.0, 0), "version 1, found 2"),
        ("a.locs", struct.pack("<ifI", 1, 1.0, 2) + bytes(8), "expected 28 bytes"),
        ("a.locs", struct.pack("<ifIff", 1, 1.0, 1, np.nan, 1), "outside of any image"),
        ("a.locs", struct.pack("<ifIff", 1, 1.0, 1, -500, 1), "outside of any image"),
        # a signalling NaN, of which numpy would warn
        ("a.locs", struct.pack("<ifI", 1, 1.0, 1) + b"\1\0\x80\x7f" + bytes(4), "outside of any"),
        ("a.clocs", b"\1", "truncated"),
        ("a.clocs", struct.pack("<BI", 2, 0), "version 1, found 2"),
        ("a.clocs", struct.pack("<BI", 1, 2) + b"\0", "block 2 of 2"),
        ("a.clocs", struct.pack("<BI", 1, 1) + b"\2\1\1", "expected 10 bytes, found 8"),
    ],
)
def test_locs_errors(tmp_path: Path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(RunDataError, match=message):
        locs.read(path)
