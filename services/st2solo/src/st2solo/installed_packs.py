"""Packs that people installed: each in a folder of its own, of which the store names one a pack.

    <folder>/<execution>.<number>/<pack>/               its files
    <folder>/<execution>.<number>/virtualenvs/<pack>/   its Python environment, if it needs one

A folder counts from the transaction on that writes its row, and not a moment longer than the row
names it. What is not named is removed once nothing needs it any more.
"""

import asyncio
import logging
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from st2solo import moments
from st2solo.errors import InvalidError
from st2solo.store import Store

_LOG = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{24}\.[0-9]+")
_REF = re.compile(r"[a-z0-9_]+")
#: The pack whose actions change packs: no rule, chat or workflow may call them, and no other pack
#: of its name takes its place.
PACKS = "packs"
#: Folders beside that of the pack.
VIRTUALENVS = "virtualenvs"


@dataclass(frozen=True)
class InstalledPack:
    """A pack, the name of its folder, and where it came from."""

    ref: str
    folder: str
    source: str
    revision: str

    def document(self) -> dict[str, Any]:
        """As the tasks of packs.install hand it on."""
        return {
            "pack": self.ref,
            "folder": self.folder,
            "source": self.source,
            "revision": self.revision,
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "InstalledPack":
        """
        Raises:
            InvalidError: it is not what `document` gives.
        """
        names = ("pack", "folder", "source", "revision")
        return cls.named(*(str(document.get(name)) for name in names))

    @classmethod
    def named(cls, ref: str, folder: str, source: str, revision: str) -> "InstalledPack":
        """
        Raises:
            InvalidError: a pack of that name, or a folder of that name, cannot be.
        """
        if not _REF.fullmatch(ref) or ref == VIRTUALENVS or not _NAME.fullmatch(folder):
            raise InvalidError(f'a pack cannot be "{ref}" in "{folder}"')
        return cls(ref, folder, source, revision)


class InstalledPacks:
    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder

    def path(self, pack: InstalledPack) -> Path:
        return self.folder / pack.folder / pack.ref

    def in_force(self) -> list[InstalledPack]:
        rows = self._store.execute("SELECT * FROM installed_packs ORDER BY ref")
        return [
            InstalledPack(row["ref"], row["folder"], row["source"], row["revision"]) for row in rows
        ]

    def put(self, pack: InstalledPack) -> None:
        """Let this folder be the pack. Call in a transaction."""
        self._store.execute(
            "INSERT INTO installed_packs (ref, folder, source, revision, installed_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (ref) DO UPDATE SET folder = excluded.folder,"
            " source = excluded.source, revision = excluded.revision,"
            " installed_at = excluded.installed_at",
            (pack.ref, pack.folder, pack.source, pack.revision, moments.now_text()),
        )

    def remove(self, ref: str) -> None:
        """Let the pack be gone, if it is there. Call in a transaction."""
        self._store.execute("DELETE FROM installed_packs WHERE ref = ?", (ref,))

    async def sweep(self) -> None:
        """Remove the folders that no row names, no execution runs from, and nobody fills."""
        for path in self._unused():
            _LOG.info("removing %s, which no pack is in any more", path)
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    def _unused(self) -> list[Path]:
        if not self.folder.is_dir() or self._installing():
            return []
        named = {pack.folder for pack in self.in_force()}
        return [
            path
            for path in sorted(self.folder.iterdir())
            if _NAME.fullmatch(path.name) and path.name not in named and not self._runs_from(path)
        ]

    def _installing(self) -> bool:
        row = self._store.execute(
            "SELECT 1 FROM executions WHERE action_ref = 'packs.install' AND status NOT IN"
            " ('succeeded', 'failed', 'timeout', 'canceled', 'abandoned') LIMIT 1"
        ).fetchone()
        return row is not None

    def _runs_from(self, path: Path) -> bool:
        """Whether a process of such a pack runs; it may have begun before the pack was replaced."""
        return any(self._runs(below.name) for below in path.iterdir() if below.is_dir())

    def _runs(self, ref: str) -> bool:
        row = self._store.execute(
            "SELECT 1 FROM executions WHERE status IN ('running', 'canceling')"
            " AND runner != 'orquesta' AND substr(action_ref, 1, ?) = ? LIMIT 1",
            (len(ref) + 1, f"{ref}."),
        ).fetchone()
        return row is not None


def paths(store: Path, folder: Path) -> list[Path]:
    """Where the installed packs are, by a store that is only looked at, and may not be there."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute("SELECT folder, ref FROM installed_packs ORDER BY ref")
            return [folder / name / ref for name, ref in rows]
        except sqlite3.Error:  # of an older st2solo, or no store at all
            return []


def root_of(installed: Path | None, pack_path: Path) -> Path | None:
    """The folder around an installed pack; None for any other pack."""
    if installed is None or pack_path.parent.parent != installed:
        return None
    return pack_path.parent
