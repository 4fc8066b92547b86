"""Steps as jobs of Slurm, by sbatch on this machine or on a host behind ssh."""

import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from arteriole.app import times
from arteriole.jobs.executors import scripts
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.step import ExecutorError, Step, StepEnd
from arteriole.jobs.ssh import Host
from arteriole.jobs.worker import note

#: Options that are the executor's own.
_OWN = (
    "--job-name",
    "-J",
    "--output",
    "-o",
    "--error",
    "-e",
    "--wrap",
    "--array",
    "-a",
    "--parsable",
)


def _option(text: str) -> str:
    if not text.startswith("-") or text.partition("=")[0] in _OWN or "\n" in text:
        raise ValueError(
            f"expected an option of sbatch other than {', '.join(_OWN)}; found {text!r}"
        )
    return text


class SlurmSettings(Host):
    """`host` and what belongs to it: where sbatch is; without it, here."""

    #: Jobs of Slurm, by sbatch of `host`.
    type: Literal["slurm"]
    #: More options of sbatch, each in one word: --partition=main, --account=genomics.
    options: list[Annotated[str, AfterValidator(_option)]] = Field(default_factory=list)
    #: Seconds between two looks at the queue.
    poll_seconds: float = Field(default=10.0, gt=0, le=3600)
    #: Seconds for which a job that has left the queue may still be writing its end: what one node
    #: of a cluster writes is seen by others with a delay.
    settle_seconds: float = Field(default=60.0, ge=0, le=3600)
    #: Hours for which a Slurm or a host that does not answer is waited for.
    patience_hours: float = Field(default=12.0, gt=0, le=240)
    #: Most jobs in the queue at once; refused in `bcl2fastq.executor`, where `bcl2fastq.parallel`
    #: counts conversions.
    parallel: int = Field(default=100, ge=1, le=10000)


#: States of jobs that have ended without telling it themselves (squeue(1), JOB STATE CODES).
_ENDED = {
    "BOOT_FAIL": ("slurm.node", "its node failed"),
    "CANCELLED": ("slurm.cancelled", "somebody cancelled it"),
    "DEADLINE": ("slurm.timeout", "it missed its deadline"),
    "NODE_FAIL": ("slurm.node", "its node failed"),
    "OUT_OF_MEMORY": ("slurm.memory", "it needed more memory than it was given"),
    "PREEMPTED": ("slurm.cancelled", "it was preempted"),
    "TIMEOUT": ("slurm.timeout", "it took longer than it was given"),
}
#: And those in which it may write its end any moment now.
_ENDING = ("COMPLETED", "FAILED")


#: So many steps are asked for in one call: behind ssh all of it is one word, of 128 KiB at most.
AT_ONCE = 200


class SlurmExecutor:
    def __init__(self, settings: SlurmSettings, shell: Shell) -> None:
        self._settings = settings
        self._shell = shell
        self.poll_seconds = settings.poll_seconds
        self._missing: dict[str, float] = {}  # since when a step has neither a job nor an end
        self._silent: float | None = None  # since when Slurm does not answer

    def has_room(self, running: list[Step], step: Step) -> bool:
        return len(running) < self._settings.parallel

    def submit(self, step: Step) -> None:
        """NB: sbatch may have failed or succeeded when it does not answer; SUBMIT finds out."""
        while True:
            try:
                self._shell.run(
                    scripts.SUBMIT, step.key, step.folder, step.home, *self._sbatch(step),
                    input_bytes=step.archive(),
                )  # fmt: skip
            except ExecutorError as err:
                self._wait_for_slurm(err)
            else:
                self._silent = None
                note(f"+ {step.key} {step.name}")
                return

    def _sbatch(self, step: Step) -> list[str]:
        minutes = max(1, round(step.hours * 60))
        options = [
            f"--job-name={step.key}",
            f"--output={step.folder}/slurm.out",
            "--requeue",
            "--open-mode=append",
            f"--cpus-per-task={step.cpus}",
            f"--time={minutes}",
        ]
        if step.memory_gb is not None:
            options.append(f"--mem={step.memory_gb}G")
        return [*options, *self._settings.options, f"{step.folder}/run.sh", *step.arguments]

    def _wait_for_slurm(self, err: ExecutorError) -> None:
        if err.code not in ("slurm.unreachable", "executor.unreachable"):
            raise err
        if self._silent is None:
            note(f"{err.code}: {err}; waiting for it")
            self._silent = time.monotonic()
        if time.monotonic() - self._silent > self._settings.patience_hours * 3600:
            raise err
        time.sleep(self.poll_seconds)

    def look(self, steps: list[Step]) -> dict[str, StepEnd]:
        found: dict[str, StepEnd] = {}
        for some in _parts(steps):
            try:
                found |= self._look_at(some)
            except ExecutorError as err:
                self._wait_for_slurm(err)
                return found
        self._silent = None
        return found

    def _look_at(self, steps: list[Step]) -> dict[str, StepEnd]:
        names = ",".join(step.key for step in steps)
        told = self._shell.run(scripts.LOOK, names, *(step.folder for step in steps), quiet=True)
        lines = told.output.splitlines()
        states = dict(line.split()[1:3] for line in lines if line.startswith("queue "))
        ends = [line for line in lines if not line.startswith("queue ")]
        found = {}
        for step, line in zip(steps, ends[-len(steps) :], strict=True):
            end = self._shell.end(step.folder, line) or self._lost(step, states.get(step.key))
            if end is not None:
                self._missing.pop(step.key, None)
                found[step.key] = end
        return found

    def _lost(self, step: Step, state: str | None) -> StepEnd | None:
        """The end of a step that has none of its own: None while one may still come."""
        if state is not None and state not in _ENDED and state not in _ENDING:
            self._missing.pop(step.key, None)
            return None
        since = self._missing.setdefault(step.key, time.monotonic())
        if time.monotonic() - since < self._settings.settle_seconds:
            return None
        code, reason = _ENDED.get(
            state or "", ("slurm.lost", "it has left the queue without an exit code")
        )
        said = self._shell.tail(f"{step.folder}/slurm.out").strip()
        return StepEnd(
            None,
            "",
            times.now(),
            code,
            f"{reason}; Slurm said: {said[-300:]}" if said else reason,
            self._shell.tail(f"{step.folder}/stdout"),
            self._shell.tail(f"{step.folder}/stderr"),
        )

    def cancel(self, steps: list[Step]) -> None:
        for some in _parts(steps):
            self._shell.run(scripts.CANCEL, *(step.key for step in some))

    def end(self, prefix: str) -> None:
        """End all jobs whose names begin with `prefix` and a dash, and wait for their end.

        Raises:
            ExecutorError: one does not end, or it cannot be seen whether one is left.
        """
        while True:
            try:
                self._shell.run(scripts.END, prefix)
            except ExecutorError as err:
                self._wait_for_slurm(err)
            else:
                self._silent = None
                return


def _parts(steps: list[Step]) -> list[list[Step]]:
    return [steps[start : start + AT_ONCE] for start in range(0, len(steps), AT_ONCE)]
