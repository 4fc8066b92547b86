"""What is read again, because its ctime is another after it was read."""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from arteriole.checksum.catching_up import digest_listed
from arteriole.checksum.digests import Meter
from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.journal import Journal, held
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.small_files import small_files

NAMES = ["a", "b", "c"]
Deed = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / "run" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_bytes(name.encode() * 1000)
    return tmp_path / "run"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with held(tmp_path / "run.sqlite") as journal:
        yield journal


def until_ctime_differs(path: Path, deed: Deed) -> None:
    """The clock of a file system ticks slowly."""
    before = now = path.stat()
    while now.st_ctime_ns == before.st_ctime_ns:
        deed(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert now.st_ino == before.st_ino


def nothing(path: Path) -> None:
    pass


def digested(folder: Path, journal: Journal, *deeds: Deed) -> list[int]:
    """Digest; one deed before each listing after the first. The bytes that are done, as told."""
    left, told = iter(deeds), []

    def walk() -> list[FoundFile]:
        next(left, nothing)(folder)
        return list_files(folder)

    journal.take_listing(list_files(folder))
    meter = Meter(lambda done, *_: told.append(done), 3000)
    with small_files(2) as small:
        digest_listed(folder, journal, meter, small, walk)
    assert [row[0] for row in journal.digests()] == NAMES
    return told


def require_right(folder: Path, journal: Journal) -> None:
    for name, size, md5, of_blake3 in journal.digests():
        data = (folder / name).read_bytes()
        assert size == len(data)
        assert md5 == hashlib.md5(data).hexdigest(), name
        assert of_blake3 == blake3(data).hexdigest(), name


def rewrite(folder: Path, data: bytes = b"other") -> None:
    def write(path: Path) -> None:
        with open(path, "r+b") as file:
            file.write(data)

    until_ctime_differs(folder / "b", write)


def give_mode(folder: Path) -> None:
    until_ctime_differs(folder / "b", lambda path: path.chmod(path.stat().st_mode ^ 0o010))


def test_what_was_written_again_in_place(
    folder: Path, journal: Journal, capfd: pytest.CaptureFixture[str]
) -> None:
    told = digested(folder, journal, rewrite)
    require_right(folder, journal)
    assert told == [1000, 2000, 3000, 2000, 3000], "no other file was read again"
    assert f"another ctime after reading 1 of {folder}: b; read again" in capfd.readouterr().out


def test_and_again_while_it_is_read_again(folder: Path, journal: Journal) -> None:
    digested(folder, journal, rewrite, nothing, lambda folder: rewrite(folder, b"later"))
    require_right(folder, journal)


def test_a_ctime_that_is_another_at_each_look(
    folder: Path, journal: Journal, capfd: pytest.CaptureFixture[str]
) -> None:
    told = digested(folder, journal, *itertools.repeat(give_mode, 20))
    require_right(folder, journal)
    assert told == [1000, 2000, *[3000, 2000] * 3, 3000]
    assert "reading 4 of" in (out := capfd.readouterr().out) and "b; not read again" in out


@pytest.mark.parametrize(
    ("deed", "named"),
    [
        (lambda folder: (folder / "d").touch(), "d"),
        (lambda folder: (folder / "a").unlink(), "a"),
        (lambda folder: (folder / "b").write_bytes(b"b"), "b"),
        (lambda folder: os.utime(folder / "b", ns=(1, 1)), "b"),
    ],
)
def test_what_is_written_to_later_is_still_told(
    folder: Path, journal: Journal, deed: Deed, named: str
) -> None:
    with pytest.raises(ChecksumError, match=f"while it was read: {named}$") as raised:
        digested(folder, journal, give_mode, nothing, deed)
    assert raised.value.code == "checksum.changing"
