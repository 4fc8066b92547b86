"""A job: what was asked, and how far it is. The row is the truth, processes come and go."""

import enum
import json
import sqlite3
from dataclasses import dataclass
from typing import Any


class JobState(enum.StrEnum):
    """Arteria's names."""

    PENDING = "pending"
    STARTED = "started"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.ERROR, JobState.CANCELLED)


@dataclass(frozen=True)
class Outcome:
    """How a job ended, as its worker or its supervisor tells.

    `code` is empty for a success, unless there is something to say of it; `message` and `hint` are
    for a person.
    """

    state: JobState
    exit_code: int | None
    code: str
    message: str
    hint: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Job:
    job_id: int
    key: str
    digest: str
    run: str
    stage: str
    attempt: int
    parameters: dict[str, Any]
    observed: bool  # it only works out what it would do
    state: JobState
    starts: int
    who: str
    created: str
    started: str | None
    ended: str | None
    exit_code: int | None
    code: str
    message: str
    hint: str
    result: dict[str, Any]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Job":
        return cls(
            job_id=row["id"],
            key=row["key"],
            digest=row["digest"],
            run=row["run"],
            stage=row["stage"],
            attempt=row["attempt"],
            parameters=json.loads(row["parameters"]),
            observed=bool(row["observed"]),
            state=JobState(row["state"]),
            starts=row["starts"],
            who=row["who"],
            created=row["created"],
            started=row["started"],
            ended=row["ended"],
            exit_code=row["exit_code"],
            code=row["code"],
            message=row["message"],
            hint=row["hint"],
            result=json.loads(row["result"]),
        )

    def document(self) -> dict[str, Any]:
        """As `GET /api/1.0/status/<job_id>` shows it, without progress and link."""
        return {
            "job_id": self.job_id,
            "run": self.run,
            "stage": self.stage,
            "attempt": self.attempt,
            "observed": self.observed,
            "state": self.state.value,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "exit_code": self.exit_code,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "result": self.result,
            "key": self.key,
        }
