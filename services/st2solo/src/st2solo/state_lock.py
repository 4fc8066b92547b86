"""One st2solo a state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from st2solo.errors import St2SoloError


class StateInUseError(St2SoloError):
    """Another st2solo serves this state folder."""


@contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold the lock of a state folder; a process that dies lets it go.

    Raises:
        StateInUseError: another process holds it.
    """
    path = state / "serve.lock"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise StateInUseError(
                f"the state folder {state} is in use by another st2solo"
                f" (process {holder or 'unknown'}, by {path}); stop that one, or set `state` in"
                " st2solo.yaml to another folder"
            ) from err
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
