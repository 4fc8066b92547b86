"""The bytes of the binary files, little-endian.

The layouts are those of the bcl2fastq2 guide's chapter on input files.
"""

import gzip
import struct

import numpy as np
import numpy.typing as npt

from arteriole.simulator.clusters import Floats, Letters

_FAST = 1
_CODE_OF = np.zeros(256, dtype=np.uint8)
for _code, _letter in enumerate(b"ACGT"):
    _CODE_OF[_letter] = _code
_NO_CALL = ord("N")


def bcl(bases: Letters, qualities: Letters) -> bytes:
    """One cycle of one tile: u32 count, then a byte a cluster: quality << 2 | base; 0 = no-call."""
    calls = np.where(bases == _NO_CALL, 0, qualities << 2 | _CODE_OF[bases]).astype(np.uint8)
    return struct.pack("<I", calls.size) + calls.tobytes()


def compressed(content: bytes) -> bytes:
    """As gzip without a time, so that one seed always gives the same bytes."""
    return gzip.compress(content, _FAST, mtime=0)


def filter_file(passed: npt.NDArray[np.bool_]) -> bytes:
    """u32 0, u32 version 3, u32 count, then a byte a cluster, 1 = passed."""
    return struct.pack("<III", 0, 3, passed.size) + passed.astype(np.uint8).tobytes()


def locations(x: Floats, y: Floats) -> bytes:
    """i32 1, f32 1.0, u32 count, then x and y of each cluster as f32."""
    both = np.column_stack((x, y)).astype("<f4")
    return struct.pack("<ifI", 1, 1.0, x.size) + both.tobytes()
