"""How attempts come and go: the claim makes the first, a redo the next, an abort ends one."""

import json
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.runfolder.plan import RECEIVE, Plan
from arteriole.runfolder.records import Run, Terms
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.stages import Stages, require_still
from arteriole.runfolder.states import RunState, StageState


class Attempts:
    """The attempts of `runs`; each call is one transaction, with the events that tell of it."""

    def __init__(self, runs: Runs, stages: Stages) -> None:
        self._runs = runs
        self._stages = stages
        self._store = runs.store

    def claim(
        self, name: str, plan: Plan, by: str, who: str, lease_id: str | None = None
    ) -> dict[str, Any]:
        """Give the run its plan and next attempt; a second claim changes nothing.

        A run that a client of `pickup` has is claimed by that client only, with its lease's id;
        the lease ends then.

        An attempt made while the mode is observe is observed for good; the run is then to be
        adopted again before it is claimed again.

        Raises:
            ConflictError: the run is not complete, not adopted, held, dismissed or in the hands of
                another, or there is no such lease any more.
        """
        require_identifier(name, "run")
        require_identifier(by, "by")
        with self._store.transaction():
            run = self._runs.get(name)
            if not run.awaits_claim:
                return {"claimed": False, "duplicate": True, "by": run.claimed_by}
            self._runs.require_lease(run, lease_id)
            if lease_id is not None:
                self._runs.end_lease(run, who)
                run = self._runs.get(name)
            if not run.claimable:
                raise ConflictError(
                    f"{name} cannot be claimed: {_not_claimable(run)}", code="run.not_ready"
                )
            attempt = run.attempt + 1
            observed = self._runs.mode is Mode.OBSERVE
            self._store.execute(
                "UPDATE run SET attempt = ?, plan = ?, claimed_by = ?, claimed = ?, adopted = ?"
                " WHERE id = ?",
                (attempt, plan.model_dump_json(), by, times.now(), not observed, run.id),
            )
            terms = run.made_under()
            self._insert(run, attempt, terms)
            self._insert_stages(run, plan, attempt)
            self._runs.events.append(
                "claimed",
                who=who,
                run=name,
                attempt=attempt,
                by=by,
                observed=observed,
                degraded=terms.degraded,
            )
            self._stages.settle(name, who)
        return {"claimed": True, "attempt": attempt}

    def _insert(self, run: Run, attempt: int, terms: Terms) -> None:
        observed = self._runs.mode is Mode.OBSERVE
        ignore, rules = json.dumps(terms.ignore), json.dumps(terms.waived_rules)
        self._store.execute(
            "INSERT INTO attempt (run, attempt, made, observed, degraded, ignore, waived_rules)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run.id, attempt, times.now(), observed, terms.degraded, ignore, rules),
        )

    def _insert_stages(
        self, run: Run, plan: Plan, attempt: int, kept: frozenset[str] = frozenset()
    ) -> None:
        for position, stage in enumerate(plan.order()):
            state = StageState.WAITING
            if stage == RECEIVE:
                state = StageState.DONE
            elif stage in kept:
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

    def redo(self, name: str, first: str, reason: str, who: str) -> int:
        """Do `first` and all after it again; returns the attempt that this belongs to.

        A new attempt where the data is made anew (`makes_attempt` in the plan), otherwise the
        same one with the next try, which is then aborted no longer. A new attempt that has not
        begun is not followed by another, unless it would now be made under another waiver. Data
        made anew is degraded if the run is so still.

        Raises:
            ConflictError: the run has no plan yet, one of these stages is running, its data would
                be made of files that are gone or are still being written, or its newest attempt is
                observed and this service acts, or the other way round.
        """
        with self._store.transaction():
            run = self._runs.get(name)
            self._require_redoable(run)
            plan = Plan.model_validate(run.plan)
            if first not in plan.stages or first == RECEIVE:
                choices = ", ".join(stage for stage in plan.order() if stage != RECEIVE)
                raise NotFoundError(f"{name} has no stage {first[:60]!r}, only {choices}")
            again = plan.from_stage(first)
            anew = any(plan.stages[stage].makes_attempt for stage in again)
            made_under = self._made_under(run, plan, again)
            wanted = anew and run.aborted is None and _made_so(run, made_under)
            if wanted and (_untouched(run, again) or self._is_under_way(run, plan, first)):
                return run.attempt  # two clients asked for the same
            _require_idle(run, None if anew else again)
            if anew:
                _require_there(run, first)
                require_still(run)
            self._runs.events.append(
                "redo", who=who, run=name, stage=first, attempt=run.attempt, reason=reason[:500]
            )
            attempt = run.attempt
            if anew:
                attempt = self._anew(run, plan, again, made_under)
            else:
                self._same(run, again)
            self._stages.settle(name, who)
        return attempt

    def _is_under_way(self, run: Run, plan: Plan, first: str) -> bool:
        """The newest attempt comes of a redo from this stage, and its data is still to be made."""
        asked = self._store.row(
            "SELECT 1 FROM event WHERE run = ? AND what = 'redo' AND stage = ? AND attempt = ?",
            (run.name, first, run.attempt - 1),
        )
        states = {stage.stage: stage.state for stage in run.current}
        made = any(states[name].passed for name, one in plan.stages.items() if one.makes_attempt)
        return asked is not None and not made and StageState.FAILED not in states.values()

    def _require_redoable(self, run: Run) -> None:
        if not run.attempt:
            raise ConflictError(f"{run.name} was not claimed yet", code="run.not_claimed")
        if run.observed and self._runs.mode is Mode.ACT:
            raise ConflictError(
                f"attempt {run.attempt} of {run.name} only worked out what would be done",
                code="run.observed",
                hint=f"arteriole adopt {run.name}",
            )
        self._stages.require_mode(run)

    def _made_under(self, run: Run, plan: Plan, again: set[str]) -> Terms:
        """See Run.made_under; data that is taken over is as it was made."""
        if run.newest is not None and any(
            plan.stages[stage].makes_attempt for stage in _kept(run, again)
        ):
            return run.newest.terms
        return run.made_under()

    def _anew(self, run: Run, plan: Plan, again: set[str], made_under: Terms) -> int:
        """A new attempt, in which what has passed and is not done again counts as passed."""
        attempt = run.attempt + 1
        self._store.execute("UPDATE run SET attempt = ? WHERE id = ?", (attempt, run.id))
        self._insert(run, attempt, made_under)
        self._insert_stages(run, plan, attempt, _kept(run, again))
        return attempt

    def _same(self, run: Run, again: set[str]) -> None:
        self._store.execute(
            "DELETE FROM abort WHERE run = ? AND attempt = ?", (run.id, run.attempt)
        )
        for stage in run.current:
            waits = stage.state is StageState.WAITING
            if stage.stage in again and not waits:
                self._stages.again(run, stage)
            elif waits and (stage.stage in again or run.aborted is not None):
                self._stages.write(run, stage, ready=None)

    def abort(self, name: str, reason: str, who: str) -> list[tuple[str, int]]:
        """End the newest attempt, or dismiss a run that has none; a repeat changes nothing.

        No stage of it begins any more. What runs goes on until its job ends.

        Returns:
            (service, job_id) of the jobs that are to be stopped.

        Raises:
            ConflictError: every stage is done already.
        """
        with self._store.transaction():
            run = self._runs.get(name)
            if run.state is RunState.DONE and run.attempt:
                raise ConflictError(
                    f"all stages of attempt {run.attempt} of {name} are done",
                    code="run.done",
                    hint="nothing runs that could be aborted",
                )
            if run.aborted is None:
                self._store.execute(
                    "INSERT INTO abort (run, attempt, aborted_by, reason, time)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (run.id, run.attempt, who, reason[:500], times.now()),
                )
                self._runs.events.append(
                    "aborted", who=who, run=name, attempt=run.attempt or None, reason=reason[:500]
                )
                self._runs.alerts.clear(name)  # a person knows
                self._runs.end_lease(run, who)
        return [
            (stage.service or "", stage.job_id or 0) for stage in self._runs.get(name).unwanted()
        ]


