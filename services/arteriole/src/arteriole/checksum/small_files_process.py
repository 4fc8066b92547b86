"""A process that digests batches of small files: `python small_files_process.py KIND...`.

On stdin comes one batch after the other, marshalled: `(folder, [(name, size, mtime_ns, inode, ...),
...])`. The answer to each is a list with all digests of each kind, one after the other, as bytes;
or None where a file cannot be read or is not as it was listed: whoever asked reads them again then,
and tells of it. It ends with its stdin.

NB: it imports nothing of ours, nor more than it must: so it works after some hundredths of a
second. What is done for each file is short for the same reason.
"""

import hashlib
import marshal
import mmap
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Bytes read at once; a small file has no more.
PIECE = 1 << 18
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def begun(kind: str) -> "Callable[[], Any]":
    """How a digest of that kind is begun."""
    if kind == "blake3":
        from blake3 import blake3

        return blake3
    return hashlib.md5(usedforsecurity=False).copy


def digest_batch(
    folder: str,
    batch: "list[tuple[str, int, int, int]]",
    kinds: "list[Callable[[], Any]]",
    buffer: memoryview,
) -> list[bytes] | None:
    """All digests of each kind; None if a file cannot be read or is not as it was listed."""
    open_, read, status, close = os.open, os.readv, os.fstat, os.close
    made, into = [bytearray() for _ in kinds], [buffer]
    try:
        for name, size, mtime_ns, inode, *_ in batch:
            descriptor = open_(f"{folder}/{name}", _FLAGS)
            try:
                hashers = [begin() for begin in kinds]
                left = size
                while left > 0 and (count := read(descriptor, into)):
                    left -= count
                    for hasher in hashers:
                        hasher.update(buffer[:count])
                now = status(descriptor)
            finally:
                close(descriptor)
            if (left, now.st_size, now.st_mtime_ns, now.st_ino) != (0, size, mtime_ns, inode):
                return None
            if not stat.S_ISREG(now.st_mode):
                return None
            for digests, hasher in zip(made, hashers, strict=True):
                digests += hasher.digest()
    except OSError:
        return None
    return [bytes(digests) for digests in made]


def main(names: list[str]) -> None:
    kinds = [begun(name) for name in names]
    buffer = memoryview(mmap.mmap(-1, PIECE))  # NB: of whole pages; see `digests`
    while True:
        try:
            folder, batch = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        marshal.dump(digest_batch(folder, batch, kinds, buffer), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
