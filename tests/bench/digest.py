"""The processes that are measured: `python -m tests.bench.digest WHAT FOLDER OUT`.

job         as the checksum service does it: listing, journal, digests, manifests
md5-job     the same without BLAKE3
threads     two threads that only hash, the largest file first: MD5 and BLAKE3
md5-threads the same without BLAKE3
listing     a job on a generated listing of FOLDER (a number) files, of which none is read
"""

import hashlib
import mmap
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blake3 import blake3

THREADS = 2
_PIECE = 1 << 20


def _job(folder: Path, out: Path) -> None:
    from arteriole.checksum.work import work
    from arteriole.jobs.folder import JobFolder
    from arteriole.jobs.worker import Task

    job = JobFolder(out / "jobs" / "1")
    parameters = {
        "part": "run",
        "runfolder": str(folder),
        "manifests": str(out / "manifests"),
        "threads": THREADS,
    }
    job.prepare(
        {"job_id": 1, "run": "run", "stage": "checksum", "attempt": 1, "parameters": parameters}
    )
    lock = job.lock()
    assert lock is not None
    work(Task(job, lock))


def _without_blake3() -> None:
    from arteriole.checksum import digests, volumes

    del digests.HASHERS["blake3"]
    volumes.KINDS = ("md5",)


def _threads(folder: Path, *, with_blake3: bool) -> None:
    sizes = {
        path: Path(path).stat().st_size
        for where, _, names in os.walk(folder)
        for path in (f"{where}/{name}" for name in names)
    }

    own = threading.local()

    def begin() -> None:
        own.buffer = memoryview(mmap.mmap(-1, _PIECE))

    def digest(path: str) -> tuple[str, str]:
        md5, other = hashlib.md5(usedforsecurity=False), blake3() if with_blake3 else None
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(own.buffer):
                md5.update(own.buffer[:count])
                if other is not None:
                    other.update(own.buffer[:count])
        return md5.hexdigest(), path

    with ThreadPoolExecutor(THREADS, initializer=begin) as pool:
        for made in pool.map(digest, sorted(sizes, key=lambda path: -sizes[path])):
            print(*made)


def _listing(count: int, out: Path) -> None:
    from arteriole.checksum.journal import held
    from arteriole.checksum.listing import FoundFile
    from arteriole.checksum.volumes import Volumes

    def files() -> Iterator[FoundFile]:
        for n in range(count):
            name = f"Data/Intensities/BaseCalls/L00{n % 8}/C{n // 1000}.1/s_{n % 8}_{n:07}.bcl.gz"
            yield FoundFile(name, 100_000 + n, 1_600_000_000_000_000_000 + n, 10_000_000 + n)

    with held(out / "journals" / "run.sqlite") as journal:
        journal.take_listing(files())
        for batch in journal.lacking():
            digests = [
                (found.name, hashlib.blake2b(found.name.encode()).digest()) for found in batch
            ]
            journal.add((n, {"md5": made[:16], "blake3": made[32:]}) for n, made in digests)
        assert journal.unlike(files) == []
        Volumes(out / "manifests", "runfolder").close(journal)


def main(what: str, folder: str, out: Path) -> None:
    if what == "listing":
        return _listing(int(folder), out)
    if what.endswith("threads"):
        return _threads(Path(folder), with_blake3=what == "threads")
    if what == "md5-job":
        _without_blake3()
    return _job(Path(folder), out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
