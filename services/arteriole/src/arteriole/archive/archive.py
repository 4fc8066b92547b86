"""What differs between the places that runs are archived to."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from arteriole.archive.holding import HeldFile, Holding
from arteriole.checksum.digests import FileDigest, Meter
from arteriole.checksum.listing import FoundFile

RECORD = "archive.json"

Tell = Callable[[int, int, str], None]
Bytes = Generator[bytes, None, None]


@dataclass(frozen=True)
class StoredFile:
    """A file of an archive, with the digests that its manifests give it."""

    part: str
    found: FoundFile
    digest: FileDigest

    @property
    def name(self) -> str:
        return f"{self.part}/{self.digest.name}"


#: To be closed if it is not read to its end: a connection may hang on it.
Contents = Generator[tuple[StoredFile, Iterator[bytes]], None, None]


@dataclass(frozen=True)
class Parcel:
    """What is kept, sent and read back as one: a file, or a bundle of small ones.

    Attributes:
        place: where it is kept.
        size: bytes of all of it, as it is kept.
        files: none, where only their object is known.
        offsets: of a bundle, where the content of each file begins.
    """

    place: str
    size: int
    files: tuple[HeldFile, ...]
    offsets: tuple[int, ...] = ()

    @property
    def is_bundle(self) -> bool:
        return bool(self.offsets)

    @property
    def name(self) -> str:
        return self.files[0].name if self.files and not self.is_bundle else self.place


class Archive(Protocol):
    """What is kept of one holding: complete and verified, or absent."""

    @property
    def where(self) -> str:
        """The place, for a person."""
        ...

    def is_complete(self) -> bool: ...

    def record(self) -> dict[str, Any]:
        """archive.json."""
        ...

    def recorded(self, holding: Holding) -> list[Parcel]:
        """How a complete one is stored.

        Raises:
            ArchiveError: it lacks files, has others, or other manifests.
        """
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

    def batches(self, files: list[StoredFile]) -> list[list[StoredFile]]:
        """Those of a complete one that are best read together."""
        ...

    def read(self, batch: list[StoredFile]) -> Contents:
        """The bytes of each file, as they are; to be taken before those of the next."""
        ...


class Depot(Archive, Protocol):
    """The place of one holding, which it can be put into."""

    def packed(self, holding: Holding) -> list[Parcel]:
        """How `holding` is to be stored; the same each time."""
        ...

    def prepare(self, holding: Holding) -> None:
        """Make ready to store; ArchiveError if that cannot succeed."""
        ...

    def has(self, parcel: Parcel, meter: Meter) -> bool:
        """True if an earlier start has left `parcel` whole."""
        ...

    def store(self, parcel: Parcel, meter: Meter) -> None:
        """Copy `parcel`, digest its files on the way, and read it back.

        Raises:
            ArchiveError: the source, or the copy, is not as the manifests have it.
        """
        ...

    def finish(
        self, holding: Holding, parcels: list[Parcel], record: dict[str, Any]
    ) -> dict[str, Any]:
        """Write manifests and record, which is returned: from here on it is archived."""
        ...

    def verify(self, parcel: Parcel, meter: Meter) -> None:
        """ArchiveError if `parcel` of a complete one is not as the manifests have it."""
        ...


class Destination(Protocol):
    """A place for the holdings of many runs."""

    def require_room(self, size: int) -> None:
        """ArchiveError if it cannot be reached, or `size` bytes do not fit."""
        ...

    def data(self, run: str, attempt: int) -> Archive:
        """An attempt's run folder and FASTQs, with every addendum that is archived."""
        ...

    def volume(self, run: str, attempt: int, number: int) -> Depot:
        """The place of 0, what an attempt's data is archived as at first, or of an addendum."""
        ...

    def addenda(self, run: str, attempt: int) -> list[int]:
        """The numbers of those that are complete beside what was archived at first."""
        ...

    def unit(self, run: str, attempt: int, unit: str, holding: Holding) -> Depot:
        """The place of a unit of an attempt's results."""
        ...

    def units(self, run: str, attempt: int) -> Mapping[str, Archive]:
        """The complete units of an attempt's results, by name."""
        ...
