"""The versions of each sample's record, for good."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from arteriole.app import times
from arteriole.app.store import Store
from arteriole.metadata.lookup import Found


@dataclass(frozen=True)
class Version:
    sample: str
    version: int
    time: str
    source: str
    record: dict[str, Any]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Version":
        return cls(
            row["sample"],
            row["version"],
            row["time"],
            row["source"],
            json.loads(row["record"]),
        )

    def document(self) -> dict[str, Any]:
        return {
            "sample": self.sample,
            "version": self.version,
            "time": self.time,
            "source": self.source,
            "record": self.record,
        }


class Samples:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._said: dict[str, float] = {}  # when the newest version was last said

    def put(self, found: Found) -> int:
        """The number of the version that says what was found; a new one if the newest differs.

        If something newer was found meanwhile, it is that which counts. NB: inside a transaction.
        """
        assert self._store.in_transaction
        entry = found.entry
        newest = self._store.row(
            "SELECT version, digest FROM sample_version WHERE sample = ?"
            " ORDER BY version DESC LIMIT 1",
            (entry.sample,),
        )
        said = self._said.get(entry.sample, found.said)
        if newest is not None and (newest["digest"] == entry.digest or found.said < said):
            self._said[entry.sample] = max(said, found.said)
            return int(newest["version"])
        self._said[entry.sample] = found.said
        version = 1 if newest is None else int(newest["version"]) + 1
        self._store.execute(
            "INSERT INTO sample_version (sample, version, digest, record, project, source, time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                entry.sample,
                version,
                entry.digest,
                entry.text,
                entry.project,
                found.source,
                times.now(),
            ),
        )
        return version

    def versions(self, sample: str) -> list[Version]:
        """All of them, the oldest first."""
        rows = self._store.rows(
            "SELECT * FROM sample_version WHERE sample = ? ORDER BY version", (sample,)
        )
        return [Version.from_row(row) for row in rows]

    def newest(self, sample: str) -> Version | None:
        row = self._store.row(
            "SELECT * FROM sample_version WHERE sample = ? ORDER BY version DESC LIMIT 1",
            (sample,),
        )
        return None if row is None else Version.from_row(row)

    def page(self, project: str | None, after: str, limit: int) -> list[Version]:
        """The newest versions by name, after the sample `after`."""
        rows = self._store.rows(
            "SELECT * FROM sample_version AS it WHERE sample > ? AND (? IS NULL OR project = ?)"
            " AND version = (SELECT max(version) FROM sample_version WHERE sample = it.sample)"
            " ORDER BY sample LIMIT ?",
            (after, project, project, limit),
        )
        return [Version.from_row(row) for row in rows]
