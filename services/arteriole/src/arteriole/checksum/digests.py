"""MD5 and BLAKE3 of files, both from one reading."""

import hashlib
import mmap
import os
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from blake3 import blake3

from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import FoundFile

#: Bytes read at once; hashlib and blake3 let go of the interpreter's lock for each such piece. It
#: is small enough to be in the processor's cache still when the second of them takes it.
PIECE = 1 << 18
#: How each kind of digest is begun.
HASHERS: dict[str, Callable[[], Any]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake3": blake3,
}
#: A file's name, and its digests by kind.
RawDigest = tuple[str, dict[str, bytes]]

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
    """Counts bytes over threads, tells of them, and stops the threads; `known` are done already."""

    def __init__(self, tell: Callable[[int, int, str], None], total: int, known: int = 0) -> None:
        self._tell = tell
        self._total = total
        self._done = known
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

    def take(piece: memoryview) -> None:
        digester.update(piece)
        if sink is not None:
            sink.write(piece)

    read_file(folder, found, meter, _buffer(found.size), take)
    return digester.digest(found.name)


def digest_batch(folder: Path, batch: list[FoundFile], meter: Meter) -> list[RawDigest]:
    """Digests of some files, each read once; errors as of `digest_file`."""
    buffer = _buffer(max(found.size for found in batch))
    return [_raw(folder, found, meter, buffer) for found in batch]


def _raw(folder: Path, found: FoundFile, meter: Meter, buffer: memoryview) -> RawDigest:
    hashers = [(kind, begin()) for kind, begin in HASHERS.items()]

    def take(piece: memoryview) -> None:
        for _, hasher in hashers:
            hasher.update(piece)

    read_file(folder, found, meter, buffer, take)
    return found.name, {kind: hasher.digest() for kind, hasher in hashers}


def read_file(
    folder: Path,
    found: FoundFile,
    meter: Meter,
    buffer: memoryview,
    take: Callable[[memoryview], None],
) -> None:
    """Read `found` once, and give each piece to `take`; errors as of `digest_file`."""
    descriptor = _open(folder, found)
    try:
        _require_same(folder, found, descriptor)
        left = found.size
        while left > 0 and (count := _read(folder, found, descriptor, buffer)):
            take(buffer[:count])
            meter.add(count)
            left -= count
        _require_same(folder, found, descriptor)
        if left:
            raise _changing(folder, found)
    finally:
        os.close(descriptor)


def _buffer(size: int) -> memoryview:
    """It begins with a page: where it does not, some processors copy to it at half the speed."""
    length = max(1, min(PIECE, size))
    return memoryview(mmap.mmap(-1, length))


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
                raise cause([future.exception() for future in failed])
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


def cause(errors: Sequence[BaseException | None]) -> BaseException:
    real = [error for error in errors if error is not None]
    return next((error for error in real if not isinstance(error, Interrupted)), real[0])


def _open(folder: Path, found: FoundFile) -> int:
    try:
        # NB: a pipe that took the file's place would keep whoever opens it waiting
        return os.open(f"{folder}/{found.name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as err:
        raise _changing(folder, found) from err
    except OSError as err:
        raise _unreadable(folder, found, err.strerror) from err


def _read(folder: Path, found: FoundFile, descriptor: int, buffer: memoryview) -> int:
    try:
        return os.readv(descriptor, [buffer])
    except OSError as err:
        raise _unreadable(folder, found, err.strerror) from err


def _unreadable(folder: Path, found: FoundFile, reason: str | None) -> ChecksumError:
    return ChecksumError(
        f"cannot read {folder / found.name}: {reason}",
        code="checksum.unreadable",
        hint="check its permissions and the disk",
    )


def _require_same(folder: Path, found: FoundFile, descriptor: int) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(folder, found, "it is no file")
    now = (status.st_size, status.st_mtime_ns, status.st_ino if found.inode else 0)
    if now != (found.size, found.mtime_ns, found.inode):
        raise _changing(folder, found)


def _changing(folder: Path, found: FoundFile) -> ChecksumError:
    return ChecksumError(
        f"{found.name} in {folder} changed while it was read",
        code="checksum.changing",
        hint="find out what still writes there; then retry",
    )
