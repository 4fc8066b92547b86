"""Puts a run together from its row and those of the other tables."""

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from arteriole.app.store import Store
from arteriole.runfolder.records import (
    Abort,
    Attempt,
    Hold,
    Lease,
    Run,
    Scope,
    Stage,
    WaivedRule,
    Waiver,
)
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind


class Parts:
    """The rows of other tables that belong to the runs with these ids, or to any."""

    def __init__(self, store: Store, ids: list[int] | None = None) -> None:
        where = "" if ids is None else "WHERE run IN (SELECT value FROM json_each(?))"
        given = () if ids is None else (json.dumps(ids),)

        def grouped(table: str, order: str) -> dict[int, list[sqlite3.Row]]:
            groups: dict[int, list[sqlite3.Row]] = defaultdict(list)
            for row in store.rows(f"SELECT * FROM {table} {where} ORDER BY {order}", given):  # noqa: S608  table names of this module
                groups[row["run"]].append(row)
            return groups

        self._stages = grouped("stage", "run, attempt, position")
        self._attempts = grouped("attempt", "run, attempt")
        self._aborts = grouped("abort", "run, attempt")
        self._leases = grouped("lease", "run")
        self._rules = grouped("waived_rule", "run, rule")
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
            evidence=_object(row["evidence"]),
            metadata=_object(row["metadata"]),
            arteria_state=RunState(row["arteria_state"]) if row["arteria_state"] else None,
            attempt=row["attempt"],
            plan=_object(row["plan"]),
            claimed_by=row["claimed_by"],
            instrument=instrument,
            metrics=_object(row["metrics"]) if row["metrics"] else None,
            waiver=Waiver.from_json(row["waiver"]) if row["waiver"] else None,
            waived_rules=tuple(map(WaivedRule.from_row, self._rules.get(row["id"], ()))),
            held=self._held(row["name"], instrument),
            lease=next((Lease.from_row(one) for one in self._leases.get(row["id"], ())), None),
            aborts=tuple(Abort.from_row(abort) for abort in self._aborts.get(row["id"], ())),
            attempts=tuple(Attempt.from_row(one) for one in self._attempts.get(row["id"], ())),
            stages=[Stage.from_row(stage) for stage in self._stages.get(row["id"], ())],
        )

    def _held(self, name: str, instrument: str) -> Hold | None:
        for scope, of in ((Scope.RUN, name), (Scope.INSTRUMENT, instrument), (Scope.ALL, "")):
            if (hold := self._holds.get((scope.value, of))) is not None:
                return hold
        return None


def _object(text: str) -> dict[str, Any]:
    """Of JSON; most are empty, and lists are of hundreds."""
    return {} if text == "{}" else json.loads(text)


def _instrument_in(name: str) -> str:
    """The serial in a run folder's name, `<date>_<instrument>_<number>_<flow cell>`."""
    parts = name.split("_")
    return parts[1] if len(parts) >= 4 and parts[0].isdecimal() else ""
