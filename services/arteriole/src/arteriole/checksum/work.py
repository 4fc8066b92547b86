"""The worker of a checksum job: reads, compares, writes manifests.

Of the data it reads both folders and writes four manifests; of results two for each unit.
"""

from pathlib import Path
from typing import Any

from arteriole.checksum.attempt_record import require_as_written
from arteriole.checksum.digests import FileDigest, Meter, digest_all
from arteriole.checksum.listing import FoundFile, list_files, require_unchanged
from arteriole.checksum.manifest import Manifest
from arteriole.checksum.parts import Part
from arteriole.checksum.units import list_units, require_units
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main


def work(task: Task) -> dict[str, Any]:
    """`{files, bytes, as_written, manifests: {name: BLAKE3 of the manifest}}`.

    `as_written` counts the FASTQs whose digests are those that the converter recorded.
    Of results: `{units, new, files, bytes}`; `new` had no digests yet, the others were verified.
    """
    if _is_of_results(task):
        with exclusive(task, f"{task.run}.{task.attempt}.results"):
            return _results(task)
    with exclusive(task, f"{task.run}.{task.attempt}"):
        return _work(task)


def observe(task: Task) -> dict[str, Any]:
    """`{files, bytes, to}`: of the run folder, whose listing fails as that of a real job would.

    Of results also `units`, which are none as long as nothing was analysed.
    """
    if _is_of_results(task):
        folder = Path(task.parameters["results"])
        units = list_units(folder) if folder.is_dir() else []
        return {
            "units": len(units),
            "files": sum(len(unit.files) for unit in units),
            "bytes": sum(unit.size for unit in units),
            "to": task.parameters["manifests"],
        }
    files = list_files(Path(task.parameters["runfolder"]), without_own=True)
    return {
        "files": len(files),
        "bytes": sum(found.size for found in files),
        "to": task.parameters["manifests"],
    }


def _is_of_results(task: Task) -> bool:
    return task.parameters.get("part") == Part.RESULTS


def _results(task: Task) -> dict[str, Any]:
    units = require_units(Path(task.parameters["results"]))
    total = sum(unit.size for unit in units)
    meter = Meter(task.progress, total)
    new = 0
    for unit in units:
        digests = _digests(unit.folder, unit.files, meter, task, without_own=False)
        manifests = _manifests(Path(task.parameters["manifests"]), unit.name, digests)
        written = [manifest.write() for manifest in manifests]
        new += any(written)
    task.progress(total, total, "bytes")
    return {
        "units": len(units),
        "new": new,
        "files": sum(len(unit.files) for unit in units),
        "bytes": total,
    }


def _work(task: Task) -> dict[str, Any]:
    folders = {part: Path(task.parameters[part]) for part in ("runfolder", "fastq")}
    listings = {
        part: list_files(folder, without_own=part == "runfolder")
        for part, folder in folders.items()
    }
    total = sum(found.size for files in listings.values() for found in files)
    meter = Meter(task.progress, total)
    digests = {
        part: _digests(folder, listings[part], meter, task, without_own=part == "runfolder")
        for part, folder in folders.items()
    }
    as_written = require_as_written(folders["fastq"], digests["fastq"])
    manifests = [
        manifest
        for part, found in digests.items()
        for manifest in _manifests(Path(task.parameters["manifests"]), part, found)
    ]
    for manifest in manifests:
        manifest.write()
    task.progress(total, total, "bytes")
    return {
        "files": sum(map(len, listings.values())),
        "bytes": total,
        "as_written": as_written,
        "manifests": {manifest.path.name: manifest.digest for manifest in manifests},
    }


def _digests(
    folder: Path, files: list[FoundFile], meter: Meter, task: Task, *, without_own: bool
) -> list[FileDigest]:
    digests = digest_all(folder, files, meter, task.parameters["threads"])
    require_unchanged(folder, files, without_own=without_own)
    return digests


def _manifests(folder: Path, part: str, digests: list[FileDigest]) -> list[Manifest]:
    return [
        Manifest(folder / f"{part}.md5", {digest.name: digest.md5 for digest in digests}),
        Manifest(folder / f"{part}.blake3", {digest.name: digest.blake3 for digest in digests}),
    ]


if __name__ == "__main__":
    main(work, observe)
