"""An archive in a bucket whose content, index and manifests are files of Crypt4GH.

What is sent is proven as it is read back, with the key that is in memory only then: it decrypts to
what the manifests have. From then on the digests of the encrypted bytes are enough, and nobody's
private key is needed but to bring something back.
"""

import contextlib
import functools
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from arteriole.archive.archive import RECORD, Bytes, Parcel
from arteriole.archive.bucket import Bucket
from arteriole.archive.bundle import Stream, split
from arteriole.archive.contents import copy, judged
from arteriole.archive.crypt4gh import sizes
from arteriole.archive.crypt4gh.errors import SpoiltError
from arteriole.archive.crypt4gh.header import packets_of
from arteriole.archive.crypt4gh.journal import Journal, Proven
from arteriole.archive.crypt4gh.readme import readme
from arteriole.archive.crypt4gh.ring import Ring, told
from arteriole.archive.crypt4gh.segments import (
    Opener,
    Sealing,
    opened,
    opened_segments,
    sealed,
    unsealed,
)
from arteriole.archive.errors import ArchiveError, not_as_its_manifest
from arteriole.archive.holding import Holding
from arteriole.archive.index import NAME as INDEX
from arteriole.archive.index import SEALED, write_index
from arteriole.archive.s3 import HINT, SENT, S3Archive
from arteriole.archive.settings import S3Settings, StorageClass
from arteriole.checksum.digests import Digester, FileDigest, Meter, digest_text
from arteriole.checksum.errors import listed

#: Lists the MD5 of each encrypted object, for md5sum.
OBJECTS = "objects.md5"


