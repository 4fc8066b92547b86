"""One job at a time writes to a place, whatever keys the jobs were started with."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from arteriole.jobs.worker import Task, WorkError


@contextmanager
def exclusive(task: Task, place: str) -> Iterator[None]:
    """Hold `place` for this job among all jobs of its service; it is let go if the worker dies.

    Raises:
        WorkError: another job holds it.
    """
    locks = task.folder.path.parent / ".places"
    locks.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(place.encode()).hexdigest()
    descriptor = os.open(locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise WorkError(
                f"another job of this service is at work on {task.run}, attempt {task.attempt}",
                code="job.busy",
                hint="wait for its end, or stop it; then retry",
            ) from err
        yield
    finally:
        os.close(descriptor)
