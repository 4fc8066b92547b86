"""What an S3 endpoint says, and what a person is told."""

import pytest
from botocore import exceptions

from arteriole.archive.faults import explain


def refusal(code: str, status: int) -> exceptions.ClientError:
    answer = {
        "Error": {"Code": code, "Message": "a secret thing"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return exceptions.ClientError(answer, "PutObject")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal("SignatureDoesNotMatch", 403), "archive.credentials"),
        (refusal("InvalidAccessKeyId", 403), "archive.credentials"),
        (refusal("RequestTimeTooSkewed", 403), "archive.credentials"),
        (refusal("AccessDenied", 403), "archive.forbidden"),
        (refusal("403", 403), "archive.forbidden"),
        (refusal("NoSuchBucket", 404), "archive.no_bucket"),
        (refusal("InvalidStorageClass", 400), "archive.storage_class"),
        (refusal("InvalidObjectState", 403), "archive.cold"),
        (refusal("BadDigest", 400), "archive.verify"),
        (refusal("NoSuchKey", 404), "archive.verify"),
        (refusal("QuotaExceeded", 403), "archive.disk_full"),
        (refusal("XMinioStorageFull", 507), "archive.disk_full"),
        (refusal("SlowDown", 503), "archive.server"),
        (refusal("RequestTimeout", 400), "archive.server"),
        (refusal("", 502), "archive.server"),
        (refusal("TooManyRequests", 429), "archive.server"),
        (refusal("MethodNotAllowed", 405), "archive.refused"),
        (exceptions.NoCredentialsError(), "archive.credentials"),
        (exceptions.EndpointConnectionError(endpoint_url="u"), "archive.unreachable"),
        (exceptions.ConnectionClosedError(endpoint_url="u"), "archive.unreachable"),
        (exceptions.ReadTimeoutError(endpoint_url="u"), "archive.unreachable"),
        (exceptions.SSLError(endpoint_url="u", error="e"), "archive.unreachable"),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), "archive.unreachable"),
        (exceptions.ParamValidationError(report="r"), "archive.refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_codes(error: Exception, code: str) -> None:
    told = explain(error, "writing x")
    assert told.code == code and told.hint
    assert str(told).startswith("writing x: ") and "secret thing" not in str(told)


def test_a_hostile_code_is_not_repeated() -> None:
    assert "<%" not in str(explain(refusal("<% x %>", 400), "writing"))
