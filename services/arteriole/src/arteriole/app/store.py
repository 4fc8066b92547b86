"""A service's SQLite file: one writer, WAL, schema as numbered SQL files."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from arteriole.app.errors import ArterioleError

#: The primary codes of SQLite that tell of the disk, not of what was asked.
_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}


class StoreError(ArterioleError):
    """The store cannot be used."""

    code = "store.unusable"


class StoreBusyError(ArterioleError):
    """The store cannot be written to just now; what was asked for did not happen."""

    code = "store.not_written"
    status = 503


class Store:
    """The database at `path`, with the schema in the package `schema` (files `001_...sql`).

    One connection, used by the event loop's thread only. Rows are `sqlite3.Row`. Outside
    `transaction()` each statement commits by itself. `before_commit` is called as the last deed of
    each transaction.
    """

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.before_commit: Callable[[], None] = lambda: None
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            try:
                self._prepare(schema)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.DatabaseError as err:
            raise StoreError(
                f"{path}: {err}", hint="move the file away and restore it from a backup"
            ) from err
        self._open = False
        self.epoch: str = self._connection.execute("SELECT epoch FROM store").fetchone()["epoch"]

    def _prepare(self, schema: str) -> None:
        self._connection.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 5000",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self.path.chmod(0o600)
        self._migrate(schema)

    def _migrate(self, schema: str) -> None:
        files = sorted(
            (f for f in resources.files(schema).iterdir() if f.name.endswith(".sql")),
            key=lambda f: f.name,
        )
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(files):
            raise StoreError(
                f"{self.path} was written by a newer arteriole (schema {version}, this one knows"
                f" {len(files)})",
                hint="use that version, or restore a backup",
            )
        for number, file in enumerate(files, start=1):
            if number > version:
                self._connection.executescript(
                    f"BEGIN;\n{file.read_text()}\nPRAGMA user_version = {number};\nCOMMIT;"
                )
        self._connection.execute(
            "INSERT INTO store (epoch) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM store)",
            (uuid.uuid4().hex[:12],),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested transactions join the outermost one.

        Raises:
            StoreBusyError: the disk is full or failing; nothing was changed.
        """
        if self._open:
            yield
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._open = True
            yield
            self.before_commit()
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as err:
            if err.sqlite_errorcode & 0xFF not in _DISK:
                raise
            raise StoreBusyError(
                f"{self.path} cannot be written: {err}; nothing was changed",
                hint=f"make room on the disk of {self.path.parent}, then ask again",
            ) from err
        finally:
            self._open = False
            if self._connection.in_transaction:  # NB: SQLite ends some by itself, on a full disk
                self._connection.rollback()

    @property
    def in_transaction(self) -> bool:
        return self._open

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters)

    def row(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        return found

    def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        self._connection.close()
