"""Steps as containers of a Docker engine on this machine, found again by their names."""

import contextlib
import hashlib
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests
from docker.errors import APIError
from docker.models.containers import Container

from arteriole.app import times
from arteriole.jobs.executors import scripts
from arteriole.jobs.executors.docker_settings import DockerSettings
from arteriole.jobs.executors.engine import (
    KILLED,
    LIVE,
    UnreachableError,
    confined,
    engine,
    find,
    remove,
)
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.step import KEPT, Step, StepEnd
from arteriole.jobs.worker import note

#: Labels of our containers: the key of the step, and of what work it is one.
STEP_LABEL = "org.arteriole.step"
WORK_LABEL = "org.arteriole.work"
#: A container that has ended is kept for so long for whoever started it.
LEFT_SECONDS = 24 * 3600
OUT_OF_MEMORY = "it was killed, as what needs more memory than its memory_gb is"


class DockerExecutor:
    """A step is a container with the step's key as name: made twice, it is the same one.

    Containers do not end with whoever started them. They have no network, a root file system that
    is only read, and no capability; they can write to the unit's work folder and to /tmp.
    """

    def __init__(self, settings: DockerSettings, shell: Shell) -> None:
        self._settings = settings
        self._shell = shell
        self.poll_seconds = settings.poll_seconds
        self._silent: float | None = None  # since when the engine does not answer

    def _engine(self) -> contextlib.AbstractContextManager[Any]:
        return engine(self._settings.engine)

    def has_room(self, running: list[Step], step: Step) -> bool:
        used = sum(one.cpus for one in running)
        return not running or used + step.cpus <= self._settings.cores

    def submit(self, step: Step) -> None:
        while True:
            try:
                self._start(step)
            except UnreachableError as err:
                self._wait_for_engine(err)
            else:
                self._silent = None
                return

    def _start(self, step: Step) -> None:
        if self._ends([step])[step.key] is not None:
            return
        with self._engine() as containers:
            container = find(containers, step.key)
            if container is None:
                _end_earlier(containers, step)
                _tidy(containers)
                self._shell.run(scripts.UNPACK, step.folder, input_bytes=step.archive())
                container = self._create(containers, step)
                note(f"+ {step.key} {step.name}")
            if container.status == "created":
                container.start()

    def _create(self, containers: Any, step: Step) -> Container:
        work = os.path.dirname(step.home)  # noqa: PTH120 - a path as the executor sees it
        binds = [f"{path}:{path}:ro" for path in self._settings.mounts] + [f"{work}:{work}:rw"]
        try:
            return containers.create(
                self._settings.image,
                ["sh", f"{step.folder}/run.sh", *step.arguments],
                name=step.key,
                labels={STEP_LABEL: step.key, WORK_LABEL: _label(step)},
                entrypoint=[],
                environment={"HOME": "/tmp"},
                volumes=binds,
                **confined(step.cpus, step.memory_gb),
            )
        except APIError as err:
            if err.status_code == requests.codes.conflict and (found := find(containers, step.key)):
                return found
            raise

    def _wait_for_engine(self, err: UnreachableError) -> None:
        if self._silent is None:
            note(f"{err.code}: {err}; waiting for it")
            self._silent = time.monotonic()
        if time.monotonic() - self._silent > self._settings.patience_hours * 3600:
            raise err
        time.sleep(self.poll_seconds)

    def look(self, steps: list[Step]) -> dict[str, StepEnd]:
        try:
            with self._engine() as containers:
                found = self._ended(steps, {s.key: find(containers, s.key) for s in steps})
        except UnreachableError as err:
            self._wait_for_engine(err)
            return {}
        self._silent = None
        return found

    def _ended(
        self, steps: list[Step], containers: dict[str, Container | None]
    ) -> dict[str, StepEnd]:
        ends = self._ends(steps)  # NB: after the containers, as one writes its end before it ends
        found = {}
        for step in steps:
            container = containers[step.key]
            state = container.attrs["State"] if container is not None else None
            end = ends[step.key]
            if end is None:
                end = self._without_end(step, container, state)
            elif end.exit_code == KILLED and step.memory_gb is not None:
                end = replace(end, code="docker.memory", reason=OUT_OF_MEMORY)
            if end is not None:
                found[step.key] = end
                if container is not None:
                    remove(container)
        return found

    def _ends(self, steps: list[Step]) -> dict[str, StepEnd | None]:
        told = self._shell.run(scripts.ENDS, *(step.folder for step in steps), quiet=True)
        lines = told.output.splitlines()[-len(steps) :]
        pairs = zip(steps, lines, strict=True)
        return {step.key: self._shell.end(step.folder, line) for step, line in pairs}

    def _without_end(
        self, step: Step, container: Container | None, state: dict[str, Any] | None
    ) -> StepEnd | None:
        """The end of a step that has left none of its own; None while one may still come."""
        if container is None or state is None:
            return self._died(step, "docker.died", "its container is gone", "")
        if state["Status"] in LIVE:
            if _seconds_since(state["StartedAt"]) < step.hours * 3600:
                return None
            return self._died(step, "docker.timeout", f"it took more than {step.hours:g} hours", "")
        said = container.logs(tail=20).decode("utf-8", "replace").strip()
        if state.get("OOMKilled"):
            return self._died(step, "docker.memory", OUT_OF_MEMORY, said)
        reason = f"its container ended ({state['ExitCode']}) and left no exit code"
        return self._died(step, "docker.died", reason, said or state.get("Error", ""))

    def _died(self, step: Step, code: str, reason: str, said: str) -> StepEnd:
        return StepEnd(
            None,
            "",
            times.now(),
            code,
            f"{reason}; Docker said: {said[-300:]}" if said else reason,
            self._shell.tail(f"{step.folder}/stdout")[-KEPT:],
            self._shell.tail(f"{step.folder}/stderr")[-KEPT:],
        )

    def cancel(self, steps: list[Step]) -> None:
        with self._engine() as containers:
            for step in steps:
                if (container := find(containers, step.key)) is not None:
                    remove(container)


def _end_earlier(containers: Any, step: Step) -> None:
    """A container of the same work under another key would write to the same files."""
    labels = {"label": f"{WORK_LABEL}={_label(step)}"}
    for container in containers.list(all=True, filters=labels):
        if container.name != step.key:
            remove(container)


def _tidy(containers: Any) -> None:
    """Take away what ended long ago and whose end nobody was there to see."""
    for container in containers.list(all=True, filters={"label": STEP_LABEL, "status": "exited"}):
        if _seconds_since(container.attrs["State"]["FinishedAt"]) > LEFT_SECONDS:
            remove(container)


def _label(step: Step) -> str:
    """Of all steps of one piece of work; a digest, since paths hold names."""
    return hashlib.sha256(step.home.encode()).hexdigest()[:32]


def _seconds_since(moment: str) -> float:
    """Since a moment as the engine tells it, in UTC; 0 if it has not come (year 1)."""
    then = datetime.fromisoformat(moment[:19]).replace(tzinfo=UTC)
    return 0.0 if then.year == 1 else (datetime.now(UTC) - then).total_seconds()
