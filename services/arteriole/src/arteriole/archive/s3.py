"""A bucket as an archive: `<prefix>/<run>/attempt-<n>/`, complete once its archive.json is there.

NB: keys hold no name of a file, a sample or a unit: content lies at the BLAKE3 of itself.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arteriole.archive.archive import RECORD, StoredFile, Tell
from arteriole.archive.bucket import Bucket, Listed
from arteriole.archive.errors import ArchiveError, not_as_its_manifest, source_changed
from arteriole.archive.holding import HeldFile, Holding
from arteriole.archive.readme import readme
from arteriole.archive.settings import S3Settings, StorageClass
from arteriole.archive.thawing import wait_until_thawed
from arteriole.checksum.digests import FileDigest, Meter, Sink, digest_file, digest_text
from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile

README = "README.txt"
INDEX = "index.json"
#: Metadata of an object that was read back before it was moved to a class that cannot be read.
MARK = "read-back"
HINT = "it is left as it is: find out who changed it, move it away, then retry"


@dataclass(frozen=True)
class Entry:
    """A line of index.json."""

    name: str
    key: str
    size: int
    md5: str
    blake3: str
    mtime_ns: int


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    size: int = Field(ge=0)
    mtime_ns: int = Field(ge=0, lt=1 << 63)


class _Index(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    files: list[_Entry]


class S3Destination:
    """`storage_class` is the request's; without it the destination's own."""

    def __init__(
        self, settings: S3Settings, threads: int, storage_class: StorageClass | None = None
    ) -> None:
        self._settings = settings
        self._bucket = Bucket(settings, threads)
        self._class = storage_class or settings.storage_class

    def require_room(self, size: int) -> None:
        """ArchiveError if the bucket cannot be read; it has room until it says otherwise."""
        self._bucket.get(f"{self._base()}{RECORD}")

    def data(self, run: str, attempt: int) -> "S3Archive":
        return self._archive(f"{self._base()}{run}/attempt-{attempt}/")

    def unit(self, run: str, attempt: int, unit: str, holding: Holding) -> "S3Archive":
        digest = holding.manifests["results.blake3"].digest
        return self._archive(f"{self._results(run, attempt)}{digest}/")

    def units(self, run: str, attempt: int) -> dict[str, "S3Archive"]:
        found: dict[str, S3Archive] = {}
        for key in self._bucket.listing(self._results(run, attempt)):
            if not key.endswith(f"/{RECORD}"):
                continue
            archive = self._archive(key.removesuffix(RECORD))
            unit = str(archive.record().get("unit", ""))
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

    def _archive(self, base: str) -> "S3Archive":
        return S3Archive(self._bucket, base, self._class, self._settings)


class S3Archive:
    """A holding below the keys that start with `base`."""

    def __init__(
        self, bucket: Bucket, base: str, storage_class: StorageClass, settings: S3Settings
    ) -> None:
        self._bucket = bucket
        self._base = base
        self._class = storage_class
        self._settings = settings
        self._there: dict[str, Listed] = {}

    @property
    def where(self) -> str:
        return f"s3://{self._bucket.name}/{self._base.rstrip('/')}"

    def is_complete(self) -> bool:
        return self._bucket.get(self._base + RECORD) is not None

    def prepare(self, holding: Holding) -> None:
        """See what an earlier start left; its incomplete uploads are given up."""
        self._bucket.abort_all(self._base)
        self._there = self._bucket.listing(self._base)

    def place(self, file: HeldFile) -> str:
        return self._key(file.digest)

    def has(self, file: HeldFile, meter: Meter) -> bool:
        key = self.place(file)
        there = self._there.get(key)
        if there is None or there.size != file.digest.size:
            return False
        if there.cold:
            self._require_mark(key, file.digest)
            meter.add(2 * file.digest.size)
            return True
        whole = self._bucket.read(key, file.digest.name, meter) == file.digest
        meter.add(file.digest.size if whole else -file.digest.size)
        if whole:
            self._cool(key, file.digest)
        return whole

    def store(self, file: HeldFile, meter: Meter) -> None:
        key = self.place(file)
        at_first = StorageClass.STANDARD if self._class.cold else self._class
        upload = self._bucket.upload(key, file.digest.size, at_first)
        try:
            copied = digest_file(file.source, file.found, meter, upload)
            if copied != file.digest:
                raise source_changed(file.digest.name, file.source)
            upload.complete()
        except BaseException:
            with contextlib.suppress(ArchiveError):  # if not now, then the next start does it
                upload.abort()
            raise
        self._require(file.digest, meter, file.name, "look at the endpoint's disks; then retry")
        self._cool(key, file.digest)

    def verify(self, file: HeldFile, meter: Meter) -> None:
        """NB: what cannot be read at once is only known to be there, with its size and mark."""
        key = self.place(file)
        if self._listed(key).cold:
            self._require_mark(key, file.digest)
            meter.add(file.digest.size)
        else:
            self._require(file.digest, meter, file.name, HINT)

    def finish(self, holding: Holding, record: dict[str, Any]) -> dict[str, Any]:
        """Write manifests, README and index, and after everything else the record."""
        index = self._index(holding)
        self._write(README, readme(self.where, holding).encode())
        for name, manifest in holding.manifests.items():
            self._write(f"manifest/{name}", manifest.text)
        self._write(INDEX, index)
        self._there = self._bucket.listing(self._base)
        self._require_nothing_else(holding, set())
        record = {**record, "storage_class": self._class.value, "index": digest_text(index)}
        self._write(RECORD, (json.dumps(record, indent=1) + "\n").encode())
        return record

    def record(self) -> dict[str, Any]:
        data = self._read(RECORD)
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as err:
            raise self._spoilt(RECORD, "it is not JSON") from err
        if not isinstance(found, dict):
            raise self._spoilt(RECORD, "it is no record")
        return found

    def require_as_recorded(self, holding: Holding) -> None:
        for name, manifest in holding.manifests.items():
            if self._read(f"manifest/{name}") != manifest.text:
                raise self._spoilt(f"manifest/{name}", f"it is not {manifest.path}")
        names = {file.name for file in holding.files}
        if {entry.name for entry in self._entries()} != names:
            raise self._spoilt(INDEX, "it does not list the files of the manifests")
        self._there = self._bucket.listing(self._base)
        self._require_nothing_else(holding, {RECORD})

    def manifest(self, name: str) -> bytes:
        return self._read(f"manifest/{name}")

    def found(self, part: str) -> list[FoundFile]:
        return [
            FoundFile(entry.name.removeprefix(f"{part}/"), entry.size, entry.mtime_ns)
            for entry in self._entries()
            if entry.name.startswith(f"{part}/")
        ]

    def thaw(self, files: list[StoredFile], tell: Tell) -> None:
        self._there = self._bucket.listing(self._base)
        keys = {self._key(file.digest) for file in files}
        cold = sorted(key for key in keys if self._listed(key).cold)
        wait_until_thawed(cold, self._bucket.thaw, self._settings, tell)

    def fetch(self, file: StoredFile, meter: Meter, sink: Sink) -> FileDigest:
        return self._bucket.read(self._key(file.digest), file.digest.name, meter, sink)

    def _key(self, digest: FileDigest) -> str:
        return f"{self._base}data/{digest.blake3}"

    def _listed(self, key: str) -> Listed:
        there = self._there.get(key)
        if there is None:
            raise self._spoilt(key[len(self._base) :], "it is not there")
        return there

    def _require(self, digest: FileDigest, meter: Meter, name: str, hint: str) -> None:
        if self._bucket.read(self._key(digest), digest.name, meter) != digest:
            raise not_as_its_manifest(name, self.where, hint)

    def _require_mark(self, key: str, digest: FileDigest) -> None:
        """ArchiveError unless we moved `key`, once it had been read back."""
        if self._bucket.mark(key).get(MARK) != digest.blake3:
            raise ArchiveError(
                f"{key} cannot be read at once, and was not read back before it was moved",
                code="archive.cold",
                hint="a rule of the bucket moved it: bring it back or remove it, then retry",
            )

    def _cool(self, key: str, digest: FileDigest) -> None:
        if self._class.cold:
            self._bucket.move(key, self._class, {MARK: digest.blake3})

    def _write(self, name: str, data: bytes) -> None:
        """Write an object that has to be readable at once, and read it back."""
        if self._base + name in self._there and self._bucket.get(self._base + name) == data:
            return
        self._bucket.put(self._base + name, data, StorageClass.STANDARD)
        if self._bucket.get(self._base + name) != data:
            raise self._spoilt(name, "it is not as it was written")

    def _read(self, name: str) -> bytes:
        data = self._bucket.get(self._base + name)
        if data is None:
            raise self._spoilt(name, "it is not there")
        return data

    def _index(self, holding: Holding) -> bytes:
        """A line for each file, so that it can be searched by line."""
        lines = [
            json.dumps(
                asdict(
                    Entry(
                        name=file.name,
                        key=self.place(file),
                        size=file.digest.size,
                        md5=file.digest.md5,
                        blake3=file.digest.blake3,
                        mtime_ns=file.found.mtime_ns,
                    )
                )
            )
            for file in holding.files
        ]
        return ('{"files": [\n' + ",\n".join(lines) + "\n]}\n").encode()

    def _entries(self) -> list[_Entry]:
        data = self._read(INDEX)
        if digest_text(data) != self.record().get("index"):
            raise self._spoilt(INDEX, f"it is not the one of {RECORD}")
        try:
            return _Index.model_validate_json(data).files
        except ValidationError as err:
            raise self._spoilt(INDEX, "it is no index") from err

    def _require_nothing_else(self, holding: Holding, more: set[str]) -> None:
        """ArchiveError unless the listing has just what it should, each of its size."""
        sizes = {self.place(file): file.digest.size for file in holding.files}
        names = {README, INDEX, *(f"manifest/{name}" for name in holding.manifests), *more}
        expected = sizes.keys() | {self._base + name for name in names}
        differing = sorted(expected ^ self._there.keys()) or sorted(
            key for key, size in sizes.items() if self._there[key].size != size
        )
        if differing:
            raise ArchiveError(
                f"{self.where} has not the objects that it should have: {listed(differing)}",
                code="archive.verify",
                hint="restore the missing objects, move the others away; then retry",
            )

    def _spoilt(self, name: str, found: str) -> ArchiveError:
        return ArchiveError(f"{name} in {self.where}: {found}", code="archive.verify", hint=HINT)
