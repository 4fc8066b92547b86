"""What is done with an attempt after its manifests were closed; they never change."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from arteriole.checksum.catching_up import digest_listed
from arteriole.checksum.data import DataPart, digest, opened
from arteriole.checksum.digests import Meter
from arteriole.checksum.listing import FoundFile
from arteriole.checksum.places import FASTQ, RUNFOLDER
from arteriole.checksum.small_files import small_files
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task


def verify(task: Task) -> dict[str, Any]:
    """`{files, bytes, late}`: every byte was read; `late` are files of the run in no manifest.

    Raises:
        ChecksumError: a file is not as it was recorded, is gone, or is a FASTQ that came later.
    """
    with ExitStack() as stack:
        parts = [stack.enter_context(opened(task, name)) for name in (RUNFOLDER, FASTQ)]
        result = digest(task, parts)
        for part in parts:
            part.volumes.compare(part.journal)
            if part.name == FASTQ and (late := part.journal.late()):
                raise part.volumes.differs(late)
        late_files = sum(part.journal.count_late() for part in parts)
        for part in parts:
            part.journal.discard()
    return {"files": result["files"], "bytes": result["bytes"], "late": late_files}


def addendum(task: Task) -> dict[str, Any]:
    """`{files, bytes, manifests}`: what came after the run folder's manifests were closed.

    What one manifest of an addendum has, and its other lacks, counts as such. The other files are
    not looked at; where there is nothing, nothing is written.

    Raises:
        ChecksumError: a file cannot be read, is still written to, or is not as half an addendum
            has it.
    """
    with exclusive(task, f"{task.run}.{task.attempt}"), opened(task, RUNFOLDER) as part:
        part.volumes.load(part.journal)
        with small_files(task.parameters["threads"]) as small:
            part.journal.take_listing(small.counted(_late(part)))
            files, size = part.journal.count()
            meter = Meter(task.progress, size, part.journal.count_known()[1])
            digest_listed(part.folder, part.journal, meter, small, lambda: _late(part))
        manifests = part.volumes.append(part.journal)
        part.journal.discard()
        return {"files": files, "bytes": size, "manifests": manifests}


def _late(part: DataPart) -> Iterator[FoundFile]:
    """What is in no manifest, or in that of one kind only."""
    return (found for found in part.walk() if not part.journal.has_recorded(found.name))
