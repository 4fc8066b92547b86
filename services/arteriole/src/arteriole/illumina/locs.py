"""Cluster positions, as the whole numbers that stand in FASTQ headers.

Little-endian. locs: i32 1, f32 1.0, u32 n, n x (f32 x, f32 y); a header shows floor(10 v + 1000.5).
clocs: u8 1, u32 blocks; a block is u8 n, n x (u8 x, u8 y) in tenths of a pixel from the corner of
a square of 25 pixels; the squares fill rows of 82, which cover an image 2048 pixels wide
(the format that Picard's ClocsFileReader reads).
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_file import Part

LOCS_HEADER_SIZE = 12
CLOCS_HEADER_SIZE = 5
CLOCS_LIMIT = 3 * run_file.CLUSTERS_LIMIT
_BLOCK = 250
_BLOCKS_A_ROW = 82
_ORIGIN = 1000
_MADE_UP_ROW = 20_000

Positions = NDArray[np.int32]


def read(path: Path, part: Part | None = None) -> Positions:
    """An array of shape (clusters, 2): x and y as in FASTQ headers.

    Args:
        part: of the clusters of a whole lane, in a .locs file.

    Raises:
        RunDataError: the file is missing, truncated, not of these formats or of so many clusters.
    """
    if path.suffix == ".clocs":
        return _clocs(run_file.read(path, CLOCS_LIMIT), path.name)
    with run_file.opened(path) as file:
        head = file.read(LOCS_HEADER_SIZE)
        clusters = locs_clusters(head, file.seek(0, 2), path.name)
        first, count = (0, clusters) if part is None else part.checked(clusters, path.name)
        run_file.bounded(count, path.name)
        file.seek(LOCS_HEADER_SIZE + 8 * first)
        data = file.read(8 * count)
    if len(data) != 8 * count:
        raise RunDataError(f"{path.name} is truncated")
    return _scaled(data, path.name)


def locs_clusters(head: bytes, size: int, name: str) -> int:
    """The number of clusters of a .locs file, from its first bytes and its size.

    Raises:
        RunDataError: `name` is truncated, too long or not a locs file.
    """
    if len(head) < LOCS_HEADER_SIZE:
        raise RunDataError(f"{name} is truncated: {size} bytes")
    version, one, clusters = struct.unpack_from("<ifI", head)
    if (version, one) != (1, 1.0):
        raise RunDataError(f"{name}: expected a locs header of version 1, found {version}")
    if size != LOCS_HEADER_SIZE + 8 * clusters:
        raise RunDataError(
            f"{name}: expected {LOCS_HEADER_SIZE + 8 * clusters} bytes for {clusters} clusters, "
            f"found {size}"
        )
    return int(clusters)


def clocs_counts(data: bytes, name: str) -> list[tuple[int, int]]:
    """(where its clusters start, how many clusters) of each block of a .clocs file.

    Raises:
        RunDataError: `name` is truncated, too long or not a clocs file.
    """
    if len(data) < CLOCS_HEADER_SIZE:
        raise RunDataError(f"{name} is truncated: {len(data)} bytes")
    version, blocks = struct.unpack_from("<BI", data)
    if version != 1:
        raise RunDataError(f"{name}: expected clocs version 1, found {version}")
    counts: list[tuple[int, int]] = []
    place = CLOCS_HEADER_SIZE
    try:
        for _ in range(blocks):
            count = data[place]
            counts.append((place + 1, count))
            place += 1 + 2 * count
    except IndexError:
        raise RunDataError(f"{name} is truncated: block {len(counts) + 1} of {blocks}") from None
    if place != len(data):
        raise RunDataError(f"{name}: expected {place} bytes, found {len(data)}")
    return counts


def made_up(clusters: int) -> Positions:
    """Positions that no two clusters of a tile share, where nothing is known of them."""
    numbers = np.arange(clusters, dtype=np.int32)
    return np.stack((_ORIGIN + numbers % _MADE_UP_ROW, _ORIGIN + numbers // _MADE_UP_ROW), axis=1)


def _scaled(data: bytes, name: str) -> Positions:
    pairs = np.frombuffer(data, "<f4").reshape(-1, 2)
    with np.errstate(invalid="ignore"):  # a NaN is told below
        scaled = np.floor(pairs.astype(np.float64) * 10 + (_ORIGIN + 0.5))
    if len(pairs) and not (np.isfinite(scaled).all() and scaled.min() >= 0 and scaled.max() < 1e8):
        raise RunDataError(f"{name}: a cluster position lies outside of any image")
    return scaled.astype(np.int32)


def _clocs(data: bytes, name: str) -> Positions:
    counts = clocs_counts(data, name)
    clusters = sum(count for _, count in counts)
    positions = np.empty((clusters, 2), np.int32)
    place = 0
    for block, (start, count) in enumerate(counts):
        if count:
            rows = positions[place : place + count]
            rows[:] = np.frombuffer(data, np.uint8, 2 * count, start).reshape(count, 2)
            rows += (
                _ORIGIN + _BLOCK * (block % _BLOCKS_A_ROW),
                _ORIGIN + _BLOCK * (block // _BLOCKS_A_ROW),
            )
            place += count
    return positions
