"""What has been digested of a folder already: an SQLite file that outlives the job.

It holds a row a file with its size, times and inode, so nothing of a million files is kept in
memory; a digest counts as long as these are as they were when it was taken. The time of change
(ctime) tells of a file that was written again in place and given its old time of writing; it also
changes with modes, owners and hard links, which then costs reading the file once more.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from arteriole.checksum.digests import PIECE, RawDigest
from arteriole.checksum.errors import NAMED, ChecksumError
from arteriole.checksum.listing import FoundFile
from arteriole.jobs.worker import WorkError

#: At most so many seconds of hashing are lost when the process is killed.
SYNC_SECONDS = 2.0
#: Files of at least this size are read first, the largest at the very first, so that no thread is
#: left with one at the end; smaller ones by name, as they lie on the disk.
LARGE = 4 << 20
#: Small files are handed out in batches of this size. Those that processes digest come in batches
#: of four times it, since each handing over keeps a process waiting.
BATCH = 4 << 20
#: SQLite's integers are below it, and not below its negative.
TOP = 1 << 63
#: Names and digests.
Entries = Generator[tuple[str, str], None, None]
#: What SQLite says of a journal that is not as it was written.
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

#: NB: a table whose columns change gets another name, so that each version, an earlier one too,
#: finds its own or none, and then begins anew.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS digested (
    name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, ctime_ns INTEGER,
    md5 BLOB, blake3 BLOB, listed INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS in_manifest (
    name TEXT PRIMARY KEY, volume INTEGER, md5 BLOB, blake3 BLOB, twice INTEGER
) WITHOUT ROWID;
CREATE TEMP TABLE now (name TEXT, size, mtime_ns, inode, ctime_ns);
"""
_SAME = """
(size, mtime_ns, inode, ctime_ns)
    = (excluded.size, excluded.mtime_ns, excluded.inode, excluded.ctime_ns)
"""
_LIST = f"""
INSERT INTO digested VALUES (?, ?, ?, ?, ?, NULL, NULL, 1) ON CONFLICT (name) DO UPDATE SET
    md5 = CASE WHEN {_SAME} THEN md5 END, blake3 = CASE WHEN {_SAME} THEN blake3 END,
    size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,
    ctime_ns = excluded.ctime_ns, listed = 1
"""  # noqa: S608  texts of this module
_LACKING = (
    "SELECT name, size, mtime_ns, inode, ctime_ns FROM digested"
    " WHERE listed AND md5 IS NULL AND blake3 IS NULL"
)
_LACKING_LARGE = f"{_LACKING} AND size >= {LARGE} ORDER BY size DESC, name"
_LACKING_SMALL = f"{_LACKING} AND size < {LARGE} ORDER BY name"
_CHANGED = """
FROM in_manifest LEFT JOIN digested USING (name)
WHERE (
    digested.name IS NULL
    OR in_manifest.md5 != digested.md5 OR in_manifest.blake3 != digested.blake3
)
"""
_UNPAIRED = "AND (in_manifest.md5 IS NULL OR in_manifest.blake3 IS NULL)"
_ALIKE = """
SELECT (SELECT count(*) FROM now) = count(*) AND count(*) = (
    SELECT count(*) FROM now JOIN digested USING (name)
    WHERE (now.size, now.mtime_ns, now.inode) = (digested.size, digested.mtime_ns, digested.inode)
) FROM digested
"""
_UNLIKE = """
SELECT DISTINCT name FROM (
    SELECT * FROM (
        SELECT name, size, mtime_ns, inode FROM now
        EXCEPT SELECT name, size, mtime_ns, inode FROM digested
    )
    UNION
    SELECT * FROM (
        SELECT name, size, mtime_ns, inode FROM digested
        EXCEPT SELECT name, size, mtime_ns, inode FROM now
    )
) ORDER BY name LIMIT ?
"""
_OTHER_CTIME = "FROM now JOIN digested USING (name) WHERE now.ctime_ns != digested.ctime_ns"
_FORGET_OTHER_CTIME = """
UPDATE digested SET md5 = NULL, blake3 = NULL, ctime_ns = now.ctime_ns
FROM now WHERE now.name = digested.name AND now.ctime_ns != digested.ctime_ns
"""
_LATE = "FROM digested WHERE name NOT IN (SELECT name FROM in_manifest)"
_HALF = "FROM in_manifest WHERE volume = ? AND (md5 IS NULL) != (blake3 IS NULL)"


