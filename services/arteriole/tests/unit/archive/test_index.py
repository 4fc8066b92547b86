"""index.json: what is written can be read again, or is not written."""

from pathlib import Path

import pytest

from arteriole.archive.errors import ArchiveError
from arteriole.archive.holding import HeldFile, Holding
from arteriole.archive.index import Index, write_index
from arteriole.checksum.digests import FileDigest
from arteriole.checksum.listing import FoundFile


def written(mtime_ns: int) -> bytes:
    digest = FileDigest("a", 1, "0" * 32, "0" * 64)
    held = HeldFile("fastq", Path("/f"), FoundFile("a", 1, mtime_ns), digest)
    return write_index(Holding([held], {}), [], {}, lambda file: f"data/{file.digest.blake3}")


@pytest.mark.parametrize("mtime_ns", [-(1 << 63), -1, 0, 1 << 63])
def test_every_time_that_a_file_has_is_read_again(mtime_ns: int) -> None:
    (line,) = Index.model_validate_json(written(mtime_ns)).files
    assert line.mtime_ns == mtime_ns


def test_what_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(ArchiveError, match="mtime_ns") as raised:
        written(1 << 70)
    assert raised.value.code == "archive.failed"
