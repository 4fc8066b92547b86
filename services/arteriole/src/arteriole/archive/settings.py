"""The section `archive` of arteriole.yaml."""

import enum
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.archive.clean.settings import CleanSettings

MIB = 1 << 20
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", re.ASCII)
_PREFIX = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)?", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/_-]{0,2047}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


class StorageClass(enum.StrEnum):
    """Amazon's names (S3 API reference, PutObject, x-amz-storage-class)."""

    STANDARD = "STANDARD"
    REDUCED_REDUNDANCY = "REDUCED_REDUNDANCY"
    STANDARD_IA = "STANDARD_IA"
    ONEZONE_IA = "ONEZONE_IA"
    INTELLIGENT_TIERING = "INTELLIGENT_TIERING"
    GLACIER_IR = "GLACIER_IR"
    GLACIER = "GLACIER"
    DEEP_ARCHIVE = "DEEP_ARCHIVE"

    @property
    def cold(self) -> bool:
        """True if an object has to be brought back before it can be read."""
        return self in (StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE)


class Tier(enum.StrEnum):
    """How quickly cold objects are brought back (RestoreObject, Tier)."""

    BULK = "Bulk"
    STANDARD = "Standard"
    EXPEDITED = "Expedited"


def _fitting(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"expected {expected}, found {text!r}")
        return text

    return AfterValidator(check)


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    plain = _HOST.fullmatch(parts.netloc) and parts.path in ("", "/")
    if parts.scheme not in ("http", "https") or not plain or parts.query or parts.fragment:
        raise ValueError("expected http(s)://host[:port] and no more, found another form")
    return url


class EncryptionType(enum.StrEnum):
    SSE_S3 = "sse-s3"
    SSE_KMS = "sse-kms"


class Encryption(Section):
    """By the endpoint, before it stores an object (S3 user guide, server-side encryption)."""

    #: `sse-s3`: by a key of the endpoint; `sse-kms`: by a key of its key management.
    type: EncryptionType
    #: The id or ARN of the key, of `sse-kms`; without it the account's own.
    key_id: Annotated[str, _fitting(_KEY_ID, "the id or ARN of a key")] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Encryption":
        if self.key_id is not None and self.type is not EncryptionType.SSE_KMS:
            raise ValueError("expected key_id with sse-kms only, found it with sse-s3")
        return self


def _listed(value: Any) -> Any:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


#: One path, or a list of them.
Paths = Annotated[list[AbsolutePath], BeforeValidator(_listed), Field(max_length=100)]


class Crypt4GH(Section):
    """Encryption by us, before anything is sent (GA4GH's Crypt4GH)."""

    #: Files with public keys, as crypt4gh-keygen makes them: each of their owners can read it.
    recipients: list[AbsolutePath] = Field(min_length=1, max_length=100)
    #: The private key of one of them, mode 0600: needed to bring back, not to archive and to
    #: verify. One path, or a list: what was archived before a change of keys needs the old one.
    private_key: Paths = Field(default_factory=list)
    #: A file with its passphrase, mode 0600, or a list, of which each is tried; without it the
    #: variable C4GH_PASSPHRASE has it, if the key has one.
    passphrase_file: Paths = Field(default_factory=list)


class LockMode(enum.StrEnum):
    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class ObjectLock(Section):
    """Nobody can change or remove an object for so many days (S3 user guide, Object Lock).

    NB: with `compliance` not even the account's owner, and it cannot be taken back.
    """

    #: `governance`: whoever has the right to may take the lock back; `compliance`: nobody can.
    mode: LockMode = LockMode.GOVERNANCE
    #: Days for which nobody can change or remove an object.
    days: int = Field(ge=1, le=36_500)


#: Settings of a bucket that say neither where data goes nor how it lies there.
TUNING = frozenset(
    {
        "multipart_threshold",
        "part_size",
        "bundle_below",
        "bundle_size",
        "attempts",
        "timeout",
        "thaw_days",
        "thaw_tier",
        "thaw_hours",
        "thaw_poll",
    }
)


