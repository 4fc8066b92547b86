"""What the store knows of a run, as records: stages, attempts, holds, waiver, abort."""

import enum
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arteriole.runfolder.states import RunState, StageState, claimed_state
from arteriole.runfolder.verdict import VerdictKind

#: Verdicts with which a run may be worked on after a person waived what is wrong with it. A
#: complete one may hold what its headers do not tell: a damaged file, a sample without a read.
WAIVABLE = frozenset(
    {VerdictKind.INCOMPLETE, VerdictKind.STALLED, VerdictKind.FAILED, VerdictKind.COMPLETE}
)

#: Verdicts that are an error of the run's.
FAULTY = frozenset({VerdictKind.REFUSED, VerdictKind.UNREADABLE, VerdictKind.FAILED})


@dataclass(frozen=True)
class Stage:
    """One (stage, attempt) of a run."""

    stage: str
    attempt: int
    after: tuple[str, ...]
    time_limit: int
    state: StageState
    ready: str | None
    try_: int
    releases: int
    begun_by: str | None
    begun: str | None
    lease: str | None
    service: str | None
    job_id: int | None
    ended: str | None
    code: str
    message: str
    hint: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Stage":
        return cls(
            stage=row["stage"],
            attempt=row["attempt"],
            after=tuple(json.loads(row["after"])),
            time_limit=row["time_limit"],
            state=StageState(row["state"]),
            ready=row["ready"],
            try_=row["try"],
            releases=row["releases"],
            begun_by=row["begun_by"],
            begun=row["begun"],
            lease=row["lease"],
            service=row["service"],
            job_id=row["job_id"],
            ended=row["ended"],
            code=row["code"],
            message=row["message"],
            hint=row["hint"],
        )

    @property
    def has_job(self) -> bool:
        """A job was attached whose end has not come."""
        return self.state is StageState.RUNNING and self.job_id is not None

    def abandoned(self, now: str) -> bool:
        """Whoever began it left neither job nor end within the lease."""
        return (
            self.state is StageState.RUNNING
            and self.job_id is None
            and self.lease is not None
            and self.lease <= now
        )

    def document(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "attempt": self.attempt,
            "state": self.state.value,
            "after": list(self.after),
            "ready": self.ready,
            "try": self.try_,
            "begun_by": self.begun_by,
            "begun": self.begun,
            "ended": self.ended,
            "service": self.service,
            "job_id": self.job_id,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "time_limit": self.time_limit,
        }


@dataclass(frozen=True)
class Terms:
    """What an attempt is made under: what a person waived, and whether that degrades it."""

    degraded: bool = False
    ignore: tuple[str, ...] = ()
    waived_rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One version of a run's data; `observed` and its terms never change."""

    attempt: int
    made: str
    observed: bool
    degraded: bool
    ignore: tuple[str, ...]
    waived_rules: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        return Terms(self.degraded, self.ignore, self.waived_rules)

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Attempt":
        return cls(
            attempt=row["attempt"],
            made=row["made"],
            observed=bool(row["observed"]),
            degraded=bool(row["degraded"]),
            ignore=tuple(json.loads(row["ignore"])),
            waived_rules=tuple(json.loads(row["waived_rules"])),
        )

    def document(self, *, aborted: bool) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "observed": self.observed,
            "degraded": self.degraded,
            "ignore": list(self.ignore),
            "waived_rules": list(self.waived_rules),
            "aborted": aborted,
            "made": self.made,
        }


@dataclass(frozen=True)
class Abort:
    """A person ended an attempt, or dismissed a run before its first one (`attempt` 0)."""

    attempt: int
    by: str
    reason: str
    time: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Abort":
        return cls(row["attempt"], row["aborted_by"], row["reason"], row["time"])


class Scope(enum.StrEnum):
    """Which runs a hold is of; the narrowest first."""

    RUN = "run"
    INSTRUMENT = "instrument"
    ALL = "all"


