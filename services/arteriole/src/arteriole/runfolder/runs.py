"""The rows of runs: what is known of each run folder, whatever becomes of the folder."""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.names import is_identifier
from arteriole.app.store import Store
from arteriole.runfolder.states import RunState, StageState, claimed_state
from arteriole.runfolder.verdict import Verdict, VerdictKind

WHO = "runfolder"


def storable(path: Path) -> Path:
    """`path` as it stands in the store: bytes of its name that are not UTF-8 are escaped."""
    return Path(str(path).encode("utf-8", "backslashreplace").decode())


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
    held: str | None
    stages: list[Stage] = field(default_factory=list)  # of every attempt, oldest first

    @property
    def current(self) -> list[Stage]:
        """The stages of the newest attempt."""
        return [stage for stage in self.stages if stage.attempt == self.attempt]

    @property
    def claimable(self) -> bool:
        return (
            self.verdict is VerdictKind.COMPLETE
            and self.adopted
            and self.attempt == 0
            and self.held is None
            and self.arteria_state in (None, RunState.READY)
        )

    @property
    def state(self) -> RunState:
        if self.attempt:
            return claimed_state([s.state for s in self.current], self.held is not None)
        if self.arteria_state is not None:
            return self.arteria_state
        if self.verdict in (VerdictKind.REFUSED, VerdictKind.UNREADABLE):
            return RunState.ERROR
        if self.verdict is not VerdictKind.COMPLETE:
            return RunState.NONE
        return RunState.READY if self.claimable else RunState.PENDING


