"""What one process used: time, CPU time and peak memory, those of its children included."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LOG_TOLD = 2000


class MeasureError(Exception):
    """A measured process failed; the message ends with what it said last."""


@dataclass(frozen=True)
class Usage:
    """CPU seconds (user and system), the largest resident set in MiB, and seconds by the clock."""

    cpu: float
    memory: float
    wall: float


@dataclass(frozen=True)
class Contender:
    """Something to measure.

    Attributes:
        command: given an empty folder of its own, what to run; not measured itself.
    """

    name: str
    command: Callable[[Path], list[str]]


def run(command: Sequence[str], log: Path) -> Usage:
    """Run a command in the repository's root, its output to `log`.

    NB: Linux counts the memory of the process that starts another to that of the other until it
    is replaced, so whoever calls this must stay small: runs are simulated by a process of their
    own.

    Raises:
        MeasureError: it cannot be started, or failed.
    """
    begun = time.perf_counter()
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
            )
        except OSError as err:
            raise MeasureError(f"cannot run {command[0]}: {err.strerror}") from err
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace")[-_LOG_TOLD:]
        raise MeasureError(f"{command[0]} ended with {process.returncode}:\n{said}")
    return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, wall)


def alternate(contenders: Sequence[Contender], runs: int, scratch: Path) -> list[list[Usage]]:
    """Measure each in turn, `runs` times over.

    Returns:
        The usages of each contender; none of one that failed, unless it is the first.

    Raises:
        MeasureError: the first, which is ours, failed.
    """
    used: list[list[Usage]] = [[] for _ in contenders]
    out = set(range(len(contenders)))
    for _ in range(runs):
        for place in sorted(out):
            try:
                used[place].append(_once(contenders[place], scratch))
            except MeasureError as err:
                if not place:
                    raise
                print(f"{contenders[place].name} is left out: {err}", file=sys.stderr)
                used[place].clear()
                out.remove(place)
    return used


def _once(contender: Contender, scratch: Path) -> Usage:
    folder = scratch / "measured"
    folder.mkdir()
    try:
        return run(contender.command(folder), scratch / "measured.log")
    finally:
        shutil.rmtree(folder)
