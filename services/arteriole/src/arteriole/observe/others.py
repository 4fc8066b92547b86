"""The FASTQs that others made of a run: found, dated, and looked into a little.

Reads only; follows no link; everything is bounded, since it may be a whole file server.
"""

import enum
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from arteriole.app import times
from arteriole.app.names import is_identifier
from arteriole.illumina import demultiplexing_stats
from arteriole.observe.fastq_names import SUFFIX

#: Most entries that are looked at below one pattern, and the deepest folder.
ENTRIES = 200_000
DEPTH = 12
#: So much of a file (bytes) is looked at for its first record.
LOOK = 64 * 1024


class Content(enum.StrEnum):
    RECORDS = "records"
    EMPTY = "empty"  # nothing, or a gzip of nothing
    UNREADABLE = "unreadable"  # no gzip, or it cannot be read


@dataclass(frozen=True)
class OtherFile:
    """`name` is relative to the folder that its pattern gives."""

    name: str
    written: str
    content: Content


@dataclass(frozen=True)
class Others:
    """`cut_short`: there was more than is looked at; `stats`: their counts, if they left some."""

    folders: tuple[str, ...]
    files: tuple[OtherFile, ...]
    stats: tuple[Path, ...]
    cut_short: bool

    @property
    def first(self) -> str:
        return min(file.written for file in self.files)

    @property
    def last(self) -> str:
        return max(file.written for file in self.files)

    def names(self, content: Content) -> list[str]:
        return sorted(file.name for file in self.files if file.content is content)


def find(patterns: list[str], run: str) -> Others | None:
    """Their FASTQs below each of `patterns`; None if there are none."""
    if not is_identifier(run):
        return None
    folders: list[str] = []
    files: dict[str, OtherFile] = {}
    stats: list[Path] = []
    cut_short = False
    for pattern in patterns:
        folder = Path(pattern.replace("{run}", run))
        budget = _Budget(ENTRIES)
        found = False
        for path in _walk(folder, budget, DEPTH):
            if path.name in demultiplexing_stats.FILE_NAMES:
                stats.append(path)
            if path.name.endswith(SUFFIX) and (file := _file(folder, path)) is not None:
                found = True
                files.setdefault(file.name, file)
        cut_short |= budget.spent
        if found:
            folders.append(str(folder))
    if not files:
        return None
    return Others(tuple(folders), tuple(files.values()), tuple(stats), cut_short)


@dataclass
class _Budget:
    left: int
    spent: bool = False

    def take(self) -> bool:
        self.left -= 1
        self.spent |= self.left < 0
        return self.left >= 0


def _walk(folder: Path, budget: _Budget, depth: int) -> Iterator[Path]:
    """The plain files below `folder`; one that cannot be listed has none."""
    try:
        with os.scandir(folder) as scan:
            entries = []
            for entry in scan:
                if not budget.take():
                    return
                entries.append(entry)
    except OSError:
        return
    for entry in sorted(entries, key=lambda entry: entry.name):
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth:
                    yield from _walk(Path(entry.path), budget, depth - 1)
                else:
                    budget.spent = True
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
        except OSError:
            continue


def _file(folder: Path, path: Path) -> OtherFile | None:
    """None if it has gone meanwhile."""
    try:
        modified = path.stat().st_mtime
    except OSError:
        return None
    written = times.text(datetime.fromtimestamp(modified, UTC))
    return OtherFile(path.relative_to(folder).as_posix(), written, content(path))


def content(path: Path) -> Content:
    """Whether the gzip at `path` begins with anything; its beginning is read, not all of it."""
    try:
        with open(path, "rb") as file:
            data = file.read(LOOK)
    except OSError:
        return Content.UNREADABLE
    while data:  # a gzip has members, and the first may be empty
        member = zlib.decompressobj(wbits=31)
        try:
            if member.decompress(data, 1):
                return Content.RECORDS
        except zlib.error:
            return Content.UNREADABLE
        if not member.eof:
            return Content.UNREADABLE
        data = member.unused_data
    return Content.EMPTY
