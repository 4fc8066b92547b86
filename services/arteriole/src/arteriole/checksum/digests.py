"""MD5 and BLAKE3 of files, both from one reading."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Protocol, TypeVar

from blake3 import blake3

from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import FoundFile

#: Bytes read at once; hashlib and blake3 let go of the interpreter's lock for each such piece.
PIECE = 1 << 20

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True)
class FileDigest:
    """Both digests, in hex, of a file of `size` bytes."""

    name: str
    size: int
    md5: str
    blake3: str


class Sink(Protocol):
    """Takes what was read."""

    def write(self, piece: Any, /) -> Any: ...


class Digester:
    """Both digests of what is given to it, piece by piece."""

    def __init__(self) -> None:
        self._md5, self._blake3 = hashlib.md5(usedforsecurity=False), blake3()
        self.size = 0

    def update(self, piece: Any) -> None:
        self._md5.update(piece)
        self._blake3.update(piece)
        self.size += len(piece)

    def digest(self, name: str) -> FileDigest:
        return FileDigest(name, self.size, self._md5.hexdigest(), self._blake3.hexdigest())


class Interrupted(Exception):
    """Another thread failed, or the job was stopped."""


class Meter:
    """Counts bytes over threads, tells of them, and stops the threads."""

    def __init__(self, tell: Callable[[int, int, str], None], total: int) -> None:
        self._tell = tell
        self._total = total
        self._done = 0
        self._stopped = False
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count `count` more bytes; Interrupted if the threads are to stop."""
        with self._lock:
            if self._stopped:
                raise Interrupted
            self._done += count
            self._tell(self._done, self._total, "bytes")

    def stop(self) -> None:
        with self._lock:
            self._stopped = True


def digest_file(
    folder: Path, found: FoundFile, meter: Meter, sink: Sink | None = None
) -> FileDigest:
    """Read `found` in `folder` once, and write what was read to `sink`.

    Raises:
        ChecksumError: it has not the size and time of `found`, before or after the reading.
    """
    digester = Digester()
    buffer = memoryview(bytearray(max(1, min(PIECE, found.size + 1))))
    with _open(folder, found) as file:
        _require_same(folder, found, file)
        while count := _read(folder, found, file, buffer):
            piece = buffer[:count]
            digester.update(piece)
            if sink is not None:
                sink.write(piece)
            meter.add(count)
        _require_same(folder, found, file)
    if digester.size != found.size:
        raise _changing(folder, found)
    return digester.digest(found.name)


def each(
    items: Iterable[Item], work: Callable[[Item], Made], meter: Meter, threads: int
) -> list[Made]:
    """`work` on every item, in `threads` threads; the first failure stops them all."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [future for future in done if future.exception() is not None]
            if failed:
                meter.stop()
                raise _cause([future.exception() for future in failed])
        except BaseException:  # NB: a stop too (SystemExit); the pool waits for its threads
            meter.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def digest_all(
    folder: Path, files: list[FoundFile], meter: Meter, threads: int
) -> list[FileDigest]:
    """Digests of `files`, sorted by name; the largest are read first."""
    largest_first = sorted(files, key=lambda found: -found.size)
    made = each(largest_first, lambda found: digest_file(folder, found, meter), meter, threads)
    return sorted(made, key=lambda digest: digest.name)


def digest_text(data: bytes) -> str:
    """BLAKE3 of `data`, in hex."""
    return blake3(data).hexdigest()


def _cause(errors: list[BaseException | None]) -> BaseException:
    real = [error for error in errors if error is not None]
    return next((error for error in real if not isinstance(error, Interrupted)), real[0])


def _open(folder: Path, found: FoundFile) -> FileIO:
    try:
        return open(folder / found.name, "rb", buffering=0)
    except FileNotFoundError as err:
        raise _changing(folder, found) from err
    except OSError as err:
        raise _unreadable(folder, found, err) from err


def _read(folder: Path, found: FoundFile, file: FileIO, buffer: memoryview) -> int:
    try:
        return file.readinto(buffer) or 0
    except OSError as err:
        raise _unreadable(folder, found, err) from err


def _unreadable(folder: Path, found: FoundFile, err: OSError) -> ChecksumError:
    return ChecksumError(
        f"cannot read {folder / found.name}: {err.strerror}",
        code="checksum.unreadable",
        hint="check its permissions and the disk",
    )


def _require_same(folder: Path, found: FoundFile, file: FileIO) -> None:
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (found.size, found.mtime_ns):
        raise _changing(folder, found)


def _changing(folder: Path, found: FoundFile) -> ChecksumError:
    return ChecksumError(
        f"{found.name} in {folder} changed while it was read",
        code="checksum.changing",
        hint="find out what still writes there; then retry",
    )
