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


def test_accepted() -> None:
    assert ArchiveSettings.model_validate(GOOD).port == 8184


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"run_roots": []}, "at least 1"),
        ({"fastq_root": "fastq"}, "absolute path, found 'fastq'"),
        ({"destinations": {"tape": {"directory": "x"}}}, "absolute path"),
        ({"destinations": {"tape": {"bucket": "x"}}}, "directory"),
        ({"threads": 0}, "greater"),
        ({"speed": 1}, "not permitted"),
    ],
)
def test_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ArchiveSettings.model_validate(GOOD | change)
