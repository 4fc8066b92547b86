"""The worker of an analysis job: each unit step by step, units beside each other.

Whatever was done by an earlier start or try is found and not done again: results that are there,
steps that succeeded, jobs in the queue.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel

from arteriole.app import times
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.executors import ExecutorSettings, find
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.step import Executor, ExecutorError, Step, StepEnd
from arteriole.jobs.worker import Finished, StoppedError, Task, main, note, require_tool
from arteriole.wes import scripts
from arteriole.wes.errors import AnalysisError
from arteriole.wes.settings import Pipeline
from arteriole.wes.steps import INPUTS, Places, Unfolded
from arteriole.wes.tasks import TaskRecords
from arteriole.wes.units import Held, Unit, earlier_digest_of

RECORD = "analysis.json"
#: So many of the last lines that a failed step printed are told.
LAST_LINES = 5
LINE = 200


class Parameters(BaseModel):
    """What WesKind.parameters gives."""

    epoch: str
    data_root: str
    work_root: str
    results_root: str
    ssh: str
    units: list[Unit]
    held: list[Held]
    left_out: int
    pipelines: dict[str, Pipeline]
    executors: dict[str, ExecutorSettings]


@dataclass
class Failure:
    """Why a unit came to nothing."""

    unit: Unit
    step: str
    sample: str
    code: str
    message: str

    @property
    def text(self) -> str:
        whose = f" of sample {self.sample}" if self.sample else ""
        where = f"step {self.step}{whose}: " if self.step else ""
        return f"{self.unit.name}: {where}{self.message}"


@dataclass
class UnitWork:
    """How far a unit is; `at` is the number of its next step."""

    unit: Unit
    unfolded: Unfolded
    steps: list[Step]
    executor: Executor
    shell: Shell
    at: int = 0
    digests: tuple[str, ...] = ()  # of results that are its own
    looked: bool = False  # whether its results are there already
    waiting: bool = False  # for a script of an earlier start that publishes its results
    anew: bool = False  # a step was done in this start, so those after it are too
    running: Step | None = None
    already: bool = False
    ended: bool = False
    commands: list[dict[str, Any]] = field(default_factory=list)


class Analysis:
    def __init__(self, task: Task, parameters: Parameters) -> None:
        self._task = task
        self._parameters = parameters
        self._records = TaskRecords(task.folder)
        self._failures: list[Failure] = []
        attempt = f"attempt-{task.attempt}"
        self._places = Places(
            data=PurePosixPath(parameters.data_root),
            work=PurePosixPath(parameters.work_root) / task.run / attempt,
            results=PurePosixPath(parameters.results_root) / task.run / attempt,
            run=task.run,
            attempt=task.attempt,
        )
        self._works = self._units()

    def _units(self) -> list[UnitWork]:
        sides = {
            name: find(settings, self._task, self._parameters.ssh)
            for name, settings in self._parameters.executors.items()
        }
        works = []
        for number, unit in enumerate(self._parameters.units, start=1):
            entry = self._parameters.pipelines[unit.pipeline]
            prefix = f"aw-{self._parameters.epoch}-{self._task.job_id}-{number}"
            unfolded = Unfolded(unit, entry, self._places, prefix)
            work = UnitWork(unit, unfolded, unfolded.steps(), *sides[entry.executor])
            work.digests = (unit.digest, earlier_digest_of(unit, entry))
            works.append(work)
        return works

    def run(self) -> dict[str, Any]:
        """Raises AnalysisError if a unit failed; the others have gone to their end then."""
        try:
            while not all(work.ended for work in self._works):
                self._advance()
        except BaseException:
            self._cancel()
            raise
        if self._failures:
            raise self._failed()
        return {
            "units": [
                {
                    "unit": work.unit.name,
                    "pipeline": work.unit.pipeline,
                    "group": work.unit.group,
                    "samples": len(work.unit.samples),
                    "already": work.already,
                }
                for work in self._works
            ],
            "held": [held.model_dump() for held in self._parameters.held],
            "left_out": self._parameters.left_out,
            "path": str(self._places.results),
        }

    def _advance(self) -> None:
        """Begin what may begin, then look at what runs."""
        for work in self._works:
            if not work.ended and work.running is None:
                self._next(work)
        self._tell()
        for executor in {id(work.executor): work.executor for work in self._works}.values():
            running = [w for w in self._works if w.running is not None and w.executor is executor]
            steps = [work.running for work in running if work.running is not None]
            if not steps:
                continue
            ends = executor.look(steps)
            for work in running:
                if work.running is not None and work.running.key in ends:
                    self._step_ended(work, work.running, ends[work.running.key])
            if not ends:
                time.sleep(executor.poll_seconds)

    def _next(self, work: UnitWork) -> None:
        if not work.looked:
            self._look(work)
        if work.ended or not work.looked:
            return
        while work.at < len(work.steps):
            step = work.steps[work.at]
            if not self._has_room(work, step):
                return  # NB: first, so that what waits costs no call
            if not work.anew and work.shell.read(step.done).strip() == step.digest:
                self._records.begun(work.unit.name, step, work.unfolded.samples[work.at], kept=True)
                work.at += 1
                continue
            self._begin(work, step)
            return
        self._publish(work)

    def _has_room(self, work: UnitWork, step: Step) -> bool:
        beside = [
            other.running
            for other in self._works
            if other.running is not None and other.executor is work.executor
        ]
        return work.executor.has_room(beside, step)

    def _begin(self, work: UnitWork, step: Step) -> None:
        work.anew = True
        work.running = step  # NB: first, so that a stop in the middle of it ends it too
        self._records.begun(work.unit.name, step, work.unfolded.samples[work.at])
        try:
            work.executor.submit(step)
        except ExecutorError as err:
            work.running = None
            self._fail(work, step.name, work.unfolded.samples[work.at], err.code, str(err))

    def _step_ended(self, work: UnitWork, step: Step, end: StepEnd) -> None:
        self._records.ended(step, end)
        work.running = None
        if end.ok:
            work.at += 1
            return
        code = end.code or ("analysis.inputs" if step.name == INPUTS else "analysis.step")
        reason = end.reason or f"exit code {end.exit_code}"
        said = last_lines(end.stderr) or last_lines(end.stdout)
        name = step.name.partition(".")[0]
        sample = work.unfolded.samples[step.number]
        self._fail(work, name, sample, code, f"{reason}: {said}" if said else reason)

    def _fail(self, work: UnitWork, step: str, sample: str, code: str, message: str) -> None:
        failure = Failure(work.unit, step, sample, code, message)
        note(f"{code}: {failure.text}")
        self._failures.append(failure)
        work.ended = True

    def _look(self, work: UnitWork) -> None:
        """End it if the results are there already: well if they are its own."""
        folder = str(self._places.results / work.unit.name)
        done = work.shell.run(
            scripts.FOUND,
            str(self._places.of_unit(work.unit.name)),
            folder,
            accepted=(0, scripts.BUSY),
            quiet=True,
            patient=True,
        )
        if self._busy(work, done):
            return
        work.looked = True
        found = done.output.split()[-1]
        if found in work.digests:
            work.already = work.ended = True
        elif found != scripts.NOTHING:
            self._fail_as_other(work)

    def _busy(self, work: UnitWork, done: Finished) -> bool:
        """Whether a script that nobody hears any more publishes the results; then come again."""
        busy = done.exit_code == scripts.BUSY
        if busy and not work.waiting:
            note(f"{work.unit.name}: an earlier start still publishes its results; waiting for it")
        work.waiting = busy
        return busy

    def _fail_as_other(self, work: UnitWork) -> None:
        path = f"{self._places.results / work.unit.name}/{RECORD}"
        self._fail(
            work,
            "",
            "",
            "analysis.other_inputs",
            f"{path} is of other inputs or of another definition of the pipeline;"
            " results never change",
        )

    def _publish(self, work: UnitWork) -> None:
        unit = work.unit
        record = {
            **unit.model_dump(),
            "run": self._task.run,
            "attempt": self._task.attempt,
            "unit": unit.name,
            "finished": times.now(),
            "steps": [
                {"name": step.name, "key": step.key, "command": list(step.command)}
                for step in work.steps
            ],
        }
        text = json.dumps(record, indent=1).encode()  # NB: as FOUND reads it
        try:
            done = work.shell.run(
                scripts.PUBLISH,
                str(self._places.of_unit(unit.name)),
                work.unfolded.results,
                str(self._places.results),
                unit.name,
                str(len(text)),
                *work.digests,
                input_bytes=text,
                accepted=(0, scripts.NO_RESULTS, scripts.OTHER_RESULTS, scripts.BUSY),
                quiet=True,
                patient=True,
            )
        except ExecutorError as err:
            self._fail(work, "", "", err.code, str(err))
            return
        if self._busy(work, done):
            return
        if done.exit_code == scripts.OTHER_RESULTS:
            self._fail_as_other(work)
        elif done.exit_code == scripts.NO_RESULTS:
            self._fail(
                work,
                "",
                "",
                "analysis.no_results",
                f"every step succeeded, but {work.unfolded.results} holds no file",
            )
        work.ended = True

    def _tell(self) -> None:
        total = sum(len(work.steps) + 1 for work in self._works)
        done = sum(len(work.steps) + 1 if work.ended else work.at for work in self._works)
        self._task.progress(done, total, "steps")

    def _cancel(self) -> None:
        """End what runs."""
        self._end([work.running for work in self._works if work.running is not None])

    def cancel_all(self) -> None:
        """End whatever may run, of a worker that was not there to end it."""
        self._end([step for work in self._works for step in work.steps])

    def _end(self, steps: list[Step]) -> None:
        wanted = {step.key for step in steps}
        for executor in {id(work.executor): work.executor for work in self._works}.values():
            its = [step for work in self._works if work.executor is executor for step in work.steps]
            executor.cancel([step for step in its if step.key in wanted])

    def _failed(self) -> AnalysisError:
        first = self._failures[0]
        count, total = len(self._failures), len(self._works)
        others = total - count
        return AnalysisError(
            f"{count} of {total} analyses failed, {others} succeeded; {first.text}",
            code=first.code,
            hint=f"see what the steps printed: arteriole steps {self._task.run}; when it is mended:"
            f" arteriole retry {self._task.run}",
        )


def last_lines(text: str) -> str:
    """The last few lines of what a step printed, in one line."""
    lines = [" ".join(line.split())[-LINE:] for line in text.splitlines() if line.strip()]
    clean = ("".join(c if c.isprintable() else "?" for c in line) for line in lines[-LAST_LINES:])
    return " | ".join(clean)


def work(task: Task) -> dict[str, Any]:
    """`{units: [{unit, pipeline, group, samples, already}], held: [{sample, reason}], left_out,
    path}`.

    Raises:
        AnalysisError: a unit failed; the message names the sample, the step, its last lines.
    """
    with exclusive(task, f"{task.run}.{task.attempt}"):
        analysis = Analysis(task, Parameters.model_validate(task.parameters))
        if task.stopping:
            analysis.cancel_all()
            raise StoppedError("it was stopped")
        return analysis.run()


def observe(task: Task) -> dict[str, Any]:
    """`{pipelines, to}`; WorkError if a program that would be run here is missing."""
    parameters = Parameters.model_validate(task.parameters)
    for entry in parameters.pipelines.values():
        if parameters.executors[entry.executor].type == "process":
            programs = [step.command[0] for step in entry.steps]
            programs += [] if entry.nextflow is None else [entry.nextflow.program]
            for program in programs:
                if "{" not in program:
                    require_tool(program)
    return {
        "pipelines": {name: entry.version for name, entry in parameters.pipelines.items()},
        "to": f"{parameters.results_root}/{task.run}/attempt-{task.attempt}",
    }


if __name__ == "__main__":
    main(work, observe)
