"""Bundles: the same bytes each time, plain tar, and a reading that misses nothing."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from arteriole.archive.archive import Parcel
from arteriole.archive.bundle import Reading, copy_bundle, pack, spans, split
from arteriole.archive.errors import ArchiveError
from arteriole.archive.holding import HeldFile
from arteriole.checksum.digests import Meter, digest_file
from arteriole.checksum.listing import list_files

FILES = {
    "InterOp/a.bin": b"a" * 700,
    "empty": b"",
    "block": b"b" * 512,
    "deep/" * 40 + "name": b"long name",
    "ünï $(id) -x": b"odd name",
    "last": b"l",
}


@pytest.fixture
def held(tmp_path: Path) -> list[HeldFile]:
    folder = tmp_path / "run"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [
        HeldFile("fastq", folder, found, digest_file(folder, found, nothing()))
        for found in list_files(folder)
    ]


def nothing() -> Meter:
    return Meter(lambda done, total, unit: None, 0)


def copied(parcel: Parcel) -> bytes:
    sink = io.BytesIO()
    digest = copy_bundle(parcel, nothing(), sink)
    assert digest.size == parcel.size == len(sink.getvalue())
    return sink.getvalue()


def read(parcel: Parcel, data: bytes, step: int) -> tuple[bool, list[str]]:
    """Whether the name is right, and what is wrong."""
    reading = Reading(spans(parcel))
    for start in range(0, len(data), step):
        reading.write(data[start : start + step])
    return parcel.place == f"base/bundles/{reading.name}.tar", reading.wrong


def test_gnu_tar_unpacks_it(held: list[HeldFile], tmp_path: Path) -> None:
    (parcel,) = pack(held, 1 << 20, "base/")
    (tmp_path / "b.tar").write_bytes(copied(parcel))
    to = tmp_path / "to"
    to.mkdir()
    subprocess.run(["tar", "-xf", "../b.tar"], cwd=to, check=True)
    assert {f.name: (to / f.name).read_bytes() for f in held} == {
        f"fastq/{name}": data for name, data in FILES.items()
    }


def test_members_are_plain_and_where_they_are_said_to_be(held: list[HeldFile]) -> None:
    (parcel,) = pack(held, 1 << 20, "base/")
    data = copied(parcel)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == [f.name for f in held]
    assert [m.offset_data for m in members] == list(parcel.offsets)
    assert {(m.uid, m.gid, m.mode, m.uname, m.isreg()) for m in members} == {
        (0, 0, 0o644, "", True)
    }
    assert [m.mtime for m in members] == [f.found.mtime_ns // 10**9 for f in held]


def test_it_is_the_same_each_time_and_of_the_size(held: list[HeldFile]) -> None:
    first = pack(held, 3000, "base/")
    assert first == pack(held, 3000, "base/") and len(first) > 1
    assert all(parcel.size <= 3000 or len(parcel.files) == 1 for parcel in first)
    assert [file for parcel in first for file in parcel.files] == held
    assert [copied(p) for p in first] == [copied(p) for p in first]
    assert len(pack(held, 1, "base/")) == len(held)


@pytest.mark.parametrize("step", [1, 511, 1 << 20])
def test_each_byte_counts(held: list[HeldFile], step: int) -> None:
    (parcel,) = pack(held, 1 << 20, "base/")
    data = copied(parcel)
    assert read(parcel, data, step) == (True, [])
    assert not read(parcel, data[:-1], step)[0]
    assert not read(parcel, data + b"\0", step)[0]
    assert not read(parcel, data[: parcel.offsets[0] + 3], step)[0]
    for at in range(0, len(data), 1 if step > 511 else 4097):
        flipped = bytearray(data)
        flipped[at] ^= 1
        named, wrong = read(parcel, bytes(flipped), step)
        inside = [s.digest.name for s in spans(parcel) if s.offset <= at < s.end]
        assert not named and wrong == inside, at


def test_a_source_that_changed(held: list[HeldFile]) -> None:
    (parcel,) = pack(held, 1 << 20, "base/")
    path = held[0].source / "block"
    before = path.stat()
    path.write_bytes(b"B" * 512)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArchiveError, match=r"block .* is not as its manifest") as raised:
        copied(parcel)
    assert raised.value.code == "archive.source_changed"


def test_a_stream_is_split() -> None:
    stream = bytes(range(100))
    for step in (1, 7, 100):
        pieces = (stream[n : n + step] for n in range(0, 100, step))
        cuts = [(3, 10), (13, 0), (13, 5), (90, 30)]
        got = [b"".join(part) for part in split(pieces, cuts)]
        assert got == [stream[at : at + size] for at, size in cuts]
