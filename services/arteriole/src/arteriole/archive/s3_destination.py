"""A bucket as a place for the archives of many runs."""

import json

from arteriole.archive.addenda import Grown, addenda_of
from arteriole.archive.archive import RECORD
from arteriole.archive.bucket import Bucket
from arteriole.archive.crypt4gh.journal import Journals
from arteriole.archive.errors import ArchiveError
from arteriole.archive.holding import Holding
from arteriole.archive.index import SEALED
from arteriole.archive.s3 import S3Archive
from arteriole.archive.settings import S3Settings, StorageClass
from arteriole.checksum.volumes import stem


class S3Destination:
    """`storage_class` is the request's; without it the destination's own.

    `journals` remember what was encrypted; without them nothing is.
    """

    def __init__(
        self,
        settings: S3Settings,
        threads: int,
        storage_class: StorageClass | None = None,
        journals: Journals | None = None,
    ) -> None:
        self._settings = settings
        self._journals = journals
        self._bucket = Bucket(settings, threads)
        self._class = storage_class or settings.storage_class

    def require_room(self, size: int) -> None:
        """ArchiveError if the bucket cannot be used; it has room until it says otherwise."""
        self._bucket.get(f"{self._base()}{RECORD}")
        self._bucket.require_lock()

    def data(self, run: str, attempt: int) -> Grown:
        return Grown(self, run, attempt)

    def volume(self, run: str, attempt: int, number: int) -> "S3Archive":
        base = f"{self._base()}{run}/{stem(f'attempt-{attempt}', number)}/"
        return self._archive(base, run, attempt, f"addendum-{number}" if number else "")

    def addenda(self, run: str, attempt: int) -> list[int]:
        first, base = f"attempt-{attempt}", f"{self._base()}{run}/"
        keys = self._bucket.listing(f"{base}{first}.addendum-")
        names = (key[len(base) :].removesuffix(f"/{RECORD}") for key in keys)
        return addenda_of(first, names)

    def unit(self, run: str, attempt: int, unit: str, holding: Holding) -> "S3Archive":
        return self._unit(run, attempt, holding.manifests["results.blake3"].digest)

    def units(self, run: str, attempt: int) -> dict[str, "S3Archive"]:
        found: dict[str, S3Archive] = {}
        base = self._results(run, attempt)
        for key in self._bucket.listing(base):
            digest, _, name = key.removeprefix(base).partition("/")
            if name != RECORD:
                continue
            archive = self._unit(run, attempt, digest)
            unit = archive.unit()
            if unit in found:
                raise ArchiveError(
                    f"{archive.where} and {found[unit].where} are both of the unit {unit[:80]!r}",
                    code="archive.verify",
                    hint="find out which of the two is right, and move the other away",
                )
            found[unit] = archive
        return found

    def _base(self) -> str:
        return f"{self._settings.prefix}/" if self._settings.prefix else ""

    def _results(self, run: str, attempt: int) -> str:
        return f"{self._base()}{run}/attempt-{attempt}.results/"

    def _unit(self, run: str, attempt: int, digest: str) -> "S3Archive":
        return self._archive(f"{self._results(run, attempt)}{digest}/", run, attempt, digest)

    def _archive(self, base: str, run: str, attempt: int, tells: str = "") -> "S3Archive":
        """NB: what lies there complete is of the form that it was written in."""
        given = self._bucket, base, self._class, self._settings
        if self._journals is None or _is_clear(self._bucket.get(base + RECORD)):
            return S3Archive(*given)
        from arteriole.archive.crypt4gh.archive import SealedArchive  # not for those without it

        return SealedArchive(*given, self._journals.path(run, attempt, tells))


def _is_clear(record: bytes | None) -> bool:
    """Whether it is of an archive that is complete, and not encrypted."""
    if record is None:
        return False
    try:
        found = json.loads(record)
    except (ValueError, RecursionError):
        return False
    return not isinstance(found, dict) or found.get("format") != SEALED
