"""What an attempt's data is archived as: at first, and each addendum that came after that.

What is archived is never written to; so what came later lies beside it, with a record of its own.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from arteriole.archive.archive import Contents, Depot, Destination, Parcel, StoredFile, Tell
from arteriole.archive.holding import PARTS, Holding
from arteriole.checksum.listing import FoundFile
from arteriole.checksum.volumes import volume_of


class Grown:
    """All of it, read as one archive; complete with its first volume."""

    def __init__(self, destination: Destination, run: str, attempt: int) -> None:
        self._volume = functools.partial(destination.volume, run, attempt)
        self._addenda = functools.partial(destination.addenda, run, attempt)
        self._first = self._volume(0)

    @property
    def where(self) -> str:
        return self._first.where

    def is_complete(self) -> bool:
        return self._first.is_complete()

    def shares(self, holding: Holding) -> dict[int, tuple[Depot, Holding]]:
        """What of `holding` belongs where: each addendum that the first has not by itself."""
        if not self.is_complete():
            return {0: (self._first, holding)}
        had = manifests_of(self._first.record())
        divided = holding.divided(lambda name: 0 if name in had else volume_of(name))
        return {
            number: (self._volume(number) if number else self._first, share)
            for number, share in divided.items()
        }

    def record(self) -> dict[str, Any]:
        return as_one(self._records)

    def recorded(self, holding: Holding) -> list[Parcel]:
        shares = self.shares(holding).values()
        return [parcel for depot, share in shares for parcel in depot.recorded(share)]

    def manifest(self, name: str) -> bytes:
        pairs = zip(self._volumes, self._records, strict=True)
        has = (volume for volume, record in pairs if name in manifests_of(record))
        return next(has, self._first).manifest(name)

    def found(self, part: str) -> list[FoundFile]:
        return [file for volume in self._volumes for file in volume.found(part)]

    def thaw(self, files: list[StoredFile], tell: Tell) -> None:
        for volume, share in self._shared(files):
            volume.thaw(share, tell)

    def batches(self, files: list[StoredFile]) -> list[list[StoredFile]]:
        return [one for volume, share in self._shared(files) for one in volume.batches(share)]

    def read(self, batch: list[StoredFile]) -> Contents:
        ((volume, _),) = self._shared(batch)
        return volume.read(batch)

    @functools.cached_property
    def _volumes(self) -> list[Depot]:
        """The first, and every addendum that is archived beside it; one between may be gone."""
        had = max(map(volume_of, manifests_of(self._first.record())), default=0)
        beside = [number for number in self._addenda() if number > had]
        return [self._first, *map(self._volume, beside)]

    @functools.cached_property
    def _records(self) -> list[dict[str, Any]]:
        return [volume.record() for volume in self._volumes]

    @functools.cached_property
    def _late(self) -> dict[str, int]:
        """Of the files that the first has not, which of the volumes has them."""
        return {
            f"{part}/{file.name}": number
            for number, volume in enumerate(self._volumes)
            for part in (PARTS if number else ())
            for file in volume.found(part)
        }

    def _shared(self, files: list[StoredFile]) -> list[tuple[Depot, list[StoredFile]]]:
        """Each volume that has some of `files`, with these."""
        found: dict[int, list[StoredFile]] = {}
        for file in files:
            found.setdefault(self._late.get(file.name, 0), []).append(file)
        return [(self._volumes[number], share) for number, share in found.items()]


def addenda_of(first: str, names: Iterable[str]) -> list[int]:
    """The numbers of the addenda to `first` that are among `names`.

    >>> addenda_of("attempt-1", ["attempt-1", "attempt-1.addendum-2", "attempt-1.addendum-2/x"])
    [2]
    """
    matches = (re.fullmatch(rf"{re.escape(first)}\.addendum-([1-9][0-9]*)", name) for name in names)
    return sorted(int(match[1]) for match in matches if match)


def gap_of(record: dict[str, Any]) -> int | None:
    """The first addendum that `record` lacks although it has a later one.

    >>> gap_of({"manifests": {"runfolder.md5": "", "runfolder.addendum-3.md5": ""}})
    1
    """
    numbers = set(map(volume_of, manifests_of(record)))
    first = next(number for number in itertools.count(1) if number not in numbers)
    return first if first < max(numbers, default=0) else None


def manifests_of(record: dict[str, Any]) -> dict[str, Any]:
    """BLAKE3 by name; none where the record does not tell."""
    found = record.get("manifests")
    return found if isinstance(found, dict) else {}


def as_one(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The first record, with the manifests of all, when the last was finished, and `addenda`."""
    first, *addenda = records
    if not addenda:
        return first
    manifests = {name: made for one in records for name, made in manifests_of(one).items()}
    finished = addenda[-1].get("finished", "")
    return {**first, "manifests": manifests, "finished": finished, "addenda": addenda}
