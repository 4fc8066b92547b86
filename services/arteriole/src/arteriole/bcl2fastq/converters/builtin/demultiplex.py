"""Which sample a cluster belongs to, by its index reads.

bcl2fastq's rule: a cluster belongs to the sample whose i7 it matches with at most m7 mismatches and
whose i5 with at most m5; a no-call is a mismatch, unless the sheet has N there. Indexes of a lane
may be shorter than the cycles that are read: each is looked for where its own cycles lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina.bcl import Calls

Codes = NDArray[np.uint8]

NO_CALL = 4
CODES: Codes = (np.arange(256) & 3).astype(np.uint8)
CODES[0] = NO_CALL
"""A, C, G, T, N as 0 to 4, of each byte of a .bcl file."""
LETTERS: Codes = np.frombuffer(b"ACGTN", np.uint8)
_COMPLEMENT: Codes = np.array([3, 2, 1, 0, 4], np.uint8)
UNREAD = "-"
_CHUNK = 16_384


def encode(index: str) -> Codes:
    """The codes of an index of A, C, G, T and N; a place that is UNREAD has one that none has."""
    return np.array(["ACGTN-".index(letter) for letter in index], np.uint8)


def placed(index: str, length: int, turned: bool) -> str:
    """An index among `length` bases that are read, with UNREAD where it has none.

    Its cycles are the first; where the read is turned, they stand last.

    >>> placed("ACG", 5, False), placed("ACG", 5, True), placed("", 2, False)
    ('ACG--', '--ACG', '--')
    """
    return index.rjust(length, UNREAD) if turned else index.ljust(length, UNREAD)


def index_codes(calls: Calls, reverse_complement: bool) -> Codes:
    """The codes of an index read, shape (cycles, clusters), in the sheet's orientation.

    A sheet gives i5 as the forward strand; where RunInfo.xml marks the read IsReverseComplement
    (NovaSeq X, NextSeq 1000), the observed bases are turned, as BCL Convert does.
    """
    codes = CODES[calls]
    return _COMPLEMENT[codes[::-1]] if reverse_complement else codes


def complement(calls: Calls) -> Calls:
    """The bytes of the bases that pair with these, with their qualities; a no-call stays one.

    NB: a T of quality 0 becomes a no-call, since no byte stands for an A of quality 0.
    """
    turned = calls ^ np.uint8(3)
    turned[calls == 0] = 0
    return turned


@dataclass(frozen=True, slots=True)
class Barcodes:
    """The distinct indexes of some clusters: `codes` (distinct, bases), `of` each cluster."""

    codes: Codes
    of: NDArray[np.intp]

    @staticmethod
    def of_codes(codes: Codes) -> "Barcodes":
        """Find the distinct columns of `codes`, shape (bases, clusters)."""
        clusters = codes.shape[1]
        keys = np.zeros(clusters, np.int64)
        bound = 1
        for row in codes:
            if bound > 2**60:
                keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
                bound = clusters
            keys *= 5
            keys += row
            bound *= 5
        _, first, of = np.unique(keys, return_index=True, return_inverse=True)
        return Barcodes(np.ascontiguousarray(codes[:, first].T), of)

    def texts(self, numbers: NDArray[np.intp], lengths: tuple[int, ...]) -> list[str]:
        """Some of them as they stand in a header: the indexes joined by +."""
        letters = LETTERS[self.codes[numbers]].tobytes().decode()
        width = self.codes.shape[1]
        rows = (letters[start : start + width] for start in range(0, len(letters), width))
        ends = [0, *accumulate(lengths)]
        return ["+".join(row[start:end] for start, end in pairwise(ends)) for row in rows]


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each barcode its sample (the number of samples where there is none), and its mismatches.

    `mismatches` is the larger of the two indexes' (a pair with one in each counts as 1 in
    bcl2fastq's MismatchCounts). `pairs` says which of the indexes it was, of a sample with several
    too (the number of all where there is none).
    """

    samples: NDArray[np.intp]
    mismatches: NDArray[np.intp]
    pairs: NDArray[np.intp]


class Demultiplexer:
    """Assigns barcodes to the samples of a lane.

    Args:
        indexes: for each sample its indexes, no longer than `lengths`; one that is empty is not
            looked at.
        lengths: the bases that are read of i7, or of i7 and i5.
        mismatches: allowed in i7 and i5.
        owners: the sample of each of `indexes`, if a sample has several; in order, from 0.
        turned: which index reads stand against their cycles.
    """

    def __init__(
        self,
        indexes: list[tuple[str, ...]],
        lengths: tuple[int, ...],
        mismatches: tuple[int, int],
        owners: Sequence[int] | None = None,
        turned: tuple[bool, ...] = (False, False),
    ) -> None:
        self._lengths = lengths
        self._allowed = mismatches
        self._count = len(indexes)
        self._owners = np.array(range(len(indexes)) if owners is None else owners, np.intp)
        self._samples = int(self._owners.max(initial=-1)) + 1
        self._bases = [
            np.array([len(index[place]) for index in indexes], np.float32)
            for place in range(len(lengths))
        ]
        self._weights = [
            _one_hot(
                np.array(
                    [encode(placed(index[place], length, turned[place])) for index in indexes]
                ).reshape(-1, length)
            ).T
            for place, length in enumerate(lengths)
        ]

    def assign(self, barcodes: Barcodes) -> Assignment:
        """The sample with fewest mismatches; none if two samples have as few."""
        found = [
            self._assign(barcodes.codes[start : start + _CHUNK])
            for start in range(0, len(barcodes.codes), _CHUNK)
        ]
        if not found:
            return Assignment(*(np.empty(0, np.intp) for _ in range(3)))
        pairs, mismatches = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Assignment(np.append(self._owners, self._samples)[pairs], mismatches, pairs)

    def _assign(self, codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        if not self._count:
            return np.zeros(len(codes), np.intp), np.zeros(len(codes), np.intp)
        total = np.zeros((len(codes), self._count), np.float32)
        worst = np.zeros_like(total)
        within = np.ones(total.shape, np.bool_)
        start = 0
        for length, bases, weights, allowed in zip(
            self._lengths, self._bases, self._weights, self._allowed, strict=False
        ):
            distance = bases - _one_hot(codes[:, start : start + length]) @ weights
            within &= distance <= allowed
            total += distance
            np.maximum(worst, distance, out=worst)
            start += length
        total[~within] = np.inf
        best = total.argmin(axis=1)
        least = np.take_along_axis(total, best[:, None], axis=1)
        as_near = total == least
        clear = np.isfinite(least[:, 0])
        # NB: two indexes of one sample that are as near leave no doubt whose the read is.
        doubtful = np.flatnonzero(clear & (as_near.sum(axis=1) > 1))
        mine = self._owners == self._owners[best[doubtful], None]
        clear[doubtful] = (mine | ~as_near[doubtful]).all(axis=1)
        mismatches = np.take_along_axis(worst, best[:, None], axis=1)[:, 0]
        return np.where(clear, best, self._count), mismatches.astype(np.intp)


def _one_hot(codes: Codes) -> NDArray[np.float32]:
    """Shape (n, 5 x bases): the product of two counts the bases that agree, exactly."""
    hot = codes[:, :, None] == np.arange(5, dtype=np.uint8)
    return np.asarray(hot.reshape(len(codes), 5 * codes.shape[1]), np.float32)
