"""Digests of many small files, by processes: threads would wait for each other's interpreter."""

import marshal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from arteriole.checksum import small_files_process
from arteriole.checksum.digests import HASHERS, PIECE, Meter, RawDigest, digest_batch
from arteriole.checksum.listing import FoundFile

#: From so many files on processes are begun; some hundredths of a second go by until each works.
MANY = 2000


class _Process:
    def __init__(self) -> None:
        self._kinds = list(HASHERS)
        self._process = subprocess.Popen(
            [sys.executable, "-I", small_files_process.__file__, *self._kinds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def digest(self, folder: Path, batch: list[FoundFile]) -> list[RawDigest] | None:
        """None if the process is gone, or a file is not as it was listed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = marshal.dumps((str(folder), [tuple(found) for found in batch]))
        try:
            self._process.stdin.write(asked)
            self._process.stdin.flush()
            made = marshal.load(self._process.stdout)
        except (OSError, EOFError, ValueError, TypeError):  # the last two of half an answer
            return None
        return None if made is None else _cut(batch, dict(zip(self._kinds, made, strict=True)))

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _cut(batch: list[FoundFile], made: dict[str, bytes]) -> list[RawDigest]:
    lengths = [(kind, digests, len(digests) // len(batch)) for kind, digests in made.items()]
    return [
        (
            found.name,
            {kind: digests[n * length : (n + 1) * length] for kind, digests, length in lengths},
        )
        for n, found in enumerate(batch)
    ]


class SmallFiles:
    """Digests batches of files for `threads` threads, small ones in a process each."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._processes: list[_Process] = []
        self._free: SimpleQueue[_Process] = SimpleQueue()

    def counted(self, files: Iterable[FoundFile]) -> Iterator[FoundFile]:
        """The same; the processes begin once there are many."""
        for number, found in enumerate(files, start=1):
            if number == MANY and not self._processes:
                self._begin()
            yield found

    def _begin(self) -> None:
        for _ in range(self.threads):
            process = _Process()
            self._processes.append(process)
            self._free.put(process)

    def digest(self, folder: Path, batch: list[FoundFile], meter: Meter) -> list[RawDigest]:
        """As `digest_batch`, which does it where files are few or large, or the process is gone."""
        size = sum(found.size for found in batch)
        if not self._processes or size >= PIECE * len(batch):
            return digest_batch(folder, batch, meter)
        meter.add(0)  # NB: raises if the threads are to stop
        process = self._free.get()
        try:
            made = process.digest(folder, batch)
        finally:
            self._free.put(process)
        if made is None:
            return digest_batch(folder, batch, meter)
        meter.add(size)
        return made

    def end(self) -> None:
        for process in self._processes:
            process.end()


@contextmanager
def small_files(threads: int) -> Iterator[SmallFiles]:
    """Its processes end with it."""
    small = SmallFiles(threads)
    try:
        yield small
    finally:
        small.end()
