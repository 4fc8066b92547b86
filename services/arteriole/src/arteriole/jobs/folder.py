"""The folder of a job: all that passes between service, supervisor and worker.

task.json      what to do, written by the service before the start
lock           held (flock) by the supervisor and the worker while either lives
progress.json  {done, total, unit}, and {per_second, ends} once that is known, by the worker
outcome.json   {ok, code, message, hint, result}, by the worker
stop           written by the service to ask for the end
result.json    {state, exit_code, code, message, hint, result}, by the supervisor, at the end
log            what worker and tools print
"""

import errno
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from arteriole.jobs.jobs import JobState, Outcome

#: What a full disk or a used-up quota says.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
#: The code of a job that was stopped.
STOPPED = "job.stopped"
#: Seconds between two attempts to write what must not be lost.
PATIENCE = 1.0


def state_of(outcome: dict[str, Any]) -> JobState:
    """The state of a job whose worker left this outcome.json."""
    if outcome["ok"]:
        return JobState.DONE
    return JobState.CANCELLED if outcome["code"] == STOPPED else JobState.ERROR


class JobFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        return self.path / "log"

    def prepare(self, task: dict[str, Any]) -> None:
        """Make the folder ready for a start; what an earlier start left is removed."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("progress.json", "outcome.json", "result.json"):
            (self.path / name).unlink(missing_ok=True)
        if not task.get("stopping"):
            (self.path / "stop").unlink(missing_ok=True)
        self.write("task.json", task)

    def lock(self) -> int | None:
        """A descriptor that holds the lock, or None when a living process has it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def held(self) -> bool:
        descriptor = self.lock()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def ask_to_stop(self) -> None:
        if self.path.is_dir():
            (self.path / "stop").touch()

    def asked_to_stop(self) -> bool:
        return (self.path / "stop").exists()

    def progress(self) -> dict[str, Any] | None:
        return self.read("progress.json")

    def outcome(self) -> Outcome | None:
        """What the supervisor left, or None while there is no end."""
        found = self.read("result.json")
        if found is None:
            return None
        return Outcome(
            state=JobState(found["state"]),
            exit_code=found["exit_code"],
            code=found["code"],
            message=found["message"],
            hint=found["hint"],
            result=found["result"],
        )

    def orphaned_outcome(self) -> Outcome | None:
        """What a worker left whose supervisor died before it; NB: only when the lock is free."""
        found = self.read("outcome.json")
        if found is None:
            return None
        return Outcome(
            state_of(found), None, found["code"], found["message"], found["hint"], found["result"]
        )

    def write(self, name: str, document: dict[str, Any], *, durable: bool = True) -> None:
        """Write by rename, so that a reader sees all or nothing."""
        partial = self.path / f".{name}.partial"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        partial.rename(self.path / name)

    def write_when_there_is_room(self, name: str, document: dict[str, Any]) -> None:
        """`write`, again and again while the disk is full: the end of a job is not lost to it."""
        while True:
            try:
                self.write(name, document)
            except OSError as err:
                if err.errno not in NO_SPACE:
                    raise
                time.sleep(PATIENCE)
            else:
                return

    def read(self, name: str) -> dict[str, Any] | None:
        """None if it is not there, or not whole: only a machine that lost power leaves that."""
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None
