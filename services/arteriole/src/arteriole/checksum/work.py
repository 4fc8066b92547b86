"""The worker of a checksum job: reads, compares, writes manifests.

Of the data it reads both folders and writes four manifests; of results two for each unit.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arteriole.checksum import data
from arteriole.checksum.catching_up import is_read_again
from arteriole.checksum.digests import FileDigest, Meter, digest_all
from arteriole.checksum.journal import DamagedJournalError
from arteriole.checksum.listing import require_unchanged, walk_files
from arteriole.checksum.manifest import Manifest
from arteriole.checksum.parts import DigestedPart
from arteriole.checksum.units import Unit, list_units, require_units
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main, note


def work(task: Task) -> dict[str, Any]:
    """Of data as `data.work` has it, of a verb as its function does.

    Of results: `{units, new, files, bytes}`; `new` had no digests yet, the others were verified.
    """
    try:
        return _work(task)
    except DamagedJournalError as err:
        note(f"{err}; it is begun anew")
        task.remark(err.code, str(err), err.hint)
        return _work(task)


def _work(task: Task) -> dict[str, Any]:
    if (verb := task.parameters.get("verb")) is not None:
        return _deed(verb)(task)
    if _is_of_results(task):
        with exclusive(task, f"{task.run}.{task.attempt}.results"):
            return _results(task)
    return data.work(task)


def observe(task: Task) -> dict[str, Any]:
    """`{files, bytes, to}`: of the run folder, whose listing fails as that of a real job would.

    Of results also `units`, which are none as long as nothing was analysed.
    """
    to = task.parameters["manifests"]
    if _is_of_results(task):
        folder = Path(task.parameters["results"])
        units = list_units(folder) if folder.is_dir() else []
        return {
            "units": len(units),
            "files": sum(len(unit.files) for unit in units),
            "bytes": sum(unit.size for unit in units),
            "to": to,
        }
    folder = Path(task.parameters["runfolder"])
    if task.parameters.get("verb") == "early":
        from arteriole.checksum import early

        files = early.final_files(folder)
    else:
        files = walk_files(folder, without_own=True)
    count = size = 0
    for found in files:
        count, size = count + 1, size + found.size
    return {"files": count, "bytes": size, "to": to}


def _deed(verb: str) -> Callable[[Task], dict[str, Any]]:
    """What is no stage of a run; a stage's job begins without importing it."""
    from arteriole.checksum import early, later

    return {"early": early.work, "verify": later.verify, "addendum": later.addendum}[verb]


def _is_of_results(task: Task) -> bool:
    return bool(task.parameters.get("part") == DigestedPart.RESULTS)


def _results(task: Task) -> dict[str, Any]:
    units = require_units(Path(task.parameters["results"]))
    total = sum(unit.size for unit in units)
    meter = Meter(task.progress, total)
    new = 0
    for unit in units:
        digests = _digests(unit, meter, task.parameters["threads"])
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


def _digests(unit: Unit, meter: Meter, threads: int) -> list[FileDigest]:
    """Of every file, by name; `digest_listed` does the same with a journal."""
    made: dict[str, FileDigest] = {}
    files = left = unit.files
    for reading in itertools.count(1):
        made |= {one.name: one for one in digest_all(unit.folder, left, meter, threads)}
        before, files = files, require_unchanged(unit.folder, files)
        left = sorted(set(files) - set(before))
        if not is_read_again(unit.folder, [found.name for found in left], reading):
            break
        meter.add(-sum(found.size for found in left))
    return [made[found.name] for found in files]


def _manifests(folder: Path, part: str, digests: list[FileDigest]) -> list[Manifest]:
    return [
        Manifest(folder / f"{part}.md5", {digest.name: digest.md5 for digest in digests}),
        Manifest(folder / f"{part}.blake3", {digest.name: digest.blake3 for digest in digests}),
    ]


if __name__ == "__main__":
    main(work, observe)
