"""Which version of each sample an attempt goes by, for good, and which samples it lacks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arteriole.app import times
from arteriole.app.errors import NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.store import Store
from arteriole.metadata.lookup import Missing, Outcome
from arteriole.metadata.samples import Samples

WHO = "metadata"
#: The event of this service that is a trigger: all that an attempt lacked is known.
READY = "metadata_ready"
#: And that a person gave up what an attempt went by.
THAWED = "metadata_thawed"

Attempt = tuple[str, int]


class Freezes:
    """The frozen versions and the missing samples of each attempt."""

    def __init__(self, store: Store, samples: Samples) -> None:
        self._store = store
        self._samples = samples
        self.events = EventLog(store, self._replay_from)

    def _replay_from(self) -> int:
        """Before the first event of an attempt that lacks something still; else the end."""
        row = self._store.row(
            "SELECT coalesce((SELECT min(event.id) - 1 FROM event JOIN missing"
            " ON event.run = missing.run AND event.attempt = missing.attempt),"
            " (SELECT max(id) FROM event), 0) AS id"
        )
        assert row is not None
        return int(row["id"])

    def frozen(self, attempt: Attempt) -> set[str]:
        rows = self._store.rows("SELECT sample FROM frozen WHERE run = ? AND attempt = ?", attempt)
        return {row["sample"] for row in rows}

    def lacking(self, attempt: Attempt) -> list[str]:
        return [row["sample"] for row in self._missing(attempt)]

    def freeze(self, attempt: Attempt, looked: Mapping[str, Outcome]) -> None:
        """Freeze for good what was found and is not frozen yet; the rest is missing."""
        now = times.now()
        with self._store.transaction():
            self._store.execute(
                "INSERT OR IGNORE INTO freeze (run, attempt, made) VALUES (?, ?, ?)",
                (*attempt, now),
            )
            frozen = self.frozen(attempt)
            for sample, outcome in looked.items():
                if sample in frozen:
                    continue
                if isinstance(outcome, Missing):
                    self._note_missing(attempt, sample, outcome, now)
                    continue
                self._store.execute(
                    "INSERT INTO frozen (run, attempt, sample, version, time)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (*attempt, sample, self._samples.put(outcome), now),
                )
                self._store.execute(
                    "DELETE FROM missing WHERE run = ? AND attempt = ? AND sample = ?",
                    (*attempt, sample),
                )

    def _note_missing(self, attempt: Attempt, sample: str, why: Missing, now: str) -> None:
        """It will be told of once it is known, even if that was told before."""
        self._store.execute(
            "INSERT INTO missing (run, attempt, sample, code, reason, since)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " code = excluded.code, reason = excluded.reason, known = 0",
            (*attempt, sample, why.code, why.reason, now),
        )
        self._store.execute("UPDATE freeze SET told = NULL WHERE run = ? AND attempt = ?", attempt)

    def thaw(self, attempt: Attempt, samples: Sequence[str], reason: str, who: str) -> None:
        """Give up the frozen versions of `samples`: the next freeze takes what is known then.

        What the attempt went by stays written, with who gave it up and why. All or none.

        Raises:
            NotFoundError: one of them is not frozen.
        """
        now = times.now()
        with self._store.transaction():
            for sample in dict.fromkeys(samples):
                row = self._store.row(
                    "DELETE FROM frozen WHERE run = ? AND attempt = ? AND sample = ?"
                    " RETURNING version, time",
                    (*attempt, sample),
                )
                if row is None:
                    run, number = attempt
                    raise NotFoundError(
                        f"{sample} is not frozen for attempt {number} of {run}",
                        code="metadata.not_frozen",
                        hint="nothing was given up; what is not frozen needs not be thawed",
                    )
                self._store.execute(
                    "INSERT INTO thawed (run, attempt, sample, version, frozen, thawed_by, reason,"
                    " time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*attempt, sample, row["version"], row["time"], who, reason, now),
                )
            self.events.append(
                THAWED, who=who, run=attempt[0], attempt=attempt[1], samples=len(set(samples))
            )

    def unknown(self) -> set[str]:
        """Samples that some attempt lacks and that were not known when it was last looked."""
        return {
            row["sample"] for row in self._store.rows("SELECT sample FROM missing WHERE NOT known")
        }

    def looked(self, outcomes: Mapping[str, Outcome]) -> None:
        """Note what is known now; tell of each attempt whose last missing sample that was."""
        with self._store.transaction():
            for sample, outcome in outcomes.items():
                if isinstance(outcome, Missing):
                    self._store.execute(
                        "UPDATE missing SET code = ?, reason = ? WHERE sample = ? AND NOT known",
                        (outcome.code, outcome.reason, sample),
                    )
                else:
                    self._samples.put(outcome)
                    self._store.execute("UPDATE missing SET known = 1 WHERE sample = ?", (sample,))
            for row in self._store.rows(
                "SELECT run, attempt FROM freeze JOIN missing USING (run, attempt)"
                " WHERE told IS NULL GROUP BY run, attempt HAVING min(known)"
            ):
                attempt = (row["run"], row["attempt"])
                self._store.execute(
                    "UPDATE freeze SET told = ? WHERE run = ? AND attempt = ?",
                    (times.now(), *attempt),
                )
                self.events.append(READY, who=WHO, run=row["run"], attempt=row["attempt"])

    def _missing(self, attempt: Attempt) -> list[Any]:
        return self._store.rows(
            "SELECT * FROM missing WHERE run = ? AND attempt = ? ORDER BY sample", attempt
        )

    def document(self, attempt: Attempt) -> dict[str, Any]:
        """`{run, attempt, records, missing, complete}`; NotFoundError if it was never frozen."""
        run, number = attempt
        made = self._store.row("SELECT 1 FROM freeze WHERE run = ? AND attempt = ?", attempt)
        if made is None:
            raise NotFoundError(
                f"no metadata was frozen for attempt {number} of {run}",
                code="metadata.not_frozen",
                hint="it is frozen when the attempt is to be analysed",
            )
        records = self._store.rows(
            "SELECT it.*, frozen.time AS frozen FROM frozen"
            " JOIN sample_version AS it USING (sample, version)"
            " WHERE run = ? AND attempt = ? ORDER BY sample",
            attempt,
        )
        missing = self._missing(attempt)
        return {
            "run": run,
            "attempt": number,
            "records": [
                {
                    "sample": row["sample"],
                    "version": row["version"],
                    "source": row["source"],
                    "time": row["time"],
                    "frozen": row["frozen"],
                    "record": json.loads(row["record"]),
                }
                for row in records
            ],
            "missing": [
                {
                    "sample": row["sample"],
                    "code": row["code"],
                    "reason": row["reason"],
                    "known": bool(row["known"]),
                    "since": row["since"],
                }
                for row in missing
            ],
            "complete": not missing,
        }

    def waiting(self) -> list[dict[str, Any]]:
        """Every attempt that lacks something, the one that waits longest first."""
        rows = self._store.rows(
            "SELECT run, attempt, count(*) AS missing, min(known) AS known, min(since) AS since"
            " FROM missing GROUP BY run, attempt ORDER BY since, run, attempt"
        )
        return [{**dict(row), "known": bool(row["known"])} for row in rows]
