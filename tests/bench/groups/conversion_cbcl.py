"""The conversion of .cbcl, against Picard."""

from collections.abc import Iterator

from tests.bench.bench import Bench
from tests.bench.conversion import against_picard
from tests.bench.row import Row


def rows(bench: Bench) -> Iterator[Row]:
    """A NovaSeq 6000."""
    return against_picard(bench, "novaseq6000", ".cbcl")