class S3Settings(Section):
    """A bucket at Amazon, or at `endpoint_url` (MinIO, Swift, ...)."""

    #: The name of the bucket.
    bucket: Annotated[str, _fitting(_BUCKET, "the name of a bucket")]
    #: What stands before every key: names with / between.
    prefix: Annotated[str, _fitting(_PREFIX, "names of A-Z a-z 0-9 . _ - with / between")] = ""
    #: The address of the server, such as https://s3.example.org; Amazon's if left out.
    endpoint_url: Annotated[str, AfterValidator(_endpoint)] | None = None
    #: The region of the bucket.
    region: Annotated[str, _fitting(re.compile(r"[A-Za-z0-9-]{1,60}"), "a region")] | None = None
    #: The bucket stands in the path instead of in the host's name; MinIO and Swift need it.
    path_style: bool = False
    #: The storage class of what is archived, by Amazon's names.
    storage_class: StorageClass = StorageClass.STANDARD
    #: Encryption by the endpoint, before it stores an object; without it none is asked for.
    encryption: Encryption | None = None
    #: Encryption by us, before anything is sent (GA4GH's Crypt4GH).
    crypt4gh: Crypt4GH | None = None
    #: A lock on each object that was read back; the bucket has to be made for it.
    object_lock: ObjectLock | None = None
    #: INI or JSON with key and secret, mode 0600; without it boto3 looks where it always does.
    credentials_file: AbsolutePath | None = None
    #: Bytes; larger files are sent in parts of `part_size`.
    multipart_threshold: int = Field(default=64 * MIB, ge=5 * MIB, le=5 * 1024 * MIB)
    #: Bytes of a part; each thread holds one of them in memory.
    part_size: int = Field(default=64 * MIB, ge=5 * MIB, le=5 * 1024 * MIB)
    #: Bytes; smaller files are packed into bundles. 0: none are.
    bundle_below: int = Field(default=16 * MIB, ge=0, le=1024 * MIB)
    #: Bytes that a bundle has, about.
    bundle_size: int = Field(default=1024 * MIB, ge=1 * MIB, le=8 * 1024 * MIB)
    #: A request that fails for a reason that may pass is sent so many times.
    attempts: int = Field(default=5, ge=1, le=50)
    #: Seconds without a byte after which a request has failed.
    timeout: float = Field(default=60.0, gt=0)
    #: Days for which cold objects (GLACIER, DEEP_ARCHIVE) are brought back.
    thaw_days: int = Field(default=7, ge=1, le=90)
    #: How quickly they are brought back, by Amazon's names.
    thaw_tier: Tier = Tier.STANDARD
    #: Hours for which they are waited for at most; what is asked for goes on then.
    thaw_hours: float = Field(default=48.0, gt=0)
    #: Seconds between two looks whether they can be read.
    thaw_poll: float = Field(default=300.0, gt=0)

    def files(self) -> dict[str, Path]:
        """Those that are needed to send something, by their keys."""
        found = {} if self.credentials_file is None else {"credentials_file": self.credentials_file}
        recipients = [] if self.crypt4gh is None else self.crypt4gh.recipients
        return found | {f"crypt4gh.recipients.{n}": path for n, path in enumerate(recipients)}


class ArchiveDestination(Section):
    """Either of the two."""

    #: A folder, which has to exist. The first job leaves a mark in it, without which it counts as
    #: not mounted from then on. Either this or `s3`.
    directory: AbsolutePath | None = None
    #: A bucket at Amazon or another server of S3 (MinIO, Swift, ...). Either this or `directory`.
    s3: S3Settings | None = None

    @property
    def encrypts(self) -> bool:
        """Whether we encrypt what goes there."""
        return self.s3 is not None and self.s3.crypt4gh is not None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, values: Any) -> Any:
        if isinstance(values, dict) and len(values.keys() & {"directory", "s3"}) != 1:
            found = " and ".join(map(str, values)) or "none"
            raise ValueError(f"expected one of directory and s3, found {found[:60]}")
        return values


class ArchiveSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8184, ge=0, le=65535)
    #: Folders in which run folders lie: the monitored directories of the runfolder service.
    run_roots: list[AbsolutePath] = Field(min_length=1)
    #: The folder in which the bcl2fastq service leaves attempts, `<fastq_root>/<run>/attempt-<n>`.
    fastq_root: AbsolutePath
    #: The folder in which the checksum service leaves manifests.
    manifest_root: AbsolutePath
    #: The folder in which analyses leave `<results_root>/<run>/attempt-<n>/<unit>/`.
    results_root: AbsolutePath | None = None
    #: The folder to which archived runs are brought back; it has to exist.
    restore_root: AbsolutePath | None = None
    #: The places in which runs may be archived.
    destinations: dict[str, ArchiveDestination] = Field(default_factory=dict)
    #: Taking away the site's own copy ([policy.md](policy.md)); without it that is only listed.
    clean: CleanSettings | None = None
    #: Jobs at once.
    parallel: int = Field(default=1, ge=1, le=64)
    #: Files of a job copied or read back at once.
    threads: int = Field(default=2, ge=1, le=64)
    #: Files that a drill brings back at most.
    drill_files: int = Field(default=20, ge=1, le=10_000)
    #: Bytes that a drill brings back at most; a single file may be larger if all are.
    drill_bytes: int = Field(default=10 * 1024 * MIB, ge=0)
