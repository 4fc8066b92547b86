"""The rows of jobs: each change and the event that tells of it are one transaction."""

import hashlib
import json
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.store import Store
from arteriole.jobs.jobs import Job, JobState, Outcome

#: Readers with an unknown cursor are given the jobs of so many seconds.
REPLAY_SECONDS = 30 * 24 * 3600


class JobQueue:
    """The jobs of one service.

    Transitions: pending -> started -> done | error | cancelled; pending -> cancelled;
    started -> pending when the process died and the job may run again.
    """

    def __init__(self, store: Store, service: str) -> None:
        self.store = store
        self.service = service
        self.events = EventLog(store, self._replay_from)

    def _replay_from(self) -> int:
        row = self.store.row(
            "SELECT coalesce(min(id), 1) - 1 AS id FROM event WHERE time > ?",
            (times.now(-REPLAY_SECONDS),),
        )
        assert row is not None
        return int(row["id"])

    def earlier(self, key: str, request: dict[str, Any]) -> Job | None:
        """The job that `key` has already; ConflictError as in `submit`."""
        row = self.store.row("SELECT * FROM job WHERE key = ?", (key,))
        return None if row is None else self._repeated(Job.from_row(row), _digest(request))

    def submit(
        self,
        key: str,
        request: dict[str, Any],
        *,
        run: str,
        stage: str,
        attempt: int,
        parameters: dict[str, Any],
        who: str,
        observed: bool = False,
    ) -> Job:
        """Write the job, or return the one that this `key` has already.

        Raises:
            ConflictError: the key was used with another request, or its job failed.
        """
        with self.store.transaction():
            job = self.earlier(key, request)
            if job is not None:
                return job
            cursor = self.store.execute(
                "INSERT INTO job (key, digest, run, stage, attempt, parameters, observed,"
                " state, who, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    _digest(request),
                    run,
                    stage,
                    attempt,
                    json.dumps(parameters),
                    observed,
                    JobState.PENDING.value,
                    who,
                    times.now(),
                ),
            )
            job = self.get(int(cursor.lastrowid or 0))
            self._tell("job_created", job, who)
        return job

    def _repeated(self, job: Job, digest: str) -> Job:
        if job.digest != digest:
            raise ConflictError(
                f"job {job.job_id} was started with this Idempotency-Key and another body",
                code="job.key_reused",
                hint="use a new key for a new request",
            )
        if job.state in (JobState.ERROR, JobState.CANCELLED):
            raise ConflictError(
                f"job {job.job_id} with this key ended {job.state.value}: {job.message}",
                code="job.ended",
                hint=f"arteriole retry {job.run}, or arteriole redo {job.run} --from {job.stage}",
            )
        return job

    def get(self, job_id: int) -> Job:
        row = self.store.row("SELECT * FROM job WHERE id = ?", (job_id,))
        if row is None:
            raise NotFoundError(f"{self.service} has no job {job_id}", code="job.not_found")
        return Job.from_row(row)

    def find(
        self,
        *,
        state: str | None = None,
        run: str | None = None,
        stage: str | None = None,
        attempt: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[Job]:
        """The newest first, of those with an id below `before`."""
        rows = self.store.rows(
            "SELECT * FROM job WHERE (? IS NULL OR state = ?) AND (? IS NULL OR run = ?)"
            " AND (? IS NULL OR stage = ?) AND (? IS NULL OR attempt = ?)"
            " AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
            (state, state, run, run, stage, stage, attempt, attempt, before, before, limit),
        )
        return [Job.from_row(row) for row in rows]

    def in_state(self, state: JobState) -> list[Job]:
        """The oldest first."""
        rows = self.store.rows("SELECT * FROM job WHERE state = ? ORDER BY id", (state.value,))
        return [Job.from_row(row) for row in rows]

    def started(self, job: Job) -> Job:
        with self.store.transaction():
            self.store.execute(
                "UPDATE job SET state = ?, started = ?, starts = starts + 1 WHERE id = ?"
                " AND state = ?",
                (JobState.STARTED.value, times.now(), job.job_id, JobState.PENDING.value),
            )
            self._tell("job_started", job, self.service)
        return self.get(job.job_id)

    def let_pass(self, job: Job, who: str, reason: str) -> bool:
        """Ask nothing of the space on its volume any more; False if it waits for none."""
        with self.store.transaction():
            changed = self.store.execute(
                "UPDATE job SET parameters = json_set(parameters, '$.disk.passed', json('true'))"
                " WHERE id = ? AND state = ? AND json_extract(parameters, '$.disk') IS NOT NULL"
                " AND json_extract(parameters, '$.disk.passed') IS NULL",
                (job.job_id, JobState.PENDING.value),
            ).rowcount
            if changed:
                self._tell("job_let_pass", job, who, reason=reason)
        return changed > 0

    def again(self, job: Job) -> None:
        """The process of `job` died; let it be started once more."""
        with self.store.transaction():
            self.store.execute(
                "UPDATE job SET state = ? WHERE id = ? AND state = ?",
                (JobState.PENDING.value, job.job_id, JobState.STARTED.value),
            )
            self._tell("job_died", job, self.service)

    def ended(self, job: Job, outcome: Outcome) -> None:
        with self.store.transaction():
            changed = self.store.execute(
                "UPDATE job SET state = ?, ended = ?, exit_code = ?, code = ?, message = ?,"
                " hint = ?, result = ? WHERE id = ? AND state IN ('pending', 'started')",
                (
                    outcome.state.value,
                    times.now(),
                    outcome.exit_code,
                    outcome.code,
                    outcome.message,
                    outcome.hint,
                    json.dumps(outcome.result),
                    job.job_id,
                ),
            ).rowcount
            if changed:
                self._tell(
                    "job_finished",
                    job,
                    self.service,
                    state=outcome.state.value,
                    code=outcome.code,
                )
                for what, payload in outcome.result.get("events", {}).items():
                    self._tell(what, job, job.who, **payload)

    def _tell(self, what: str, job: Job, who: str, **more: Any) -> None:
        self.events.append(
            what,
            who=who,
            run=job.run,
            stage=job.stage,
            attempt=job.attempt,
            service=self.service,
            job_id=job.job_id,
            **more,
        )


def _digest(request: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
