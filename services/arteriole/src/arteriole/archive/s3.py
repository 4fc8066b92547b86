"""A bucket as an archive: `<prefix>/<run>/attempt-<n>/`, complete once its archive.json is there.

NB: keys hold no name of a file, a sample or a unit: content lies at the BLAKE3 of itself.
"""

import contextlib
import functools
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import ValidationError

from arteriole.archive.archive import RECORD, Bytes, Contents, Parcel, StoredFile, Tell
from arteriole.archive.bucket import Bucket, Listed, Upload
from arteriole.archive.bundle import copy_bundle, pack, split
from arteriole.archive.contents import Nowhere, copy, judged
from arteriole.archive.errors import ArchiveError, not_as_its_manifest
from arteriole.archive.holding import HeldFile, Holding
from arteriole.archive.index import FORMAT, SEALED, Index, IndexedFile, write_index
from arteriole.archive.index import NAME as INDEX
from arteriole.archive.readme import readme
from arteriole.archive.settings import MIB, S3Settings, StorageClass
from arteriole.archive.surplus import is_content, remove
from arteriole.archive.thawing import wait_until_thawed
from arteriole.checksum.digests import FileDigest, Meter, digest_text
from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile

README = "README.txt"
#: Metadata of an object that was read back before it was moved to a class that cannot be read.
MARK = "read-back"
#: Files of a bundle are read at once if no more bytes lie between two of them.
GAP = MIB // 4
#: ... and so many bytes at most, so that threads share the work.
MOST_AT_ONCE = 64 * MIB
SENT = "look at the endpoint's disks; then retry"
HINT = "it is left as it is: find out who changed it, move it away, then retry"


