"""Base calls of one tile in one cycle: .bcl and .bcl.gz.

Little-endian: u32 n, then n bytes; the low 2 bits are the base (A, C, G, T), the rest its quality.
byte 0 is a no-call, written as N with quality 2.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arteriole.illumina import gzip_data, run_file
from arteriole.illumina.errors import RunDataError

HEADER_SIZE = 4
NO_CALL_QUALITY = 2
QUALITY_OFFSET = 33

Calls = NDArray[np.uint8]

BASES: Calls = np.frombuffer(b"ACGT" * 64, np.uint8).copy()
BASES[0] = ord("N")
"""The letter of each byte of a .bcl file."""

QUALITIES: Calls = (np.arange(256) >> 2).astype(np.uint8)
QUALITIES[0] = NO_CALL_QUALITY
"""The quality of each byte of a .bcl file."""


def read(path: Path, clusters: int) -> Calls:
    """The bytes of a tile's calls, one a cluster.

    Raises:
        RunDataError: missing, truncated, corrupt, or not of `clusters` clusters.
    """
    size = HEADER_SIZE + clusters
    # Gzip makes nothing twice as large, however small its blocks are.
    data = run_file.read(path, 2 * size + 65_536 if path.suffix == ".gz" else size + 1)
    if path.suffix == ".gz":
        data = gzip_data.members(data, HEADER_SIZE + clusters, path.name)
    if len(data) < HEADER_SIZE:
        raise RunDataError(f"{path.name} is truncated: {len(data)} bytes")
    (found,) = struct.unpack_from("<I", data)
    if found != clusters:
        raise RunDataError(f"{path.name}: expected {clusters} clusters, its header says {found}")
    if len(data) != HEADER_SIZE + clusters:
        raise RunDataError(
            f"{path.name}: expected {HEADER_SIZE + clusters} bytes, found {len(data)}"
        )
    return np.frombuffer(data, np.uint8, clusters, HEADER_SIZE)
