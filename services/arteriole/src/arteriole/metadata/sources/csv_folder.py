"""A folder into which tables of samples are dropped."""

import asyncio
import contextlib
import errno
import itertools
import os
import stat
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import Entry
from arteriole.metadata.settings import CsvSettings
from arteriole.metadata.sources import csv_table
from arteriole.metadata.sources.csv_table import CONTRADICTION, Refusal, Table, TableError
from arteriole.metadata.sources.source import Trouble

#: A file that changed within so many seconds is still being written.
YOUNG = 1.0
#: And so is one whose last line has no end, for so many: a copy that stands still for a moment
#: would else leave half a row, which may be a whole one by its form.
UNENDED = 60.0
FILES_LIMIT = 1000
#: Most that all files of the folder may hold, in bytes.
FOLDER_LIMIT = 5 * csv_table.SIZE_LIMIT
#: So many refused rows are listed; all are counted.
LISTED = 1000


@dataclass(frozen=True, slots=True)
class Stat:
    """By which a file is known to be unchanged."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Stat":
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read; one that could not be has no rows, and its refusal."""

    stat: Stat
    table: Table
    unread: Refusal | None = None


@dataclass(frozen=True)
class Look:
    """The folder as one scan found it."""

    files: dict[str, File] = field(default_factory=dict)
    #: As the scan saw each file, whether or not it was read.
    seen: dict[str, Stat] = field(default_factory=dict)
    #: Files that are still being written; what was read of them before still counts.
    waiting: tuple[str, ...] = ()
    #: What the newest file that has the sample says of it.
    answers: dict[str, Entry | Refusal] = field(default_factory=dict)

    #: Every row and file that is refused.
    refused: tuple[Refusal, ...] = ()

    @property
    def unread(self) -> list[Refusal]:
        return [file.unread for file in self.files.values() if file.unread is not None]


class CsvFolder:
    """Knows the samples of all tables in the folder, of each what the newest table says."""

    kind = "csv"

    def __init__(self, name: str, settings: CsvSettings) -> None:
        self.name = name
        self._settings = settings
        self._look = Look()
        self._trouble = Trouble()
        self._scans = 0
        self._ready = asyncio.Event()
        self._gone: SourceError | None = None

    @property
    def is_failing(self) -> bool:
        return self._gone is not None or bool(self._look.refused)

    @property
    def pause(self) -> float:
        """Seconds until the next scan: sooner than usual while a file is being written."""
        interval = self._settings.scan_interval
        return min(interval, YOUNG) if self._look.waiting or not self._ready.is_set() else interval

    def document(self) -> dict[str, Any]:
        refused = self._look.refused
        return {
            "name": self.name,
            "kind": self.kind,
            "folder": str(self._settings.folder),
            **self._trouble.document(),
            "files": len(self._look.files),
            "samples": sum(isinstance(one, Entry) for one in self._look.answers.values()),
            "being_written": list(self._look.waiting),
            "rejected": len(refused),
            "rejected_rows": [row.document() for row in refused[:LISTED]],
        }

    @property
    def rejected(self) -> int:
        return len(self._look.refused)

    async def scan(self) -> set[str]:
        """Look at the folder; the samples of which it now says something else than before."""
        before = self._look
        try:
            self._look, changed = await asyncio.to_thread(_scan, self._settings.folder, before)
        except OSError as err:
            text = f"{self._settings.folder} cannot be read: {err.strerror or err}"
            self._gone = SourceError(text, hint="is it there, and mounted?", is_down=True)
            self._trouble.note(self._gone)
            self._ready.set()
            return set()
        self._gone = None
        self._trouble.stands = False
        for refusal in self._look.unread[:1]:
            self._trouble.note(SourceError(str(refusal), code=refusal.code))
        self._scans += 1
        if self._scans > 1:  # NB: a file is believed to be whole once two scans saw it the same
            self._ready.set()
        return changed

    async def find(self, sample: str) -> Entry | None:
        await self._ready.wait()
        return self.answer(sample)

    def answer(self, sample: str) -> Entry | None:
        """What the last scan says of `sample`; SourceError if that cannot be known."""
        if self._gone is not None:
            raise self._gone
        answer = self._look.answers.get(sample)
        if isinstance(answer, Refusal):
            raise SourceError(str(answer), code=answer.code)
        if answer is not None:
            return answer
        for refusal in self._look.unread:
            raise SourceError(f"{refusal}; it may know the sample", code=refusal.code)
        for name in self._look.waiting:
            raise SourceError(f"{name} is still being written; it may know the sample")
        return None

    def has(self, sample: str) -> bool:
        return isinstance(self._look.answers.get(sample), Entry)


def look_at(folder: Path) -> Look:
    """All that the folder says now; OSError if it cannot be read."""
    seen = {_shown(path.name): Stat.of(found) for path, found in _listed(folder)}
    return _scan(folder, Look(seen=seen))[0]