class DamagedJournalError(ChecksumError):
    """A journal was not as it was written; it holds nothing that cannot be found out again."""

    code = "checksum.journal"


@dataclass
class Mark:
    """What two listings of the same files have in common, whatever their order.

    It is good for one process: the hash of a text is keyed anew in each. NB: that of a tuple of
    numbers is none to be summed up, for in the sum of two of them differences cancel out.
    """

    count: int = 0
    total: int = 0

    def of(self, files: Iterable[FoundFile]) -> Iterator[FoundFile]:
        """The same files, once they were counted."""
        for found in files:
            name, size, mtime_ns, inode, ctime_ns = found
            self.count += 1
            self.total += hash(f"{size} {mtime_ns} {inode} {ctime_ns} {name}")
            yield found


class Journal:
    """The rows of one folder; `held` opens it."""

    def __init__(self, path: Path, wanted: int = -1) -> None:
        self._path = path
        self._database = _open(path)
        self._wanted = wanted
        self._synced = time.monotonic()
        self._listed = self._now = Mark()

    def take_listing(self, files: Iterable[FoundFile], *, whole: bool = True) -> None:
        """Take the files that there are; with `whole` no other is known any more."""
        self._begin()
        self._database.execute("UPDATE digested SET listed = 0")
        self._listed = Mark()
        self._database.executemany(_LIST, map(_row, self._listed.of(files)))
        if whole:
            self._database.execute("DELETE FROM digested WHERE NOT listed")
        self.sync()

    def count(self) -> tuple[int, int]:
        """Files and bytes of what was listed."""
        return self._sums("listed")

    def count_known(self) -> tuple[int, int]:
        """The same of those that have digests."""
        return self._sums("listed AND coalesce(md5, blake3) IS NOT NULL")

    def _sums(self, where: str) -> tuple[int, int]:
        query = f"SELECT count(*), coalesce(sum(size), 0) FROM digested WHERE {where}"  # noqa: S608  texts of this class
        files, size = self._database.execute(query).fetchone()
        return files, size

    def lacking(self) -> Generator[list[FoundFile], None, None]:
        """What was listed and has no digest yet, in batches."""
        for found in self._found(_LACKING_LARGE):
            yield [found]
        batch: list[FoundFile] = []
        size = 0
        # NB: these are read in the order of the key, so digests that are added meanwhile are behind
        for found in self._found(_LACKING_SMALL):
            batch.append(found)
            size += (found.size + 4096) // (4 if found.size < PIECE else 1)
            if size >= BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _found(self, query: str) -> Iterator[FoundFile]:
        with closing(self._database.execute(query)) as rows:
            for found in map(FoundFile._make, rows):
                yield found if found.inode >= 0 else found._replace(inode=found.inode + 2 * TOP)

    def add(self, digests: Iterable[RawDigest]) -> None:
        self._begin()
        self._database.executemany(
            "UPDATE digested SET md5 = ?, blake3 = ? WHERE name = ?",
            ((made.get("md5"), made.get("blake3"), name) for name, made in digests),
        )
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Make what was added durable."""
        if self._database.in_transaction:
            self._database.execute("COMMIT")
        self._synced = time.monotonic()

    def digests(self) -> Iterator[tuple[str, int, str, str]]:
        """Name, size, MD5 and BLAKE3 in hex, by name."""
        query = "SELECT name, size, lower(hex(md5)), lower(hex(blake3)) FROM digested ORDER BY name"
        return self._database.execute(query)

    def unlike(self, walk: Callable[[], Iterable[FoundFile]]) -> list[str]:
        """The first names of those that differ from what was listed, by size, time or inode.

        Args:
            walk: lists the files as they are now.
        """
        self._database.execute("DELETE FROM now")
        now = Mark()
        for _ in now.of(walk()):
            pass
        return [] if now == self._listed else self._differing(walk())

    def _differing(self, files: Iterable[FoundFile]) -> list[str]:
        execute = self._database.execute
        self.sync()
        execute("BEGIN")
        self._now = Mark()
        rows = map(_row, self._now.of(files))
        self._database.executemany("INSERT INTO now VALUES (?, ?, ?, ?, ?)", rows)
        execute("COMMIT")
        (alike,) = execute(_ALIKE).fetchone()
        return [] if alike else [row[0] for row in execute(_UNLIKE, (NAMED + 1,))]

    def other_ctime(self) -> list[str]:
        """The first names of those that had another ctime, when nothing was `unlike`."""
        return self._names(_OTHER_CTIME)

    def forget_other_ctime(self) -> int:
        """Let these lack digests, and be listed as they were then; how many bytes they have."""
        execute = self._database.execute
        (size,) = execute(f"SELECT sum(digested.size) {_OTHER_CTIME}").fetchone()
        execute(_FORGET_OTHER_CTIME)
        self._listed = self._now
        return int(size)

    # What manifests say, beside what was found: a volume is a pair of manifests.

    def forget_recorded(self) -> None:
        self._database.execute("DELETE FROM in_manifest")

    def record(self, volume: int, kind: str, entries: Iterable[tuple[str, str]]) -> None:
        """Take names and digests in hex of the manifest of one kind."""
        self._begin()
        self._database.executemany(
            f"INSERT INTO in_manifest (name, volume, {kind}, twice) VALUES (?, {int(volume)}, ?, 0)"  # noqa: S608  md5 or blake3
            f" ON CONFLICT (name) DO UPDATE SET {kind} = excluded.{kind}, twice = twice OR"
            f" {kind} IS NOT NULL AND (volume = excluded.volume OR {kind} != excluded.{kind})",
            ((name, bytes.fromhex(digest)) for name, digest in entries),
        )
        self.sync()

    def half_recorded(self, volume: int) -> list[str]:
        """The first names of a volume that one of its two manifests lacks."""
        return self._names(_HALF, volume)

    def recorded_twice(self) -> list[str]:
        """The first names that a manifest repeats, or two of one kind have with other digests."""
        return self._names("FROM in_manifest WHERE twice")

    def changed(self) -> list[str]:
        """The first names of what is gone, or has other digests than were recorded."""
        return self._names(_CHANGED)

    def changed_halves(self) -> list[str]:
        """The same of what the manifest of one kind alone records."""
        return self._names(f"{_CHANGED} {_UNPAIRED}")

    def late(self) -> list[str]:
        """The first names of what is in no manifest."""
        return self._names(_LATE)

    def _names(self, of: str, *given: int) -> list[str]:
        query = f"SELECT name {of} ORDER BY name LIMIT {NAMED + 1}"
        return [row[0] for row in self._database.execute(query, given)]

    def take_late(self, volume: int) -> None:
        """Make what is in no manifest the files of a volume."""
        self._database.execute(
            f"INSERT INTO in_manifest (name, volume, twice) SELECT name, {volume}, 0 {_LATE}"
        )

    def entries(self, volume: int, kind: str) -> Entries:
        """Names of a volume, in order, with the digests that were taken, in hex; to be closed."""
        query = (
            f"SELECT name, digested.{kind} FROM in_manifest JOIN digested USING (name)"  # noqa: S608  md5 or blake3
            " WHERE volume = ? ORDER BY name"
        )
        return self._in_hex(query, volume)

    def every_entry(self, kind: str) -> Entries:
        """The same of all files."""
        return self._in_hex(f"SELECT name, {kind} FROM digested ORDER BY name")  # noqa: S608  md5 or blake3

    def _in_hex(self, query: str, *given: int) -> Entries:
        with closing(self._database.execute(query, given)) as rows:
            for name, digest in rows:
                yield name, digest.hex()

    def has_recorded(self, name: str) -> bool:
        """Whether the manifests of both kinds have it."""
        query = (
            "SELECT 1 FROM in_manifest WHERE name = ? AND md5 IS NOT NULL AND blake3 IS NOT NULL"
        )
        return self._database.execute(query, (name,)).fetchone() is not None

    def count_late(self) -> int:
        (count,) = self._database.execute(f"SELECT count(*) {_LATE}").fetchone()
        return int(count)

    def is_wanted(self) -> bool:
        """Whether another job waits for it."""
        try:
            fcntl.flock(self._wanted, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._wanted, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        try:
            if self._path.exists():
                self.sync()
        finally:
            self._database.close()

    def discard(self) -> None:
        """Close it for good: it has nothing to tell any more."""
        self._database.close()
        _remove(self._path)

    def _begin(self) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN")


@contextmanager
def held(path: Path, *, patient: bool = True) -> Iterator[Journal]:
    """The journal at `path`, for one job at a time.

    Args:
        patient: wait for another job to leave it; one that is not patient leaves it when asked.

    Raises:
        WorkError: another job holds it, and this one is not patient.
        DamagedJournalError: it is damaged, and was removed.
        ChecksumError: it cannot be written.
    """
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(path, patient) as wanted, closing(Journal(path, wanted)) as journal:
            try:
                yield journal
            except sqlite3.DatabaseError as err:
                if _kind(err) not in DAMAGED:
                    raise
                journal.discard()
                raise DamagedJournalError(
                    f"the journal {path} was damaged: {err}",
                    hint="it is begun anew, and what it knew is digested again; check that disk",
                ) from err


def _row(found: FoundFile) -> FoundFile:
    """As SQLite can take it; an inode has no sign, so the upper half of them is kept below 0."""
    if -TOP <= found.mtime_ns < TOP:
        return found if found.inode < TOP else found._replace(inode=found.inode - 2 * TOP)
    raise ChecksumError(
        f"{found.name} is dated {found.mtime_ns / 1e9:.0f} seconds from 1970: expected a date from"
        " 1678 to 2262",
        code="checksum.time",
        hint="give it its right time, with touch; then retry",
    )


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _locked(path: Path, patient: bool) -> Iterator[int]:
    """Hold the lock beside `path`; a descriptor whose lock tells who else wants it."""
    lock, wanted = (_lock_file(path.with_suffix(suffix)) for suffix in (".lock", ".wanted"))
    try:
        if patient:
            fcntl.flock(wanted, fcntl.LOCK_SH)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
        except BlockingIOError as err:
            raise WorkError(
                f"another job of this service digests {path.stem}",
                code="job.busy",
                hint="wait for its end, or stop it; then retry",
            ) from err
        fcntl.flock(wanted, fcntl.LOCK_UN)
        yield wanted
    finally:
        os.close(wanted)
        os.close(lock)


def _lock_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _open(path: Path) -> sqlite3.Connection:
    """One that cannot be read is begun anew: what it knew can be found out again."""
    try:
        return _connected(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        _remove(path)
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # NB: so it maps no file into memory
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA cache_size = -16000")
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as err:
        full = _kind(err) == sqlite3.SQLITE_FULL
        raise ChecksumError(
            f"cannot write the journal {path}: {err}",
            code="disk.full" if full else "checksum.journal",
            hint="make room there, then retry" if full else "check that disk; then retry",
        ) from err


def _kind(err: sqlite3.Error) -> int:
    return getattr(err, "sqlite_errorcode", 0) & 0xFF