class S3Archive:
    """A holding below the keys that start with `base`."""

    #: Of archive.json; those of earlier ones that are read too.
    form = FORMAT
    known_forms: tuple[int, ...] = (1, FORMAT)
    #: What the names of objects end with that hold content, or names.
    suffix = ""

    def __init__(
        self, bucket: Bucket, base: str, storage_class: StorageClass, settings: S3Settings
    ) -> None:
        self._bucket = bucket
        self._base = base
        self._class = storage_class
        self._settings = settings
        self._there: dict[str, Listed] = {}
        self._bundles: dict[str, FileDigest] = {}

    @property
    def where(self) -> str:
        return f"s3://{self._bucket.name}/{self._base.rstrip('/')}"

    def is_complete(self) -> bool:
        return self._bucket.get(self._base + RECORD) is not None

    def packed(self, holding: Holding) -> list[Parcel]:
        """Small files in bundles, but for those that an earlier start left on their own."""
        self._there = self._bucket.listing(self._base)
        alone: list[HeldFile] = []
        small: list[HeldFile] = []
        for file in holding.files:
            fits = file.digest.size < self._settings.bundle_below
            (small if fits and self._own(file.digest) not in self._there else alone).append(file)
        bundles = pack(small, self._settings.bundle_size, self._base, self.suffix)
        return self._as_stored(self._alone(alone) + bundles)

    def prepare(self, holding: Holding) -> None:
        """Give up the incomplete uploads of an earlier start."""
        self._bucket.require_lock()
        self._bucket.abort_all(self._base)

    def has(self, parcel: Parcel, meter: Meter) -> bool:
        there = self._there.get(parcel.place)
        if there is None or there.size != parcel.size:
            return False
        if there.cold:
            self._require_mark(parcel.place, self._digest(parcel, meter))
            self._bucket.lock(parcel.place)
            meter.add(parcel.size)
            return True
        found, wrong = self._read_back(parcel, meter)
        meter.add(-parcel.size if wrong else parcel.size)
        if not wrong:
            self._keep(parcel, found)
        return not wrong

    def store(self, parcel: Parcel, meter: Meter) -> None:
        with self._sending(parcel) as upload:
            copied = copy(parcel, meter, upload)
        self._require(parcel, copied, meter, SENT)
        self._keep(parcel, copied)

    def verify(self, parcel: Parcel, meter: Meter) -> None:
        """NB: what cannot be read at once is only known to be there, with its size and mark."""
        expected = self._recorded(parcel)
        if self._listed(parcel.place).cold:
            self._require_mark(parcel.place, expected)
            meter.add(parcel.size)
        else:
            self._require(parcel, expected, meter, HINT)

    def finish(
        self, holding: Holding, parcels: list[Parcel], record: dict[str, Any]
    ) -> dict[str, Any]:
        """Write manifests, README and index, and after everything else the record.

        What an earlier start left and nothing needs now is removed, or told in the record.
        """
        index = self._index_of(holding, parcels)
        self._write(README, self._readme().encode())
        for name, manifest in holding.manifests.items():
            self._write_list(f"manifest/{name}", manifest.text)
        self._write_list(INDEX, index)
        more = self._finished(parcels)
        surplus = self._without_surplus(parcels)
        self._require_nothing_else(holding, parcels, set(), surplus)
        if surplus:
            more["surplus"] = [key[len(self._base) :] for key in surplus]
        record = {
            "format": self.form,
            **record,
            "bundles": sum(parcel.is_bundle for parcel in parcels),
            "storage_class": self._class.value,
            **self._bucket.protection.record(),
            "index": digest_text(index),
            **more,
        }
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
        self._require_form(found.get("format", 1))
        return found

    def unit(self) -> str:
        """Of which unit of results it is, if it is one's."""
        return str(self.record().get("unit", ""))

    def recorded(self, holding: Holding) -> list[Parcel]:
        if self._settings.crypt4gh is not None and not self.suffix:
            raise ArchiveError(
                f"{self.where} is not encrypted, and the destination encrypts",
                code="archive.clear",
                hint="it was archived before: move it away there, then archive it anew",
            )
        if self.record().get("manifests") != holding.digests:
            raise self._spoilt(RECORD, "it has other manifests than are here")
        for name, manifest in holding.manifests.items():
            if self.manifest(name) != manifest.text:
                raise self._spoilt(f"manifest/{name}", f"it is not {manifest.path}")
        held = {file.name: file for file in holding.files}
        if self._lines.keys() != held.keys():
            raise self._spoilt(INDEX, "it does not list the files of the manifests")
        if any(line.size != held[name].digest.size for name, line in self._lines.items()):
            raise self._spoilt(INDEX, "it has other sizes than the files")
        parcels = self._alone([f for f in holding.files if self._lines[f.name].offset is None])
        parcels += [
            Parcel(
                key,
                self._recorded_bundle(key).size,
                tuple(held[line.name] for line in lines),
                tuple(line.offset or 0 for line in lines),
            )
            for key, lines in self._contents().items()
        ]
        parcels = self._as_stored(parcels)
        self._there = self._bucket.listing(self._base)
        self._require_nothing_else(holding, parcels, {RECORD}, self._surplus())
        return parcels

    def manifest(self, name: str) -> bytes:
        return self._read_list(f"manifest/{name}")

    def found(self, part: str) -> list[FoundFile]:
        return [
            FoundFile(line.name.removeprefix(f"{part}/"), line.size, line.mtime_ns)
            for line in self._lines.values()
            if line.name.startswith(f"{part}/")
        ]

    def thaw(self, files: list[StoredFile], tell: Tell) -> None:
        self._there = self._bucket.listing(self._base)
        keys = {self._place(file)[0] for file in files}
        cold = sorted(key for key in keys if self._listed(key).cold)
        wait_until_thawed(cold, self._bucket.thaw, self._settings, tell)

    def batches(self, files: list[StoredFile]) -> list[list[StoredFile]]:
        """Of a bundle, files between which little lies; of all others each on its own."""
        found: list[list[StoredFile]] = []
        before, end = "", 0
        for file in sorted(files, key=self._place):
            key, offset = self._place(file)
            joins = self._is_bundled(file) and key == before and 0 <= offset - end <= GAP
            if joins and offset + file.digest.size - self._place(found[-1][0])[1] <= MOST_AT_ONCE:
                found[-1].append(file)
            else:
                found.append([file])
            before, end = key, offset + file.digest.size
        return found

    def read(self, batch: list[StoredFile]) -> Contents:
        key, start = self._place(batch[0])
        stop = None
        cuts = [(self._place(file)[1] - start, file.digest.size) for file in batch]
        if self._is_bundled(batch[0]):
            stop = start + sum(cuts[-1])
        with contextlib.closing(self._pieces(key, start, stop)) as pieces:
            if stop is None:
                yield batch[0], pieces
            else:
                yield from zip(batch, split(pieces, cuts), strict=True)

    def _own(self, digest: FileDigest) -> str:
        return f"{self._base}data/{digest.blake3}{self.suffix}"

    def _alone(self, files: list[HeldFile]) -> list[Parcel]:
        """Files of equal content share a place."""
        places = {self._own(file.digest): file for file in files}
        return [Parcel(place, file.digest.size, (file,)) for place, file in places.items()]

    def _is_bundled(self, file: StoredFile) -> bool:
        return self._lines[file.name].offset is not None

    def _place(self, file: StoredFile) -> tuple[str, int]:
        """Key of the object that has the content, and where it begins there."""
        line = self._lines[file.name]
        return (self._own(file.digest), 0) if line.offset is None else (line.key, line.offset)

    def _listed(self, key: str) -> Listed:
        there = self._there.get(key)
        if there is None:
            raise self._spoilt(key[len(self._base) :], "it is not there")
        return there

    def _as_stored(self, parcels: list[Parcel]) -> list[Parcel]:
        """With the sizes that their objects have."""
        return parcels

    def _pieces(self, key: str, start: int = 0, stop: int | None = None) -> Bytes:
        """Content of the object `key`, or a part of it."""
        return self._bucket.pieces(key, start, stop)

    @contextlib.contextmanager
    def _sending(self, parcel: Parcel) -> Iterator[Upload]:
        """An upload that is completed if all is well, and given up if it is not."""
        at_first = StorageClass.STANDARD if self._class.cold else self._class
        upload = self._bucket.upload(parcel.place, parcel.size, at_first)
        try:
            yield upload
            upload.complete()
        except BaseException:
            with contextlib.suppress(ArchiveError):  # if not now, then the next start does it
                upload.abort()
            raise

    def _read_back(self, parcel: Parcel, meter: Meter) -> tuple[FileDigest, list[str]]:
        with contextlib.closing(self._bucket.counted(parcel.place, meter)) as pieces:
            return judged(parcel, pieces)

    def _require(self, parcel: Parcel, expected: FileDigest, meter: Meter, hint: str) -> None:
        found, wrong = self._read_back(parcel, meter)
        if wrong or found != expected:
            raise not_as_its_manifest(listed(wrong or [parcel.name]), self.where, hint)

    def _require_mark(self, key: str, digest: FileDigest) -> None:
        """ArchiveError unless we moved `key`, once it had been read back."""
        if self._bucket.mark(key).get(MARK) != digest.blake3:
            raise ArchiveError(
                f"{key} cannot be read at once, and was not read back before it was moved",
                code="archive.cold",
                hint="a rule of the bucket moved it: bring it back or remove it, then retry",
            )

    def _keep(self, parcel: Parcel, digest: FileDigest) -> None:
        """What is to be done once it was read back."""
        if self._class.cold:
            self._bucket.move(parcel.place, self._class, {MARK: digest.blake3})
        self._bucket.lock(parcel.place)
        if parcel.is_bundle:
            self._bundles[parcel.place] = digest

    def _digest(self, parcel: Parcel, meter: Meter) -> FileDigest:
        """The digests that it has to have; of a bundle from its sources."""
        if not parcel.is_bundle:
            meter.add(parcel.size)
            return parcel.files[0].digest
        found = copy_bundle(parcel, meter, Nowhere())
        self._bundles[parcel.place] = found
        return found

    def _recorded(self, parcel: Parcel) -> FileDigest:
        if not parcel.is_bundle:
            return parcel.files[0].digest
        return self._recorded_bundle(parcel.place)

    def _recorded_bundle(self, key: str) -> FileDigest:
        found = [bundle.digest for bundle in self._index.bundles if bundle.key == key]
        if len(found) != 1 or not key.startswith(self._base):
            raise self._spoilt(INDEX, f"it does not list the bundle {key}")
        return found[0]

    def _contents(self) -> dict[str, list[IndexedFile]]:
        """The files of each bundle in their order."""
        found = defaultdict(list)
        for line in self._lines.values():
            if line.offset is not None:
                found[line.key].append(line)
        for lines in found.values():
            lines.sort(key=lambda line: (line.offset or 0, line.size))
        return dict(found)

    def _write(self, name: str, data: bytes) -> None:
        """Write an object that has to be readable at once, and read it back."""
        key = self._base + name
        if key not in self._there or self._bucket.get(key) != data:
            self._bucket.put(key, data, StorageClass.STANDARD)
            if self._bucket.get(key) != data:
                raise self._spoilt(name, "it is not as it was written")
        self._bucket.lock(key)

    def _write_list(self, name: str, data: bytes) -> None:
        """The same of one that has names of files in it."""
        self._write(name, data)

    def _read_list(self, name: str) -> bytes:
        return self._read(name)

    def _readme(self) -> str:
        return readme(self.where)

    def _index_of(self, holding: Holding, parcels: list[Parcel]) -> bytes:
        return write_index(holding, parcels, self._bundles, lambda file: self._own(file.digest))

    def _finished(self, parcels: list[Parcel]) -> dict[str, Any]:
        """Write what else there is to be; what the record says of it."""
        return {}

    def _without_surplus(self, parcels: list[Parcel]) -> list[str]:
        """Remove content of a start that packed otherwise; the keys of what stays nevertheless.

        NB: only as long as there is no record, for until then nothing here is archived.
        """
        self._there = self._bucket.listing(self._base)
        if self._base + RECORD in self._there:
            return []
        others = self._there.keys() - {parcel.place for parcel in parcels}
        found = sorted(key for key in others if self._is_content(key))
        if found:
            remove(self._bucket, found)
            self._there = self._bucket.listing(self._base)
        return [key for key in found if key in self._there]

    def _surplus(self) -> list[str]:
        """Keys of what stayed, by the record."""
        names = self.record().get("surplus")
        keys = [f"{self._base}{name}" for name in (names if isinstance(names, list) else ())]
        return [key for key in keys if self._is_content(key)]

    def _is_content(self, key: str) -> bool:
        return is_content(key.removeprefix(self._base), self.suffix)

    def _read(self, name: str) -> bytes:
        data = self._bucket.get(self._base + name)
        if data is None:
            raise self._spoilt(name, "it is not there")
        return data

    @functools.cached_property
    def _lines(self) -> dict[str, IndexedFile]:
        return {line.name: line for line in self._index.files}

    @functools.cached_property
    def _index(self) -> Index:
        data = self._read_list(INDEX)
        if digest_text(data) != self.record().get("index"):
            raise self._spoilt(INDEX, f"it is not the one of {RECORD}")
        try:
            return Index.model_validate_json(data)
        except ValidationError as err:
            raise self._spoilt(INDEX, "it is no index") from err

    def _require_nothing_else(
        self,
        holding: Holding,
        parcels: list[Parcel],
        more: set[str],
        surplus: Collection[str],
    ) -> None:
        """ArchiveError unless the listing has just what it should, each of its size."""
        sizes = {parcel.place: parcel.size for parcel in parcels}
        lists = {INDEX, *(f"manifest/{name}" for name in holding.manifests)}
        names = {README, *(f"{name}{self.suffix}" for name in lists), *more}
        expected = sizes.keys() | {self._base + name for name in names}
        there = self._there.keys() - (set(surplus) - expected)
        differing = sorted(expected ^ there) or sorted(
            key for key, size in sizes.items() if self._there[key].size != size
        )
        if differing:
            raise ArchiveError(
                f"{self.where} has not the objects that it should have: {listed(differing)}",
                code="archive.verify",
                hint="restore the missing objects, move the others away; then retry",
            )

    def _require_form(self, form: Any) -> None:
        if form in self.known_forms:
            return
        if form == SEALED and self._settings.crypt4gh is None:
            raise ArchiveError(
                f"{self.where} is encrypted by Crypt4GH, and its destination says nothing of it",
                code="archive.key",
                hint="give the destination crypt4gh with recipients and private_key",
            )
        raise ArchiveError(
            f"{self.where} is of a later form than this program knows",
            code="archive.verify",
            hint="use the program that wrote it, or a later one; or restore it by README.txt",
        )

    def _spoilt(self, name: str, found: str) -> ArchiveError:
        return ArchiveError(f"{name} in {self.where}: {found}", code="archive.verify", hint=HINT)
