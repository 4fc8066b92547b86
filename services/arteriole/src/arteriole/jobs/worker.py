"""What a worker process is given, and how it tells what became of it."""

import contextlib
import errno
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.app.pace import Pace
from arteriole.jobs.folder import NO_SPACE, JobFolder

#: At most so many seconds pass between two writings of progress.json.
PROGRESS_INTERVAL = 0.2
#: So much of a tool's output is kept for its caller, in bytes.
OUTPUT_LIMIT = 64 * 1024


class WorkError(ArterioleError):
    """The work failed."""

    code = "job.failed"


class StoppedError(WorkError):
    """The job was asked to stop, and what it had begun elsewhere was ended."""

    code = "job.stopped"


@dataclass(frozen=True)
class Finished:
    """A command that ended; `output` is its stdout and stderr, at most the last 64 KiB."""

    exit_code: int
    output: str


def note(text: str) -> None:
    """Write to the job's log; no work fails because the log's disk is full."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{text}\n".encode("utf-8", "replace"))


class Task:
    """The job as its worker sees it; `parameters` are those that the service resolved."""

    def __init__(self, folder: JobFolder, lock: int) -> None:
        task = folder.read("task.json")
        assert task is not None, "the service writes task.json before the start"
        self.folder = folder
        self.job_id: int = task["job_id"]
        self.run: str = task["run"]
        self.stage: str = task["stage"]
        self.attempt: int = task["attempt"]
        self.observe: bool = task.get("observe", False)
        #: It is started only to end what an earlier start has begun elsewhere.
        self.stopping: bool = task.get("stopping", False)
        self.parameters: dict[str, Any] = task["parameters"]
        self.remarks: dict[str, str] = {}
        self._lock = lock
        self._told = 0.0
        self._pace: Pace | None = None

    @property
    def lock_fds(self) -> tuple[int, ...]:
        """What a process is to inherit so that the job counts as alive while it lives."""
        return (self._lock,)

    def progress(self, done: int, total: int, unit: str) -> None:
        """Tell how far it is; cheap enough to be called often."""
        now = time.monotonic()
        if done >= total or now - self._told >= PROGRESS_INTERVAL:
            self._told = now
            word = (time.time(), done, total, unit)
            self._pace = self._pace.told(*word) if self._pace else Pace.begin(*word)
            document = {"done": done, "total": total, "unit": unit, **self._pace.document()}
            with contextlib.suppress(OSError):  # no work fails because its progress is not seen
                self.folder.write("progress.json", document, durable=False)

    def remark(self, code: str, message: str, hint: str = "") -> None:
        """What people should know of the job although it succeeds."""
        self.remarks = {"code": code, "message": message, "hint": hint}

    def command(
        self,
        arguments: list[str],
        *,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input_bytes: bytes = b"",
        watch: Callable[[str], bool] | None = None,
        shown: str | None = None,
        quiet: bool = False,
    ) -> Finished:
        """Run a tool (a list, never a shell string) in the job's process group.

        It inherits the job's lock, so that the job counts as alive while the tool is.

        Args:
            watch: is given each line as it comes (they end at a newline or carriage return); True
                leaves it out of log and output. Not together with `input_bytes`.
            shown: stands in the log for the arguments.
            quiet: leaves command and output out of the log.

        Raises:
            WorkError: the tool is missing, or had not ended after `timeout` seconds.
        """
        if not quiet:
            note(f"+ {json.dumps(arguments) if shown is None else shown}")
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=None if environment is None else {**os.environ, **environment},
                cwd=cwd,
                pass_fds=self.lock_fds,
            )
        except OSError as err:
            raise _missing(arguments[0], err.strerror) from err
        try:
            if watch is None:
                output, _ = process.communicate(input_bytes, timeout)
            else:
                output = _follow(process, timeout, watch)
        except subprocess.TimeoutExpired as err:
            process.kill()
            process.communicate()
            raise WorkError(
                f"{arguments[0]} had not ended after {timeout:.0f} s and was stopped",
                code="tool.timeout",
            ) from err
        text = output[-OUTPUT_LIMIT:].decode("utf-8", "replace")
        if not quiet:
            note(text.removesuffix("\n"))
        return Finished(process.returncode, text)


def require_tool(program: str) -> None:
    """WorkError, as `Task.command` has it, if `program` cannot be run."""
    if shutil.which(program) is None:
        raise _missing(program, os.strerror(errno.ENOENT))


def _missing(program: str, reason: str | None) -> WorkError:
    return WorkError(
        f"cannot run {program}: {reason}",
        code="tool.missing",
        hint=f"install {Path(program).name}, or name its path in arteriole.yaml",
    )


def _follow(
    process: subprocess.Popen[bytes], timeout: float, watch: Callable[[str], bool]
) -> bytes:
    """The lines that `watch` did not take; subprocess.TimeoutExpired after `timeout` seconds."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.stdin = None
    deadline = time.monotonic() + timeout
    kept, rest = b"", b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(deadline - time.monotonic()):
                raise subprocess.TimeoutExpired(process.args, timeout)
            piece = os.read(process.stdout.fileno(), 65536)
            *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
            for line in lines if piece else [*lines, rest]:
                if line and not watch(line.decode("utf-8", "replace")):
                    kept = (kept + line + b"\n")[-OUTPUT_LIMIT:]
            if not piece:
                break
    process.wait(max(0.0, deadline - time.monotonic()))
    process.stdout.close()
    return kept


