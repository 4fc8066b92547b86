"""Where clusters lie, as the instrument files it and as a FASTQ header tells it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arteriole.simulator.instruments import Positions

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

BIN = 250
"""Edge of a bin of a `.clocs` file, in tenths of a pixel."""

BINS_IN_ROW = 82
_WIDTH, _HEIGHT = 28_000, 48_000
_BIN_ROWS = 192
_EDGE = 1000


@dataclass(frozen=True, eq=False)
class Places:
    """Where clusters lie: the coordinates of a FASTQ header, and what the instrument files.

    NB: each is drawn as the header's integer; a file gets a number that lies well within the
    range that floor(10 x + 1000.5) maps to it, in single and in double precision.
    """

    column: Numbers
    row: Numbers
    x: Floats
    y: Floats

    @property
    def size(self) -> int:
        return int(self.column.size)


def drawn_places(count: int, rng: np.random.Generator) -> Places:
    """`count` different places, row after row."""
    cells = np.sort(rng.choice(_WIDTH * _HEIGHT, size=count, replace=False))
    row, column = np.divmod(cells, _WIDTH)
    x, y = (
        ((whole + rng.uniform(-0.4, 0.4, count)) / 10).astype(np.float32) for whole in (column, row)
    )
    return Places(column + _EDGE, row + _EDGE, x, y)


def binned_places(count: int, rng: np.random.Generator) -> Places:
    """`count` different places in the order of a `.clocs` file, in whole tenths of a pixel."""
    width = BINS_IN_ROW * BIN
    cells = np.sort(rng.choice(width * _BIN_ROWS * BIN, size=count, replace=False))
    row, column = np.divmod(cells, width)
    order = np.argsort(bins_of(column, row), kind="stable")
    row, column = row[order], column[order]
    x, y = ((whole / 10).astype(np.float32) for whole in (column, row))
    return Places(column + _EDGE, row + _EDGE, x, y)


def bins_of(tenths_x: Numbers, tenths_y: Numbers) -> Numbers:
    """The bin of a `.clocs` file in which each place lies, counted row after row."""
    return tenths_y // BIN * BINS_IN_ROW + tenths_x // BIN


def places_for(locations: Positions, count: int, rng: np.random.Generator) -> Places:
    """`count` places as the kind of file can tell them."""
    draw = binned_places if locations is Positions.TILE_CLOCS else drawn_places
    return draw(count, rng)
