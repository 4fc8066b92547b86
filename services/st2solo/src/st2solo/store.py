"""The one SQLite file in which everything that st2solo knows is kept.

One process, one thread and one connection use it: the event loop's. A transition is written in a
transaction before it has an effect.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from st2solo.errors import St2SoloError


class StoreError(St2SoloError):
    """The store cannot be used."""


def _schema_files() -> list[Traversable]:
    found = (f for f in resources.files("st2solo.sql").iterdir() if f.name.endswith(".sql"))
    return sorted(found, key=lambda file: file.name)


def schema_version() -> int:
    """The newest schema that this st2solo knows."""
    return len(_schema_files())


class Store:
    """A SQLite database in WAL mode whose schema is the numbered files of `st2solo.sql`.

    Rows come back as `sqlite3.Row`. Outside `transaction()` each statement commits by itself.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        path.chmod(0o600)
        self._depth = 0
        self._migrate()

    def _migrate(self) -> None:
        files = _schema_files()
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(files):
            raise StoreError(
                f"{self.path} was written by a newer st2solo (schema {version}, this one knows"
                f" {len(files)}); use that version or restore a backup"
            )
        for number, file in enumerate(files, start=1):
            if number > version:
                self._connection.executescript(
                    f"BEGIN;\n{file.read_text()}\nPRAGMA user_version = {number};\nCOMMIT;"
                )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested transactions join the outermost one."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield self._connection
            if self._depth == 1:
                self._connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full
            if self._depth == 1 and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters)

    def close(self) -> None:
        self._connection.close()
