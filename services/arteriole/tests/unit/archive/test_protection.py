"""An endpoint that takes a request for encryption and does not heed it."""

import pytest

from arteriole.archive.errors import ArchiveError
from arteriole.archive.protection import Protection
from arteriole.archive.settings import S3Settings


@pytest.mark.parametrize("answer", [{}, {"ServerSideEncryption": "AES256"}])
def test_what_is_not_told_is_not_believed(answer: dict[str, str]) -> None:
    asked = S3Settings.model_validate({"bucket": "vault", "encryption": {"type": "sse-kms"}})
    protection = Protection(asked)
    with pytest.raises(ArchiveError, match="expected to be told of encryption aws:kms") as raised:
        protection.require_heeded("key", answer)
    assert raised.value.code == "archive.encryption"
    protection.require_heeded("key", {"ServerSideEncryption": "aws:kms"})
    Protection(S3Settings.model_validate({"bucket": "vault"})).require_heeded("key", answer)
