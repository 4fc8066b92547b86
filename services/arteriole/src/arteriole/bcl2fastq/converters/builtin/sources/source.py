"""What every source of clusters has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import filters, locs
from arteriole.illumina.bcl import Calls
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.locs import Positions
from arteriole.illumina.run_file import UNREADABLE
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import RunInfo

DAMAGED = "convert.run_data"
"""The code where a file is missing or not whole, which a waiver may ignore."""
T = TypeVar("T")


@dataclass(frozen=True)
class Chosen:
    """The clusters of a tile that are converted.

    Attributes:
        passed: of every cluster of the tile, whether it passed the filter.
        kept: which clusters are wanted, in the order in which they are wanted.
        filter_known: `passed` is what a filter file says.
    """

    passed: NDArray[np.bool_]
    kept: NDArray[np.intp]
    filter_known: bool = True

    @cached_property
    def ranks(self) -> NDArray[np.intp]:
        """The place of each kept cluster among those that passed."""
        ranks: NDArray[np.intp] = (np.cumsum(self.passed) - 1)[self.kept]
        return ranks


class Source(ABC):
    """The files of one lane.

    Every method raises ConversionError: with code DAMAGED where a file is missing or not whole, and
    with the file's path in the run.
    """

    def __init__(self, folder: RunFolder, run_info: RunInfo, lane: int) -> None:
        self._folder = folder
        self._run_info = run_info
        self._lane = lane

    def passed(self, tile: int) -> NDArray[np.bool_]:
        """Of every cluster of the tile, whether it passed the filter."""
        return self._read(filters.read, self._folder.filter(self._lane, tile))

    def positions(self, tile: int, clusters: int) -> Positions:
        """Where the `clusters` clusters of the tile lie."""
        path = self._folder.positions(self._lane, tile)
        if path is None:
            raise ConversionError(
                f"lane {self._lane}, tile {tile}: there is no .locs, .clocs or s.locs",
                code=DAMAGED,
                hint="is the run complete?",
            )
        shared = path.parent == self._folder.intensities
        positions = self._shared if shared else self._read(locs.read, path)
        if shared and not clusters:  # an empty tile has none of a patterned flow cell's wells
            return positions[:0]
        if len(positions) != clusters:
            raise ConversionError(
                f"{self.relative(path)}: {len(positions)} clusters, lane {self._lane}, "
                f"tile {tile} has {clusters}",
                code=DAMAGED,
            )
        return positions

    @abstractmethod
    def file(self, tile: int, cycle: int) -> Path:
        """The file of base calls that holds a tile in a cycle."""

    @abstractmethod
    def calls(self, tile: int, cycle: int, chosen: Chosen) -> Calls:
        """The calls of the kept clusters, as bytes of .bcl files."""

    def clusters(self, tile: int) -> int:
        """How many clusters a tile without filter has, by its other files; 0 if there is none."""
        for count in (self._clusters_by_calls, self._clusters_by_positions):
            try:
                return count(tile)
            except ConversionError as err:
                if err.code != DAMAGED:
                    raise
        return 0

    def relative(self, path: Path) -> str:
        """The path in the run folder."""
        return path.relative_to(self._folder.path).as_posix()

    @cached_property
    def _shared(self) -> Positions:
        path = self._folder.shared_positions(self._lane)
        return self._read(locs.read, path or self._folder.intensities / "s.locs")

    @abstractmethod
    def _clusters_by_calls(self, tile: int) -> int:
        """How many clusters the base calls of a tile speak of."""

    def _clusters_by_positions(self, tile: int) -> int:
        path = self._folder.positions(self._lane, tile)
        if path is None:
            raise ConversionError("there are no positions", code=DAMAGED)
        return len(self._read(locs.read, path))

    def _first_count(self, count: Callable[[int], int]) -> int:
        """What `count` says of the first cycle of which it can tell."""
        for cycle in range(1, self._run_info.cycles + 1):
            try:
                return count(cycle)
            except ConversionError as err:
                if err.code != DAMAGED:
                    raise
        raise ConversionError("there are no base calls", code=DAMAGED)

    def _read(self, reader: Callable[[Path], T], path: Path) -> T:
        try:
            return reader(path)
        except RunDataError as err:
            unreadable = err.code == UNREADABLE
            raise ConversionError(
                f"{self.relative(path.parent)}/{err}",
                code="convert.io" if unreadable else DAMAGED,
                hint=err.hint or "is the run complete? copy the file from the instrument again",
            ) from err
