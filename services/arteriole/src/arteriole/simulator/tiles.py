"""One tile with all that was drawn for it: what will be written, and the truth about it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from arteriole.simulator.places import Numbers, Places

UNKNOWN = -1
PHIX = -2
NO_CALL = 4
NO_CALL_QUALITY = 2
LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)

Codes = npt.NDArray[np.uint8]
"""Bases as 0, 1, 2, 3 for A, C, G, T, and 4 for a no-call."""
Letters = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Samples = npt.NDArray[np.int16]
Calls = npt.NDArray[np.uint8]
"""Base calls of the truth: quality * 5 + code, of any shape."""


def packed(codes: Codes, qualities: Codes) -> Calls:
    """Both in one byte; qualities up to 50."""
    return (qualities * np.uint8(5) + codes).astype(np.uint8)


_CODE_OF_CALL = (np.arange(256) % 5).astype(np.uint8)
_QUALITY_OF_CALL = (np.arange(256) // 5).astype(np.uint8)


def codes_of(calls: Calls) -> Codes:
    return _CODE_OF_CALL[calls]


def qualities_of(calls: Calls) -> Codes:
    return _QUALITY_OF_CALL[calls]


@dataclass(frozen=True, eq=False)
class Tile:
    """All clusters of one tile, in the order in which they are written.

    Attributes:
        sample: place of the sample in the plan each was drawn from, or UNKNOWN, or PHIX.
        errors: errors put into each index (clusters, index reads).
        true_index: letters of the indexes before those errors, as the sheet has them.
        calls: what was called (cycles, clusters).
    """

    lane: int
    number: int
    places: Places
    passed: Flags
    sample: Samples
    errors: npt.NDArray[np.uint8]
    true_index: Letters
    calls: Calls

    @property
    def size(self) -> int:
        return int(self.passed.size)

    @property
    def column(self) -> Numbers:
        return self.places.column

    @property
    def row(self) -> Numbers:
        return self.places.row

    @cached_property
    def bases(self) -> Letters:
        """Letters as called (clusters, cycles), N for a no-call."""
        return LETTERS[codes_of(self.calls)].T

    @cached_property
    def qualities(self) -> npt.NDArray[np.uint8]:
        """Of each call (clusters, cycles)."""
        return qualities_of(self.calls).T

    @cached_property
    def belongs(self) -> Samples:
        """The sample each belongs to after demultiplexing, or UNKNOWN.

        At most one error in each index is allowed; the plan keeps samples so far apart that
        nothing within that reach of one sample is within reach of another.
        """
        lost = (self.sample < 0) | (self.errors > 1).any(axis=1)
        return np.where(lost, UNKNOWN, self.sample).astype(np.int16)
