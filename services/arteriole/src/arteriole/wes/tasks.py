"""What became of each step, for people and for clients of GA4GH WES: `tasks.json` of the job."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from arteriole.jobs.executors.step import Step, StepEnd
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job

FILE = "tasks.json"


@dataclass(frozen=True)
class TaskRecord:
    """`state`: running, done, failed, kept (an earlier try did it) or stopped (its job ended)."""

    id: str
    unit: str
    step: str
    sample: str
    command: list[str]
    state: str
    begun: str = ""
    ended: str = ""
    exit_code: int | None = None
    message: str = ""
    stdout: str = ""
    stderr: str = ""


class TaskRecords:
    """The records of a job, in `folder`; each change is written by rename."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._records = {record.id: record for record in read_tasks(folder)}

    def begun(self, unit: str, step: Step, sample: str, *, kept: bool = False) -> None:
        if kept and step.key in self._records:  # this very job did it, before it was started again
            return
        self._records[step.key] = TaskRecord(
            step.key,
            unit,
            step.name,
            sample,
            list(step.command),
            "kept" if kept else "running",
        )
        self._write()

    def ended(self, step: Step, end: StepEnd) -> None:
        self._records[step.key] = replace(
            self._records[step.key],
            state="done" if end.ok else "failed",
            begun=end.begun,
            ended=end.ended,
            exit_code=end.exit_code,
            message=end.reason,
            stdout=end.stdout,
            stderr=end.stderr,
        )
        self._write()

    def _write(self) -> None:
        self._folder.write(
            FILE, {"tasks": [asdict(one) for one in self._records.values()]}, durable=False
        )


def read_tasks(folder: JobFolder) -> list[TaskRecord]:
    """Those of a job; none if it has not begun."""
    found: dict[str, Any] = folder.read(FILE) or {"tasks": []}
    return [TaskRecord(**row) for row in found["tasks"]]


def tasks_of(job: Job, folder: JobFolder) -> list[TaskRecord]:
    """Those of a job as it is now: nothing runs of one that has ended, however it did."""
    return [
        replace(one, state="stopped", message=one.message or "its job ended before it")
        if job.state.ended and one.state == "running"
        else one
        for one in read_tasks(folder)
    ]
