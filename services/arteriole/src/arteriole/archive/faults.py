"""What an S3 endpoint, or the way to it, says when it fails."""

from botocore import exceptions

from arteriole.archive.errors import ArchiveError

#: Codes of S3 (API reference, Error responses) and of its likes; code of ours, meaning, hint.
_REFUSALS: tuple[tuple[set[str], str, str, str], ...] = (
    (
        {
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidSecurity",
            "InvalidToken",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "Unauthorized",
        },
        "archive.credentials",
        "the endpoint does not accept the key, its secret or this machine's clock",
        "check the destination's credentials_file and region; then retry",
    ),
    (
        {"403", "AccessDenied", "AllAccessDisabled", "AccountProblem"},
        "archive.forbidden",
        "the endpoint knows the key and does not allow this",
        "the key must be allowed to list, read and write in the bucket, and to abort uploads",
    ),
    (
        {"NoSuchBucket"},
        "archive.no_bucket",
        "there is no such bucket",
        "make the bucket, or correct arteriole.yaml; it is not made by itself",
    ),
    (
        {"InvalidStorageClass"},
        "archive.storage_class",
        "the endpoint does not have this storage class",
        "set storage_class of the destination, or of the request, to one that it has",
    ),
    (
        {"InvalidObjectState"},
        "archive.cold",
        "the object has to be brought back before it can be read",
        "arteriole restore RUN brings it back",
    ),
    (
        {
            "404",
            "BadDigest",
            "InvalidPart",
            "InvalidRange",
            "NoSuchKey",
            "NoSuchUpload",
            "XAmzContentSHA256Mismatch",
        },
        "archive.verify",
        "the endpoint has not what was sent",
        "retry: what arrived whole is kept",
    ),
    (
        {"NotImplemented"},
        "archive.refused",
        "the endpoint does not know a part of the request",
        "leave out of the destination what it does not have: encryption, object_lock",
    ),
    (
        {"EntityTooLarge", "QuotaExceeded", "XMinioStorageFull"},
        "archive.disk_full",
        "the endpoint has no room for it",
        "make room or raise the quota there, then retry",
    ),
)
_OVERLOAD = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling"}
#: Seen by boto3 before anything is sent.
_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
)


def explain(err: Exception, doing: str) -> ArchiveError:
    """The error for `err`, which came while `doing` something.

    NB: what an endpoint says is not repeated but for its code: it may hold anything.
    """
    if isinstance(err, exceptions.ClientError):
        return _refused(err, doing)
    if isinstance(err, _NO_CREDENTIALS):
        return ArchiveError(
            f"{doing}: boto3 found no credentials",
            code="archive.credentials",
            hint="set credentials_file of the destination, or give boto3 what it looks for",
        )
    if isinstance(err, exceptions.BotoCoreError) and not isinstance(err, _OF_THE_WAY):
        return ArchiveError(
            f"{doing}: boto3 did not do it: {type(err).__name__}",
            code="archive.refused",
            hint="check the destination in arteriole.yaml",
        )
    return ArchiveError(
        f"{doing}: the connection failed: {type(err).__name__}",
        code="archive.unreachable",
        hint="check endpoint_url and the network; then retry: what was sent is kept",
    )


_OF_THE_WAY = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.ResponseStreamingError,
)


def _refused(err: exceptions.ClientError, doing: str) -> ArchiveError:
    said = str(err.response.get("Error", {}).get("Code", ""))
    status = int(err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    told = _plain(said) or str(status)
    for codes, code, meaning, hint in _REFUSALS:
        if said in codes:
            return ArchiveError(f"{doing}: {meaning} ({told})", code=code, hint=hint)
    if said in _OVERLOAD or status == 429 or status >= 500:
        return ArchiveError(
            f"{doing}: the endpoint failed each time it was asked ({status} {told})",
            code="archive.server",
            hint="see how the endpoint is; then retry: what was sent is kept",
        )
    return ArchiveError(
        f"{doing}: the endpoint refused it ({status} {told})",
        code="archive.refused",
        hint="check the destination in arteriole.yaml; the endpoint's log may say more",
    )


def _plain(code: str) -> str:
    return "".join(c for c in code if c.isascii() and c.isalnum())[:60]
