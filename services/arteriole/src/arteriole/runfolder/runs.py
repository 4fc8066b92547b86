"""The rows of runs: what is known of each run folder, whatever becomes of the folder."""

import json
import sqlite3
from collections import defaultdict
from pathlib import Path

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.mode import Mode
from arteriole.app.names import is_identifier
from arteriole.app.store import Store
from arteriole.runfolder.absence import before
from arteriole.runfolder.records import Abort as Abort
from arteriole.runfolder.records import Attempt, Hold, Scope, Waiver
from arteriole.runfolder.records import Run as Run
from arteriole.runfolder.records import Stage as Stage
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.verdict import Verdict, VerdictKind

WHO = "runfolder"

#: States in which a run asks nothing of a reader that lost its place.
CLOSED = (RunState.DONE, RunState.CANCELLED)


def storable(path: Path) -> Path:
    """`path` as it stands in the store: bytes of its name that are not UTF-8 are escaped."""
    return Path(str(path).encode("utf-8", "backslashreplace").decode())


class Runs:
    """The runs of this store; `events` is written in the transaction of each change."""

    def __init__(self, store: Store, mode: Mode = Mode.OBSERVE) -> None:
        self.store = store
        self.mode = mode
        self.events = EventLog(store, self._replay_from)

    def _replay_from(self) -> int:
        open_runs = [run.name for run in self.all() if run.state not in CLOSED]
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
        parts = _Parts(self.store)
        return [parts.run(row) for row in self.store.rows("SELECT * FROM run ORDER BY id")]

    def newest(self, limit: int, before: int | None = None) -> list[Run]:
        """At most `limit` runs, the last seen first; those with an id below `before`."""
        rows = self.store.rows(
            "SELECT * FROM run WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
            (before, before, limit),
        )
        if not rows:
            return []
        parts = _Parts(self.store, rows[-1]["id"], rows[0]["id"])
        return [parts.run(row) for row in rows]

    def running(self) -> list[Run]:
        """Those with a running stage, in whatever attempt; only they are read."""
        rows = self.store.rows(
            "SELECT * FROM run WHERE id IN (SELECT run FROM stage WHERE state = ?) ORDER BY id",
            (StageState.RUNNING.value,),
        )
        return [_Parts(self.store, row["id"], row["id"]).run(row) for row in rows]

    def by_path(self, path: Path) -> Run | None:
        row = self.store.row("SELECT * FROM run WHERE path = ?", (str(storable(path)),))
        return None if row is None else _Parts(self.store, row["id"], row["id"]).run(row)

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
        return _Parts(self.store, row["id"], row["id"]).run(row)

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
                kept = before(run)
                was_told = kept is not None and kept["ready"]
                if not run.claimable and not was_told:
                    self.tell_if_ready(run.name)

    def _now(self, run: Run) -> Run:
        """The run as it is now: another may have changed it since it was read."""
        return self.by_path(run.path) or run

    def _write_verdict(self, run: Run, verdict: Verdict) -> None:
        since = run.verdict_since if run.verdict is verdict.kind else times.now()
        kept = before(run)
        if kept is not None and kept["verdict"] == verdict.kind.value:
            since = kept["since"]  # it was only out of reach
        instrument = verdict.evidence.get("instrument")
        self.store.execute(
            "UPDATE run SET verdict = ?, verdict_since = ?, code = ?, message = ?, hint = ?,"
            " evidence = ?, metadata = ?, instrument = coalesce(?, instrument) WHERE id = ?",
            (
                verdict.kind.value,
                since,
                verdict.code,
                verdict.message,
                verdict.hint,
                json.dumps(verdict.evidence),
                json.dumps(verdict.metadata or run.metadata),
                instrument[:200] if isinstance(instrument, str) and instrument else None,
                run.id,
            ),
        )

    def tell_if_ready(self, name: str) -> None:
        """Emit `run_ready` if the run can be claimed; NB: inside a transaction."""
        if self.get(name).claimable:
            self.events.append("run_ready", who=WHO, run=name)

    def adopt(self, name: str, who: str) -> None:
        """Let a run be worked on: one found at first start, observed, or dismissed.

        Raises:
            ConflictError: it was observed and this service still only observes, or its attempt
                was aborted, which only a redo takes back.
        """
        with self.store.transaction():
            run = self.get(name)
            if run.observed and self.mode is Mode.OBSERVE:
                raise ConflictError(
                    f"{name} was observed already, and the mode is still observe",
                    code="run.observed",
                    hint="set mode: act in arteriole.yaml and start the services again; then:"
                    f" arteriole adopt {name}",
                )
            if run.aborted is not None and run.attempt and not run.observed:
                raise ConflictError(
                    f"attempt {run.attempt} of {name} was aborted by {run.aborted.by}",
                    code="run.aborted",
                    hint=f"arteriole redo {name} --from STAGE",
                )
            if run.adopted and run.aborted is None:
                return
            self.store.execute("UPDATE run SET adopted = 1 WHERE id = ?", (run.id,))
            self.store.execute(
                "DELETE FROM abort WHERE run = ? AND attempt = ?", (run.id, run.attempt)
            )
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
        if run.aborted is not None:
            raise ConflictError(
                f"{run.name} was dismissed by {run.aborted.by}",
                code="run.aborted",
                hint=f"arteriole adopt {run.name}",
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

    def holds(self) -> list[Hold]:
        """Every hold, the oldest first."""
        rows = self.store.rows("SELECT * FROM hold ORDER BY since, scope, name")
        return [Hold.from_row(row) for row in rows]


class _Parts:
    """The rows of other tables that belong to the runs with ids from `first` to `last`."""

    def __init__(self, store: Store, first: int = 0, last: int = 2**63 - 1) -> None:

        where, given = "WHERE run BETWEEN ? AND ?", (first, last)

        def grouped(table: str, order: str) -> dict[int, list[sqlite3.Row]]:
            groups: dict[int, list[sqlite3.Row]] = defaultdict(list)
            for row in store.rows(f"SELECT * FROM {table} {where} ORDER BY {order}", given):  # noqa: S608  table names of this module
                groups[row["run"]].append(row)
            return groups

        self._stages = grouped("stage", "attempt, position")
        self._attempts = grouped("attempt", "attempt")
        self._aborts = grouped("abort", "attempt")
        rows = store.rows("SELECT * FROM hold")
        self._holds = {(row["scope"], row["name"]): Hold.from_row(row) for row in rows}

    def run(self, row: sqlite3.Row) -> Run:
        instrument = row["instrument"] or _instrument_in(row["name"])
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
            instrument=instrument,
            waiver=Waiver.from_json(row["waiver"]) if row["waiver"] else None,
            held=self._held(row["name"], instrument),
            aborts=tuple(Abort.from_row(abort) for abort in self._aborts.get(row["id"], ())),
            attempts=tuple(Attempt.from_row(one) for one in self._attempts.get(row["id"], ())),
            stages=[Stage.from_row(stage) for stage in self._stages.get(row["id"], ())],
        )

    def _held(self, name: str, instrument: str) -> Hold | None:
        for scope, of in ((Scope.RUN, name), (Scope.INSTRUMENT, instrument), (Scope.ALL, "")):
            if (hold := self._holds.get((scope.value, of))) is not None:
                return hold
        return None


def _instrument_in(name: str) -> str:
    """The serial in a run folder's name, `<date>_<instrument>_<number>_<flow cell>`."""
    parts = name.split("_")
    return parts[1] if len(parts) >= 4 and parts[0].isdecimal() else ""
