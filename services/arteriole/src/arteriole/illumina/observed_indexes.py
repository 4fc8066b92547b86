"""Indexes that were really read, and ways in which a sheet may have them otherwise.

A Reading says how every index of a sheet would have to be turned so that it is what was read; each
sample keeps its own index in all of them. Illumina's index guide (document 15057455) tells which
instruments read i5 as the reverse complement.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

Pair = tuple[str, str]
"""i7 and i5; i5 is empty where a lane has one index."""

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class ObservedLane:
    """What was read on a lane.

    Attributes:
        clusters: how many were looked at.
        pairs: how often each pair was read; the commonest ones, in the sheet's orientation.
        passed_only: only clusters that passed the filter were looked at.
        tiles: which tiles these are of.
    """

    lane: int
    clusters: int
    pairs: dict[Pair, int]
    passed_only: bool = True
    tiles: tuple[int, ...] = ()


class Reading(enum.Enum):
    """How the indexes of a sheet stand to those that were read."""

    AS_WRITTEN = "as the sheet has them"
    I5_REVERSE_COMPLEMENT = "index2 (i5) reverse-complemented"
    I5_REVERSED = "index2 (i5) reversed"
    I5_COMPLEMENT = "index2 (i5) complemented"
    I7_REVERSE_COMPLEMENT = "index (i7) reverse-complemented"
    I7_REVERSED = "index (i7) reversed"
    BOTH_REVERSE_COMPLEMENT = "both indexes reverse-complemented"
    BOTH_REVERSED = "both indexes reversed"
    SWAPPED = "index and index2 exchanged for each other"

    def of(self, pair: Pair) -> Pair:
        """What stands in the sheet as `pair`, read so.

        >>> Reading.I5_REVERSE_COMPLEMENT.of(("AACC", "AAGT"))
        ('AACC', 'ACTT')
        """
        if self is Reading.SWAPPED:
            return pair[1], pair[0]
        turn7, turn5 = _TURNS[self]
        return turn7(pair[0]), turn5(pair[1])


def reverse_complement(index: str) -> str:
    """N stays N."""
    return index.translate(_COMPLEMENT)[::-1]


def _same(index: str) -> str:
    return index


def _reversed(index: str) -> str:
    return index[::-1]


def _complement(index: str) -> str:
    return index.translate(_COMPLEMENT)


_Turn = Callable[[str], str]
_TURNS: dict[Reading, tuple[_Turn, _Turn]] = {
    Reading.AS_WRITTEN: (_same, _same),
    Reading.I5_REVERSE_COMPLEMENT: (_same, reverse_complement),
    Reading.I5_REVERSED: (_same, _reversed),
    Reading.I5_COMPLEMENT: (_same, _complement),
    Reading.I7_REVERSE_COMPLEMENT: (reverse_complement, _same),
    Reading.I7_REVERSED: (_reversed, _same),
    Reading.BOTH_REVERSE_COMPLEMENT: (reverse_complement, reverse_complement),
    Reading.BOTH_REVERSED: (_reversed, _reversed),
}
