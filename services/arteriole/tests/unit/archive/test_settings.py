"""The section `archive`."""

from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.archive.settings import ArchiveSettings

GOOD = {
    "run_roots": ["/runs"],
    "fastq_root": "/fastq",
    "manifest_root": "/manifests",
    "destinations": {"tape": {"directory": "/tape"}},
}
S3 = {"bucket": "vault", "endpoint_url": "https://s3.example.org:9000", "path_style": True}


def test_accepted() -> None:
    assert ArchiveSettings.model_validate(GOOD).port == 8184


def test_s3_accepted() -> None:
    settings = ArchiveSettings.model_validate(GOOD | {"destinations": {"far": {"s3": S3}}})
    found = settings.destinations["far"].s3
    assert found is not None
    assert (found.prefix, found.storage_class, found.part_size) == ("", "STANDARD", 64 << 20)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bucket": "a/b"}, "name of a bucket"),
        ({"bucket": "x"}, "name of a bucket"),
        ({"prefix": "/a"}, "names of"),
        ({"prefix": "a/../b"}, "names of"),
        ({"prefix": "a/"}, "names of"),
        ({"endpoint_url": "s3.example.org"}, "another form"),
        ({"endpoint_url": "https://key:secret@s3.example.org"}, "another form"),
        ({"endpoint_url": "https://s3.example.org/bucket"}, "another form"),
        ({"endpoint_url": "file:///etc/passwd"}, "another form"),
        ({"region": "eu west"}, "a region"),
        ({"storage_class": "COLD"}, "STANDARD"),
        ({"credentials_file": "keys"}, "absolute path"),
        ({"secret": "x"}, "not permitted"),
        ({"part_size": 1000}, "greater"),
        ({"bundle_size": 1000}, "greater"),
        ({"encryption": {"type": "none"}}, "sse-s3"),
        ({"encryption": {"type": "sse-s3", "key_id": "k"}}, "sse-kms only"),
        ({"encryption": {"type": "sse-kms", "key_id": "a b"}}, "ARN of a key"),
        ({"object_lock": {"mode": "governance"}}, "days"),
        ({"object_lock": {"days": 0}}, "greater"),
        ({"object_lock": {"mode": "legal", "days": 1}}, "compliance"),
    ],
)
def test_s3_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ArchiveSettings.model_validate(GOOD | {"destinations": {"far": {"s3": S3 | change}}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run_roots": []}, "at least 1"),
        ({"fastq_root": "fastq"}, "absolute path without '..', found 'fastq'"),
        ({"destinations": {"tape": {"directory": "x"}}}, "absolute path"),
        ({"destinations": {"tape": {"bucket": "x"}}}, "directory"),
        ({"destinations": {"tape": {}}}, "one of directory and s3, found none"),
        ({"destinations": {"tape": {"directory": "/x", "s3": S3}}}, "found directory and s3"),
        ({"destinations": {"tape": ["/x"]}}, "valid dictionary"),
        ({"threads": 0}, "greater"),
        ({"speed": 1}, "not permitted"),
    ],
)
def test_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ArchiveSettings.model_validate(GOOD | change)
