"""Whole runs that wait for their sample sheet for longer than sheets usually take here."""

import asyncio
import sqlite3

import structlog

from arteriole.app import times
from arteriole.runfolder.alerts import OLD, RUN_STUCK
from arteriole.runfolder.runs import WHO, Runs
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind

#: Seconds between two looks at the store.
PAUSE = 30.0

log = structlog.get_logger()


class SheetlessWatch:
    """Raises an alert when a run has waited for `hours`; another verdict of it takes it back."""

    def __init__(self, runs: Runs, hours: float) -> None:
        self._runs = runs
        self._seconds = hours * 3600.0

    def check(self) -> None:
        """Raise what is due; what was due a day ago is history, as an alert is that nobody told.

        NB: what nobody is told of, since it stands, is not written again.
        """
        store = self._runs.store
        first, last = times.now(-self._seconds - OLD), times.now(-self._seconds)
        late = store.rows(
            "SELECT name FROM run WHERE verdict = ? AND verdict_since BETWEEN ? AND ? AND adopted"
            " AND attempt = 0 AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.run = run.name"
            " AND alert.what = ? AND alert.cleared IS NULL)",
            (VerdictKind.NO_SHEET.value, first, last, RUN_STUCK),
        )
        for row in late:
            with store.transaction():
                run = self._runs.get(row["name"])
                waits = run.verdict is VerdictKind.NO_SHEET and run.state is RunState.NONE
                if waits and run.held is None:
                    code = run.code
                    self._runs.alerts.raise_(
                        RUN_STUCK, who=WHO, run=run.name, about="no sheet", code=code
                    )

    async def run(self) -> None:
        """Check for as long as the service runs."""
        while True:
            try:
                self.check()
            except sqlite3.Error:  # a full disk, say: it may be mended
                log.exception("that a sample sheet is missing cannot be told of")
            await asyncio.sleep(min(PAUSE, self._seconds / 2))
