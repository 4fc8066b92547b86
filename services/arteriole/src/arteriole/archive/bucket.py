"""A bucket, through boto3: what goes in is proved by MD5, what fails is told by code."""

import base64
import functools
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from arteriole.archive.archive import Bytes
from arteriole.archive.credentials import read_credentials
from arteriole.archive.faults import explain
from arteriole.archive.protection import Protection
from arteriole.archive.settings import MIB, S3Settings, StorageClass
from arteriole.checksum.digests import PIECE, Meter

#: Most parts of an upload (Amazon S3, multipart upload limits).
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it."""

    size: int
    storage_class: str

    @property
    def cold(self) -> bool:
        return self.storage_class in (StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE)


class Bucket:
    """Every method raises ArchiveError, by `explain`. Safe to use from several threads."""

    def __init__(self, settings: S3Settings, threads: int) -> None:
        self.name = settings.bucket
        self._settings = settings
        self.protection = Protection(settings)
        with _told("the bucket cannot be used"):
            self._client = _client(settings, threads)

    def require_lock(self) -> None:
        """ArchiveError if objects are to be locked and the bucket cannot."""
        with _told("asking for object lock"):
            self.protection.require_lock(self._client, self.name)

    def get(self, key: str) -> bytes | None:
        """A small object; None if it is not there."""
        with _told(f"reading {key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
            body: bytes = answer["Body"].read()
            return body

    def listing(self, prefix: str) -> dict[str, Listed]:
        """The objects whose keys start with `prefix`."""
        found = {}
        with _told(f"listing {prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                for one in page.get("Contents", ()):
                    storage_class = one.get("StorageClass", StorageClass.STANDARD.value)
                    found[str(one["Key"])] = Listed(int(one["Size"]), str(storage_class))
        return found

    def put(self, key: str, data: bytes, storage_class: StorageClass, *, lock: bool = True) -> None:
        with _told(f"writing {key}"):
            answer = self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=data,
                ContentMD5=_md5(data),
                StorageClass=storage_class.value,
                **self.protection.asked,
            )
        self.protection.require_heeded(key, answer)

    def upload(self, key: str, size: int, storage_class: StorageClass) -> "Upload":
        """An object of `size` bytes that is to be sent piece by piece."""
        settings = self._settings
        if size <= settings.multipart_threshold:
            return Upload(self, key, storage_class)
        part_size = max(settings.part_size, -(-size // MOST_PARTS))
        return Upload(self, key, storage_class, part_size)

    def begin(self, key: str, storage_class: StorageClass) -> str:
        with _told(f"writing {key}"):
            answer = self._client.create_multipart_upload(
                Bucket=self.name,
                Key=key,
                StorageClass=storage_class.value,
                **self.protection.asked,
            )
        self.protection.require_heeded(key, answer)
        return str(answer["UploadId"])

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        """The ETag of the part."""
        with _told(f"writing part {number} of {key}"):
            answer = self._client.upload_part(
                Bucket=self.name,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ContentMD5=_md5(data),
            )
            return str(answer["ETag"])

    def complete(self, key: str, upload_id: str, etags: list[str]) -> None:
        parts = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)]
        with _told(f"completing {key}"):
            self._client.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )

    def abort(self, key: str, upload_id: str) -> None:
        with _told(f"giving up {key}"):
            self._client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)

    def abort_all(self, prefix: str) -> None:
        """Give up every incomplete upload below `prefix`: what it holds is paid for, and unseen."""
        with _told(f"listing the incomplete uploads below {prefix}"):
            pages = self._client.get_paginator("list_multipart_uploads")
            found = [
                (str(one["Key"]), str(one["UploadId"]))
                for page in pages.paginate(Bucket=self.name, Prefix=prefix)
                for one in page.get("Uploads", ())
            ]
        for key, upload_id in found:
            self.abort(key, upload_id)

    def counted(self, key: str, meter: Meter) -> Bytes:
        """The bytes of an object, each counted as it comes."""
        with closing(self.pieces(key)) as pieces:
            for piece in pieces:
                meter.add(len(piece))
                yield piece

    def pieces(self, key: str, start: int = 0, stop: int | None = None) -> Bytes:
        """The bytes of an object, or of a part; a connection that is cut goes on where it was."""
        if start == stop:
            return
        for left in reversed(range(self._settings.attempts)):
            try:
                for piece in self._pieces(key, start, stop):
                    start += len(piece)
                    yield piece
            except (BotoCoreError, HTTPError) as err:
                if left == 0:
                    raise explain(err, f"reading {key}") from err
            else:
                return

    def _pieces(self, key: str, start: int, stop: int | None) -> Bytes:
        last = "" if stop is None else str(stop - 1)
        ranged = {"Range": f"bytes={start}-{last}"} if start or last else {}
        with _told(f"reading {key}"):
            body = self._client.get_object(Bucket=self.name, Key=key, **ranged)["Body"]
        with closing(body):
            yield from body.iter_chunks(PIECE)

    def mark(self, key: str) -> dict[str, str]:
        """The metadata of an object."""
        with _told(f"looking at {key}"):
            answer = self._client.head_object(Bucket=self.name, Key=key)
            return dict(answer.get("Metadata", {}))

    def move(self, key: str, storage_class: StorageClass, mark: dict[str, str]) -> None:
        """Copy an object onto itself, at the far side, into another class, with `mark`."""
        with _told(f"moving {key} to {storage_class.value}"):
            self._client.copy(
                {"Bucket": self.name, "Key": key},
                self.name,
                key,
                ExtraArgs={
                    "StorageClass": storage_class.value,
                    "Metadata": mark,
                    "MetadataDirective": "REPLACE",
                    **self.protection.asked,
                },
                Config=TransferConfig(
                    multipart_threshold=1024 * MIB, multipart_chunksize=512 * MIB
                ),
            )

    def remove(self, key: str) -> None:
        """NB: in a bucket with versions it stays as an old one."""
        with _told(f"removing {key}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def lock(self, key: str) -> None:
        """Lock an object, if objects are to be locked."""
        retention = self.protection.retention()
        if retention is not None:
            with _told(f"locking {key}"):
                self._client.put_object_retention(Bucket=self.name, Key=key, Retention=retention)

    def thaw(self, key: str) -> bool:
        """Ask for a cold object to be brought back, if nobody has yet; True once it can be read."""
        with _told(f"bringing back {key}"):
            state = self._client.head_object(Bucket=self.name, Key=key).get("Restore", "")
            if 'ongoing-request="false"' in state:
                return True
            if not state:
                self._ask_to_thaw(key)
            return False

    def _ask_to_thaw(self, key: str) -> None:
        settings = self._settings
        wanted = {
            "Days": settings.thaw_days,
            "GlacierJobParameters": {"Tier": settings.thaw_tier.value},
        }
        try:
            self._client.restore_object(Bucket=self.name, Key=key, RestoreRequest=wanted)
        except ClientError as err:
            if err.response["Error"]["Code"] != "RestoreAlreadyInProgress":
                raise


class Upload:
    """An object that is being sent. NB: it is not there before `complete`.

    Without `part_size` it is sent as a whole, by `complete`.
    """

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        storage_class: StorageClass,
        part_size: int | None = None,
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._class = storage_class
        self._part_size = part_size
        self._id = None if part_size is None else bucket.begin(key, storage_class)
        self._etags: list[str] = []
        self._rest = bytearray()

    def write(self, piece: Any, /) -> None:
        self._rest += piece
        while self._part_size is not None and len(self._rest) >= self._part_size:
            self._send(self._part_size)

    def complete(self) -> None:
        if self._id is None:
            self._bucket.put(self._key, bytes(self._rest), self._class)
            return
        if self._rest:
            self._send(len(self._rest))
        self._bucket.complete(self._key, self._id, self._etags)

    def abort(self) -> None:
        if self._id is not None:
            self._bucket.abort(self._key, self._id)

    def _send(self, size: int) -> None:
        assert self._id is not None
        part = bytes(memoryview(self._rest)[:size])
        del self._rest[:size]
        number = len(self._etags) + 1
        self._etags.append(self._bucket.put_part(self._key, self._id, number, part))


@contextmanager
def _told(doing: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, HTTPError) as err:
        raise explain(err, doing) from err


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


@functools.cache
def _session() -> Any:
    """One for the process: a session reads boto3's description of S3, which takes a while."""
    return boto3.session.Session()


def _client(settings: S3Settings, threads: int) -> Any:
    """Checksums are ours to send (Content-MD5): not every endpoint knows boto3's newer ones."""
    given = {}
    if settings.credentials_file is not None:
        found = read_credentials(settings.credentials_file)
        given = {
            "aws_access_key_id": found.key,
            "aws_secret_access_key": found.secret,
            "aws_session_token": found.token,
        }
    return _session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        config=Config(
            s3={"addressing_style": "path" if settings.path_style else "auto"},
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            connect_timeout=settings.timeout,
            read_timeout=settings.timeout,
            max_pool_connections=threads + 2,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
        **given,
    )
