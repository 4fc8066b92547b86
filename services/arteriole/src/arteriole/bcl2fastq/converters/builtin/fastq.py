"""FASTQ text as bcl2fastq writes it, made of whole arrays of clusters.

`@instrument:run:flowcell:lane:tile:x:y read:filtered:0:index`, bases, `+`, qualities + 33.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina.bcl import BASES, NO_CALL_QUALITY, QUALITIES, QUALITY_OFFSET, Calls

Text = NDArray[np.uint8]
# bytes.translate looks a byte up several times faster than an array's indexing does.
_BASES = BASES.tobytes()
_LETTER_OF_QUALITY = (QUALITIES + np.uint8(QUALITY_OFFSET)).tobytes()
PASSED = ord("N")
FILTERED = ord("Y")


@dataclass(frozen=True, slots=True)
class Clusters:
    """What stands in the headers of some clusters.

    Attributes:
        positions: shape (clusters, 2).
        flags: PASSED or FILTERED of each.
        index: shape (clusters, letters), the text after the last colon; 0 where nothing stands.
    """

    positions: NDArray[np.int32]
    flags: Text
    index: Text

    def __getitem__(self, part: slice) -> "Clusters":
        return Clusters(self.positions[part], self.flags[part], self.index[part])

    def __len__(self) -> int:
        return len(self.flags)


def records(prefix: bytes, read: int, clusters: Clusters, calls: Calls) -> tuple[Text, Text]:
    """The text of one read of some clusters, one record after the other.

    Args:
        prefix: the header up to and with the colon before x.
        read: its number, 1 or 2.
        calls: shape (cycles, clusters), the bytes of the .bcl files.

    Returns:
        The text, and the end of each record in it.
    """
    by_cluster = calls.T.tobytes()
    shape = calls.shape[::-1]
    x, x_used = _digits(clusters.positions[:, 0])
    y, y_used = _digits(clusters.positions[:, 1])
    pieces: list[bytes | Text] = [
        b"@" + prefix,
        x,
        b":",
        y,
        b" %d:" % read,
        clusters.flags[:, None],
        b":0:",
        clusters.index,
        b"\n",
        _looked_up(by_cluster, _BASES, shape),
        b"\n+\n",
        _looked_up(by_cluster, _LETTER_OF_QUALITY, shape),
        b"\n",
    ]
    table = _side_by_side(pieces, len(clusters))
    missing = (~x_used).sum(axis=1) + (~y_used).sum(axis=1)
    whole = bool(clusters.index.all())
    if not whole:
        missing += (clusters.index == 0).sum(axis=1)
    ends = np.cumsum(table.shape[1] - missing)
    if not missing.any():
        return table.reshape(-1), ends
    keep = np.ones(table.shape, np.bool_)
    x_start = len(prefix) + 1
    y_start = x_start + x.shape[1] + 1
    keep[:, x_start : x_start + x.shape[1]] = x_used
    keep[:, y_start : y_start + y.shape[1]] = y_used
    if not whole:
        index_start = y_start + y.shape[1] + len(" 1:N:0:")
        keep[:, index_start : index_start + clusters.index.shape[1]] = clusters.index
    return table[keep], ends


def _looked_up(calls: bytes, table: bytes, shape: tuple[int, ...]) -> Text:
    return np.frombuffer(calls.translate(table), np.uint8).reshape(shape)


def quality_sums(calls: Calls) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each cluster the sum of its qualities, and how many of them are 30 or more."""
    qualities = calls >> 2
    qualities[calls == 0] = NO_CALL_QUALITY
    return qualities.sum(axis=0, dtype=np.int64), (qualities >= 30).sum(axis=0, dtype=np.int64)


def _digits(numbers: NDArray[np.int32]) -> tuple[Text, NDArray[np.bool_]]:
    """Decimal digits to the right, shape (n, widest); and which of them are not leading zeros."""
    width = len(str(int(numbers.max(initial=0))))
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int32)
    quotients = numbers[:, None] // powers
    used = quotients > 0
    used[:, -1] = True
    return (quotients % 10 + ord("0")).astype(np.uint8), used


def _side_by_side(pieces: list[bytes | Text], rows: int) -> Text:
    widths = [len(piece) if isinstance(piece, bytes) else piece.shape[1] for piece in pieces]
    table = np.empty((rows, sum(widths)), np.uint8)
    start = 0
    for piece, width in zip(pieces, widths, strict=True):
        value = np.frombuffer(piece, np.uint8) if isinstance(piece, bytes) else piece
        table[:, start : start + width] = value
        start += width
    return table
