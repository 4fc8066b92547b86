"""The drop folder in which runs' sheets are looked up, as a place where people hand them in.

A sheet is handed in for a flow cell, as `<flow cell>.csv`. What else lies there has names that no
look-up takes: `.<flow cell>.csv.partial-<n>` while it is written, and a sheet that was replaced as
`<flow cell>.csv.replaced-<UTC time>`.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from arteriole.app.errors import ArterioleError, ConflictError

#: Bytes of a sheet, as the look-up takes it.
LIMIT = 512 * 1024


class SheetFolderError(ArterioleError):
    """The folder for sheets cannot be used."""

    code = "sheet.folder"
    status = 503


class OtherSheetError(ConflictError):
    """Another sheet lies there; `sha256` is its digest."""

    code = "sheet.other_there"

    def __init__(self, flow_cell: str, sha256: str) -> None:
        super().__init__(
            f"another sheet lies there for the flow cell {flow_cell}, with the SHA-256 {sha256}",
            hint="look at it first; who means to replace it gives this digest as `replace`",
            field="replace",
        )
        self.sha256 = sha256


@dataclass(frozen=True)
class HandedIn:
    """What became of a sheet; `written` is False where the same lay there already."""

    file: str
    sha256: str
    written: bool
    replaced: str = ""  # the digest of the one that lay there
    kept_as: str = ""  # the name that it has now


class SheetFolder:
    """NB: on another thread; a file server may hang. The caller sees to one hand-in at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, flow_cell: str) -> bytes | None:
        """The sheet of a flow cell, None if there is none.

        Raises:
            SheetFolderError: the folder is not there, or what lies there cannot be read.
        """
        if not self._folder.is_dir():
            raise SheetFolderError(
                f"the folder for sheets {self._folder} is not there",
                hint="make the folder, or mount the file system; it is not made by itself",
            )
        path = self._folder / f"{flow_cell}.csv"
        try:
            return _read(path)
        except FileNotFoundError:
            return None
        except OSError as err:
            told = "it is a link" if err.errno == errno.ELOOP else err.strerror
            raise SheetFolderError(
                f"{path} cannot be read: {told}",
                hint="a sheet is a file of at most 512 KiB; take it away, or mend its permissions",
            ) from err

    def hand_in(self, flow_cell: str, data: bytes, replace: str | None) -> HandedIn:
        """Put the sheet there; a repeat changes nothing.

        The file is written under another name and renamed; the one that it replaces is copied
        before. Both are durable when this returns.

        Args:
            replace: the digest of the sheet that may be replaced.

        Raises:
            OtherSheetError: another sheet lies there, and not the one that may be replaced.
            SheetFolderError: the folder cannot be written.
        """
        name, digest = f"{flow_cell}.csv", hashlib.sha256(data).hexdigest()
        there = self.find(flow_cell)
        found = "" if there is None else hashlib.sha256(there).hexdigest()
        if found == digest:
            return HandedIn(name, digest, written=False)
        if found and found != replace:
            raise OtherSheetError(flow_cell, found)
        kept_as = f"{name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}" if found else ""
        try:
            if there is not None:
                self._write(kept_as, there)
            self._write(name, data)
        except OSError as err:
            raise SheetFolderError(
                f"{self._folder} cannot be written: {err.strerror}",
                hint="make room there, or mend its permissions; then hand the sheet in again",
            ) from err
        return HandedIn(name, digest, written=True, replaced=found, kept_as=kept_as)

    def _write(self, name: str, data: bytes) -> None:
        number, partial = tempfile.mkstemp(prefix=f".{name}.partial-", dir=self._folder)
        try:
            with open(number, "wb") as file:
                file.write(data)
                os.fchmod(number, 0o644)  # the runfolder service may be another user
                file.flush()
                os.fsync(number)
            Path(partial).rename(self._folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> bytes:
    """Raises OSError where it is no file, or too large."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    with open(number, "rb") as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise OSError(errno.EFBIG, f"it is larger than {LIMIT} bytes", str(path))
    return data
