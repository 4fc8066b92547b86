"""A directory that was archived to is known again by a mark in it.

A mount point whose file system is away is a folder, too; but it has no mark.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from arteriole.checksum.manifest import sync_folder

MARK = ".arteriole-archive"
_TEXT = "Runs are archived in this folder. Without this file it counts as not mounted.\n"


@dataclass(frozen=True)
class Landmark:
    """`memory` is a file elsewhere, which has the path of the directory that was marked."""

    directory: Path
    memory: Path

    @property
    def path(self) -> Path:
        return self.directory / MARK

    def is_away(self) -> bool:
        """Whether this directory had the mark, and what is there now has none."""
        return self._is_known() and not self.path.exists()

    def make(self) -> None:
        """Mark the directory, unless that was done before; OSError if that does not succeed.

        NB: where it cannot be remembered, as manifests may be read only, any folder is taken.
        """
        if self._is_known():
            return
        if not self.path.exists():
            self.path.write_text(_TEXT)
            sync_folder(self.directory)
        with contextlib.suppress(OSError):
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            self.memory.write_text(str(self.directory), errors="surrogateescape")

    def _is_known(self) -> bool:
        try:
            known = self.memory.read_text(errors="surrogateescape")
        except OSError:
            return False
        return known == str(self.directory)
