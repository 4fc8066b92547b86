"""What may happen to a stage: claim, begin, attach, end, release, retry, redo, hold.

Each is one transaction, with the events that tell of it; fan-in is decided here and nowhere else.
"""

import json
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.names import require_identifier
from arteriole.app.store import Store
from arteriole.runfolder.plan import RECEIVE, Plan
from arteriole.runfolder.runs import Run, Runs, Stage
from arteriole.runfolder.states import TRANSITIONS, RunState, StageState

#: So often a stage is given to a new execution after the one that had begun it ended without a job.
RELEASES = 3


class Stages:
    """The stages of `runs`; a begin without a job holds for `lease` seconds."""

    def __init__(self, runs: Runs, lease: float) -> None:
        self._runs = runs
        self._store: Store = runs.store
        self._lease = lease

    def claim(self, name: str, plan: Plan, by: str, who: str) -> dict[str, Any]:
        """Give the run its plan and first attempt; a second claim changes nothing.

        Raises:
            ConflictError: the run is not complete, not adopted or held.
        """
        require_identifier(name, "run")
        require_identifier(by, "by")
        with self._store.transaction():
            run = self._runs.get(name)
            if run.attempt:
                return {"claimed": False, "duplicate": True, "by": run.claimed_by}
            if not run.claimable:
                raise ConflictError(
                    f"{name} cannot be claimed: {_not_claimable(run)}", code="run.not_ready"
                )
            self._store.execute(
                "UPDATE run SET attempt = 1, plan = ?, claimed_by = ?, claimed = ? WHERE id = ?",
                (plan.model_dump_json(), by, times.now(), run.id),
            )
            self._insert(run, plan, 1)
            self._runs.events.append("claimed", who=who, run=name, attempt=1, by=by)
            self._settle(name, who)
        return {"claimed": True, "attempt": 1}

    def _insert(self, run: Run, plan: Plan, attempt: int, kept: set[str] | None = None) -> None:
        for position, stage in enumerate(plan.order()):
            state = StageState.WAITING
            if stage == RECEIVE:
                state = StageState.DONE
            elif kept and stage in kept:
                state = StageState.SKIPPED
            self._store.execute(
                "INSERT INTO stage (run, stage, attempt, position, after, time_limit, state,"
                " ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run.id,
                    stage,
                    attempt,
                    position,
                    json.dumps(plan.stages[stage].after),
                    plan.stages[stage].time_limit,
                    state.value,
                    times.now() if state.ended else None,
                ),
            )

    def _settle(self, name: str, who: str) -> None:
        """Emit what follows: `stage_ready` once a stage, `run_done` at the end."""
        run = self._runs.get(name)
        if run.state is RunState.DONE:
            self._runs.events.append("run_done", who=who, run=name, attempt=run.attempt)
            return
        if run.held is not None:
            return
        passed = {stage.stage for stage in run.current if stage.state.passed}
        for stage in run.current:
            waits = stage.state is StageState.WAITING and stage.ready is None
            if waits and passed.issuperset(stage.after):
                self._set(run, stage, ready=times.now())
                self._tell("stage_ready", run, stage, who, try_=stage.try_)

    def _tell(self, what: str, run: Run, stage: Stage, who: str, **payload: Any) -> None:
        payload = {key.rstrip("_"): value for key, value in payload.items()}
        self._runs.events.append(
            what, who=who, run=run.name, stage=stage.stage, attempt=stage.attempt, **payload
        )

    def _set(self, run: Run, stage: Stage, **columns: Any) -> None:
        names = ", ".join(f"{name.rstrip('_')} = ?" for name in columns)
        self._store.execute(
            f"UPDATE stage SET {names} WHERE run = ? AND stage = ? AND attempt = ?",  # noqa: S608  column names of this module
            (*columns.values(), run.id, stage.stage, stage.attempt),
        )

    def _find(self, name: str, stage: str, attempt: int) -> tuple[Run, Stage]:
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
        self._set(run, stage, state=to.value, **columns)

    def begin(self, name: str, stage: str, attempt: int, by: str, who: str) -> dict[str, Any]:
        """Compare and set: exactly one `by` begins; the same `by` may ask again."""
        require_identifier(by, "by")
        with self._store.transaction():
            run, row = self._find(name, stage, attempt)
            if row.state is StageState.RUNNING:
                if row.begun_by == by:
                    return {"begun": True, "try": row.try_}
                if row.job_id is None and row.lease is not None and row.lease < times.now():
                    self._set(run, row, begun_by=by, lease=times.now(self._lease))
                    self._tell("stage_begun", run, row, who, by=by, taken_over_from=row.begun_by)
                    return {"begun": True, "try": row.try_}
            if row.state is not StageState.WAITING:
                return {"begun": False, "duplicate": True, "by": row.begun_by or ""}
            if row.ready is None or run.held is not None or attempt != run.attempt:
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
            self._tell("stage_begun", run, row, who, by=by, try_=row.try_)
        return {"begun": True, "try": row.try_}

    def attach(
        self, name: str, stage: str, attempt: int, by: str, service: str, job_id: int, who: str
    ) -> None:
        """The job that does the stage from now on; only whoever began it may say so."""
        require_identifier(service, "service")
        with self._store.transaction():
            run, row = self._find(name, stage, attempt)
            if row.state is not StageState.RUNNING:
                return  # the job was so quick that its end came first
            if row.begun_by != by:
                raise ConflictError(
                    f"{stage} of {name} was taken over by {row.begun_by}", code="stage.taken_over"
                )
            if (row.service, row.job_id) != (service, job_id):
                self._set(run, row, service=service, job_id=job_id)
                self._tell("job_attached", run, row, who, service=service, job_id=job_id)

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
        """The stage ends `done`, `failed` or `skipped`; a repeat changes nothing.

        With `job` (service, job_id) only the attached job's end counts, or any while none is.
        """
        with self._store.transaction():
            run, row = self._find(name, stage, attempt)
            attached = (row.service, row.job_id)
            if row.state is not StageState.RUNNING or (
                job is not None and row.job_id is not None and attached != job
            ):
                return {"ended": False, "duplicate": True}
            service, job_id = job if job is not None else attached
            self._set(run, row, service=service, job_id=job_id)
            self._finish(run, row, state, by, who, code, message, hint)
        return {"ended": True}

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
        self._tell("stage_ended", run, row, who, state=state.value, code=code, by=by)
        if state is StageState.FAILED:
            self._runs.events.append("run_error", who=who, run=run.name, code=code)
        self._settle(run.name, who)

    def release(
        self, name: str, stage: str, attempt: int, by: str, reason: str, who: str
    ) -> dict[str, Any]:
        """The execution `by` ended and left neither begin, job nor end: the stage is ready again.

        At the third time the stage fails: then it is no passing fault.
        """
        with self._store.transaction():
            run, row = self._find(name, stage, attempt)
            begun = row.state is StageState.RUNNING and row.begun_by == by and row.job_id is None
            ready = row.state is StageState.WAITING and row.ready is not None
            if attempt != run.attempt or not (begun or ready) or self._released(run, row, by):
                return {"released": False}
            if row.releases + 1 >= RELEASES:
                self._fail_workflow(run, row, by, reason, who)
                return {"released": False, "failed": True}
            self._set(run, row, releases=row.releases + 1)
            self._tell("stage_released", run, row, who, by=by)
            if begun:
                self._move(
                    run, row, StageState.WAITING, ready=None, begun_by=None, begun=None, lease=None
                )
                self._settle(name, who)
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
        """Every failed stage of the newest attempt is ready again, as its next try."""
        with self._store.transaction():
            run = self._runs.get(name)
            failed = [stage for stage in run.current if stage.state is StageState.FAILED]
            for stage in failed:
                self._again(run, stage)
                self._tell("stage_retried", run, stage, who, try_=stage.try_ + 1)
            self._settle_if(name, who, bool(failed))
        return [stage.stage for stage in failed]

    def _again(self, run: Run, stage: Stage) -> None:
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

    def _settle_if(self, name: str, who: str, changed: bool) -> None:
        if changed:
            self._settle(name, who)

    def redo(self, name: str, first: str, reason: str, who: str) -> int:
        """Do `first` and all after it again; returns the attempt that this belongs to.

        A new attempt where the data is made anew (`makes_attempt` in the plan), otherwise the
        same one with the next try. A new attempt that has not begun is not followed by another.

        Raises:
            ConflictError: the run has no plan yet, or one of these stages is running.
        """
        with self._store.transaction():
            run = self._runs.get(name)
            if not run.attempt:
                raise ConflictError(f"{name} was not claimed yet", code="run.not_claimed")
            plan = Plan.model_validate(run.plan)
            if first not in plan.stages or first == RECEIVE:
                choices = ", ".join(stage for stage in plan.order() if stage != RECEIVE)
                raise NotFoundError(f"{name} has no stage {first[:60]!r}, only {choices}")
            again = plan.from_stage(first)
            anew = any(plan.stages[stage].makes_attempt for stage in again)
            running = [
                stage.stage
                for stage in run.current
                if stage.state is StageState.RUNNING and (anew or stage.stage in again)
            ]
            if running:
                raise ConflictError(
                    f"{', '.join(running)} of {name} is running",
                    code="stage.running",
                    hint="wait for its end, or stop its job first",
                )
            attempt = run.attempt
            untouched = all(
                stage.state is StageState.WAITING and stage.try_ == 1
                for stage in run.current
                if stage.stage in again
            )
            if anew and attempt > 1 and untouched:
                return attempt  # two clients asked for the same
            self._runs.events.append(
                "redo", who=who, run=name, stage=first, attempt=attempt, reason=reason[:500]
            )
            if anew:
                passed = {stage.stage for stage in run.current if stage.state.passed}
                attempt += 1
                self._store.execute("UPDATE run SET attempt = ? WHERE id = ?", (attempt, run.id))
                self._insert(run, plan, attempt, kept=passed - again)
            else:
                for stage in run.current:
                    if stage.stage in again and stage.state is not StageState.WAITING:
                        self._again(run, stage)
                    elif stage.stage in again:
                        self._set(run, stage, ready=None)
            self._settle(name, who)
        return attempt

    def hold(self, name: str, reason: str, who: str) -> None:
        """No stage of the run becomes ready or begins; what runs goes on."""
        with self._store.transaction():
            run = self._runs.get(name)
            self._store.execute("UPDATE run SET held = ? WHERE id = ?", (reason[:500], run.id))
            self._runs.events.append("held", who=who, run=name)

    def unhold(self, name: str, who: str) -> None:
        with self._store.transaction():
            run = self._runs.get(name)
            if run.held is None:
                return
            self._store.execute("UPDATE run SET held = NULL WHERE id = ?", (run.id,))
            self._runs.events.append("unheld", who=who, run=name)
            if run.attempt:
                for stage in run.current:
                    if stage.state is StageState.WAITING:
                        self._set(run, stage, ready=None)
                if run.state is not RunState.DONE:
                    self._settle(name, who)
            else:
                self._runs.tell_if_ready(name)


def _not_claimable(run: Run) -> str:
    if run.held is not None:
        return "it is held"
    if run.arteria_state not in (None, RunState.READY):
        return f"a client of Arteria has set it {run.arteria_state}"
    if not run.adopted:
        return f"it was here before Arteriole; 'arteriole adopt {run.name}' lets it be worked on"
    return f"it is {run.verdict.value}"
