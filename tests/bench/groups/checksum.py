"""Digests of many files: the checksum service's job against md5sum, and threads that only hash."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.files import Data, write
from tests.bench.measure import Contender, Usage
from tests.bench.row import Goal, Row

#: Files of a listing; the second where sizes are to be of seconds.
LISTED, FEW_LISTED = 1_000_000, 2_000
#: 1.5 times as fast as md5sum, 0.9 of the speed of threads that only hash.
AGAINST_MD5SUM, AGAINST_THREADS = 1 / 1.5, 1 / 0.9
MOST_MIB = 200

_XARGS = 'cd "$1" && find . -type f -print0 | xargs -0 -P2 -n64 md5sum > "$2"/md5'
_PARALLEL = 'cd "$1" && find . -type f | parallel -j 5 md5sum > "$2"/md5'


def rows(bench: Bench) -> Iterator[Row]:
    """Files in the page cache, then not; then the memory that a million of them take."""
    data = write(bench.scratch / "digested", small=bench.small)
    yield from _warm(bench, data)
    yield from _once(bench, data)
    yield from _cold(bench, data)
    yield from _memory(bench)


def _ours(what: str, folder: Path | str, name: str) -> Contender:
    command = [sys.executable, "-m", "tests.bench.digest", what, str(folder)]
    return Contender(name, lambda out: [*command, str(out)])


def _shell(script: str, folder: Path, name: str) -> Contender:
    return Contender(name, lambda out: ["sh", "-c", script, "sh", str(folder), str(out)])


def _row(
    data: Data, what: str, mine: Sequence[Usage], peer: Contender, theirs: Sequence[Usage],
    goal: Goal | None,
) -> Row:  # fmt: skip
    return Row(
        name=f"checksum: {what} of {data}",
        unit="s",
        size=data.files,
        ours=[one.wall for one in mine],
        peer=[one.wall for one in theirs],
        against=peer.name,
        goal=goal,
    )


def _warm(bench: Bench, data: Data) -> Iterator[Row]:
    contenders = (
        _ours("md5-job", data.folder, "a job without BLAKE3"),
        _ours("job", data.folder, "a job"),
        _shell(_XARGS, data.folder, "xargs -P2 -n64 md5sum"),
        _ours("md5-threads", data.folder, "two threads that only hash, MD5"),
        _ours("threads", data.folder, "two threads that only hash, MD5 and BLAKE3"),
    )
    md5, both, xargs, md5_threads, threads = bench.measure(*contenders)
    of_xargs, of_threads = bench.goal("ratio", AGAINST_MD5SUM), bench.goal("ratio", AGAINST_THREADS)
    yield _row(data, "MD5 manifest", md5, contenders[2], xargs, of_xargs)
    yield _row(data, "MD5 manifest", md5, contenders[3], md5_threads, of_threads)
    yield _row(data, "MD5 and BLAKE3 manifests", both, contenders[2], xargs, None)
    yield _row(data, "MD5 and BLAKE3 manifests", both, contenders[4], threads, of_threads)


def _once(bench: Bench, data: Data) -> Iterator[Row]:
    """It takes a process a file, and minutes."""
    parallel = _shell(_PARALLEL, data.folder, "parallel -j 5 md5sum")
    alone = Bench(bench.scratch, 1, bench.small)
    mine, theirs = alone.measure(_ours("job", data.folder, "a job"), parallel)
    yield _row(data, "MD5 and BLAKE3 manifests", mine, parallel, theirs, None)


def _cold(bench: Bench, data: Data) -> Iterator[Row]:
    os.sync()
    ours = _forgotten(data, _ours("job", data.folder, "a job, nothing in the page cache"))
    xargs = _forgotten(data, _shell(_XARGS, data.folder, "xargs -P2 -n64 md5sum"))
    mine, theirs = bench.measure(ours, xargs)
    what = "MD5 and BLAKE3 manifests, with nothing in the page cache,"
    yield _row(data, what, mine, xargs, theirs, None)


def _forgotten(data: Data, contender: Contender) -> Contender:
    """The same, with no page of the data in memory."""

    def command(out: Path) -> list[str]:
        for path in data.folder.rglob("*"):
            if path.is_file():
                descriptor = os.open(path, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
        return contender.command(out)

    return Contender(contender.name, command)


def _memory(bench: Bench) -> Iterator[Row]:
    count = FEW_LISTED if bench.small else LISTED
    alone = Bench(bench.scratch, 1, bench.small)
    (used,) = alone.measure(_ours("listing", str(count), "a listing"))
    yield Row(
        name=f"checksum: peak memory with a generated listing of {count:,} files",
        unit="MiB",
        size=count,
        ours=[one.memory for one in used],
        goal=bench.goal("ours", MOST_MIB),
    )