def _require_there(run: Run, first: str) -> None:
    """Raise ConflictError if the folder that the data would be made of is gone."""
    if run.is_gone:
        raise ConflictError(
            f"the folder of {run.name} is gone, of which its data would be made: {run.message}",
            code="run.unreachable",
            hint=f"move it back to {run.path}: out of the bin, or from below archive.restore_root"
            f" after: arteriole restore {run.name} --part runfolder; then: arteriole redo"
            f" {run.name} --from {first}",
        )


def _require_idle(run: Run, only: set[str] | None) -> None:
    """No stage, or none of `only`, runs; one that nobody does in an aborted attempt does not."""
    now = times.now()
    running = [
        stage.stage
        for stage in run.current
        if stage.state is StageState.RUNNING
        and (only is None or stage.stage in only)
        and not (run.aborted is not None and stage.abandoned(now))
    ]
    if running:
        raise ConflictError(
            f"{', '.join(running)} of {run.name} is running",
            code="stage.running",
            hint=f"wait for its end, or stop it: arteriole abort {run.name}",
        )


def _kept(run: Run, again: set[str]) -> frozenset[str]:
    return frozenset(stage.stage for stage in run.current if stage.state.passed) - again


def _made_so(run: Run, made_under: Terms) -> bool:
    """The newest attempt is a later one than the first, made as another would be made now."""
    newest = run.newest
    return newest is not None and run.attempt > 1 and newest.terms == made_under


def _untouched(run: Run, stages: set[str]) -> bool:
    """None of these stages has begun in the newest attempt."""
    return all(
        stage.state is StageState.WAITING and stage.try_ == 1
        for stage in run.current
        if stage.stage in stages
    )


def _not_claimable(run: Run) -> str:
    if run.held is not None:
        return "it is held"
    if run.aborted is not None:
        return f"it was dismissed; 'arteriole adopt {run.name}' takes it back"
    if run.lease is not None:
        return f"{run.lease.client} picked it up, and has it until {run.lease.until[:19]}Z"
    if run.arteria_state not in (None, RunState.READY):
        return f"a client of Arteria has set it {run.arteria_state}"
    if not run.adopted:
        return f"it was here before Arteriole; 'arteriole adopt {run.name}' lets it be worked on"
    return f"it is {run.verdict.value}"