@dataclass(frozen=True)
class Hold:
    """No stage of the runs in its scope begins; `name` is '' for all.

    `code` and `hint` are of whoever holds it for something that was found; else empty.
    """

    scope: Scope
    name: str
    reason: str
    by: str
    since: str
    code: str = ""
    hint: str = ""

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Hold":
        return cls(
            Scope(row["scope"]),
            row["name"],
            row["reason"],
            row["held_by"],
            row["since"],
            row["code"],
            row["hint"],
        )

    def document(self) -> dict[str, Any]:
        return {
            "scope": self.scope.value,
            "name": self.name,
            "reason": self.reason,
            "by": self.by,
            "since": self.since,
            "code": self.code,
        }


@dataclass(frozen=True)
class Waiver:
    """A person lets a run be worked on as it is; `verdict` is what it was then."""

    by: str
    reason: str
    ignore: tuple[str, ...]
    time: str
    verdict: VerdictKind

    @classmethod
    def from_json(cls, text: str) -> "Waiver":
        found = json.loads(text)
        return cls(
            found["by"],
            found["reason"],
            tuple(found["ignore"]),
            found["time"],
            VerdictKind(found["verdict"]),
        )

    def document(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "reason": self.reason,
            "ignore": list(self.ignore),
            "time": self.time,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class WaivedRule:
    """A person lets errors of this rule of sample sheets stop nothing in this run."""

    rule: str
    by: str
    reason: str
    time: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "WaivedRule":
        return cls(row["rule"], row["waived_by"], row["reason"], row["time"])

    def document(self) -> dict[str, Any]:
        return {"rule": self.rule, "by": self.by, "reason": self.reason, "time": self.time}


@dataclass(frozen=True)
class Lease:
    """A client of `pickup` has the run until then; `id` is known to that client only."""

    id: str
    client: str
    since: str
    until: str
    seconds: float

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Lease":
        return cls(row["id"], row["client"], row["since"], row["until"], row["seconds"])

    def document(self) -> dict[str, Any]:
        """What everybody may know."""
        return {"client": self.client, "since": self.since, "until": self.until}


@dataclass(frozen=True)
class Run:
    id: int
    name: str
    path: Path
    first_seen: str
    adopted: bool
    verdict: VerdictKind
    verdict_since: str
    code: str
    message: str
    hint: str
    evidence: dict[str, Any]
    metadata: dict[str, str]
    arteria_state: RunState | None
    attempt: int
    plan: dict[str, Any]
    claimed_by: str | None
    instrument: str  # '' if neither the evidence nor the name tells
    metrics: dict[str, Any] | None = None  # of InterOp, once the run rests
    waiver: Waiver | None = None
    waived_rules: tuple[WaivedRule, ...] = ()
    held: Hold | None = None  # the narrowest of those that hold it
    lease: Lease | None = None
    aborts: tuple[Abort, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    stages: list[Stage] = field(default_factory=list)  # of every attempt, oldest first

    @property
    def current(self) -> list[Stage]:
        """The stages of the newest attempt."""
        return [stage for stage in self.stages if stage.attempt == self.attempt]

    @property
    def newest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def observed(self) -> bool:
        """The newest attempt only works out what would be done."""
        return self.newest is not None and self.newest.observed

    @property
    def aborted(self) -> Abort | None:
        """The abort of the newest attempt, or of a run without one."""
        return next((abort for abort in self.aborts if abort.attempt == self.attempt), None)

    @property
    def archived(self) -> bool:
        """It is in the archive, and was verified there."""
        return any(s.stage == "archive" and s.state is StageState.DONE for s in self.stages)

    @property
    def holds_no_run(self) -> bool:
        """Nothing in its folder is of a run, so no instrument is known to write there."""
        return bool(self.evidence.get("no_run"))

    @property
    def is_gone(self) -> bool:
        """Its folder is not there, though what lies beside it is."""
        return self.verdict is VerdictKind.UNREACHABLE and bool(self.evidence.get("gone"))

    @property
    def finished(self) -> bool:
        """Every stage of the newest attempt has passed."""
        return self.attempt > 0 and all(stage.state.passed for stage in self.current)

    @property
    def awaits_claim(self) -> bool:
        """The next claim makes an attempt: it has none, or it was adopted after an observed one."""
        return self.attempt == 0 or (self.observed and self.adopted)

    @property
    def workable(self) -> bool:
        """Complete, or waived as it is; a waiver of a complete run waives no missing file."""
        return self.verdict is VerdictKind.COMPLETE or (
            self.waiver is not None
            and self.waiver.verdict is not VerdictKind.COMPLETE
            and self.verdict in WAIVABLE
        )

    @property
    def claimable(self) -> bool:
        return (
            self.workable
            and self.adopted
            and self.awaits_claim
            and self.aborted is None
            and self.held is None
            and self.lease is None
            and self.arteria_state in (None, RunState.READY)
        )

    @property
    def state(self) -> RunState:
        if self.aborted is not None:
            return RunState.CANCELLED
        if not self.awaits_claim:
            if self.observed and self.finished:
                return RunState.NONE
            return claimed_state([s.state for s in self.current], self.held is not None)
        if self.lease is not None:
            return RunState.PENDING
        if self.arteria_state is not None:
            held = self.held is not None and self.arteria_state is RunState.READY
            return RunState.PENDING if held else self.arteria_state
        if self.claimable:
            return RunState.READY
        if self.workable:
            return RunState.PENDING
        return RunState.ERROR if self.verdict in FAULTY else RunState.NONE

    @property
    def since(self) -> str:
        """Since when it stands as it does."""
        if self.aborted is not None:
            return self.aborted.time
        if self.held is not None and self.state is not RunState.DONE:
            return self.held.since
        if self.lease is not None:
            return self.lease.since
        if self.awaits_claim or self.newest is None:
            return self.verdict_since
        stages = self.current
        failed = [s.ended for s in stages if s.state is StageState.FAILED and s.ended]
        running = [s.begun for s in stages if s.state is StageState.RUNNING and s.begun]
        if failed or running:
            return min(failed or running)
        return max([self.newest.made, *(s.ended for s in stages if s.ended)])

    @property
    def progress(self) -> dict[str, Any] | None:
        """How far its sequencing or its copy has come, as far as the folder tells; as of a job."""
        if self.attempt:
            return None
        for unit, done, total in (
            ("cycles", "cycles_seen", "cycles"),
            ("files", "files_found", "files_expected"),
        ):
            reached, whole = self.evidence.get(done), self.evidence.get(total)
            if isinstance(reached, int) and isinstance(whole, int) and reached < whole:
                return {"done": reached, "total": whole, "unit": unit}
        return None

    @property
    def standing(self) -> str:
        """Its state, in a word for a person: what was seen of it where Arteria has no word."""
        if self.state is not RunState.NONE:
            return self.state.value
        if self.holds_no_run:
            return "no run"
        return "observed" if self.observed else self.verdict.value.replace("_", " ")

    def made_under(self) -> Terms:
        """What an attempt that is made now may ignore, and whether it is degraded.

        A run that has become complete since its waiver needs it no more, and one that was complete
        then needs another. Rules of its sheet are waived whatever the verdict.
        """
        complete = VerdictKind.COMPLETE
        rules = tuple(one.rule for one in self.waived_rules)
        if self.waiver is None or (
            (self.verdict is complete) is not (self.waiver.verdict is complete)
        ):
            return Terms(degraded=bool(rules), waived_rules=rules)
        return Terms(degraded=True, ignore=self.waiver.ignore, waived_rules=rules)

    def is_aborted(self, attempt: int) -> bool:
        return any(abort.attempt == attempt for abort in self.aborts)

    def is_observed(self, attempt: int) -> bool:
        return any(one.observed for one in self.attempts if one.attempt == attempt)

    def unwanted(self) -> list[Stage]:
        """The stages of aborted attempts whose job has not ended."""
        return [stage for stage in self.stages if stage.has_job and self.is_aborted(stage.attempt)]
