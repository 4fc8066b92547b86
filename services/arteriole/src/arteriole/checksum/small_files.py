"""Digests of many small files, by processes: threads would wait for each other's interpreter.

A process is `python -m arteriole.checksum.small_files KIND...`. It takes batches on stdin, a line
of JSON each, `{folder, batch: [[name, size, mtime_ns, inode], ...]}`, and answers each with a line,
`{made: {kind: hex of all digests, one after the other}}` or `{error: {message, code, hint}}`. It
ends with its stdin.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from arteriole.checksum.digests import HASHERS, PIECE, Meter, RawDigest, digest_batch
from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import FoundFile

#: From so many files on processes are begun; a tenth of a second of each goes by until it works.
MANY = 2000


class _Process:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *HASHERS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def digest(self, folder: Path, batch: list[FoundFile]) -> list[RawDigest] | None:
        """None if the process is gone; errors as of `digest_batch`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = json.dumps({"folder": str(folder), "batch": batch})
        try:
            self._process.stdin.write(asked.encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            return None
        if not line.endswith(b"\n"):
            return None
        answer = json.loads(line)
        if (error := answer.get("error")) is not None:
            raise ChecksumError(error["message"], code=error["code"], hint=error["hint"])
        return _cut(batch, {kind: bytes.fromhex(made) for kind, made in answer["made"].items()})

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


def _answer(line: bytes) -> dict[str, object]:
    asked = json.loads(line)
    batch = [FoundFile(*row) for row in asked["batch"]]
    try:
        made = digest_batch(Path(asked["folder"]), batch, Meter(lambda done, total, unit: None, 0))
    except ChecksumError as err:
        return {"error": {"message": str(err), "code": err.code, "hint": err.hint}}
    return {"made": {kind: b"".join(one[kind] for _, one in made).hex() for kind in HASHERS}}


def main(kinds: list[str]) -> None:
    for kind in HASHERS.keys() - set(kinds):
        del HASHERS[kind]
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(json.dumps(_answer(line)).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
