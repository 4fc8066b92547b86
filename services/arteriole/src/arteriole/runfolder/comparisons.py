"""The comparison of a run's observed indexes with its sheet: is it due, begun, judged?

It is no stage, since a run has no attempt before it is complete; but as with a stage, an event that
was lost is made up for by whoever asks what should have moved and has not.
"""

import sqlite3
from dataclasses import dataclass

from arteriole.app import times
from arteriole.app.events import EventLog
from arteriole.app.store import Store

#: Seconds after which one that nobody began or judged is history: then no rule is for it.
OLD = 86400.0
#: States in which a run is over, so that a comparison would change nothing.
_OVER = "('done', 'cancelled')"


@dataclass(frozen=True)
class Comparison:
    """That of one run; `service` and `job_id` are of the job that compares, once it has begun."""

    run: str
    due: str
    service: str | None
    job_id: int | None
    begun: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Comparison":
        return cls(**{name: row[name] for name in ("run", "due", "service", "job_id", "begun")})

    @property
    def since(self) -> str:
        return self.begun or self.due


class Comparisons:
    def __init__(self, store: Store, events: EventLog) -> None:
        self._store = store
        self._events = events

    def expect(self, run_id: int) -> None:
        """It is due from now on; once a run. NB: inside a transaction."""
        self._store.execute(
            "INSERT OR IGNORE INTO comparison (run, due) VALUES (?, ?)", (run_id, times.now())
        )

    def owed(self, grace: float) -> list[Comparison]:
        """Those that nobody has begun, or judged, for `grace` seconds, and that are not a day old.

        Those of runs that are over are left out.
        """
        rows = self._store.rows(
            "SELECT run.name AS run, due, service, job_id, begun FROM comparison"  # noqa: S608  a text of this module
            " JOIN run ON run.id = comparison.run WHERE judged IS NULL AND due >= ?"
            f" AND coalesce(begun, due) <= ? AND run.state NOT IN {_OVER} ORDER BY run.id",
            (times.now(-OLD), times.now(-grace)),
        )
        return [Comparison.from_row(row) for row in rows]

    def begin(self, run_id: int, name: str, who: str, service: str, job_id: int) -> bool:
        """The job compares; a later one may take its place until one is judged.

        Returns:
            False if none is due: then nothing happens.
        """
        with self._store.transaction():
            row = self._waiting(run_id)
            if row is None:
                return False
            if (row["service"], row["job_id"]) != (service, job_id):
                self._store.execute(
                    "UPDATE comparison SET service = ?, job_id = ?, begun = ? WHERE run = ?",
                    (service, job_id, times.now(), run_id),
                )
                self._events.append(
                    "comparison_begun", who=who, run=name, service=service, job_id=job_id
                )
        return True

    def judge(
        self, run_id: int, name: str, who: str, service: str, job_id: int | None, code: str
    ) -> bool:
        """What the job found was acted on; without a job: none can be started, for `code`.

        Returns:
            False if none is due, or another job compares: then nothing happens.
        """
        with self._store.transaction():
            row = self._waiting(run_id)
            if row is None:
                return False
            if row["job_id"] is not None and (row["service"], row["job_id"]) != (service, job_id):
                return False
            self._store.execute(
                "UPDATE comparison SET judged = ? WHERE run = ?", (times.now(), run_id)
            )
            self._events.append("comparison_judged", who=who, run=name, code=code)
        return True

    def _waiting(self, run_id: int) -> sqlite3.Row | None:
        return self._store.row(
            "SELECT * FROM comparison WHERE run = ? AND judged IS NULL", (run_id,)
        )
