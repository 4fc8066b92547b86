"""Which indexes lie near to each other, found among tens of thousands in seconds.

numpy is imported when it is needed: every command loads this module, and few compare indexes.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WIDTH = 64
"""Letters compared; no index read is as long."""


def distance(one: str, other: str) -> int:
    """In how many places two indexes differ, over the shorter of the two.

    >>> distance("ACGT", "ACCA"), distance("ACGT", "AC")
    (2, 0)
    """
    return sum(a != b for a, b in zip(one, other, strict=False))


def near_pairs(
    first: Sequence[str], second: Sequence[str], allowed: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Pairs of places whose indexes differ in at most so many letters, in order.

    Args:
        first, second: the i7 and the i5 of each sample; where one is shorter, its length counts.
        allowed: how many letters may differ in i7 and in i5.
    """
    import numpy as np

    i7, i5 = _letters(first), _letters(second)
    for one in range(len(first) - 1):
        others = one + 1 + np.flatnonzero(_distances(i7[one], i7[one + 1 :]) <= allowed[0])
        for other in others[_distances(i5[one], i5[others]) <= allowed[1]]:
            yield one, int(other)


def _letters(texts: Sequence[str]) -> "NDArray[np.uint8]":
    """(samples, letters); 0 where a text has ended."""
    import numpy as np

    width = min(_WIDTH, max(map(len, texts), default=0))
    rows = [text[:width].encode("ascii", "replace").ljust(width, b"\0") for text in texts]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(texts), width)


def _distances(here: "NDArray[np.uint8]", there: "NDArray[np.uint8]") -> "NDArray[np.int64]":
    """From one row to each of others."""
    differ = (there != here) & (there != 0) & (here != 0)
    counts: NDArray[np.int64] = differ.sum(axis=1, dtype="int64")
    return counts
