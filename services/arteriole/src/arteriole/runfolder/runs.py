"""The rows of runs: what is known of each run folder, whatever becomes of the folder."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from arteriole.app import times
from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.mode import Mode
from arteriole.app.names import is_identifier
from arteriole.app.store import Store
from arteriole.runfolder import alerts
from arteriole.runfolder.absence import before
from arteriole.runfolder.alerts import Alerts
from arteriole.runfolder.comparisons import Comparisons
from arteriole.runfolder.index import StateIndex
from arteriole.runfolder.parts import Parts
from arteriole.runfolder.records import Abort as Abort
from arteriole.runfolder.records import Hold
from arteriole.runfolder.records import Run as Run
from arteriole.runfolder.records import Stage as Stage
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.succession import Place, place
from arteriole.runfolder.tempo import Rise
from arteriole.runfolder.verdict import Verdict, VerdictKind

WHO = "runfolder"

#: States in which a run asks nothing of a reader that lost its place.
CLOSED = (RunState.DONE, RunState.CANCELLED)

#: Verdicts of a run whose base calls are still to come.
GOING_ON = (VerdictKind.SEQUENCING, VerdictKind.STUCK)

#: Verdicts with which all of a run is here.
WHOLE = (VerdictKind.COMPLETE, VerdictKind.NO_SHEET)


#: What is judged for good: it is only looked whether the folder is still there.
SETTLED = frozenset({VerdictKind.COMPLETE, VerdictKind.REFUSED})

_END = 2**63 - 1
_OF_STATE = ("", "AND state = ?")


class Folder(NamedTuple):
    """As much of a run as Arteria's list tells; `metadata` is JSON."""

    id: int
    path: str
    state: str
    metadata: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A run to be judged again; `gone` if it is known to have been removed."""

    path: Path
    reachable: bool
    gone: bool


def stored(path: str) -> str:
    """As it stands in the store: bytes of its name that are not UTF-8 are escaped."""
    return path if path.isascii() else path.encode("utf-8", "backslashreplace").decode()


def storable(path: Path) -> Path:
    """`path` as it stands in the store, see `stored`."""
    return Path(stored(str(path)))


class LeaseLostError(ConflictError):
    """A client speaks of a lease that ran out or was ended."""

    code = "pickup.lost"

    def __init__(self, lease_id: str) -> None:
        super().__init__(
            f"there is no lease {lease_id[:40]} any more: it ran out, or was ended",
            hint="stop working on that run, another may have it by now; then pick up the next one",
        )


class Runs:
    """The runs of this store; `events` is written in the transaction of each change."""

    def __init__(self, store: Store, mode: Mode = Mode.OBSERVE) -> None:
        self.store = store
        self.mode = mode
        self._index = StateIndex(store)
        self.events = EventLog(store, self._replay_from)
        self.alerts = Alerts(store, self.events)
        self.comparisons = Comparisons(store, self.events)

    def _replay_from(self) -> int:
        row = self.store.row(
            "SELECT min((SELECT min(event.id) FROM event WHERE event.run = run.name)) - 1 AS open,"
            " (SELECT coalesce(max(id), 0) FROM event) AS last"
            " FROM run WHERE state NOT IN (?, ?)",
            CLOSED,
        )
        assert row is not None
        return int(row["last"] if row["open"] is None else row["open"])

    def all(self, state: RunState | None = None) -> list[Run]:
        """Every run, or those of that state."""
        if state is not None:
            return self._those(
                self.store.rows("SELECT * FROM run WHERE state = ? ORDER BY id", (state,))
            )
        parts = Parts(self.store)
        return [parts.run(row) for row in self.store.rows("SELECT * FROM run ORDER BY id")]

    def _those(self, rows: list[sqlite3.Row]) -> list[Run]:
        """Few of many."""
        if not rows:
            return []
        parts = Parts(self.store, [row["id"] for row in rows])
        return [parts.run(row) for row in rows]

    def newest(
        self, limit: int, before: int | None = None, state: RunState | None = None
    ) -> list[Run]:
        """At most `limit` runs, the last seen first; those with an id below `before`."""
        rows = self.store.rows(
            f"SELECT * FROM run WHERE id < ? {_OF_STATE[state is not None]}"  # noqa: S608  texts of this module
            " ORDER BY id DESC LIMIT ?",
            (_END if before is None else before, *(() if state is None else (state,)), limit),
        )
        return self._those(rows)

    def folders(
        self, state: RunState | None = None, limit: int | None = None, before: int | None = None
    ) -> list[Folder]:
        """As `all`, or with a limit as `newest`, without those that cannot be reached."""
        rows = self.store.rows(
            "SELECT id, path, state, metadata FROM run WHERE verdict != 'unreachable'"  # noqa: S608  texts of this module
            f" AND id < ? {_OF_STATE[state is not None]}"
            f" ORDER BY id {'' if limit is None else 'DESC'} LIMIT ?",
            (
                _END if before is None else before,
                *(() if state is None else (state,)),
                -1 if limit is None else limit,
            ),
        )
        return [Folder(*row) for row in rows]

    def next_ready(self) -> Run | None:
        """The ready run that is known longest."""
        row = self.store.row(
            "SELECT * FROM run WHERE state = 'ready' AND verdict NOT IN ('unreachable', 'refused')"
            " ORDER BY id LIMIT 1"
        )
        return None if row is None else self._those([row])[0]

    def unknown(self, paths: list[str]) -> list[str]:
        """Those of `paths` (as they stand in the store) that are no run's."""
        rows = self.store.rows(
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT path FROM run)",
            (json.dumps(paths),),
        )
        return [row["value"] for row in rows]

    def in_doubt(self) -> list[Doubt]:
        """The runs that are not judged for good, in the order in which they were seen."""
        kinds = [kind for kind in VerdictKind if kind not in SETTLED]
        rows = self.store.rows(
            "SELECT path, verdict != 'unreachable',"
            " verdict = 'unreachable' AND json_extract(evidence, '$.gone') = 1 FROM run"
            " WHERE verdict IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(kinds),),
        )
        return [Doubt(Path(path), bool(there), bool(gone)) for path, there, gone in rows]

    def settled(self, at_once: int) -> Iterator[list[str]]:
        """The paths of the runs that are judged for good, by pages: others may change between."""
        for rows in self._pages("path, verdict", at_once):
            yield [row["path"] for row in rows if row["verdict"] in SETTLED]

    def places(self, serial: str) -> list[Place]:
        """Where the runs of an instrument stand, and those of which nothing is read yet."""
        rows = self.store.rows(
            "SELECT name, instrument, json_extract(evidence, '$.run_number') AS run_number,"
            " json_extract(evidence, '$.side') AS side FROM run"
            " WHERE verdict != 'refused' AND instrument IN (?, '')",
            (serial,),
        )
        return [place(row["name"], dict(row)) for row in rows]

    def _pages(self, columns: str, at_once: int) -> Iterator[list[sqlite3.Row]]:
        last = 0
        while rows := self.store.rows(
            f"SELECT id, {columns} FROM run WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608  columns of this module
            (last, at_once),
        ):
            yield rows
            last = rows[-1]["id"]

    def unfinished(self) -> list[Run]:
        """Those that may be claimed, or of which a stage may begin, run or wait."""
        return self._those(
            self.store.rows(
                "SELECT * FROM run WHERE state = 'ready'"
                " OR id IN (SELECT run FROM stage WHERE state = 'running')"
                " OR state != 'cancelled'"
                " AND id IN (SELECT run FROM stage WHERE state IN ('waiting', 'held'))"
                " ORDER BY id"
            )
        )

    def holdable(self) -> list[Run]:
        """Those of which something could begin, were they not held."""
        return self._those(
            self.store.rows(
                "SELECT * FROM run WHERE state IN ('ready', 'pending', 'started', 'error')"
                " ORDER BY id"
            )
        )

    def running(self) -> list[Run]:
        """Those with a running stage, in whatever attempt; only they are read."""
        rows = self.store.rows(
            "SELECT * FROM run WHERE id IN (SELECT run FROM stage WHERE state = ?) ORDER BY id",
            (StageState.RUNNING.value,),
        )
        return self._those(rows)

    def by_path(self, path: Path) -> Run | None:
        row = self.store.row("SELECT * FROM run WHERE path = ?", (str(storable(path)),))
        return None if row is None else Parts(self.store, [row["id"]]).run(row)

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
        return Parts(self.store, [row["id"]]).run(row)

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
            self._note_cycle(run, verdict)
            if run.verdict is not verdict.kind:
                self.events.append(
                    "verdict", who=WHO, run=run.name, verdict=verdict.kind.value, code=verdict.code
                )
            self._tell_of(run, verdict)
            kept = before(run)
            was_told = run.claimable or (kept is not None and kept["ready"])
            if run.verdict is not verdict.kind and not was_told:
                self.tell_if_ready(run.name)

    def rises(self, run: Run) -> list[Rise]:
        """When each higher cycle of it was first seen, the lowest first."""
        rows = self.store.rows("SELECT * FROM cycle WHERE run = ? ORDER BY cycle", (run.id,))
        return [Rise(row["cycle"], row["seen"]) for row in rows]

    def note_metrics(self, path: Path, metrics: dict[str, Any] | None) -> None:
        """Keep what the instrument measured."""
        text = None if metrics is None else json.dumps(metrics)
        self.store.execute("UPDATE run SET metrics = ? WHERE path = ?", (text, str(storable(path))))

    def _note_cycle(self, run: Run, verdict: Verdict) -> None:
        """Keep when the highest cycle of a run rose, until all of it is there."""
        if verdict.kind is VerdictKind.COMPLETE:
            self.store.execute("DELETE FROM cycle WHERE run = ?", (run.id,))
        cycle, since = (verdict.evidence.get(name) for name in ("cycles_seen", "cycle_since"))
        if cycle and since:
            self.store.execute(
                "INSERT INTO cycle (run, cycle, seen) SELECT ?, ?, ? WHERE ? >"
                " (SELECT coalesce(max(cycle), 0) FROM cycle WHERE run = ?)",
                (run.id, cycle, since, cycle, run.id),
            )

    def _tell_of(self, run: Run, verdict: Verdict) -> None:
        """What rules are told of a run's verdict; nothing of one that is over or was here before.

        One that was here before and is seen to be sequenced counts as new.
        """
        name, kind, evidence = run.name, verdict.kind, verdict.evidence
        what = alerts.OF_VERDICT.get(kind, "")
        self.alerts.clear(name, but=what)
        if run.state in CLOSED or run.finished:
            return
        if not run.adopted and len(self.rises(run)) < 2:
            return
        if kind in GOING_ON and evidence.get("indexes_read") and evidence.get("samples"):
            self._tell_once("indexes_read", name)
            self.comparisons.expect(run.id)
        if kind is VerdictKind.SEQUENCING and evidence.get("instrument"):
            self._tell_once("run_started", name)
        elif kind in WHOLE and run.verdict not in WHOLE and not run.attempt:
            self._tell_once("run_copied", name)
        elif what == alerts.RUN_UNREACHABLE:
            code, others = verdict.code, self._others_unreachable(run)
            self.alerts.raise_(what, who=WHO, run=name, about=code, code=code, told=others)
        elif what:
            reached = evidence.get("cycles_seen")
            about = f"cycle {reached}" if what == alerts.RUN_STUCK else verdict.code
            self.alerts.raise_(what, who=WHO, run=name, about=about, code=verdict.code)

    def _tell_once(self, what: str, name: str) -> None:
        told = self.store.row(
            "SELECT 1 FROM event WHERE run = ? AND what = ? LIMIT 1", (name, what)
        )
        if told is None:
            self.events.append(what, who=WHO, run=name)

    def _others_unreachable(self, run: Run) -> bool:
        """Another one in the same directory is told of already: a file system that is away."""
        rows = self.store.rows(
            "SELECT run.path FROM alert JOIN run ON run.name = alert.run"
            " WHERE alert.what = ? AND alert.cleared IS NULL AND run.id != ?",
            (alerts.RUN_UNREACHABLE, run.id),
        )
        return any(Path(row["path"]).parent == run.path.parent for row in rows)

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
        """Let a run be worked on: one that was there before, observed, or dismissed.

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

    def end_lease(self, run: Run, who: str, what: str = "lease_ended") -> None:
        """End it, if there is one; NB: inside a transaction."""
        if run.lease is not None:
            self.store.execute("DELETE FROM lease WHERE run = ?", (run.id,))
            self.events.append(what, who=who, run=run.name, client=run.lease.client)

    def set_arteria_state(
        self, run: Run, state: RunState, who: str, lease_id: str | None = None
    ) -> None:
        """What a client of Arteria says of a run; it ends the lease of whoever picked it up.

        Raises:
            ConflictError: the run has a plan, or was dismissed, or `lease_id` is not that of its
                lease any more.
        """
        with self.store.transaction():
            run = self._now(run)
            if not run.awaits_claim:
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
            self.require_lease(run, lease_id)
            value = None if state is RunState.NONE else state.value
            self.store.execute("UPDATE run SET arteria_state = ? WHERE id = ?", (value, run.id))
            self.end_lease(run, who)
            run_name = run.name if is_identifier(run.name) else None
            self.events.append("arteria_state", who=who, run=run_name, state=state.value)
            if run_name is not None and not run.claimable:
                self.tell_if_ready(run_name)

    def require_lease(self, run: Run, lease_id: str | None) -> None:
        """Raise LeaseLostError if a client speaks of a lease that it does not have any more."""
        lease = run.lease
        has = lease is not None and lease.id == lease_id and lease.until > times.now()
        if lease_id is not None and not has:
            raise LeaseLostError(lease_id)

    def forget(self, run: Run) -> None:
        """Drop a refused folder that was removed or renamed; its history stays.

        One of which an attempt was made, before it was refused, stays too.
        """
        with self.store.transaction():
            refused = "SELECT id FROM run WHERE id = ? AND verdict = 'refused' AND attempt = 0"
            for table in ("abort", "cycle", "lease", "comparison"):
                self.store.execute(f"DELETE FROM {table} WHERE run IN ({refused})", (run.id,))  # noqa: S608  texts of this module
            self.store.execute(f"DELETE FROM run WHERE id IN ({refused})", (run.id,))  # noqa: S608  texts of this module

    def holds(self) -> list[Hold]:
        """Every hold, the oldest first."""
        rows = self.store.rows("SELECT * FROM hold ORDER BY since, scope, name")
        return [Hold.from_row(row) for row in rows]
