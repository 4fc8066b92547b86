"""Processes that outlive st2solo: each runs under a small supervisor and leaves a result file.

A process has a folder. While its supervisor lives, the supervisor holds a lock on the file `lock`
there; at the end the folder has `result.json`. So after a restart it is certain what became of a
process, and no process identifier is trusted for longer than its lock is held.
"""

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from st2solo.fork_server import ForkServer
from st2solo.runners.protocol import OUTPUT_FILE, Command, Ended
from st2solo.runners.python_script import CHILD

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
#: What is kept of each stream of a process that has printed too much.
_END_BYTES = 8 * 1024


class Fate(Enum):
    """What a folder tells about its process."""

    #: Its supervisor lives.
    RUNNING = "running"
    #: It ended and left its result.
    FINISHED = "finished"
    #: It was never started.
    UNBORN = "unborn"
    #: It was started and is gone without a result.
    DEAD = "dead"


class Processes:
    """The processes of executions, by execution identifier. All methods run in the event loop."""

    def __init__(self, work_dir: Path, grace_seconds: float, max_result_size: int) -> None:
        work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._work_dir = work_dir
        self._grace = grace_seconds
        self._most = max_result_size
        #: Called with an identifier before what the process has written is removed.
        self.before_removal: Callable[[str], None] = lambda _: None
        self._fork_server = ForkServer(self._answered)
        #: Those whose supervisor is not known yet, and whom to tell of their end.
        self._awaited: dict[str, Callable[[str], None]] = {}
        self._watched: dict[str, int] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def folder(self, execution_id: str) -> Path:
        return self._work_dir / execution_id

    def make_folder(self, execution_id: str) -> Path:
        """An empty private folder; what an earlier start left in it is removed."""
        folder = self.folder(execution_id)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        return folder

    def start(self, execution_id: str, command: Command, ended: Callable[[str], None]) -> None:
        """Start a process in its folder; `ended` is called with the identifier when it is over.

        Raises:
            OSError: the supervisor could not be started.
        """
        folder = self.folder(execution_id)
        forks = self._fork_server.can_fork(command)
        order = {
            "argv": command.argv,
            "env": command.env,
            "cwd": command.cwd,
            "timeout": command.timeout,
            "grace": self._grace,
            "most_printed": self._most,
            "stdin": command.stdin,
            "forks": forks,
            "imports_from": command.imports_from,
        }
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        given = os.memfd_create("order")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with os.fdopen(given, "w", encoding="utf-8", closefd=False) as file:
                json.dump(order, file)
            os.lseek(given, 0, os.SEEK_SET)
            # a program is no reason to start the fork server, but its supervisor may be forked
            asked = forks or self._fork_server.pid is not None
            if asked and self._fork_server.ask(folder, lock, given):
                self._awaited[execution_id] = ended
            else:
                pid = _spawn(folder, given, lock)
                self._watch(execution_id, os.pidfd_open(pid), ended)
        finally:
            os.close(given)
            os.close(lock)

    def _answered(self, execution_id: str, pidfd: int | None) -> None:
        ended = self._awaited.pop(execution_id)
        if pidfd is None:
            self.adopt(execution_id, ended)
        else:
            self._watch(execution_id, pidfd, ended)

    def adopt(self, execution_id: str, ended: Callable[[str], None]) -> None:
        """Watch a process that an earlier st2solo started, or a fork server that has died."""
        self._awaited.pop(execution_id, None)
        pid_file = self.folder(execution_id) / "supervisor.pid"
        try:
            pidfd = os.pidfd_open(int(pid_file.read_text()))
        except (OSError, ValueError):
            pidfd = None
        if self.fate(execution_id) is not Fate.RUNNING:
            if pidfd is not None:
                os.close(pidfd)
            asyncio.get_running_loop().call_soon(ended, execution_id)
        elif pidfd is None:  # it has not written its identifier yet
            self._awaited[execution_id] = ended
            self._again(self.adopt, execution_id, ended)
        else:
            self._watch(execution_id, pidfd, ended)

    def _watch(self, execution_id: str, pidfd: int, ended: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(pidfd)
            with suppress(ChildProcessError):  # of another parent
                os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
            self._watched.pop(execution_id, None)
            ended(execution_id)

        self._watched[execution_id] = pidfd
        loop.add_reader(pidfd, gone)

    def _again(self, call: Callable[..., object], *arguments: object) -> None:
        def run() -> None:
            self._timers.discard(timer)
            call(*arguments)

        timer = asyncio.get_running_loop().call_later(_POLL_SECONDS, run)
        self._timers.add(timer)

    def fate(self, execution_id: str) -> Fate:
        """What became of the process, from its folder alone."""
        folder = self.folder(execution_id)
        if _locked(folder / "lock"):
            return Fate.RUNNING
        if (folder / "result.json").exists():
            return Fate.FINISHED
        return Fate.DEAD if (folder / "started").exists() else Fate.UNBORN

    def stop(self, execution_id: str) -> bool:
        """Ask the supervisor to end its process group; False when it is not running (yet)."""
        pidfd = self._watched.get(execution_id)
        if pidfd is None and execution_id not in self._awaited:
            return False
        # signals that come before the supervisor listens would end it without a result
        if pidfd is None or not (self.folder(execution_id) / "started").exists():
            self._again(self.stop, execution_id)
            return True
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        return True

    def ended(self, execution_id: str) -> Ended:
        """How a finished process ended; no more is read than what may be printed and returned.

        Raises:
            OSError, ValueError, RecursionError: there is no result, or it cannot be read.
        """
        folder = self.folder(execution_id)
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
        output = folder / OUTPUT_FILE
        excess = self._excess(folder, stopped=result.get("too_much", False))
        streams = [_end(folder / n) if excess else _text(folder / n) for n in ("stdout", "stderr")]
        return Ended(
            exit_code=result["exit_code"],
            stdout=streams[0],
            stderr=streams[1],
            timed_out=result["timed_out"],
            killed=result["killed"],
            timeout=result["timeout"],
            error=excess or result.get("error"),
            output=json.loads(output.read_text()) if output.exists() and not excess else None,
            too_much=excess is not None,
        )

    def _excess(self, folder: Path, *, stopped: bool) -> str | None:
        """The sentence that tells that a process has printed or returned too much."""
        printed, returned = _printed(folder), _size(folder / OUTPUT_FILE)
        allowed = f"more than the {self._most:,} bytes that max_result_size of st2solo.yaml allows"
        if stopped:
            return (
                f"the action has printed {printed:,} bytes, {allowed}; it was stopped, so what it"
                " did may be half done"
            )
        if printed > self._most:
            return f"the action has printed {printed:,} bytes, {allowed}; it had come to its end"
        if returned > self._most:
            return f"the action has returned {returned:,} bytes, {allowed}; what it did is done"
        return None

    def output_so_far(self, execution_id: str) -> tuple[str, str]:
        """The standard output and error that a running process has written."""
        folder = self.folder(execution_id)
        return _text(folder / "stdout", self._most), _text(folder / "stderr", self._most)

    def kill_orphan(self, execution_id: str) -> None:
        """End what a killed supervisor has left running, if it is certainly that process."""
        with suppress(OSError, ValueError):
            identity = (self.folder(execution_id) / "action.pid").read_text()
            if _is_same(identity):
                os.killpg(int(identity.split()[0]), signal.SIGKILL)

    def remove(self, execution_id: str) -> None:
        """Forget a process and remove its folder."""
        self.before_removal(execution_id)
        shutil.rmtree(self.folder(execution_id), ignore_errors=True)

    def watched(self) -> list[str]:
        """The identifiers of those whose end is waited for."""
        return [*self._awaited, *self._watched]

    def folders(self) -> list[str]:
        """The identifiers that have a folder."""
        return [entry.name for entry in self._work_dir.iterdir() if entry.is_dir()]

    def close(self) -> None:
        """Stop watching; the processes go on."""
        loop = asyncio.get_running_loop()
        self._fork_server.close()
        for timer in self._timers:
            timer.cancel()
        for pidfd in self._watched.values():
            loop.remove_reader(pidfd)
            os.close(pidfd)
        self._watched.clear()


def _spawn(folder: Path, order: int, lock: int) -> int:
    os.set_inheritable(lock, True)
    log = str(folder / "supervisor.log")
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", str(CHILD / "supervisor.py"), str(folder)],
        {"LC_ALL": "C.UTF-8"},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, order, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _is_same(identity: str) -> bool:
    """Whether the process lives that `action.pid` names (`_identity` in child/supervisor.py)."""
    pid, started, boot = identity.split()
    stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    here = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return (stat.rpartition(")")[2].split()[19], here) == (started, boot)


def _locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _text(path: Path, most: int = -1) -> str:
    """The text of a file, or that of its first bytes."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return file.read(most).decode("utf-8", "replace")


def _printed(folder: Path) -> int:
    """How much a process has printed, as its supervisor counts it."""
    names = ("*stdout", "*stderr")
    return sum(path.stat().st_size for name in names for path in folder.glob(name))


def _end(path: Path) -> str:
    """The last of a long text; of a shorter one all."""
    size = _size(path)
    if size <= _END_BYTES:
        return _text(path)
    with path.open("rb") as file:
        file.seek(size - _END_BYTES)
        return f"[the last of {size:,} bytes] " + file.read(_END_BYTES).decode("utf-8", "replace")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