def _obey_stop(folder: JobFolder, supervisor: int) -> None:
    """Once the supervisor is gone nobody else sees that the job was asked to stop."""
    while os.getppid() == supervisor or not folder.asked_to_stop():
        time.sleep(0.5)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGTERM)


def _unforeseen(err: Exception) -> dict[str, str]:
    if isinstance(err, OSError) and err.errno in NO_SPACE:
        return {
            "code": "disk.full",
            "message": f"no space is left to write {err.filename or 'a file'}: {err.strerror}",
            "hint": "make room there, then retry",
        }
    return {
        "code": "job.failed",
        "message": f"{type(err).__name__}: {err}",
        "hint": "the job's log has the details",
    }


def _observed(task: Task, observe: Callable[[Task], dict[str, Any]] | None) -> dict[str, Any]:
    if observe is None:
        raise WorkError("this kind of job cannot observe", code="job.cannot_observe")
    return observe(task)


def main(
    work: Callable[[Task], dict[str, Any]],
    observe: Callable[[Task], dict[str, Any]] | None = None,
) -> None:
    """Run `work` on the folder and lock named on the command line; its value is the job's result.

    A job that observes runs `observe` instead, which writes nothing outside the job's folder; what
    it returns becomes the result `{"would": ...}`.

    An ArterioleError ends the job `error` with its code, message and hint; anything else does so
    with `job.failed` and leaves its traceback in the log.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = JobFolder(Path(sys.argv[1]))
    outcome: dict[str, Any] = {"ok": True, "code": "", "message": "", "hint": "", "result": {}}
    try:
        task = Task(folder, int(sys.argv[2]))
        if not task.stopping:
            watch = threading.Thread(target=_obey_stop, args=(folder, os.getppid()), daemon=True)
            watch.start()
        outcome["result"] = {"would": _observed(task, observe)} if task.observe else work(task)
        outcome |= task.remarks
    except ArterioleError as err:
        note(f"{err.code}: {err}")
        outcome |= {"ok": False, "code": err.code, "message": str(err), "hint": err.hint}
    except Exception as err:
        note(traceback.format_exc())
        outcome |= {"ok": False, **_unforeseen(err)}
    folder.write_when_there_is_room("outcome.json", outcome)
    sys.exit(0 if outcome["ok"] else 1)
