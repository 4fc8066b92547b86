"""Digests from one reading, and what stops it."""

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from arteriole.checksum.digests import (
    PIECE,
    Interrupted,
    Meter,
    digest_all,
    digest_file,
    each,
)
from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import FoundFile, list_files


def silent(done: int, total: int, unit: str) -> None:
    return None


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_digests_and_copy(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    copy = io.BytesIO()
    made = digest_file(tmp_path, list_files(tmp_path)[0], Meter(silent, size), copy)
    assert (made.md5, made.blake3) == (hashlib.md5(data).hexdigest(), blake3(data).hexdigest())
    assert (made.size, copy.getvalue()) == (size, data)


def test_all_files_with_progress(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}").write_bytes(b"x" * number)
    told: list[tuple[int, int, str]] = []
    meter = Meter(lambda *now: told.append(now), 190)
    made = digest_all(tmp_path, list_files(tmp_path), meter, 2)
    assert [digest.name for digest in made] == [f"{number:02}" for number in range(20)]
    assert told[-1] == (190, 190, "bytes")
    assert [now[0] for now in told] == sorted(now[0] for now in told)


@pytest.mark.parametrize("size_then", [4, 8, 5])
def test_a_file_that_is_written_to(tmp_path: Path, size_then: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    found = list_files(tmp_path)[0]

    def change(done: int, total: int, unit: str) -> None:
        path.write_bytes(b"6" * size_then)
        os.utime(path, ns=(1, 1))

    with pytest.raises(ChecksumError, match=r"f in .* changed while it was read") as raised:
        digest_file(tmp_path, found, Meter(change, 5))
    assert raised.value.code == "checksum.changing"


@pytest.mark.parametrize(
    ("found", "code"),
    [(FoundFile("gone", 1, 1), "checksum.changing"), (FoundFile(".", 1, 1), "checksum.unreadable")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, found: FoundFile, code: str) -> None:
    with pytest.raises(ChecksumError) as raised:
        digest_file(tmp_path, found, Meter(silent, 1))
    assert raised.value.code == code


def test_the_first_failure_stops_the_other_threads() -> None:
    meter = Meter(silent, 10)
    reading = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            reading.wait(60)
            raise ChecksumError("broken", code="x")
        while True:
            reading.set()
            meter.add(1)

    with pytest.raises(ChecksumError, match="broken"):
        each(range(50), work, meter, 2)
    with pytest.raises(Interrupted):
        meter.add(1)
