"""A directory as an archive: `<directory>/<run>/attempt-<n>/`, complete and verified or absent."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

from arteriole.archive.errors import ArchiveError
from arteriole.archive.holding import HeldFile, Holding
from arteriole.checksum.digests import FileDigest, Meter, digest_file
from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import sync_folder

RECORD = "archive.json"
#: Left free on the file system, as a part of what is copied.
MARGIN = 0.01
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class DirectoryArchive:
    """The place of one attempt of one run below `directory`.

    Raises:
        ArchiveError: `directory` does not exist.
    """

    def __init__(self, directory: Path, run: str, attempt: int) -> None:
        if not directory.is_dir():
            raise ArchiveError(
                f"the archive's directory {directory} is not there",
                code="archive.no_folder",
                hint="make the folder, or mount the file system; it is not made by itself",
            )
        self.final = directory / run / f"attempt-{attempt}"
        self.partial = directory / run / f".attempt-{attempt}.partial"
        self._directory = directory

    def require_space(self, holding: Holding) -> None:
        """ArchiveError if what is not there yet does not fit."""
        needed = 0
        for file in holding.files:
            path = self.partial / file.name
            if not path.is_file() or path.stat().st_size != file.digest.size:
                needed += file.digest.size
        self.require_free(needed + sum(len(manifest.text) for manifest in holding.manifests))

    def require_free(self, needed: int) -> None:
        """ArchiveError if `needed` bytes do not fit."""
        free = shutil.disk_usage(self._directory).free
        if needed * (1 + MARGIN) > free:
            raise ArchiveError(
                f"{needed} bytes are to be copied to {self._directory}, {free} are free",
                code="archive.disk_full",
                hint="make room there, then retry",
            )

    def has(self, file: HeldFile, meter: Meter) -> bool:
        """True if an earlier start has left `file` whole in the partial folder."""
        path = self.partial / file.name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != file.digest.size:
            return False
        whole = _read_back(self.partial, file, meter) == file.digest
        meter.add(file.digest.size if whole else -file.digest.size)
        return whole

    def store(self, file: HeldFile, meter: Meter) -> None:
        """Copy `file`, digest it on the way, and read it back from the disk.

        Raises:
            ArchiveError: the source, or the copy, is not as the manifests have it.
        """
        path = self.partial / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            with open(path, "xb") as copy:
                copied = digest_file(file.source, file.found, meter, copy)
                copy.flush()
                os.utime(copy.fileno(), ns=(file.found.mtime_ns, file.found.mtime_ns))
                os.fsync(copy.fileno())
                os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as err:
            raise ArchiveError(
                f"cannot write {path}: {err.strerror}",
                code="archive.disk_full" if err.errno in NO_SPACE else "archive.write",
                hint="check the archive's disk, quota and permissions; then retry",
            ) from err
        if copied != file.digest:
            raise ArchiveError(
                f"{file.digest.name} in {file.source} is not as its manifest has it",
                code="archive.source_changed",
                hint="a file of a finished run changed on its disk: restore it, then retry",
            )
        self.verify(self.partial, file, meter)

    def verify(self, folder: Path, file: HeldFile, meter: Meter) -> None:
        """ArchiveError if `file` cannot be read back from `folder` as its manifest has it."""
        if _read_back(folder, file, meter) != file.digest:
            raise ArchiveError(
                f"{file.name} in {folder} is not as its manifest has it when read back",
                code="archive.verify",
                hint="check the archive's disk; then retry"
                if folder == self.partial
                else "it is left as it is: move the folder away, then retry",
            )

    def finish(self, holding: Holding, record: dict[str, Any]) -> None:
        """Write manifests and record, then rename: from here on the attempt is archived."""
        folder = self.partial / "manifest"
        folder.mkdir(parents=True, exist_ok=True)
        for manifest in holding.manifests:
            _write(folder / manifest.path.name, manifest.text)
        _write(self.partial / RECORD, (json.dumps(record, indent=1) + "\n").encode())
        self.require_nothing_else(self.partial, holding)
        for path, _, _ in os.walk(self.partial, topdown=False):
            sync_folder(Path(path))
        self.partial.rename(self.final)
        sync_folder(self.final.parent)
        sync_folder(self._directory)

    def record(self) -> dict[str, Any]:
        """archive.json of the archived attempt."""
        path = self.final / RECORD
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError) as err:
            raise ArchiveError(
                f"{path}: {err}",
                code="archive.verify",
                hint="it is left as it is: move the folder away, then retry",
            ) from err
        return found

    def require_nothing_else(self, folder: Path, holding: Holding) -> None:
        """ArchiveError if `folder` lacks files, has others, or other manifests."""
        expected = {file.name for file in holding.files} | {RECORD}
        for manifest in holding.manifests:
            name = f"manifest/{manifest.path.name}"
            expected.add(name)
            path = folder / name
            if path.is_file() and path.read_bytes() != manifest.text:
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
