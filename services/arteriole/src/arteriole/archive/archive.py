"""What differs between the places that runs are archived to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from arteriole.archive.holding import HeldFile, Holding
from arteriole.checksum.digests import FileDigest, Meter, Sink
from arteriole.checksum.listing import FoundFile

RECORD = "archive.json"

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class StoredFile:
    """A file of an archive, with the digests that its manifests give it."""

    part: str
    found: FoundFile
    digest: FileDigest

    @property
    def name(self) -> str:
        return f"{self.part}/{self.digest.name}"


class Archive(Protocol):
    """The place of one holding: complete and verified, or absent."""

    @property
    def where(self) -> str:
        """The place, for a person."""
        ...

    def is_complete(self) -> bool: ...

    def prepare(self, holding: Holding) -> None:
        """Make ready to store; ArchiveError if that cannot succeed."""
        ...

    def place(self, file: HeldFile) -> str:
        """Where `file` is kept; files of the same content may share it."""
        ...

    def has(self, file: HeldFile, meter: Meter) -> bool:
        """True if an earlier start has left `file` whole."""
        ...

    def store(self, file: HeldFile, meter: Meter) -> None:
        """Copy `file`, digest it on the way, and read it back.

        Raises:
            ArchiveError: the source, or the copy, is not as the manifests have it.
        """
        ...

    def finish(self, holding: Holding, record: dict[str, Any]) -> dict[str, Any]:
        """Write manifests and record, which is returned: from here on it is archived."""
        ...

    def record(self) -> dict[str, Any]:
        """archive.json."""
        ...

    def require_as_recorded(self, holding: Holding) -> None:
        """ArchiveError if a complete one lacks files, has others, or other manifests."""
        ...

    def verify(self, file: HeldFile, meter: Meter) -> None:
        """ArchiveError if `file` of a complete one is not as its manifest has it."""
        ...

    def manifest(self, name: str) -> bytes:
        """A manifest of a complete one."""
        ...

    def found(self, part: str) -> list[FoundFile]:
        """The files of a part of a complete one."""
        ...

    def thaw(self, files: list[StoredFile], tell: Tell) -> None:
        """Wait until `files` can be read; ArchiveError if that takes too long."""
        ...

    def fetch(self, file: StoredFile, meter: Meter, sink: Sink) -> FileDigest:
        """Read a file of a complete one into `sink`; what was read, not what should have been."""
        ...


class Destination(Protocol):
    """A place for the holdings of many runs."""

    def require_room(self, size: int) -> None:
        """ArchiveError if it cannot be reached, or `size` bytes do not fit."""
        ...

    def data(self, run: str, attempt: int) -> Archive:
        """The place of an attempt's run folder and FASTQs."""
        ...

    def unit(self, run: str, attempt: int, unit: str, holding: Holding) -> Archive:
        """The place of a unit of an attempt's results."""
        ...

    def units(self, run: str, attempt: int) -> Mapping[str, Archive]:
        """The complete units of an attempt's results, by name."""
        ...
