"""One process at a time uses a service's state; the kernel ends a claim with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arteriole.app.errors import ConflictError


class StateInUseError(ConflictError):
    """Another process uses this state."""

    code = "serve.running"


def claim(home: Path) -> int:
    """Take the folder `home`, made if needed, for this process; a descriptor that holds it.

    Raises:
        StateInUseError: another process has it.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StateInUseError(
            f"{home} is in use by another arteriole, process {owner or 'unknown'}",
            hint="stop that one, or give this one a state_dir of its own",
        ) from err
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait for the turn of this process to change what lies beside the lock file `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
