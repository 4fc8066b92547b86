"""A conversion as a job of Slurm: ordered, followed and ended from here, done by node.py there.

Below the attempt's partial folder, which has the same path on the nodes:

order/      a JobFolder: task.json is what to convert; progress.json and outcome.json come back
<key>/      the step's folder (jobs/executors/step.py)
start-*/    what one start has written: Slurm starts a job again after its node has died, and a
            node that only seemed to be dead writes into a folder that nobody looks at

NB: nothing is published there. The folder that a start names is judged here, as any other.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from arteriole.app.application import VERSION
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.cluster_settings import ClusterSettings
from arteriole.bcl2fastq.converters import ConversionError, ConversionResult
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.slurm import SlurmExecutor
from arteriole.jobs.executors.step import ExecutorError, Step, StepEnd
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.supervisor import ENVIRONMENT
from arteriole.jobs.worker import Task, note

ORDER = "order"
#: Of a start's folder.
PREFIX = "start-"
NODE = "arteriole.bcl2fastq.node"
#: So much of what a job prints is copied to the log at once, in bytes.
_PIECE = 64 * 1024
_RESULT = TypeAdapter(ConversionResult)
Found = TypeVar("Found")


def other_version(found: str, expected: str = VERSION) -> ConversionError:
    """The node has another version of this distribution than the service."""
    return ConversionError(
        f"expected arteriole {expected} on the node, as in the service; found {found[:40]}",
        hint="install this version where bcl2fastq.executor.python is, then retry",
        field="executor",
        code="convert.node_version",
    )


class OnCluster:
    """One attempt's conversion by one job of the service; `key` is the attempt's.

    Whoever dies, the order in the partial folder tells the next start which job of Slurm it is to
    find again.
    """

    def __init__(self, task: Task, attempt: Attempt, key: str, sheet_sha256: str) -> None:
        self._task = task
        self._attempt = attempt
        self._key = key
        self._settings = ClusterSettings.model_validate(task.parameters["executor"])
        self._shell = Shell(task, self._settings, patience_hours=self._settings.patience_hours)
        self._executor = SlurmExecutor(self._settings, self._shell)
        self._wanted = {**task.parameters, "sheet_sha256": sheet_sha256}
        self._partial = attempt.partial(task.job_id)
        self._order = JobFolder(self._partial / ORDER)

    def end_earlier(self) -> None:
        """End every job of Slurm for this attempt; none is left, or ExecutorError is raised."""
        self._executor.end(self._key)

    def begin(self) -> None:
        """Write the order, unless an earlier start of this job wrote the same.

        NB: jobs of other orders are ended first, as they would write where `begin` clears.
        """
        found = self._order.read("task.json")
        if found is not None and found["parameters"] == self._wanted:
            note("it was ordered by an earlier start of this job")
            return
        self.end_earlier()
        self._attempt.begin(self._task.job_id)
        task = self._task
        self._order.prepare(
            {
                "job_id": task.job_id,
                "run": task.run,
                "stage": task.stage,
                "attempt": task.attempt,
                "parameters": self._wanted,
                "version": VERSION,
                "token": secrets.token_hex(8),
            }
        )

    def convert(self) -> tuple[Path, ConversionResult]:
        """The folder with what was written, and what that is.

        Raises:
            ConversionError: as the converter raised it on the node.
            ExecutorError: the job did not come to its end, or Slurm does not do as asked.
        """
        step = self._step()
        try:
            self._executor.submit(step)
            end = self._followed(step)
        except BaseException:
            self._executor.cancel([step])
            raise
        if not end.ok:  # a node that only seemed dead may have ended it while another goes on
            with contextlib.suppress(ExecutorError):
                self._executor.cancel([step])
        return self._judged(end, step)

    def _step(self) -> Step:
        order = self._order.read("task.json")
        assert order is not None, "begin has written it"
        settings = self._settings
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        command = ["env", *variables, str(settings.python), "-m", NODE, str(self._order.path)]
        return Step(
            key=f"{self._key}-{order['token']}",
            home=str(self._partial),
            number=0,
            name="convert",
            cwd=str(self._order.path),
            command=(*command, "0"),  # where a worker has its lock; of stdin nobody will use it
            cpus=self._task.parameters["threads"],
            memory_gb=settings.memory_gb,
            hours=settings.hours,
        )

    def _followed(self, step: Step) -> StepEnd:
        said = [_Said(Path(step.folder, name)) for name in ("stdout", "stderr")]
        while True:
            ends = self._executor.look([step])
            self._tell_progress()
            for file in said:
                file.tell(to_the_end=step.key in ends)
            if step.key in ends:
                return ends[step.key]
            time.sleep(self._executor.poll_seconds)

    def _tell_progress(self) -> None:
        with contextlib.suppress(OSError):  # it is only shown
            if (found := self._order.progress()) is not None:
                self._task.progress(found["done"], found["total"], found["unit"])

    def _judged(self, end: StepEnd, step: Step) -> tuple[Path, ConversionResult]:
        if end.exit_code is None:
            raise ExecutorError(
                f"the conversion's job {step.key}: {end.reason}",
                code=end.code,
                hint=f"arteriole retry {self._task.run}",
            )
        outcome = self._seen(lambda: self._order.read("outcome.json"))
        if outcome is not None and not outcome["ok"]:
            raise ConversionError(outcome["message"], code=outcome["code"], hint=outcome["hint"])
        if outcome is None or not end.ok:
            raise ExecutorError(
                f"the conversion ended with exit code {end.exit_code} on the node and told nothing",
                code="step.died",
                hint="the job's log has its last words; 126 and 127: bcl2fastq.executor.python is"
                " not on the node; 137: out of memory (bcl2fastq.executor.memory_gb)?",
            )
        return self._written(outcome["result"])

    def _written(self, told: dict[str, Any]) -> tuple[Path, ConversionResult]:
        name = str(told.get("folder"))
        try:
            result = _RESULT.validate_python(told.get("result"))
        except ValidationError as err:
            raise other_version("a result of another form") from err
        if not re.fullmatch(f"{PREFIX}[0-9a-f]+", name):
            raise other_version(f"the folder {name!r}")
        folder = self._partial / name

        def all_there() -> bool | None:
            sizes = (_size(folder / file.path) == file.size for file in result.files)
            return all(sizes) or None

        self._seen(all_there)  # NB: what is still missing then, `complete` tells
        return folder, result

    def _seen(self, look: Callable[[], Found | None]) -> Found | None:
        """What `look` finds: what one node writes is seen by others with a delay."""
        deadline = time.monotonic() + self._settings.settle_seconds
        while True:
            with contextlib.suppress(OSError):
                if (found := look()) is not None:
                    return found
            if time.monotonic() > deadline:
                return None
            time.sleep(self._executor.poll_seconds)


class _Said:
    """A file that grows while the job prints; its lines go to the log as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def tell(self, *, to_the_end: bool) -> None:
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            file.seek(self._at)
            while piece := file.read(_PIECE):
                if not to_the_end and len(piece) < _PIECE:
                    piece = piece[: piece.rfind(b"\n") + 1]
                if not piece:
                    return
                self._at += len(piece)
                file.seek(self._at)
                note(piece.decode("utf-8", "replace").removesuffix("\n"))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
