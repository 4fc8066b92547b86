"""The conversion of .bcl.gz, against Picard."""

from collections.abc import Iterator

from tests.bench.bench import Bench
from tests.bench.conversion import against_picard
from tests.bench.row import Row


def rows(bench: Bench) -> Iterator[Row]:
    """A HiSeq 4000."""
    return against_picard(bench, "hiseq4000", ".bcl.gz")
