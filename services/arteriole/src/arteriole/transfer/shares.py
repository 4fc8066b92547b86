"""The files of an attempt, shared out among streams."""

import heapq
from collections.abc import Sequence

from arteriole.checksum.listing import FoundFile

#: What a file costs besides its bytes, in bytes.
OVERHEAD = 16 * 1024


def share_out(files: Sequence[FoundFile], count: int) -> list[list[FoundFile]]:
    """At most `count` shares of about equal size: the largest file first, each to the least one.

    The same files are always shared out alike, so that a later start finds what an earlier left.

    >>> files = [FoundFile(name, size * 10**6, 0) for name, size in zip("abcd", (5, 3, 2, 9))]
    >>> [[found.name for found in share] for share in share_out(files, 2)]
    [['d'], ['a', 'b', 'c']]
    """
    shares: list[list[FoundFile]] = [[] for _ in range(min(count, len(files)))]
    loads = [(0, number) for number in range(len(shares))]
    for found in sorted(files, key=lambda one: (-one.size, one.name)):
        load, number = loads[0]
        shares[number].append(found)
        heapq.heapreplace(loads, (load + found.size + OVERHEAD, number))
    return shares
