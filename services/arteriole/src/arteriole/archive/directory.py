"""A directory as an archive: `<directory>/<run>/attempt-<n>/`, complete and verified or absent."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arteriole.archive.addenda import Grown, addenda_of, manifests_of
from arteriole.archive.archive import RECORD, Contents, Parcel, StoredFile, Tell
from arteriole.archive.errors import ArchiveError, not_as_its_manifest, source_changed
from arteriole.archive.holding import HeldFile, Holding
from arteriole.archive.landmark import Landmark
from arteriole.checksum import volumes
from arteriole.checksum.digests import PIECE, FileDigest, Meter, digest_file
from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile, folder_links, list_files
from arteriole.checksum.manifest import sync_folder

#: Left free on the file system, as a part of what is copied.
MARGIN = 0.01
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class DirectoryDestination:
    """Raises ArchiveError if `directory` does not exist, or is not the one that was marked.

    `memory` is the file that remembers which was.
    """

    def __init__(self, directory: Path, memory: Path) -> None:
        self._landmark = Landmark(directory, memory)
        if not directory.is_dir():
            raise ArchiveError(
                f"the archive's directory {directory} is not there",
                code="archive.no_folder",
                hint="make the folder, or mount the file system; it is not made by itself",
            )
        if self._landmark.is_away():
            raise ArchiveError(
                f"{self._landmark.path} is not there, and was: the archive is not mounted",
                code="archive.no_folder",
                hint="mount the file system; if the archive was moved without this file, or a new"
                f" disk was put there on purpose, make it: touch {self._landmark.path}",
            )
        self._directory = directory

    def mark(self) -> None:
        """Let the directory be known again; ArchiveError if that does not succeed."""
        with _writing(self._landmark.path):
            self._landmark.make()

    def require_room(self, size: int) -> None:
        free = shutil.disk_usage(self._directory).free
        if size * (1 + MARGIN) > free:
            raise ArchiveError(
                f"{size} bytes are to be copied to {self._directory}, {free} are free",
                code="archive.disk_full",
                hint="make room there, then retry",
            )

    def data(self, run: str, attempt: int) -> Grown:
        return Grown(self, run, attempt)

    def volume(self, run: str, attempt: int, number: int) -> "DirectoryArchive":
        name = volumes.stem(f"attempt-{attempt}", number)
        return DirectoryArchive(self, self._directory / run / name)

    def addenda(self, run: str, attempt: int) -> list[int]:
        folder = self._directory / run
        names = (path.name for path in folder.iterdir() if path.is_dir())
        return addenda_of(f"attempt-{attempt}", names)

    def unit(self, run: str, attempt: int, unit: str, holding: Holding) -> "DirectoryArchive":
        return DirectoryArchive(self, self._results(run, attempt) / unit)

    def units(self, run: str, attempt: int) -> dict[str, "DirectoryArchive"]:
        folder = self._results(run, attempt)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return {
            path.name: DirectoryArchive(self, path)
            for path in found
            if path.name[0] != "." and path.is_dir()
        }

    def sync(self, folder: Path) -> None:
        """Make the names from `folder` up to the directory survive a power cut."""
        while folder != self._directory:
            sync_folder(folder)
            folder = folder.parent
        sync_folder(self._directory)

    def _results(self, run: str, attempt: int) -> Path:
        return self._directory / run / f"attempt-{attempt}.results"


class DirectoryArchive:
    """A holding in the folder `final`, and until it is complete in `partial` beside it."""

    def __init__(self, destination: DirectoryDestination, final: Path) -> None:
        self.final = final
        self.partial = final.with_name(f".{final.name}.partial")
        self._destination = destination

    @property
    def where(self) -> str:
        return str(self.final)

    def is_complete(self) -> bool:
        """NB: also where a link leads to nothing, which cannot be read, and is not replaced."""
        return self.final.exists() or self.final.is_symlink()

    def prepare(self, holding: Holding) -> None:
        """ArchiveError if what is not there yet does not fit, or would be written elsewhere."""
        if links := folder_links(self.partial):
            raise ArchiveError(
                f"in {self.partial} there are links to other folders: {listed(links)}",
                code="archive.verify",
                hint="nothing was written there: remove them, then retry",
            )
        needed = 0
        for file in holding.files:
            path = self.partial / file.name
            if not path.is_file() or path.stat().st_size != file.digest.size:
                needed += file.digest.size
        manifests = holding.manifests.values()
        self._destination.require_room(needed + sum(len(manifest.text) for manifest in manifests))
        self._destination.mark()

    def packed(self, holding: Holding) -> list[Parcel]:
        """Each file on its own: so it can be looked at and copied with any tool."""
        return [Parcel(file.name, file.digest.size, (file,)) for file in holding.files]

    def has(self, parcel: Parcel, meter: Meter) -> bool:
        (file,) = parcel.files
        path = self.partial / file.name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != file.digest.size:
            return False
        whole = _read_back(self.partial, file, meter) == file.digest
        meter.add(file.digest.size if whole else -file.digest.size)
        if whole:
            with _writing(path):
                keep_time(path, file.found.mtime_ns)
        return whole

    def store(self, parcel: Parcel, meter: Meter) -> None:
        (file,) = parcel.files
        path = self.partial / file.name
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with open(path, "xb") as copy:
                copied = digest_file(file.source, file.found, meter, copy)
                copy.flush()
                os.utime(copy.fileno(), ns=(file.found.mtime_ns, file.found.mtime_ns))
                os.fsync(copy.fileno())
                os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if copied != file.digest:
            raise source_changed(file.digest.name, file.source)
        if _read_back(self.partial, file, meter) != file.digest:
            raise not_as_its_manifest(
                file.name, str(self.partial), "check the archive's disk; then retry"
            )

    def verify(self, parcel: Parcel, meter: Meter) -> None:
        (file,) = parcel.files
        if _read_back(self.final, file, meter) != file.digest:
            raise not_as_its_manifest(
                file.name, str(self.final), "it is left as it is: move the folder away, then retry"
            )

    def finish(
        self, holding: Holding, parcels: list[Parcel], record: dict[str, Any]
    ) -> dict[str, Any]:
        """Write manifests and record, then rename."""
        folder = self.partial / "manifest"
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, manifest in holding.manifests.items():
                _write(folder / name, manifest.text)
            _write(self.partial / RECORD, (json.dumps(record, indent=1) + "\n").encode())
        self._require_nothing_else(self.partial, holding)
        for path, _, _ in os.walk(self.partial, topdown=False):
            sync_folder(Path(path))
        self.partial.rename(self.final)
        self._destination.sync(self.final.parent)
        return record

    def record(self) -> dict[str, Any]:
        path = self.final / RECORD
        try:
            found = json.loads(path.read_bytes())
            if not isinstance(found, dict):
                raise ValueError("expected a record")
        except (OSError, ValueError, RecursionError) as err:
            raise ArchiveError(
                f"{path}: {err}",
                code="archive.verify",
                hint="it is left as it is: move the folder away, then retry",
            ) from err
        return found

    def recorded(self, holding: Holding) -> list[Parcel]:
        if manifests_of(self.record()) != holding.digests:
            raise ArchiveError(
                f"{self.final / RECORD} has other manifests than are here",
                code="archive.verify",
                hint="find out which of the two is right; nothing was overwritten",
            )
        self._require_nothing_else(self.final, holding)
        return self.packed(holding)

    def manifest(self, name: str) -> bytes:
        return _manifest(self.final / "manifest" / name)

    def found(self, part: str) -> list[FoundFile]:
        folder = self.final / part
        return list_files(folder) if folder.is_dir() else []

    def thaw(self, files: list[StoredFile], tell: Tell) -> None:
        """What lies in a directory can be read."""

    def batches(self, files: list[StoredFile]) -> list[list[StoredFile]]:
        return [[file] for file in files]

    def read(self, batch: list[StoredFile]) -> Contents:
        for file in batch:
            yield file, _pieces(self.final / file.name)

    def _require_nothing_else(self, folder: Path, holding: Holding) -> None:
        expected = {file.name for file in holding.files} | {RECORD}
        for name, manifest in holding.manifests.items():
            expected.add(f"manifest/{name}")
            path = folder / "manifest" / name
            if path.is_file() and _manifest(path) != manifest.text:
                raise ArchiveError(
                    f"{path} is not {manifest.path}",
                    code="archive.verify",
                    hint="find out which of the two is right; nothing was overwritten",
                )
        differing = sorted(expected ^ {found.name for found in list_files(folder)})
        if differing:
            raise ArchiveError(
                f"{folder} has not the files that it should have: {listed(differing)}",
                code="archive.verify",
                hint="restore the missing files, move the others away; then retry",
            )


def keep_time(path: Path, mtime_ns: int) -> None:
    """Give a whole file the time that it should have: who wrote it may have died before that."""
    if path.stat().st_mtime_ns != mtime_ns:
        with open(path, "rb") as file:
            os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
            os.fsync(file.fileno())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise ArchiveError(
            f"cannot write {path}: {err.strerror}",
            code="archive.disk_full" if err.errno in NO_SPACE else "archive.write",
            hint="check the archive's disk, quota and permissions; then retry",
        ) from err


def _manifest(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise ArchiveError(
            f"cannot read {path}: {err.strerror}",
            code="archive.verify",
            hint="an archive without its manifests proves nothing: restore from another one",
        ) from err


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as err:
        raise ArchiveError(
            f"cannot read {path}: {err.strerror}",
            code="archive.verify",
            hint="check its permissions and the archive's disk",
        ) from err


def _read_back(folder: Path, file: HeldFile, meter: Meter) -> FileDigest | None:
    """The digests of the archived copy under the source's name; None if it is not there."""
    path = folder / file.name
    if path.is_symlink() or not path.is_file():
        return None
    status = path.stat()
    found = FoundFile(file.digest.name, status.st_size, status.st_mtime_ns)
    return digest_file(folder / file.part, found, meter)


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