def _scan(folder: Path, before: Look) -> tuple[Look, set[str]]:
    """NB: on another thread; `before` is not changed."""
    files: dict[str, File] = {}
    seen: dict[str, Stat] = {}
    waiting: list[str] = []
    now = time.time()
    for path, found in _listed(folder):
        name = _shown(path.name)
        known, now_stat = before.files.get(name), Stat.of(found)
        seen[name] = now_stat
        if not stat.S_ISREG(found.st_mode):
            files[name] = _unread(name, now_stat, "expected a file, found a link or a folder")
        elif known is not None and known.stat == now_stat:
            files[name] = known
        elif before.seen.get(name) != now_stat or _is_younger(now_stat, now, YOUNG):
            waiting.append(name)
            if known is not None:
                files[name] = known
        elif (file := _read(path, name, now_stat)) is not None:
            files[name] = file
        else:
            waiting.append(name)
    look = Look(files, seen, tuple(waiting), before.answers, before.refused)
    if files == before.files:
        return look, set()
    rivals = _rivals(files)
    refused = [row for file in files.values() for row in file.table.refused]
    look = replace(
        look,
        answers={**_newest(files), **rivals},
        refused=(*look.unread, *refused, *rivals.values()),
    )
    names = look.answers.keys() | before.answers.keys()
    changed = {n for n in names if look.answers.get(n) != before.answers.get(n)}
    return look, changed


def _listed(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found: list[tuple[Path, os.stat_result]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(".csv") and not entry.name.startswith((".", "~")):
                with contextlib.suppress(FileNotFoundError):  # it went away meanwhile
                    found.append((Path(entry.path), entry.stat(follow_symlinks=False)))
    if len(found) > FILES_LIMIT:
        raise OSError(errno.E2BIG, f"expected at most {FILES_LIMIT} files, found {len(found)}")
    if (size := sum(one.st_size for _, one in found)) > FOLDER_LIMIT:
        raise OSError(errno.E2BIG, f"expected at most {FOLDER_LIMIT} bytes, found {size}")
    return sorted(found, key=lambda one: one[0].name)


def _shown(name: str) -> str:
    """The name as it can be told: bytes that are no text, and what is not printed, are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _is_younger(found: Stat, now: float, seconds: float) -> bool:
    """NB: what is of the future is not; some clock is wrong."""
    return 0 <= now - found.mtime_ns / 1e9 < seconds


def _read(path: Path, name: str, wanted: Stat) -> File | None:
    """The file, if it is whole, and as `wanted` before and after it was read."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(opened, "rb") as file:
            data = b""
            if Stat.of(os.fstat(opened)) == wanted and wanted.size <= csv_table.SIZE_LIMIT:
                data = file.read(csv_table.SIZE_LIMIT + 1)
            if Stat.of(os.fstat(opened)) != wanted:
                return None
    except OSError as err:  # NB: no stat of its own, so that it is read again
        return _unread(name, Stat(-1, -1, -1), f"it cannot be read: {err.strerror or err}")
    if wanted.size > csv_table.SIZE_LIMIT:
        limit = csv_table.SIZE_LIMIT
        return _unread(name, wanted, f"expected at most {limit} bytes, found {wanted.size}")
    if not data.endswith((b"\n", b"\r")) and _is_younger(wanted, time.time(), UNENDED):
        return None
    try:
        return File(wanted, csv_table.read(data, name))
    except TableError as err:
        return File(wanted, Table(), err.refusal)


def _unread(name: str, found: Stat, text: str) -> File:
    return File(found, Table(), Refusal(name, 0, "", TableError.code, text))


def _newest(files: dict[str, File]) -> dict[str, Entry | Refusal]:
    """Of each sample what the newest file says that has it; of files as new a refusal counts."""
    answers: dict[str, Entry | Refusal] = {}
    by_time = sorted(files.values(), key=_modified)
    for _, group in itertools.groupby(by_time, key=_modified):
        tables = [file.table for file in group]
        for table in tables:
            answers.update(table.entries)
        for table in tables:
            answers.update(table.unsure)
    return answers


def _modified(file: File) -> int:
    return file.stat.mtime_ns


def _rivals(files: dict[str, File]) -> dict[str, Refusal]:
    """Samples of which two files say different things, none of them newer than the other."""
    newest: dict[str, tuple[int, str, str]] = {}
    rivals: dict[str, Refusal] = {}
    for name, file in files.items():
        for sample, entry in file.table.entries.items():
            time_, other, digest = newest.get(sample, (-1, "", ""))
            if file.stat.mtime_ns > time_:
                newest[sample] = (file.stat.mtime_ns, name, entry.digest)
                rivals.pop(sample, None)
            elif file.stat.mtime_ns == time_ and entry.digest != digest:
                text = f"expected what {other} says of a sample, found another; neither is newer"
                rivals[sample] = Refusal(name, 0, "sample", CONTRADICTION, text)
    return rivals
