"""A step: one command of a job, which an executor runs once, whatever happens in between.

On the executor's side a step has a folder:

run.sh             how it is run (scripts.RUN)
command            what is run
files/             what the command is given
claim/             made by the first start; `claim/by` is Slurm's id of the job that has it
begun              when the command was started
stdout, stderr     what the command printed
ended              `<exit code> <time>`, by rename: the step has ended
digest             of the step; at its success it becomes `done`, see Step.done
"""

import hashlib
import io
import json
import os
import shlex
import tarfile
from dataclasses import dataclass, field
from typing import Protocol

from arteriole.jobs.executors.scripts import RUN
from arteriole.jobs.worker import WorkError

#: So much of what a step printed is kept here, in bytes.
KEPT = 16 * 1024


def cores_here() -> int:
    """the cores of this machine"""
    return os.cpu_count() or 1


class ExecutorError(WorkError):
    """A step could not be run."""

    code = "executor.failed"


@dataclass(frozen=True)
class Step:
    """`key` is its identity, and Slurm's job name: submitted twice, it runs once.

    Paths are absolute, as the executor sees them.
    """

    key: str
    home: str  # the folder of all steps of one piece of work, of which one runs at a time
    number: int
    name: str
    cwd: str
    command: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)  # name -> text, below files/
    cpus: int = 1
    memory_gb: int | None = None
    hours: float = 24.0

    @property
    def folder(self) -> str:
        return f"{self.home}/{self.key}"

    @property
    def done(self) -> str:
        """A file that holds the digest of the step with this number that was last done."""
        return f"{self.home}/{self.number:02}-{self.name}.done"

    @property
    def digest(self) -> str:
        """Of what is run, whatever the key: equal steps have equal effects."""
        command = [word.replace(self.key, "") for word in self.command]
        what = json.dumps([self.name, self.cwd, command, self.files], sort_keys=True)
        return hashlib.sha256(what.encode()).hexdigest()

    def file(self, name: str) -> str:
        """The path of one of `files`."""
        return f"{self.folder}/files/{name}"

    def archive(self) -> bytes:
        """A tar archive of what the folder holds before the start."""
        target = io.BytesIO()
        command = f"set -- {shlex.join(self.command)}\n"
        contents = {"run.sh": RUN, "command": command, "digest": self.digest + "\n"}
        contents |= {f"files/{name}": text for name, text in self.files.items()}
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, text in contents.items():
                data = text.encode()
                member = tarfile.TarInfo(name)
                member.size = len(data)
                member.mode = 0o640
                archive.addfile(member, io.BytesIO(data))
        return target.getvalue()

    @property
    def arguments(self) -> list[str]:
        """What run.sh is given."""
        return [self.folder, self.cwd, self.done]


@dataclass(frozen=True)
class StepEnd:
    """How a step ended: with an exit code, or without one, and then for a reason.

    Attributes:
        code: of the error that this is; empty if the exit code tells it.
        reason: for a person, where there is no exit code.
        stdout, stderr: the last 16 KiB of each.
    """

    exit_code: int | None
    begun: str
    ended: str
    code: str = ""
    reason: str = ""
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


class Executor(Protocol):
    """Submits, looks at and cancels steps by their keys."""

    #: Seconds between two looks.
    poll_seconds: float

    def has_room(self, running: list[Step], step: Step) -> bool:
        """May `step` be submitted beside those that are running?"""
        ...

    def submit(self, step: Step) -> None:
        """Start the step, unless it was started already; raises ExecutorError."""
        ...

    def look(self, steps: list[Step]) -> dict[str, StepEnd]:
        """Those that have ended, by key."""
        ...

    def cancel(self, steps: list[Step]) -> None:
        """End the steps, and whatever jobs they have submitted themselves."""
        ...
