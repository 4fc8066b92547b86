"""One tile on its way from base calls to FASTQ text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.builtin import fastq
from arteriole.bcl2fastq.converters.builtin.demultiplex import (
    LETTERS,
    Assignment,
    Barcodes,
    Codes,
    Demultiplexer,
    index_codes,
)
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import bcl, filters, locs
from arteriole.illumina.bcl import Calls
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_info import Read

CHUNK = 16_384
T = TypeVar("T")

Map = Callable[[Callable[[int], Calls], Iterable[int]], Iterator[Calls]]
"""`map`, or that of a pool of threads."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text for one output (its place in LanePlan.outputs) and template read (from 0)."""

    output: int
    read: int
    text: memoryview


class TileReader:
    """Reads the tiles of one lane."""

    def __init__(
        self,
        plan: Plan,
        lane: LanePlan,
        demultiplexer: Demultiplexer,
        include_non_pf: bool,
        each: Map,
    ) -> None:
        self._plan = plan
        self._lane = lane
        self._demultiplexer = demultiplexer
        self._include_non_pf = include_non_pf
        self._each = each
        shared = plan.folder.shared_positions()
        self._shared = None if shared is None else self._read(locs.read, shared)

    def pieces(self, tile: int, stats: LaneStats) -> Iterator[Piece]:
        """The text of a tile, by read, then by output, clusters in order; counts into `stats`.

        Raises:
            ConversionError: a file of the tile is missing or damaged; names its path in the run.
        """
        passed = self._read(filters.read, self._plan.folder.filter(self._lane.lane, tile))
        positions = self._positions(tile, len(passed))
        kept = np.arange(len(passed)) if self._include_non_pf else np.flatnonzero(passed)
        stats.clusters += len(passed)
        stats.clusters_pf += int(passed.sum())
        codes = self._index_codes(tile, len(passed), kept)
        barcodes = Barcodes.of_codes(codes)
        assignment = self._assign(barcodes)
        counts = np.bincount(barcodes.of, minlength=len(barcodes.codes))
        stats.add_barcodes(barcodes, counts, assignment)
        outputs = assignment.samples[barcodes.of]
        order = np.argsort(outputs, kind="stable")
        outputs, kept = outputs[order], kept[order]
        clusters = fastq.Clusters(
            positions=positions[kept],
            flags=np.where(passed[kept], fastq.PASSED, fastq.FILTERED).astype(np.uint8),
            index=self._index_text(codes[:, order]),
        )
        for number, read in enumerate(self._plan.run_info.template_reads):
            calls = self._calls(tile, read, read.cycles, len(passed), kept)
            yield from self._format(tile, number, clusters, calls, outputs, stats)

    def _format(
        self,
        tile: int,
        number: int,
        clusters: fastq.Clusters,
        calls: Calls,
        outputs: NDArray[np.intp],
        stats: LaneStats,
    ) -> Iterator[Piece]:
        info = self._plan.run_info
        prefix = (
            f"{info.instrument}:{info.run_number}:{info.flowcell}:{self._lane.lane}:{tile}:"
        ).encode()
        for start in range(0, len(outputs), CHUNK):
            part = slice(start, start + CHUNK)
            stats.add_qualities(number, outputs[part], *fastq.quality_sums(calls[:, part]))
            text, ends = fastq.records(prefix, number + 1, clusters[part], calls[:, part])
            view = text.data
            begin = 0
            for last in _last_of_each(outputs[part]):
                end = int(ends[last])
                yield Piece(int(outputs[start + last]), number, view[begin:end])
                begin = end

    def _assign(self, barcodes: Barcodes) -> Assignment:
        if self._lane.takes_all:
            zeros = np.zeros(len(barcodes.codes), np.intp)
            return Assignment(zeros, zeros)
        return self._demultiplexer.assign(barcodes)

    def _index_codes(self, tile: int, clusters: int, kept: NDArray[np.intp]) -> Codes:
        """The codes of all index cycles in use, shape (bases, kept)."""
        parts = [np.empty((0, len(kept)), np.uint8)]
        reads = self._plan.run_info.index_reads
        for read, length in zip(reads, self._lane.index_lengths, strict=False):
            calls = self._calls(tile, read, length, clusters, kept)
            parts.append(index_codes(calls, read.is_reverse_complement))
        return np.concatenate(parts)

    def _index_text(self, codes: Codes) -> fastq.Text:
        """What stands last in each header: the observed indexes, or the sample's number."""
        clusters = codes.shape[1]
        if not self._lane.index_lengths:
            text = str(self._lane.outputs[0].number).encode()
            return np.broadcast_to(np.frombuffer(text, np.uint8), (clusters, len(text)))
        letters = LETTERS[codes.T]
        if len(self._lane.index_lengths) == 1:
            return letters
        return np.insert(letters, self._lane.index_lengths[0], ord("+"), axis=1)

    def _calls(
        self, tile: int, read: Read, cycles: int, clusters: int, kept: NDArray[np.intp]
    ) -> Calls:
        """The calls of a read's first `cycles` cycles, shape (cycles, kept)."""
        folder, lane = self._plan.folder, self._lane

        def cycle(number: int) -> Calls:
            path = folder.bcl(lane.lane, number, tile, lane.kind)
            return self._read(lambda path: bcl.read(path, clusters), path)[kept]

        calls = np.empty((cycles, len(kept)), np.uint8)
        numbers = self._plan.run_info.cycles_of(read)[:cycles]
        for row, found in enumerate(self._each(cycle, numbers)):
            calls[row] = found
        return calls

    def _positions(self, tile: int, clusters: int) -> locs.Positions:
        path = self._plan.folder.positions(self._lane.lane, tile)
        if path is None:
            raise ConversionError(
                f"lane {self._lane.lane}, tile {tile}: there is no .locs, .clocs or s.locs",
                code="convert.run_data",
                hint="is the run complete?",
            )
        positions = self._shared if self._shared is not None else self._read(locs.read, path)
        if len(positions) != clusters:
            raise ConversionError(
                f"{self._relative(path)}: {len(positions)} clusters, the filter file of lane "
                f"{self._lane.lane}, tile {tile} has {clusters}",
                code="convert.run_data",
            )
        return positions

    def _read(self, reader: Callable[[Path], T], path: Path) -> T:
        try:
            return reader(path)
        except RunDataError as err:
            raise ConversionError(
                f"{self._relative(path.parent)}/{err}",
                code="convert.run_data",
                hint=err.hint or "is the run complete? copy the file from the instrument again",
            ) from err

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._plan.folder.path).as_posix()


def _last_of_each(sorted_outputs: NDArray[np.intp]) -> list[int]:
    """Where each run of equal numbers ends."""
    ends = np.flatnonzero(np.diff(sorted_outputs))
    return [*(int(end) for end in ends), len(sorted_outputs) - 1]
