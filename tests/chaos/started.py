"""What an st2solo has started: its supervisors and all below them, found without any name.

A supervisor is known by its last argument, a folder in the work folder of that one st2solo; what
runs below it by its parents.
"""

import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path


def supervisors(work: Path) -> dict[int, str]:
    """The process identifiers of those that run for this work folder, and their folders' names."""
    return {pid: name for pid in _pids() if (name := _folder(pid, work))}


def kill_all(work: Path) -> set[str]:
    """kill -9 of all supervisors and all below them, until there are none.

    The st2solo is gone already. The supervisors are stopped first: one that lives would record
    that its action was killed.

    Returns:
        The names of the supervisors' folders, which are the identifiers of executions.
    """
    killed: set[str] = set()
    while found := supervisors(work):
        killed |= set(found.values())
        _kill_families(list(found), work)
        for pid in found:
            while _folder(pid, work):  # no longer, once it has let go of its memory
                os.sched_yield()
    return killed


def _kill_families(found: list[int], work: Path) -> None:
    with ExitStack() as opened:
        above = _opened(opened, found, lambda pid: bool(_folder(pid, work)))
        for pidfd in above:
            _send(pidfd, signal.SIGSTOP)
        family = _below(found)
        parents = {*found, *family}
        below = _opened(opened, family, lambda pid: _parent(pid) in parents)
        for pidfd in (*above, *below):
            _send(pidfd, signal.SIGKILL)


def _pids() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _folder(pid: int, work: Path) -> str:
    """The name of a supervisor's folder; empty if the process is none, or none any more."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    last = Path(os.fsdecode(words[-1]))
    return last.name if len(words) > 1 and last.parent == work else ""


def _below(pids: list[int]) -> list[int]:
    children = defaultdict(list)
    for pid in _pids():
        children[_parent(pid)].append(pid)
    found, waiting = [], list(pids)
    while waiting:
        direct = children[waiting.pop()]
        found += direct
        waiting += direct
    return found


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _opened(opened: ExitStack, pids: list[int], still: Callable[[int], bool]) -> list[int]:
    """A descriptor of each that is `still` what it was: it cannot be taken for another then."""
    found = []
    for pid in pids:
        with suppress(ProcessLookupError):
            pidfd = os.pidfd_open(pid)
            opened.callback(os.close, pidfd)
            if still(pid):
                found.append(pidfd)
    return found


def _send(pidfd: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, number)
