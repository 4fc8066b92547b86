"""A manifest: `<hex>  <relative path>` a line, sorted by path, as md5sum and b3sum write it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from arteriole.checksum.digests import digest_text
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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.name}.partial")
        with open(partial, "wb") as file:
            file.write(self.text)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.path)
        sync_folder(self.path.parent)
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


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; its suffix says which digest it holds.

    Raises:
        ManifestError: names the line that is no digest and relative path, or comes twice.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as err:
        raise ManifestError(
            f"{path} does not exist",
            code="manifest.missing",
            hint="the checksum stage has to be done first",
        ) from err
    except OSError as err:
        raise ManifestError(f"{path}: {err}") from err
    return parse_manifest(path, data)


def parse_manifest(path: Path, data: bytes) -> Manifest:
    """`data` as the manifest of that name; ManifestError as `read_manifest` has it."""
    pattern = re.compile(rf"([0-9a-f]{{{LENGTHS[path.suffix]}}})  ([^\x00-\x1f\x7f\\]+)")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as err:
        raise ManifestError(f"{path}: {err}") from err
    if lines.pop() != "":
        raise ManifestError(f"{path}:{len(lines) + 1}: expected a newline at the end")
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = pattern.fullmatch(line)
        if match is None or not _is_inside(match[2]):
            raise ManifestError(
                f"{path}:{number}: expected '<{LENGTHS[path.suffix]} hex digits>  <relative path>',"
                f" found {line[:80]!r}"
            )
        if match[2] in digests:
            raise ManifestError(f"{path}:{number}: {match[2]} comes twice")
        digests[match[2]] = match[1]
    return Manifest(path, digests)


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
