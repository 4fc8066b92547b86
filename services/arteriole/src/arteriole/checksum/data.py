"""The run folder and the FASTQs of an attempt: digested, resumed, and their manifests closed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from arteriole.checksum.catching_up import digest_listed
from arteriole.checksum.digests import FileDigest, Meter
from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.journal import Journal, held
from arteriole.checksum.listing import FoundFile, walk_files
from arteriole.checksum.places import FASTQ, RUNFOLDER, journal_path
from arteriole.checksum.small_files import SmallFiles, small_files
from arteriole.checksum.volumes import Volumes
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task

#: After these the bytes are read again: it may be the reading that was wrong.
DIFFERENT = ("checksum.changed", "checksum.not_as_written")


class DataPart:
    """One of the two folders, with its manifests and what is known of its files already."""

    def __init__(self, task: Task, name: str, journal: Journal) -> None:
        self.name = name
        self.folder = Path(task.parameters[name])
        self.volumes = Volumes(Path(task.parameters["manifests"]), name)
        self.journal = journal

    def walk(self) -> Iterator[FoundFile]:
        return walk_files(self.folder, without_own=self.name == RUNFOLDER)

    def digest(self, meter: Meter, small: SmallFiles) -> None:
        """ChecksumError if a file cannot be read, or any was written to meanwhile."""
        digest_listed(self.folder, self.journal, meter, small, self.walk)

    def file_digests(self) -> list[FileDigest]:
        return [FileDigest(*row) for row in self.journal.digests()]

    def close(self) -> dict[str, str]:
        return self.volumes.close(self.journal, may_grow=self.name == RUNFOLDER)


def work(task: Task) -> dict[str, Any]:
    """`{files, bytes, read, as_written, manifests: {name: BLAKE3 of the manifest}}`.

    `read` counts the bytes that had no digest yet, `as_written` the FASTQs whose digests are those
    that the converter recorded.

    NB: no manifest is written before both folders were read and found to be as they should.
    """
    names = [name for name in (RUNFOLDER, FASTQ) if name in task.parameters]
    with exclusive(task, f"{task.run}.{task.attempt}"), ExitStack() as stack:
        parts = [stack.enter_context(_resumed(task, name)) for name in names]
        result = digest(task, parts)
        fastq = next((part for part in parts if part.name == FASTQ), None)
        if fastq is not None:
            # pydantic takes a third of the time of a small job
            from arteriole.checksum.attempt_record import require_as_written

            result["as_written"] = require_as_written(fastq.folder, fastq.file_digests())
        result["manifests"] = {name: made for part in parts for name, made in part.close().items()}
        if fastq is not None:
            for part in parts:
                part.journal.discard()
        return result


def digest(task: Task, parts: list[DataPart]) -> dict[str, Any]:
    """`{files, bytes, read}` once each part's journal knows all of its folder."""
    with small_files(task.parameters["threads"]) as small:
        for part in parts:
            part.journal.take_listing(small.counted(part.walk()))
        files, size = map(sum, zip(*(part.journal.count() for part in parts), strict=True))
        known = sum(part.journal.count_known()[1] for part in parts)
        meter = Meter(task.progress, size, known)
        for part in parts:
            part.digest(meter, small)
    task.progress(size, size, "bytes")
    return {"files": files, "bytes": size, "read": size - known}


@contextmanager
def opened(task: Task, name: str) -> Iterator[DataPart]:
    """With a journal of this job's own: every byte is read, by an earlier start of it perhaps."""
    with _journaled(task, name, task.folder.path / "work" / f"{name}.sqlite") as part:
        yield part


@contextmanager
def _resumed(task: Task, name: str) -> Iterator[DataPart]:
    """With what earlier jobs digested, unless its manifests are closed: then they are verified."""
    of = RUNFOLDER if name == RUNFOLDER else f"attempt-{task.attempt}.{name}"
    path = journal_path(task.folder.path.parent, task.run, of)
    is_closed = Volumes(Path(task.parameters["manifests"]), name).is_closed()
    if is_closed and not path.exists():
        with opened(task, name) as part:
            yield part
        return
    with _journaled(task, name, path) as part:
        yield part


@contextmanager
def _journaled(task: Task, name: str, path: Path) -> Iterator[DataPart]:
    with held(path) as journal:
        try:
            yield DataPart(task, name, journal)
        except ChecksumError as err:
            if err.code in DIFFERENT:
                journal.discard()
            raise
