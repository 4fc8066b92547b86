"""Which files of a run are final while it is being sequenced.

Nothing is proven by it: whatever changes later is digested again.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arteriole.app.rate import Rate
from arteriole.checksum.catching_up import catch_up
from arteriole.checksum.digests import Meter
from arteriole.checksum.journal import held
from arteriole.checksum.listing import FoundFile, walk_files
from arteriole.checksum.places import RUNFOLDER, journal_path
from arteriole.checksum.small_files import small_files
from arteriole.illumina.run_folder import RunFolder
from arteriole.jobs.worker import Task

#: A cycle is written when the next but one has begun: a copy need not keep their order to the end.
BEHIND = 2
#: Files a second are not counted: their bytes are.
UNCOUNTED = 1e9


class SlowMeter(Meter):
    """Counts bytes, and lets them be read no quicker than the rate is."""

    def __init__(self, task: Task, total: int, known: int, rate: Rate) -> None:
        super().__init__(task.progress, total, known)
        self._rate = rate

    def add(self, count: int) -> None:
        super().add(count)
        self._rate.take(1, count)


def work(task: Task) -> dict[str, Any]:
    """`{files, bytes, left, closed}`: of what is final, and its bytes without a digest yet.

    It ends after `seconds`, or when a stage's job of the run wants to begin; a later one goes on.
    Once an attempt's manifests are there nothing is done.
    """
    parameters, ends = task.parameters, time.monotonic() + task.parameters["seconds"]
    folder = Path(parameters["runfolder"])
    if any(Path(parameters["manifests"]).glob(f"attempt-*/{RUNFOLDER}.md5")):
        return {"files": 0, "bytes": 0, "left": 0, "closed": True}
    path = journal_path(task.folder.path.parent, task.run, RUNFOLDER)
    with held(path, patient=False) as journal, small_files(parameters["threads"]) as small:
        journal.take_listing(small.counted(final_files(folder)), whole=False)
        files, size = journal.count()
        meter = SlowMeter(
            task, size, journal.count_known()[1], Rate(UNCOUNTED, parameters["megabytes"])
        )
        catch_up(
            folder,
            journal,
            meter,
            small,
            is_enough=lambda: time.monotonic() >= ends or journal.is_wanted(),
        )
        left = size - journal.count_known()[1]
    return {"files": files, "bytes": size, "left": left, "closed": False}


def final_files(folder: Path) -> Iterator[FoundFile]:
    """The base calls of each lane's cycles that are behind the one that is written now.

    Raises:
        ChecksumError: as of `walk_files`.
    """
    run = RunFolder(folder)
    for lane in run.lanes_with_calls():
        behind = {path.relative_to(folder).as_posix() for path in run.cycles_behind(lane, BEHIND)}
        files = {name for name in behind if (folder / name).is_file()}
        for name in sorted(behind - files):
            yield from walk_files(folder, below=f"{name}/")
        yield from _of(folder, files)


def _of(folder: Path, names: set[str]) -> Iterator[FoundFile]:
    """Files of whole lanes, each beside its index."""
    for name in sorted(names):
        for path in (folder / name, folder / f"{name}.bci"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                relative = path.relative_to(folder).as_posix()
                times = status.st_mtime_ns, status.st_ctime_ns
                yield FoundFile(relative, status.st_size, times[0], status.st_ino, times[1])
