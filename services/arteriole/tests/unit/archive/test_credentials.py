"""Key and secret of a bucket, from a file."""

from pathlib import Path

import pytest

from arteriole.archive.credentials import Credentials, read_credentials
from arteriole.archive.errors import ArchiveError

FOUND = Credentials("AK", "s%cret")


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"key": "AK", "secret": "s%cret"}', FOUND),
        ('{"aws_access_key_id": "AK", "aws_secret_access_key": "s%cret"}', FOUND),
        ("[default]\naws_access_key_id = AK\naws_secret_access_key = s%cret\n", FOUND),
        ("[vault]\nkey = AK\nsecret = s%cret\n", FOUND),
        ("[a]\nkey=1\nsecret=2\n[default]\nkey = AK\nsecret = s%cret\n", FOUND),
        ("[a]\nkey = AK\nsecret = s%cret\naws_session_token = t", Credentials("AK", "s%cret", "t")),
    ],
)
def test_read(tmp_path: Path, text: str, found: Credentials) -> None:
    assert read_credentials(write(tmp_path / "c", text)) == found


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ('{"key": "AK", "secret": "s%cret"}', 0o640, "mode is 0640"),
        ('{"key": "AK", "secret": "s%cret"}', 0o604, "mode is 0604"),
        ('{"key": "AK", "secret": 7}', 0o600, "no key and secret"),
        ('{"key": "AK", "secret": "s%cret"', 0o600, "no key and secret"),
        ("[" * 9000, 0o600, "no key and secret"),
        ("{" * 9000, 0o600, "no key and secret"),
        ("[a]\nkey = AK\n[b]\nsecret = s%cret\n", 0o600, "no key and secret"),
        ("[a]\nkey =\nsecret = s%cret\n", 0o600, "no key and secret"),
        ("s%cret", 0o600, "no key and secret"),
    ],
)
def test_refused(tmp_path: Path, text: str, mode: int, words: str) -> None:
    with pytest.raises(ArchiveError, match=words) as raised:
        read_credentials(write(tmp_path / "c", text, mode))
    assert raised.value.code == "archive.credentials"
    assert "s%cret" not in str(raised.value) + raised.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file") as raised:
        read_credentials(tmp_path / "c")
    assert raised.value.code == "archive.credentials"


def test_a_secret_is_not_shown() -> None:
    assert "s%cret" not in repr(FOUND)
