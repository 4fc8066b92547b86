"""A manifest: `<hex>  <relative path>` a line, sorted by path, as md5sum and b3sum write it."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from arteriole.checksum.digests import PIECE, Digester, digest_text
from arteriole.checksum.errors import ChecksumError, ManifestError, listed

#: Hex digits of a digest, by the suffix of a manifest's name.
LENGTHS = {".md5": 32, ".blake3": 64}


@dataclass(frozen=True)
class Manifest:
    """Digests by path; `path` is where the manifest lies."""

    path: Path
    digests: dict[str, str]

    @property
    def text(self) -> bytes:
        lines = (f"{self.digests[name]}  {name}\n" for name in sorted(self.digests))
        return "".join(lines).encode("utf-8")

    @property
    def digest(self) -> str:
        """BLAKE3 of the manifest itself."""
        return digest_text(self.text)

    def differences(self, other: "Manifest") -> list[str]:
        """The names that only one of the two has, or that have different digests."""
        names = self.digests.keys() | other.digests.keys()
        return sorted(n for n in names if self.digests.get(n) != other.digests.get(n))

    def write(self) -> bool:
        """Write by rename; False if an equal one is there already.

        NB: an earlier digest is never overwritten: another content is a ChecksumError that names
        the files.
        """
        if self.path.exists():
            self._require_equal(read_manifest(self.path))
            return False
        write_manifest(self.path, ((name, self.digests[name]) for name in sorted(self.digests)))
        return True

    def _require_equal(self, earlier: "Manifest") -> None:
        names = self.differences(earlier)
        if names:
            raise ChecksumError(
                f"not what {self.path} recorded earlier: {listed(names)}",
                code="checksum.changed",
                hint="files of a finished run or attempt changed: restore them and retry, or redo"
                " the run from that stage; the earlier digests stay",
            )


def write_manifest(path: Path, entries: Iterable[tuple[str, str]]) -> None:
    """Write names and digests, which come in the order of the names, by rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with open(partial, "wb") as file:
            file.writelines(f"{digest}  {name}\n".encode() for name, digest in entries)
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        err.filename = str(partial)  # of a full disk it is not known otherwise
        raise
    partial.rename(path)
    sync_folder(path.parent)


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; its suffix says which digest it holds.

    Raises:
        ManifestError: names the line that is no digest and relative path, or comes twice.
    """
    with _opened(path) as file:
        try:
            data = file.read()
        except OSError as err:
            raise ManifestError(f"{path}: {err}") from err
    return parse_manifest(path, data)


def manifest_entries(path: Path) -> Iterator[tuple[str, str]]:
    """Names and digests of a manifest of any length, one after the other; a name may come twice.

    Raises:
        ManifestError: as of `read_manifest`.
    """
    entry = _entry_of(path)
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                raise ManifestError(f"{path}:{number}: expected a newline at the end")
            yield entry(number, _text(path, line[:-1]))


def digest_manifest(path: Path) -> str:
    """BLAKE3 of the manifest at `path`, in hex."""
    digester = Digester()
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            digester.update(piece)
    return digester.digest(path.name).blake3


def parse_manifest(path: Path, data: bytes) -> Manifest:
    """`data` as the manifest of that name; ManifestError as `read_manifest` has it."""
    lines = _text(path, data).split("\n")
    if lines.pop() != "":
        raise ManifestError(f"{path}:{len(lines) + 1}: expected a newline at the end")
    entry = _entry_of(path)
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        name, digest = entry(number, line)
        if name in digests:
            raise ManifestError(f"{path}:{number}: {name} comes twice")
        digests[name] = digest
    return Manifest(path, digests)


def _opened(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError as err:
        raise ManifestError(
            f"{path} does not exist",
            code="manifest.missing",
            hint="the checksum stage has to be done first",
        ) from err
    except OSError as err:
        raise ManifestError(f"{path}: {err}") from err


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise ManifestError(f"{path}: {err}") from err


def _entry_of(path: Path) -> Callable[[int, str], tuple[str, str]]:
    """What takes a line's number and text, and gives name and digest, or raises ManifestError."""
    length = LENGTHS[path.suffix]
    pattern = re.compile(rf"([0-9a-f]{{{length}}})  ([^\x00-\x1f\x7f\\]+)")

    def entry(number: int, line: str) -> tuple[str, str]:
        match = pattern.fullmatch(line)
        if match is None or not _is_inside(match[2]):
            raise ManifestError(
                f"{path}:{number}: expected '<{length} hex digits>  <relative path>',"
                f" found {line[:80]!r}"
            )
        return match[2], match[1]

    return entry


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_inside(name: str) -> bool:
    return (
        PurePosixPath(name).as_posix() == name
        and not name.startswith("/")
        and (".." not in name.split("/") and name != ".")
    )
