"""The manifests of a folder: the first pair is closed once written, addenda hold what is late."""

import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from arteriole.checksum.errors import ChecksumError, ManifestError, listed
from arteriole.checksum.journal import Entries, Journal
from arteriole.checksum.manifest import digest_manifest, manifest_entries, write_manifest

#: The kinds of digests, in the order in which their manifests are written.
KINDS = ("md5", "blake3")
_ADDENDUM = re.compile(r"[a-z]+\.addendum-([1-9][0-9]*)\.[a-z0-9]+")


def stem(part: str, volume: int) -> str:
    """What the names of a pair begin with.

    >>> stem("runfolder", 0), stem("runfolder", 2)
    ('runfolder', 'runfolder.addendum-2')
    """
    return f"{part}.addendum-{volume}" if volume else part


def volume_of(name: str) -> int:
    """Which volume a manifest of this name is of.

    >>> volume_of("runfolder.md5"), volume_of("runfolder.addendum-2.blake3")
    (0, 2)
    """
    found = _ADDENDUM.fullmatch(name)
    return int(found[1]) if found else 0


def stems(folder: Path, part: str) -> list[str]:
    """Those of the pairs in `folder` of which at least one is there, in order.

    Raises:
        ManifestError: one is gone, and a later one is there.
    """
    names = {path.name for path in folder.glob(f"{part}.*")}
    there = {volume for name in names if name in _names(part, volume := volume_of(name))}
    for volume in range(len(there)):
        if volume not in there:
            gone = " and ".join(str(folder / name) for name in _names(part, volume))
            raise ManifestError(
                f"{gone} are gone, and {stem(part, max(there))} is there",
                code="manifest.missing",
                hint="bring them back, from a backup or from the archive of the run",
            )
    return [stem(part, volume) for volume in sorted(there)]


def _names(part: str, volume: int) -> list[str]:
    return [f"{stem(part, volume)}.{kind}" for kind in KINDS]


class Volumes:
    """The pairs of manifests of `part` in `folder`, beside a journal that knows all files."""

    def __init__(self, folder: Path, part: str) -> None:
        self._folder = folder
        self._part = part

    def is_closed(self) -> bool:
        """Whether the first pair is whole; it never changes any more."""
        return self._is_whole(0)

    def close(self, journal: Journal, *, may_grow: bool = False) -> dict[str, str]:
        """Write what is missing, compare what is there; BLAKE3 by the manifest's name.

        Args:
            may_grow: what no manifest has becomes an addendum.

        Raises:
            ManifestError: a manifest cannot be used.
            ChecksumError: files are gone, or not as they were recorded, or came later and must not.
        """
        count = self.compare(journal)
        if not count:
            return dict(self._written(0, kind, journal.every_entry(kind)) for kind in KINDS)
        if late := journal.late():
            if not may_grow:
                raise self.differs(late)
            journal.take_late(count)
            count += 1
        return self._all_written(journal, range(count))

    def compare(self, journal: Journal) -> int:
        """How many pairs there are; what they record is as the journal has it, or it raises."""
        count = self.load(journal)
        if changed := journal.changed():
            raise self.differs(changed)
        return count

    def append(self, journal: Journal) -> dict[str, str]:
        """Write what is in no manifest as one more pair, and what pairs lack; as of `close`."""
        count = self.load(journal)
        if changed := journal.changed_halves():
            raise self.differs(changed)
        written = [volume for volume in range(count) if not self._is_whole(volume)]
        if journal.late():
            journal.take_late(count)
            written.append(count)
        return self._all_written(journal, written)

    def load(self, journal: Journal) -> int:
        """Let the journal know what is recorded; how many pairs there are."""
        count = len(stems(self._folder, self._part))
        journal.forget_recorded()
        for volume in range(count):
            there = [kind for kind in KINDS if self._path(volume, kind).exists()]
            for kind in there:
                journal.record(volume, kind, manifest_entries(self._path(volume, kind)))
            half = journal.half_recorded(volume) if len(there) == len(KINDS) else []
            if half:
                paths = " and ".join(str(self._path(volume, kind)) for kind in KINDS)
                raise ManifestError(f"{paths} list different files: {listed(half)}")
        twice = journal.recorded_twice()
        if twice:
            manifests = self._folder / f"{self._part}.*"
            raise ManifestError(
                f"{manifests} list files more than once, or with different digests: {listed(twice)}"
            )
        return count

    def _is_whole(self, volume: int) -> bool:
        return all(self._path(volume, kind).exists() for kind in KINDS)

    def _all_written(self, journal: Journal, volumes: Iterable[int]) -> dict[str, str]:
        return dict(
            self._written(volume, kind, journal.entries(volume, kind))
            for volume in volumes
            for kind in KINDS
        )

    def _written(self, volume: int, kind: str, entries: Entries) -> tuple[str, str]:
        path = self._path(volume, kind)
        with closing(entries):
            if not path.exists():
                write_manifest(path, entries)
        return path.name, digest_manifest(path)

    def _path(self, volume: int, kind: str) -> Path:
        return self._folder / f"{stem(self._part, volume)}.{kind}"

    def differs(self, names: list[str]) -> ChecksumError:
        return ChecksumError(
            f"not what {self._path(0, 'md5')} recorded earlier: {listed(names)}",
            code="checksum.changed",
            hint="files of a finished run or attempt changed: restore them and retry, or redo"
            " the run from that stage; the earlier digests stay",
        )
