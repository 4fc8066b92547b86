"""Filter files: which clusters of a tile passed the chastity filter.

Little-endian. Version 3: u32 0, u32 3, u32 n, n bytes; before it had a version: u32 n, n bytes.
Bit 0 of a byte says that the cluster passed (bcl2fastq user guide, "Filter files"). A file is of
one tile, or of a lane whose base calls are .bcl.bgzf.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_file import Part

HEADER_SIZE = 12


def read(path: Path, part: Part | None = None) -> NDArray[np.bool_]:
    """One truth value a cluster, of all clusters or of a part of those of a whole lane.

    Raises:
        RunDataError: the file is missing, truncated, of another version or not of so many clusters.
    """
    with run_file.opened(path) as file:
        head = file.read(HEADER_SIZE)
        start, clusters = header(head, file.seek(0, 2), path.name)
        first, count = (0, clusters) if part is None else part.checked(clusters, path.name)
        run_file.bounded(count, path.name)
        file.seek(start + first)
        data = file.read(count)
    if len(data) != count:
        raise RunDataError(f"{path.name} is truncated")
    return (np.frombuffer(data, np.uint8) & 1).astype(np.bool_)


def header(head: bytes, size: int, name: str) -> tuple[int, int]:
    """(where the flags start, how many clusters), from the first bytes and the file's size.

    Raises:
        RunDataError: `name` is truncated, too long or of another version.
    """
    if len(head) < 4:
        raise RunDataError(f"{name} is truncated: {size} bytes")
    (first,) = struct.unpack_from("<I", head)
    if first:
        return _sized(4, first, size, name)
    if len(head) < HEADER_SIZE:
        raise RunDataError(f"{name} is truncated: {size} bytes")
    version, clusters = struct.unpack_from("<II", head, 4)
    if version != 3:
        raise RunDataError(f"{name}: expected filter version 3, found {version}")
    return _sized(HEADER_SIZE, clusters, size, name)


def _sized(start: int, clusters: int, size: int, name: str) -> tuple[int, int]:
    if size != start + clusters:
        raise RunDataError(
            f"{name}: expected {start + clusters} bytes for {clusters} clusters, found {size}"
        )
    return start, clusters
