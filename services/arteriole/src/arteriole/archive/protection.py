"""What is asked of an endpoint for each object: encryption at rest, and a lock on it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from arteriole.archive.errors import ArchiveError
from arteriole.archive.settings import EncryptionType, S3Settings

#: Codes of an endpoint, or a bucket, that has no object lock.
_NO_LOCK = {
    "MethodNotAllowed",
    "NoSuchObjectLockConfiguration",
    "NotImplemented",
    "ObjectLockConfigurationNotFoundError",
}


class Protection:
    """Parameters of requests, and whether they were heeded."""

    def __init__(self, settings: S3Settings) -> None:
        self._encryption = settings.encryption
        self._lock = settings.object_lock

    @property
    def asked(self) -> dict[str, Any]:
        """Parameters of PutObject, CreateMultipartUpload and CopyObject."""
        if self._encryption is None:
            return {}
        key_id = self._encryption.key_id
        more = {} if key_id is None else {"SSEKMSKeyId": key_id}
        return {"ServerSideEncryption": self._algorithm, **more}

    def retention(self) -> dict[str, Any] | None:
        """Parameter of PutObjectRetention, from now on; None if nothing is to be locked."""
        if self._lock is None:
            return None
        until = datetime.now(UTC) + timedelta(days=self._lock.days)
        mode = self._lock.mode.value.upper()
        return {"Mode": mode, "RetainUntilDate": until.replace(microsecond=0)}

    def require_heeded(self, key: str, answer: Mapping[str, Any]) -> None:
        """ArchiveError if the endpoint does not say that it encrypts as it was asked to."""
        if self._encryption is None:
            return
        found = answer.get("ServerSideEncryption")
        if found != self._algorithm:
            raise ArchiveError(
                f"writing {key}: expected to be told of encryption {self._algorithm}, found"
                f" {'none' if found is None else 'another'}",
                code="archive.encryption",
                hint="the endpoint does not encrypt: leave encryption out, or use another one",
            )

    def require_lock(self, client: Any, bucket: str) -> None:
        """ArchiveError if objects are to be locked and the bucket cannot."""
        if self._lock is None:
            return
        try:
            answer = client.get_object_lock_configuration(Bucket=bucket)
        except ClientError as err:
            if err.response.get("Error", {}).get("Code") not in _NO_LOCK:
                raise
            answer = {}
        if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise ArchiveError(
                f"objects are to be locked, and the bucket {bucket} has no object lock",
                code="archive.object_lock",
                hint="make a bucket with object lock, or leave object_lock out; nothing was sent",
            )

    def record(self) -> dict[str, Any]:
        """What archive.json says of it."""
        found: dict[str, Any] = {}
        if self._encryption is not None:
            found["encryption"] = self._encryption.type.value
        if self._lock is not None:
            found["object_lock"] = self._lock.model_dump(mode="json")
        return found

    @property
    def _algorithm(self) -> str:
        assert self._encryption is not None
        return "AES256" if self._encryption.type is EncryptionType.SSE_S3 else "aws:kms"
