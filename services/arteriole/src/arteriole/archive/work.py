"""The worker of an archive job: copy, read back, rename.

Whatever an earlier start left is verified and kept; an archived attempt is never written to.
"""

from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.archive.directory import DirectoryArchive
from arteriole.archive.holding import PARTS, HeldFile, Holding, read_holding
from arteriole.checksum.digests import Meter, each
from arteriole.checksum.listing import list_files
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main


def work(task: Task) -> dict[str, Any]:
    """archive.json, with `destination`, `path` and `already` (it was archived before)."""
    name = task.parameters["name"]
    with exclusive(task, f"{name}/{task.run}.{task.attempt}"):
        return _work(task)


def observe(task: Task) -> dict[str, Any]:
    """`{destination, to, files, bytes}`: of the run folder, as the FASTQs do not exist.

    Raises:
        ArchiveError: the archive's directory is not there, or not even the run folder fits.
    """
    parameters = task.parameters
    archive = DirectoryArchive(Path(parameters["directory"]), task.run, task.attempt)
    files = list_files(Path(parameters["runfolder"]), without_own=True)
    size = sum(found.size for found in files)
    if not archive.final.exists():
        archive.require_free(size)
    return {
        "destination": parameters["name"],
        "to": str(archive.final),
        "files": len(files),
        "bytes": size,
    }


def _work(task: Task) -> dict[str, Any]:
    parameters = task.parameters
    archive = DirectoryArchive(Path(parameters["directory"]), task.run, task.attempt)
    sources = {part: Path(parameters[part]) for part in PARTS}
    holding = read_holding(sources, Path(parameters["manifests"]))
    already = archive.final.exists()
    if already:
        record = _verified(task, archive, holding)
    else:
        record = _archived(task, archive, holding)
    return {
        **record,
        "destination": parameters["name"],
        "path": str(archive.final),
        "already": already,
    }


def _verified(task: Task, archive: DirectoryArchive, holding: Holding) -> dict[str, Any]:
    record = archive.record()
    archive.require_nothing_else(archive.final, holding)
    meter = Meter(task.progress, holding.size)

    def verify(file: HeldFile) -> None:
        archive.verify(archive.final, file, meter)

    each(_largest_first(holding), verify, meter, task.parameters["threads"])
    return record


def _archived(task: Task, archive: DirectoryArchive, holding: Holding) -> dict[str, Any]:
    archive.require_space(holding)
    meter = Meter(task.progress, 2 * holding.size)  # each byte is copied and read back

    def store(file: HeldFile) -> None:
        if not archive.has(file, meter):
            archive.store(file, meter)

    each(_largest_first(holding), store, meter, task.parameters["threads"])
    record = {
        "run": task.run,
        "attempt": task.attempt,
        "files": len(holding.files),
        "bytes": holding.size,
        "manifests": {manifest.path.name: manifest.digest for manifest in holding.manifests},
        "finished": times.now(),
    }
    archive.finish(holding, record)
    return record


def _largest_first(holding: Holding) -> list[HeldFile]:
    return sorted(holding.files, key=lambda file: -file.digest.size)


if __name__ == "__main__":
    main(work, observe)