class Runs:
    """The runs of this store; `events` is written in the transaction of each change."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events = EventLog(store, self._replay_from)

    def _replay_from(self) -> int:
        open_runs = [run.name for run in self.all() if run.state is not RunState.DONE]
        first: int | None = None
        for name in open_runs:
            row = self.store.row("SELECT min(id) AS id FROM event WHERE run = ?", (name,))
            if row is not None and row["id"] is not None:
                first = row["id"] if first is None else min(first, row["id"])
        if first is not None:
            return first - 1
        row = self.store.row("SELECT coalesce(max(id), 0) AS id FROM event")
        assert row is not None
        return int(row["id"])

    def all(self) -> list[Run]:
        return [self._run(row) for row in self.store.rows("SELECT * FROM run ORDER BY id")]

    def by_path(self, path: Path) -> Run | None:
        row = self.store.row("SELECT * FROM run WHERE path = ?", (str(storable(path)),))
        return None if row is None else self._run(row)

    def get(self, name: str) -> Run:
        """The run of that name; a refused one only if no other has the name."""
        row = self.store.row(
            "SELECT * FROM run WHERE name = ? ORDER BY verdict = 'refused', id", (name,)
        )
        if row is None:
            raise NotFoundError(
                f"no run {name[:100]!r} was seen here",
                code="run.not_found",
                hint="'arteriole runs' lists them",
            )
        return self._run(row)

    def _run(self, row: sqlite3.Row) -> Run:
        stages = self.store.rows(
            "SELECT * FROM stage WHERE run = ? ORDER BY attempt, position", (row["id"],)
        )
        return Run(
            id=row["id"],
            name=row["name"],
            path=Path(row["path"]),
            first_seen=row["first_seen"],
            adopted=bool(row["adopted"]),
            verdict=VerdictKind(row["verdict"]),
            verdict_since=row["verdict_since"],
            code=row["code"],
            message=row["message"],
            hint=row["hint"],
            evidence=json.loads(row["evidence"]),
            metadata=json.loads(row["metadata"]),
            arteria_state=RunState(row["arteria_state"]) if row["arteria_state"] else None,
            attempt=row["attempt"],
            plan=json.loads(row["plan"]),
            claimed_by=row["claimed_by"],
            held=row["held"],
            stages=[Stage.from_row(stage) for stage in stages],
        )

    def register(self, path: Path, *, adopted: bool, arteria_state: str | None = None) -> Run:
        """Write a folder that was not known; one whose name cannot be used is refused for good."""
        path = storable(path)
        name = path.name
        verdict = Verdict(VerdictKind.SEQUENCING, "", "", "", {}, {})
        other = self.store.row("SELECT path FROM run WHERE name = ?", (name,))
        if not is_identifier(name):
            verdict = Verdict.refused(
                "run.name",
                "the folder's name has characters other than A-Z a-z 0-9 . _ - , so nothing is"
                " started for it",
                "rename the folder",
            )
        elif other is not None:
            verdict = Verdict.refused(
                "run.duplicate_name",
                f"a run of this name is known already, in {other['path']}",
                "rename this folder, or remove it",
            )
        now = times.now()
        with self.store.transaction():
            self.store.execute(
                "INSERT INTO run (name, path, first_seen, adopted, verdict, verdict_since,"
                " arteria_state) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, str(path), now, adopted, verdict.kind.value, now, arteria_state),
            )
            self.events.append(
                "run_seen", who=WHO, run=name if is_identifier(name) else None, adopted=adopted
            )
            run = self.by_path(path)
            assert run is not None
            self._write_verdict(run, verdict)
        return self._now(run)

    def judged(self, run: Run, verdict: Verdict) -> None:
        """Record what the evidence says now; a run that became complete is told of.

        What is refused stays refused.
        """
        run = self._now(run)
        if run.verdict is VerdictKind.REFUSED or (run.verdict, run.message, run.evidence) == (
            verdict.kind,
            verdict.message,
            verdict.evidence,
        ):
            return
        with self.store.transaction():
            self._write_verdict(run, verdict)
            if run.verdict is not verdict.kind:
                self.events.append(
                    "verdict", who=WHO, run=run.name, verdict=verdict.kind.value, code=verdict.code
                )
                self.tell_if_ready(run.name)

    def _now(self, run: Run) -> Run:
        """The run as it is now: another may have changed it since it was read."""
        return self.by_path(run.path) or run

    def _write_verdict(self, run: Run, verdict: Verdict) -> None:
        since = run.verdict_since if run.verdict is verdict.kind else times.now()
        self.store.execute(
            "UPDATE run SET verdict = ?, verdict_since = ?, code = ?, message = ?, hint = ?,"
            " evidence = ?, metadata = ? WHERE id = ?",
            (
                verdict.kind.value,
                since,
                verdict.code,
                verdict.message,
                verdict.hint,
                json.dumps(verdict.evidence),
                json.dumps(verdict.metadata or run.metadata),
                run.id,
            ),
        )

    def tell_if_ready(self, name: str) -> None:
        """Emit `run_ready` if the run can be claimed; NB: inside a transaction."""
        if self.get(name).claimable:
            self.events.append("run_ready", who=WHO, run=name)

    def adopt(self, name: str, who: str) -> None:
        with self.store.transaction():
            run = self.get(name)
            if not run.adopted:
                self.store.execute("UPDATE run SET adopted = 1 WHERE id = ?", (run.id,))
                self.events.append("adopted", who=who, run=name)
                self.tell_if_ready(name)

    def set_arteria_state(self, run: Run, state: RunState, who: str) -> None:
        """What a client of Arteria says of a run; refused for one that has a plan."""
        if run.attempt:
            raise ConflictError(
                f"{run.name} was claimed with a plan; its state follows from its stages",
                code="run.claimed",
                hint=f"arteriole run {run.name}",
            )
        with self.store.transaction():
            run = self._now(run)
            value = None if state is RunState.NONE else state.value
            self.store.execute("UPDATE run SET arteria_state = ? WHERE id = ?", (value, run.id))
            run_name = run.name if is_identifier(run.name) else None
            self.events.append("arteria_state", who=who, run=run_name, state=state.value)
            if run_name is not None and not run.claimable:
                self.tell_if_ready(run_name)

    def forget(self, run: Run) -> None:
        """Drop a refused folder that was removed or renamed; its history stays."""
        self.store.execute("DELETE FROM run WHERE id = ? AND verdict = 'refused'", (run.id,))

    def first_scan_done(self) -> bool:
        row = self.store.row("SELECT first_scan FROM store")
        return row is not None and row["first_scan"] is not None

    def note_first_scan(self) -> None:
        self.store.execute("UPDATE store SET first_scan = ?", (times.now(),))