class SealedArchive(S3Archive):
    """`journal` is the file that remembers what was proven."""

    form = SEALED
    known_forms = (SEALED,)
    suffix = ".c4gh"

    def __init__(
        self,
        bucket: Bucket,
        base: str,
        storage_class: StorageClass,
        settings: S3Settings,
        journal: Path,
    ) -> None:
        super().__init__(bucket, base, storage_class, settings)
        assert settings.crypt4gh is not None
        self._ring = Ring(settings.crypt4gh)
        self._journal = Journal(journal)
        self._lists: list[str] = []
        self._unit = ""
        self._session_keys: dict[str, bytes] = {}

    def unit(self) -> str:
        return self._index.unit

    def has(self, parcel: Parcel, meter: Meter) -> bool:
        """NB: what is not known to be proven is sent anew, whatever it is."""
        there, known = self._there.get(parcel.place), self._journal.get(parcel.place)
        if there is None or known is None or known.recipients != self._recipients:
            return False
        if there.size != parcel.size:
            return False
        if there.cold:
            self._require_mark(parcel.place, known.stored)
            self._bucket.lock(parcel.place)
            self._bundles[parcel.place] = known.plain
            meter.add(2 * parcel.size)
            return True
        if self._digest_there(parcel.place, meter) != known.stored:
            meter.add(-parcel.size)
            return False
        meter.add(parcel.size)
        self._keep_proven(parcel, known)
        return True

    def store(self, parcel: Parcel, meter: Meter) -> None:
        seal = self._ring.seal()
        with self._sending(parcel) as upload:
            sealing = Sealing(seal, upload)
            copied = copy(parcel, meter, sealing)
            sealing.close()
        proven = self._opened_back(parcel, seal.key_of, meter, SENT)
        if proven.plain != copied:
            raise not_as_its_manifest(parcel.name, self.where, SENT)
        self._journal.add(proven)
        self._keep_proven(parcel, proven)

    def finish(
        self, holding: Holding, parcels: list[Parcel], record: dict[str, Any]
    ) -> dict[str, Any]:
        """NB: the unit's name is in the index, which is encrypted."""
        self._unit = str(record.get("unit", ""))
        rest = {name: value for name, value in record.items() if name != "unit"}
        return super().finish(holding, parcels, rest)

    def recorded(self, holding: Holding) -> list[Parcel]:
        """With the private key by what its index says; without it by what was proven here."""
        if self.record().get("manifests") != holding.digests:
            raise self._spoilt(RECORD, "it has other manifests than are here")
        objects = self._objects()
        if self._ring.has_private_key:
            parcels = super().recorded(holding)
            self._remember(holding, parcels, objects)
            return parcels
        self._proven(self._base + OBJECTS)  # else it is not known that these are all
        parcels = [self._parcel_of(key, md5) for key, md5 in objects.items()]
        self._there = self._bucket.listing(self._base)
        self._require_nothing_else(holding, parcels, {RECORD}, self._surplus())
        return parcels

    def verify(self, parcel: Parcel, meter: Meter) -> None:
        """NB: by the digest of what is there, if it was proven here; else it is proven anew."""
        cold = self._listed(parcel.place).cold
        if self._journal.get(parcel.place) is None and not cold:
            self._journal.add(self._opened_back(parcel, self._ring.key_of, meter, HINT))
            return
        known = self._proven(parcel.place)
        if cold:
            self._require_mark(parcel.place, known.stored)
            meter.add(parcel.size)
        elif self._digest_there(parcel.place, meter) != known.stored:
            raise ArchiveError(
                f"{parcel.name} in {self.where} is not as it was encrypted when read back",
                code="archive.verify",
                hint=HINT,
            )

    @functools.cached_property
    def _recipients(self) -> tuple[str, ...]:
        """For whom it is encrypted: once it is complete as its record says."""
        if not self.is_complete():
            return tuple(told(self._ring.recipients))
        found = self.record().get("crypt4gh")
        recipients = found.get("recipients") if isinstance(found, dict) else None
        if not isinstance(recipients, list) or not recipients:
            raise self._spoilt(RECORD, "it does not say for whom it is encrypted")
        return tuple(map(str, recipients))

    @property
    def _header(self) -> int:
        return sizes.header_size(len(self._recipients))

    def _as_stored(self, parcels: list[Parcel]) -> list[Parcel]:
        count = len(self._recipients)
        return [replace(one, size=sizes.sealed_size(one.size, count)) for one in parcels]

    def _opened_back(self, parcel: Parcel, opener: Opener, meter: Meter, hint: str) -> Proven:
        """What lies there, once it was decrypted; ArchiveError if that is not what it has to be."""
        there = Digester()
        pieces = _digested(self._bucket.counted(parcel.place, meter), there)
        with self._at(parcel.place):
            found, wrong = judged(parcel, opened(pieces, opener, self._header))
        if wrong:
            raise not_as_its_manifest(listed(wrong), self.where, hint)
        return Proven(parcel.place, self._recipients, there.digest(parcel.place), found)

    def _digest_there(self, key: str, meter: Meter) -> FileDigest:
        digester = Digester()
        for _ in _digested(self._bucket.counted(key, meter), digester):
            pass
        return digester.digest(key)

    def _keep_proven(self, parcel: Parcel, proven: Proven) -> None:
        self._keep(parcel, proven.stored)
        self._bundles[parcel.place] = proven.plain

    def _pieces(self, key: str, start: int = 0, stop: int | None = None) -> Bytes:
        with self._at(key):
            if stop is None:
                yield from opened(self._bucket.pieces(key), self._ring.key_of, self._header)
            elif start < stop:
                yield from self._range(key, start, stop)

    def _range(self, key: str, start: int, stop: int) -> Bytes:
        """Of the segments that have it, after the header, which is read once for each object."""
        first, skipped = divmod(start, sizes.SEGMENT)
        last = -(-stop // sizes.SEGMENT)
        session_key = self._session_key(key)
        begin, end = (self._header + number * sizes.SEALED for number in (first, last))
        with closing(self._bucket.pieces(key, begin, end)) as pieces:
            data = opened_segments(Stream(pieces), session_key)
            for part in split(data, [(skipped, stop - start)]):
                yield from part

    def _session_key(self, key: str) -> bytes:
        if key not in self._session_keys:
            header = b"".join(self._bucket.pieces(key, 0, self._header))
            self._session_keys[key] = self._ring.key_of(packets_of(header))
        return self._session_keys[key]

    def _write_list(self, name: str, data: bytes) -> None:
        key = f"{self._base}{name}{self.suffix}"
        self._lists.append(key)
        if not self._has_list(key, _digest(key, data)):
            self._send_list(key, data)
        self._bucket.lock(key)

    def _has_list(self, key: str, plain: FileDigest) -> bool:
        known = self._journal.get(key)
        if known is None or (known.plain, known.recipients) != (plain, self._recipients):
            return False
        return _digest(key, self._bucket.get(key) or b"") == known.stored

    def _send_list(self, key: str, data: bytes) -> None:
        seal = self._ring.seal()
        self._bucket.put(key, sealed(seal, data), StorageClass.STANDARD)
        there = self._bucket.get(key) or b""
        with self._at(key):
            read = unsealed(there, seal.key_of, self._header)
        if read != data:
            raise self._spoilt(key[len(self._base) :], "it is not as it was written")
        self._journal.add(Proven(key, self._recipients, _digest(key, there), _digest(key, data)))

    def _read_list(self, name: str) -> bytes:
        key = f"{self._base}{name}{self.suffix}"
        with self._at(key):
            data = self._read(f"{name}{self.suffix}")
            return unsealed(data, self._ring.key_of, self._header)

    def _readme(self) -> str:
        return readme(self.where)

    def _index_of(self, holding: Holding, parcels: list[Parcel]) -> bytes:
        return write_index(
            holding, parcels, self._bundles, lambda file: self._own(file.digest), self._unit
        )

    def _finished(self, parcels: list[Parcel]) -> dict[str, Any]:
        proven = [self._proven(key) for key in (*(one.place for one in parcels), *self._lists)]
        lines = sorted(f"{one.stored.md5}  {one.key[len(self._base) :]}\n" for one in proven)
        objects = "".join(lines).encode()
        self._write(OBJECTS, objects)
        self._journal.add(self._all_of(objects))
        recipients = list(self._recipients)
        return {"crypt4gh": {"recipients": recipients}, "objects": digest_text(objects)}

    def _objects(self) -> dict[str, str]:
        """MD5 by key of each encrypted object, as the list has it; ArchiveError if it is another.

        NB: who can write there can write another list, and a record that agrees with it.
        """
        data, known = self._read(OBJECTS), self._journal.get(self._base + OBJECTS)
        if digest_text(data) != self.record().get("objects"):
            raise self._spoilt(OBJECTS, f"it is not the one of {RECORD}")
        if known is not None and known.stored != _digest(known.key, data):
            raise self._spoilt(OBJECTS, "it is not the one that was written from here")
        lines = (line.partition("  ") for line in data.decode("utf-8", "replace").splitlines())
        return {self._base + name: md5 for md5, _, name in lines}

    def _parcel_of(self, key: str, md5: str) -> Parcel:
        """An object that was proven here, of which no more is known."""
        proven = self._proven(key)
        if proven.stored.md5 != md5:
            raise self._spoilt(key[len(self._base) :], "it is not the one that was proven here")
        return Parcel(key, proven.stored.size, ())

    def _remember(self, holding: Holding, parcels: list[Parcel], objects: dict[str, str]) -> None:
        """What was proven by reading the lists, if it is not known; the parcels are still to be."""
        names = [INDEX, *(f"manifest/{name}" for name in holding.manifests)]
        lists = {f"{self._base}{name}{self.suffix}": name for name in names}
        if objects.keys() != {*lists, *(parcel.place for parcel in parcels)}:
            raise self._spoilt(OBJECTS, "it does not list just what is encrypted")
        for key, name in lists.items():
            if self._journal.get(key) is None:
                there = _digest(key, self._read(f"{name}{self.suffix}"))
                plain = _digest(key, self._read_list(name))
                self._journal.add(Proven(key, self._recipients, there, plain))
        if self._journal.get(self._base + OBJECTS) is None:
            self._journal.add(self._all_of(self._read(OBJECTS)))

    def _all_of(self, objects: bytes) -> Proven:
        """That these are all; the list is not encrypted, so what is in it is what lies there."""
        digest = _digest(self._base + OBJECTS, objects)
        return Proven(digest.name, self._recipients, digest, digest)

    def _proven(self, key: str) -> Proven:
        known = self._journal.get(key)
        if known is None:
            raise ArchiveError(
                f"what {key} is encrypted from was proven elsewhere, or {self._journal.path} is"
                " lost",
                code="archive.unproven",
                hint="bring that file back, or set crypt4gh.private_key of the destination: then"
                " it is decrypted and proven anew",
            )
        return known

    def _require_nothing_else(
        self,
        holding: Holding,
        parcels: list[Parcel],
        more: set[str],
        surplus: Collection[str],
    ) -> None:
        super()._require_nothing_else(holding, parcels, more | {OBJECTS}, surplus)

    @contextlib.contextmanager
    def _at(self, key: str) -> Iterator[None]:
        """Errors of what is there, told with its place."""
        try:
            yield
        except SpoiltError as err:
            raise self._spoilt(key[len(self._base) :], str(err)) from err


def _digest(name: str, data: bytes) -> FileDigest:
    digester = Digester()
    digester.update(data)
    return digester.digest(name)


def _digested(pieces: Bytes, digester: Digester) -> Bytes:
    with closing(pieces):
        for piece in pieces:
            digester.update(piece)
            yield piece
