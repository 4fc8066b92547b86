"""Runs one command, apart from st2solo, and leaves what became of it in a folder.

    python -I -S supervisor.py FOLDER        (what to run comes as JSON on the standard input)

Or the fork server forks a supervisor, which calls `supervise`. What to run is {argv, env, cwd,
timeout, grace, most_printed, stdin, forks, imports_from}; the last two are for the fork server,
`most_printed` is in bytes; a command that prints more is ended. The folder
receives `supervisor.pid`, `started` (before the command is started), `action.pid` (its process
identifier, the time of its start and the boot, which together no other process ever has),
`stdout`, `stderr` and, by rename at the end, `result.json`: {exit_code, timed_out, killed,
too_much, timeout, error}. A lock on the file `lock` is inherited from st2solo and is held as long
as this process lives. SIGTERM ends the command and all of its process group. Standard library
only, Python 3.8 syntax.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import IO, Any, Callable, Protocol

    class Process(Protocol):
        """The command as its supervisor sees it."""

        pid: int

        @property
        def returncode(self) -> int | None:
            """The exit code, or minus the signal; None until `poll` has seen the end."""

        def poll(self) -> int | None:
            """The same, of this moment."""

    Start = Callable[[dict[str, Any], IO[bytes], IO[bytes]], Process]


_ROOM_SECONDS = 1.0
#: So often it is looked at how much a command has printed.
_LOOK_SECONDS = 0.25
_PRINTED = ("stdout", "stderr")
#: A longer timeout than this is none; select takes no more.
_LONGEST_TIMEOUT = 10 * 365 * 24 * 3600.0


def _write(path: str, text: str, sync: bool = False) -> None:
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 - importing pathlib takes time


def _write_certainly(path: str, text: str) -> None:
    """Write and wait for room on a full disk: what a command did cannot be done again."""
    while True:
        try:
            _write(path, text, sync=True)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            time.sleep(_ROOM_SECONDS)
        else:
            return


def input_file(text: str) -> int:
    """The command's standard input, in memory: it may hold secrets."""
    descriptor = os.memfd_create("stdin")
    data = text.encode("utf-8")
    while data:
        data = data[os.write(descriptor, data) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class _Signals:
    """SIGCHLD and SIGTERM as bytes of a pipe that `wait` reads."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def wait(self, seconds: float | None) -> set[int]:
        ready, _, _ = select.select([self._read], [], [], seconds)
        return set(os.read(self._read, 64)) if ready else set()


def execute(job: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> Process:
    """Start the command as a program of its own."""
    return subprocess.Popen(
        job["argv"],
        env=job["env"],
        cwd=job["cwd"],
        stdin=input_file(job["stdin"]),
        stdout=out,
        stderr=err,
        start_new_session=True,
    )


def _identity(pid: int) -> str:
    """The process identifier, the start in ticks since the boot (proc(5)), and which boot."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        started = file.read().rpartition(")")[2].split()[19]
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return f"{pid} {started} {file.read().strip()}"


def _kill_group(process: Process, signals: _Signals, grace: float) -> None:
    """SIGTERM, then SIGKILL to what is left of the command's process group."""
    group = process.pid
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, None)):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            break
        end = None if patience is None else time.monotonic() + patience
        while process.poll() is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            signals.wait(left)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def printed(folder: str) -> int:
    """How many bytes a command has printed, also into such files of its own for several hosts."""
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(_PRINTED))
    except OSError:  # it is looked at again
        return 0


def _until(end: float | None) -> float:
    """How long to wait at most: until the end, or until it is looked at again."""
    return _LOOK_SECONDS if end is None else min(_LOOK_SECONDS, end - time.monotonic())


def _run(folder: str, job: dict[str, Any], start: Start) -> dict[str, Any]:
    signals = _Signals()
    timeout = job["timeout"]
    outcome = {"exit_code": None, "timed_out": False, "killed": False, "timeout": timeout}
    outcome["too_much"] = False
    _write_certainly(folder + "/started", "")
    try:
        with open(folder + "/stdout", "wb") as out, open(folder + "/stderr", "wb") as err:
            process = start(job, out, err)
    except (OSError, ValueError, OverflowError) as error:
        outcome["error"] = str(error)
        return outcome
    with contextlib.suppress(OSError):  # on a full disk the command goes on without it
        _write(folder + "/action.pid", _identity(process.pid))
    end = None if timeout is None else time.monotonic() + min(timeout, _LONGEST_TIMEOUT)
    while process.poll() is None:
        left = _until(end)
        if left <= 0:
            outcome["timed_out"] = True
            _kill_group(process, signals, 0)
        elif printed(folder) > job["most_printed"]:
            outcome["too_much"] = True
            _kill_group(process, signals, 0)
        elif signal.SIGTERM in signals.wait(left) and process.poll() is None:
            outcome["killed"] = True
            _kill_group(process, signals, job["grace"])
    outcome["exit_code"] = process.returncode
    return outcome


def supervise(folder: str, text: str, start: Start = execute) -> None:
    """Run what the text says; `start` starts the command."""
    if not text:
        return  # st2solo died before it had said what to run
    job = json.loads(text)
    _write_certainly(folder + "/supervisor.pid", str(os.getpid()))
    _write_certainly(folder + "/result.json", json.dumps(_run(folder, job, start)))


if __name__ == "__main__":
    supervise(sys.argv[1], sys.stdin.read())
