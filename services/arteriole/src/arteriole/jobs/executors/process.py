"""Steps as processes of this machine."""

import os
import subprocess
from typing import Literal

from pydantic import Field

from arteriole.app import times
from arteriole.app.config import Section
from arteriole.jobs.executors import scripts
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.step import Step, StepEnd, cores_here
from arteriole.jobs.worker import Task, note


class ProcessSettings(Section):
    #: Steps are processes of this machine.
    type: Literal["process"] = "process"
    #: Steps run beside each other as long as their `cpus` are no more than this.
    cores: int = Field(default_factory=cores_here, ge=1, le=4096)


class ProcessExecutor:
    """NB: its processes hold the lock of the job, so while one lives no second start is made."""

    poll_seconds = 0.05

    def __init__(self, settings: ProcessSettings, task: Task, shell: Shell) -> None:
        self._settings = settings
        self._task = task
        self._shell = shell
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def has_room(self, running: list[Step], step: Step) -> bool:
        used = sum(one.cpus for one in running)
        return not running or used + step.cpus <= self._settings.cores

    def submit(self, step: Step) -> None:
        if step.key in self._processes or self._end(step) is not None:
            return
        self._shell.run(scripts.UNPACK, step.folder, input_bytes=step.archive())
        note(f"+ {step.key} {step.name}")
        self._processes[step.key] = subprocess.Popen(
            ["sh", f"{step.folder}/run.sh", *step.arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=self._task.lock_fds,
            env={name: value for name, value in os.environ.items() if name != "SLURM_JOB_ID"},
        )

    def look(self, steps: list[Step]) -> dict[str, StepEnd]:
        ended = {}
        for step in steps:
            process = self._processes.get(step.key)
            if process is not None and process.poll() is None:
                continue
            end = self._end(step)
            if end is None:
                code = process.returncode if process is not None else None
                end = StepEnd(
                    None,
                    times.now(),
                    times.now(),
                    "step.died",
                    f"its process ended ({code}) and left no exit code: killed, or a full disk",
                )
            ended[step.key] = end
        return ended

    def _end(self, step: Step) -> StepEnd | None:
        return self._shell.end(
            step.folder, self._shell.run(scripts.ENDS, step.folder, quiet=True).output
        )

    def cancel(self, steps: list[Step]) -> None:
        """Nothing: the supervisor ends the whole process group of the job."""
