"""What may happen to a stage: begin, attach, end, release, retry, accept.

Each is one transaction, with the events that tell of it; fan-in is decided here and nowhere else.
"""

from typing import Any

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.app.store import Store
from arteriole.runfolder.records import Run, Stage
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.states import TRANSITIONS, StageState
from arteriole.runfolder.verdict import VerdictKind

#: So often a stage is given to a new execution after the one that had begun it ended without a job.
RELEASES = 3

#: Seconds without a change after which an unmarked run's data may be made anew, if it was once:
#: an instrument that goes on writes every few minutes.
STILL = 30 * 60

#: The end of a stage that only worked out what would be done.
OBSERVED = "run.observed"


class Stages:
    """The stages of `runs`; a begin without a job holds for `lease` seconds."""

    def __init__(self, runs: Runs, lease: float) -> None:
        self._runs = runs
        self._store: Store = runs.store
        self._lease = lease

    def settle(self, name: str, who: str) -> None:
        """Emit what follows from a change, in its transaction.

        That is `stage_ready` once a stage, and at the end `run_done`, or `run_observed` where
        nothing was really done. Nothing follows in an attempt that was aborted.
        """
        run = self._runs.get(name)
        if run.aborted is not None:
            return
        if run.finished:
            what = "run_observed" if run.observed else "run_done"
            self._runs.events.append(what, who=who, run=name, attempt=run.attempt)
            return
        if run.held is not None:
            return
        passed = {stage.stage for stage in run.current if stage.state.passed}
        for stage in run.current:
            waits = stage.state is StageState.WAITING and stage.ready is None
            if waits and passed.issuperset(stage.after):
                self.write(run, stage, ready=times.now())
                self.tell("stage_ready", run, stage, who, try_=stage.try_)

    def tell(self, what: str, run: Run, stage: Stage, who: str, **payload: Any) -> None:
        payload = {key.rstrip("_"): value for key, value in payload.items()}
        self._runs.events.append(
            what, who=who, run=run.name, stage=stage.stage, attempt=stage.attempt, **payload
        )

    def write(self, run: Run, stage: Stage, **columns: Any) -> None:
        names = ", ".join(f"{name.rstrip('_')} = ?" for name in columns)
        self._store.execute(
            f"UPDATE stage SET {names} WHERE run = ? AND stage = ? AND attempt = ?",  # noqa: S608  column names of this module
            (*columns.values(), run.id, stage.stage, stage.attempt),
        )

    def find(self, name: str, stage: str, attempt: int) -> tuple[Run, Stage]:
        run = self._runs.get(name)
        for row in run.stages:
            if (row.stage, row.attempt) == (stage, attempt):
                return run, row
        raise NotFoundError(
            f"{name} has no stage {stage[:60]!r} in attempt {attempt}", code="stage.not_found"
        )

    def _move(self, run: Run, stage: Stage, to: StageState, **columns: Any) -> None:
        if to not in TRANSITIONS[stage.state]:
            raise ConflictError(
                f"{stage.stage} of {run.name} is {stage.state.value}; it cannot become {to.value}",
                code="stage.state",
                hint=f"arteriole run {run.name}",
            )
        self.write(run, stage, state=to.value, **columns)

    def begin(self, name: str, stage: str, attempt: int, by: str, who: str) -> dict[str, Any]:
        """Compare and set: exactly one `by` begins; the same `by` may ask again."""
        require_identifier(by, "by")
        with self._store.transaction():
            run, row = self.find(name, stage, attempt)
            if row.state is StageState.RUNNING:
                if not row.has_job:
                    self._require_not_aborted(run, row)
                if row.begun_by == by:
                    return {"begun": True, "try": row.try_}
                if row.abandoned(times.now()):
                    self._require_free(run, row)
                    self.write(run, row, begun_by=by, lease=times.now(self._lease))
                    self.tell("stage_begun", run, row, who, by=by, taken_over_from=row.begun_by)
                    return {"begun": True, "try": row.try_}
            if row.state is not StageState.WAITING:
                return {"begun": False, "duplicate": True, "by": row.begun_by or ""}
            self._require_free(run, row)
            if row.ready is None or attempt != run.attempt:
                raise ConflictError(
                    f"{stage} of {name} is not ready to begin in attempt {attempt}",
                    code="stage.not_ready",
                )
            self._move(
                run,
                row,
                StageState.RUNNING,
                begun_by=by,
                begun=times.now(),
                lease=times.now(self._lease),
            )
            self.tell("stage_begun", run, row, who, by=by, try_=row.try_)
        return {"begun": True, "try": row.try_}

    def _require_free(self, run: Run, stage: Stage) -> None:
        """Raise ConflictError if the stage may not begin because of what a person said."""
        self._require_not_aborted(run, stage)
        if run.held is not None:
            raise ConflictError(
                f"{run.name} is held by {run.held.by}: {run.held.reason}",
                code="run.held",
                hint=f"arteriole why {run.name}",
            )

    def _require_not_aborted(self, run: Run, stage: Stage) -> None:
        if run.is_aborted(stage.attempt):
            raise ConflictError(
                f"attempt {stage.attempt} of {run.name} was aborted",
                code="run.aborted",
                hint=f"arteriole why {run.name}",
            )

    def attach(
        self, name: str, stage: str, attempt: int, by: str, service: str, job_id: int, who: str
    ) -> None:
        """The job that does the stage from now on; only whoever began it may say so.

        NB: one of an aborted attempt is taken too, so that it is known and can be stopped.
        """
        require_identifier(service, "service")
        with self._store.transaction():
            run, row = self.find(name, stage, attempt)
            if row.state is not StageState.RUNNING:
                return  # the job was so quick that its end came first
            if row.begun_by != by:
                raise ConflictError(
                    f"{stage} of {name} was taken over by {row.begun_by}", code="stage.taken_over"
                )
            if (row.service, row.job_id) != (service, job_id):
                self.write(run, row, service=service, job_id=job_id)
                self.tell("job_attached", run, row, who, service=service, job_id=job_id)

    def end(
        self,
        name: str,
        stage: str,
        attempt: int,
        state: StageState,
        *,
        by: str,
        code: str,
        message: str,
        hint: str,
        job: tuple[str, int] | None,
        who: str,
    ) -> dict[str, Any]:
        """The stage ends `done`, `failed`, `skipped` or `held`; a repeat changes nothing.

        With `job` (service, job_id) only the attached job's end counts, or while none is, any but
        that of an earlier try's job.
        Nothing is done in an observed attempt, so there `done` becomes `skipped`; in any other,
        the end of a job that only observed is a failure.
        """
        with self._store.transaction():
            run, row = self.find(name, stage, attempt)
            attached = (row.service, row.job_id)
            if row.state is not StageState.RUNNING or (
                job is not None
                and attached != job
                and (row.has_job or self._earlier(run, row, job))
            ):
                return {"ended": False, "duplicate": True}
            service, job_id = job if job is not None else attached
            self.write(run, row, service=service, job_id=job_id)
            if run.is_observed(attempt):
                if state in (StageState.DONE, StageState.HELD):
                    state, code = StageState.SKIPPED, OBSERVED
            elif (state, code) == (StageState.SKIPPED, OBSERVED):
                state, code = StageState.FAILED, "stage.observed"
                message, hint = self._only_observed(attempt, service or by)
            self._finish(run, row, state, by, who, code, message, hint)
        return {"ended": True}

    def _earlier(self, run: Run, row: Stage, job: tuple[str, int]) -> bool:
        """Did this job do an earlier try? NB: only to be asked while the stage has no job."""
        found = self._store.row(
            "SELECT 1 FROM event WHERE run = ? AND stage = ? AND attempt = ?"
            " AND what = 'job_attached' AND json_extract(payload, '$.service') = ?"
            " AND json_extract(payload, '$.job_id') = ?",
            (run.name, row.stage, row.attempt, *job),
        )
        return found is not None

    def _only_observed(self, attempt: int, service: str) -> tuple[str, str]:
        if self._runs.mode is Mode.OBSERVE:
            return (
                f"{service} only observes, though attempt {attempt} is a real one",
                "set mode: act for every service in arteriole.yaml and start them again",
            )
        return (
            f"{service} only observes, though the runfolder service acts",
            "set the same mode for both in arteriole.yaml and start them again",
        )

    def _finish(
        self,
        run: Run,
        row: Stage,
        state: StageState,
        by: str,
        who: str,
        code: str,
        message: str,
        hint: str,
    ) -> None:
        self._move(
            run,
            row,
            state,
            ended=times.now(),
            code=code,
            message=message[:4000],
            hint=hint[:1000],
        )
        self.tell("stage_ended", run, row, who, state=state.value, code=code, by=by)
        if row.attempt != run.attempt:
            return  # an observed attempt, which another has followed
        if state is StageState.FAILED and run.aborted is None:
            self._runs.events.append("run_error", who=who, run=run.name, code=code)
        self.settle(run.name, who)

    def release(
        self, name: str, stage: str, attempt: int, by: str, reason: str, who: str
    ) -> dict[str, Any]:
        """The execution `by` ended and left neither begin, job nor end: the stage is ready again.

        At the third time the stage fails: then it is no passing fault. An execution that could not
        begin because the run is held or aborted counts nothing.
        """
        with self._store.transaction():
            run, row = self.find(name, stage, attempt)
            begun = row.state is StageState.RUNNING and row.begun_by == by and row.job_id is None
            ready = row.state is StageState.WAITING and row.ready is not None
            if attempt != run.attempt or not (begun or ready) or self._released(run, row, by):
                return {"released": False}
            stopped = run.held is not None or run.aborted is not None
            if ready and stopped:
                return {"released": False}
            if row.releases + 1 >= RELEASES and not stopped:
                self._fail_workflow(run, row, by, reason, who)
                return {"released": False, "failed": True}
            self.write(run, row, releases=row.releases + (0 if stopped else 1))
            self.tell("stage_released", run, row, who, by=by)
            if begun:
                self._move(
                    run, row, StageState.WAITING, ready=None, begun_by=None, begun=None, lease=None
                )
                self.settle(name, who)
        return {"released": True}

    def _released(self, run: Run, row: Stage, by: str) -> bool:
        """Has this execution released this stage already? A repeat counts nothing."""
        found = self._store.row(
            "SELECT 1 FROM event WHERE run = ? AND stage = ? AND attempt = ?"
            " AND what = 'stage_released' AND json_extract(payload, '$.by') = ?",
            (run.name, row.stage, row.attempt, by),
        )
        return found is not None

    def _fail_workflow(self, run: Run, row: Stage, by: str, reason: str, who: str) -> None:
        self._finish(
            run,
            row,
            StageState.FAILED,
            by,
            who,
            code="workflow.failed",
            message=f"the workflow of this stage failed {RELEASES} times, last as execution {by}:"
            f" {reason}",
            hint=f"st2 execution get {by}; when that is mended: arteriole retry {run.name}",
        )

    def retry(self, name: str, who: str) -> list[str]:
        """Every failed or held stage of the newest attempt is ready again, as its next try.

        Raises:
            ConflictError: the attempt was aborted, it is a real one and this service observes, or
                files are still being written into the run folder.
        """
        with self._store.transaction():
            run = self._runs.get(name)
            if run.attempt and run.aborted is not None:
                raise ConflictError(
                    f"attempt {run.attempt} of {name} was aborted by {run.aborted.by}",
                    code="run.aborted",
                    hint=f"arteriole redo {name} --from STAGE",
                )
            again = (StageState.FAILED, StageState.HELD)
            failed = [stage for stage in run.current if stage.state in again]
            if failed:
                self.require_mode(run)
                if run.verdict is VerdictKind.COPYING or not _data_is_made(run):
                    require_still(run)
            for stage in failed:
                self.again(run, stage)
                self.tell("stage_retried", run, stage, who, try_=stage.try_ + 1)
            if failed:
                self.settle(name, who)
        return [stage.stage for stage in failed]

    def accept(self, name: str, stage: str | None, reason: str, who: str) -> list[str]:
        """A person lets what is held in the newest attempt count as done, as it is; who and why
        stays with the stage.

        Returns:
            The held stages, or `stage` alone; none if nothing is held (any more).

        Raises:
            NotFoundError: there is no such stage.
            ConflictError: the attempt was aborted, or it is a real one and this service observes.
        """
        with self._store.transaction():
            run = self._runs.get(name)
            if stage is not None:
                self.find(name, stage, run.attempt)
            held = [
                row
                for row in run.current
                if row.state is StageState.HELD and stage in (None, row.stage)
            ]
            for row in held:
                self._require_not_aborted(run, row)
                self.require_mode(run)
                message = f"{row.message}; accepted by {who}: {reason}"
                self._move(
                    run, row, StageState.DONE, ended=times.now(), message=message[:4000], hint=""
                )
                self.tell("stage_accepted", run, row, who, code=row.code, reason=reason)
            if held:
                self.settle(name, who)
        return [row.stage for row in held]

    def again(self, run: Run, stage: Stage) -> None:
        self._move(
            run,
            stage,
            StageState.WAITING,
            ready=None,
            try_=stage.try_ + 1,
            releases=0,
            begun_by=None,
            begun=None,
            lease=None,
            service=None,
            job_id=None,
            ended=None,
            code="",
            message="",
            hint="",
        )

    def require_mode(self, run: Run) -> None:
        """Raise ConflictError if a real attempt would be worked on by services that observe."""
        if self._runs.mode is Mode.OBSERVE and run.attempt and not run.observed:
            raise ConflictError(
                f"attempt {run.attempt} of {run.name} is a real one, and the mode is observe",
                code="run.observed",
                hint="set mode: act in arteriole.yaml and start the services again",
            )


def _data_is_made(run: Run) -> bool:
    """What the run folder's base calls are needed for has passed."""
    makes = {name for name, one in run.plan["stages"].items() if one["makes_attempt"]}
    return all(stage.state.passed for stage in run.current if stage.stage in makes)


def require_still(run: Run) -> None:
    """Raise ConflictError while the run folder is written: what was missing may be arriving."""
    since = run.evidence.get("quiet_since")
    still = isinstance(since, str) and since != "" and times.seconds_since(since) >= STILL
    written = run.verdict in (VerdictKind.SEQUENCING, VerdictKind.STUCK) and not still
    if run.verdict is VerdictKind.COPYING or written:
        raise ConflictError(
            f"files are still being written into the folder of {run.name}, which is"
            f" {run.verdict.value}: {run.message}",
            code="run.not_ready",
            hint=f"when it is complete, or nothing has come for {STILL // 60} minutes:"
            f" arteriole why {run.name}",
        )
