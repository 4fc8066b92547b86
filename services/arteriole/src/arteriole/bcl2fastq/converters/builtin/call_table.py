"""The calls of one read of a tile: written a cycle at a time, read a chunk of clusters at a time.

A tile of a NovaSeq has some 4 million clusters, so that a read of 151 cycles is 600 MB. What is
larger than IN_MEMORY lies in a file meanwhile, which has no name and goes with the process.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from arteriole.illumina.bcl import Calls

IN_MEMORY = 96 * 1024 * 1024
"""Bytes, of which each is a call."""


class CallTable(Protocol):
    """Shape (cycles, clusters)."""

    def put(self, cycle: int, calls: Calls) -> None:
        """The calls of one cycle, counted from 0, of all clusters. Raises OSError."""
        ...

    def part(self, start: int, end: int) -> Calls:
        """Every cycle of some clusters, shape (cycles, end - start). Raises OSError."""
        ...


@contextmanager
def call_table(cycles: int, clusters: int, folder: Path) -> Iterator[CallTable]:
    """A table, whose file lies in `folder` if it needs one. Raises OSError."""
    if cycles * clusters <= IN_MEMORY:
        yield _InMemory(np.empty((cycles, clusters), np.uint8))
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        yield _InFile(file, cycles, clusters)


class _InMemory:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def put(self, cycle: int, calls: Calls) -> None:
        self._calls[cycle] = calls

    def part(self, start: int, end: int) -> Calls:
        return self._calls[:, start:end]


class _InFile:
    def __init__(self, file: Any, cycles: int, clusters: int) -> None:
        self._file = file
        self._cycles = cycles
        self._clusters = clusters

    def put(self, cycle: int, calls: Calls) -> None:
        self._file.seek(cycle * self._clusters)
        self._file.write(np.ascontiguousarray(calls).data)

    def part(self, start: int, end: int) -> Calls:
        part = np.empty((self._cycles, end - start), np.uint8)
        for cycle, row in enumerate(part):
            self._file.seek(cycle * self._clusters + start)
            if self._file.readinto(row.data) != len(row):
                raise OSError("the temporary file of base calls is shorter than what was written")
        return part
