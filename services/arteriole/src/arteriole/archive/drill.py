"""A drill: files of an archived attempt are brought back, verified, and removed again."""

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from arteriole.archive import restore
from arteriole.archive.archive import StoredFile
from arteriole.archive.restore import Stored
from arteriole.checksum.digests import Meter
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task


def work(task: Task) -> dict[str, Any]:
    """`{destination, files, bytes, of}`: of so many files of the attempt so many came back whole.

    Raises:
        ArchiveError: they are not as the manifests have them, or cannot be read.
        RestoreError: there is no room for them.
    """
    scratch = Path(task.parameters["restore"])
    with exclusive(task, scratch.name):
        shutil.rmtree(scratch, ignore_errors=True)  # of an earlier start
        chosen, of = _chosen(task)
        try:
            restore.require_room(task, [chosen])
            restore.bring_back(task, chosen, Meter(task.progress, 2 * chosen.size))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return _told(task, chosen, of)


def observe(task: Task) -> dict[str, Any]:
    """What `work` tells, of the files that it would bring back."""
    chosen, of = _chosen(task)
    restore.require_room(task, [chosen])
    return _told(task, chosen, of)


def choose(files: list[StoredFile], seed: int, most: int, size: int) -> list[StoredFile]:
    """At random, but the same for a `seed`: at most `most` files of `size` bytes in all.

    If none is that small, the smallest.
    """
    chosen: list[StoredFile] = []
    for file in random.Random(seed).sample(files, len(files)):
        if len(chosen) < most and file.digest.size <= size:
            chosen.append(file)
            size -= file.digest.size
    return chosen or sorted(files, key=lambda file: file.digest.size)[:1]


def _chosen(task: Task) -> tuple[Stored, int]:
    """What is to be brought back, and how many files it was chosen of."""
    drill = task.parameters["drill"]
    stored = random.Random(drill["seed"]).choice(restore.find(task))  # one of several units
    files = choose(stored.files, drill["seed"], drill["files"], drill["bytes"])
    final = Path(task.parameters["restore"]) / "drill"
    return replace(stored.narrowed({file.name for file in files}), final=final), len(stored.files)


def _told(task: Task, chosen: Stored, of: int) -> dict[str, Any]:
    return {
        "destination": task.parameters["name"],
        "files": len(chosen.files),
        "bytes": chosen.size,
        "of": of,
    }
