"""One run in two folders of different names: that which is read second is held, or it would be done
twice.
"""

from pathlib import Path
from typing import Any, NamedTuple

from arteriole.runfolder.holds import Finding, Holds
from arteriole.runfolder.records import Run, Scope
from arteriole.runfolder.runs import WHO, Runs
from arteriole.runfolder.verdict import Verdict

#: The code of the hold.
COPY = "run.copy"
#: What RunInfo.xml says of a run, by which it is known under any name.
_IDENTITY = ("instrument", "run_number", "flowcell")
#: An attempt that only works out what would be done is none.
_CLAIMED = "EXISTS (SELECT 1 FROM attempt WHERE attempt.run = run.id AND NOT observed)"


class Twin(NamedTuple):
    """Another folder of the same run; `is_claimed` if its chain has begun."""

    name: str
    path: Path
    is_claimed: bool


class Copies:
    def __init__(self, runs: Runs, holds: Holds) -> None:
        self._store = runs.store
        self._holds = holds

    def twins(self, run: Run, verdict: Verdict) -> list[Twin]:
        """Those read before that are or may be worked on, and were not held for this one; none
        unless its RunInfo.xml was read just now for the first time, or after it was away.

        NB: whoever is told of none records the verdict before others are judged, or both are taken.
        """
        identity = _identity(verdict.evidence)
        if run.attempt or not all(identity) or _identity(run.evidence) == identity:
            return []
        rows = self._store.rows(
            f"SELECT name, path, {_CLAIMED} AS claimed FROM run WHERE instrument = ? AND id != ?"  # noqa: S608  text of this module
            " AND ? IN (json_extract(evidence, '$.run_number'),"
            " json_extract(evidence, '$.before.evidence.run_number'))"
            " AND ? IN (json_extract(evidence, '$.flowcell'),"
            " json_extract(evidence, '$.before.evidence.flowcell'))"
            " AND state != 'cancelled' AND verdict != 'refused' AND (adopted OR claimed)"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE event.run = run.name AND what = 'held'"
            " AND json_extract(payload, '$.about') = ?) ORDER BY id",
            (identity[0], run.id, identity[1], identity[2], _about(run.name)),
        )
        return [Twin(row["name"], Path(row["path"]), bool(row["claimed"])) for row in rows]

    def hold(self, run: Run, twin: Twin) -> None:
        """Once for each other folder: whoever releases it has decided."""
        name = run.name
        self._holds.hold(
            Scope.RUN,
            name,
            f"it is the run of {twin.path} under another name: instrument, run number and flow cell"
            " of its RunInfo.xml are the same",
            WHO,
            Finding(
                code=COPY,
                hint=f"if it is a copy, move it out of {run.path.parent}, then: arteriole abort"
                f" {name}; if it is to be worked on as well: arteriole release {name}",
                about=_about(twin.name),
            ),
        )


def _about(name: str) -> str:
    return f"copy of {name}"


def _identity(evidence: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(evidence.get(name) for name in _IDENTITY)
