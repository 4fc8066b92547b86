"""One tile on its way from base calls to FASTQ text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.builtin import fastq, sources
from arteriole.bcl2fastq.converters.builtin.call_table import CallTable, call_table
from arteriole.bcl2fastq.converters.builtin.demultiplex import (
    LETTERS,
    UNREAD,
    Assignment,
    Barcodes,
    Codes,
    Demultiplexer,
    complement,
    index_codes,
    placed,
)
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.builtin.sources import Chosen
from arteriole.bcl2fastq.converters.builtin.sources.source import DAMAGED
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.illumina import locs
from arteriole.illumina.bcl import Calls
from arteriole.illumina.used_reads import UsedRead

CHUNK = 16_384
NO_CALL = 0
#: Cycles that threads may have read and nobody has taken.
_AT_ONCE = 16

Found = Calls | ConversionError
Map = Callable[[Callable[[int], Found], Iterable[int]], Iterator[Found]]
"""`map`, or that of a pool of threads."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text for one output (its place in LanePlan.outputs) and read."""

    output: int
    read: UsedRead
    text: memoryview


class TileReader:
    """Reads the tiles of one lane; counts into `stats`.

    The base calls of a tile that is too large for memory lie in the output folder meanwhile.
    """

    def __init__(
        self,
        plan: Plan,
        stats: LaneStats,
        demultiplexer: Demultiplexer,
        request: ConversionRequest,
        each: Map,
    ) -> None:
        self._plan = plan
        self._lane = stats.plan
        self._stats = stats
        self._demultiplexer = demultiplexer
        self._include_non_pf = request.include_non_pf
        self._shortest = request.options.mask_short_adapter_reads or 0
        self._each = each
        self._scratch = request.out_dir
        lane = self._lane
        self._source = sources.of_lane(plan.folder, plan.run_info, lane.lane, lane.kind)
        self._shown = _shown(lane) if lane.is_mixed else None

    def pieces(self, tile: int) -> Iterator[Piece]:
        """The text of a tile, by read, then by output, clusters in order.

        Raises:
            ConversionError: a file of the tile is missing or damaged; names its path in the run.
        """
        stats = self._stats
        passed, filter_known = self._passed(tile)
        positions = self._positions(tile, len(passed))
        kept = np.arange(len(passed)) if self._include_non_pf else np.flatnonzero(passed)
        chosen = Chosen(passed, kept, filter_known)
        stats.clusters += len(passed)
        stats.clusters_pf += int(passed.sum())
        codes = self._index_codes(tile, chosen)
        outputs, pairs = self._outputs(codes)
        stats.add_tile(tile, outputs[passed[kept]])
        # NB: from here on clusters stand in the order of their outputs; what is as long as a tile
        # is kept once, and everything wider is made for a chunk at a time.
        order = np.argsort(outputs, kind="stable")
        outputs, kept = outputs[order], kept[order]
        codes = np.take(codes, order, axis=1)
        shown = None if pairs is None else pairs[order]
        positions = positions[kept]
        del order
        chosen = Chosen(passed, kept, filter_known)

        def clusters(part: slice) -> fastq.Clusters:
            flags = np.where(passed[kept[part]], fastq.PASSED, fastq.FILTERED).astype(np.uint8)
            text = self._index_text(codes[:, part], None if shown is None else shown[part])
            return fastq.Clusters(positions[part], flags, text)

        for read in self._lane.template_reads:
            with call_table(len(read.cycles), len(kept), self._scratch) as calls:
                self._fill(calls, tile, read.cycles, chosen)
                yield from self._format(tile, read, clusters, calls, outputs)
        for read in self._lane.index_reads if self._plan.index_fastqs else ():
            cycles = read.cycles[::-1] if read.is_reverse_complement else read.cycles
            with call_table(len(cycles), len(kept), self._scratch) as calls:
                self._fill(calls, tile, cycles, chosen)
                yield from self._format(tile, read, clusters, calls, outputs)

    def _format(
        self,
        tile: int,
        read: UsedRead,
        clusters: Callable[[slice], fastq.Clusters],
        calls: CallTable,
        outputs: NDArray[np.intp],
    ) -> Iterator[Piece]:
        info = self._plan.run_info
        prefix = (
            f"{info.instrument}:{info.run_number}:{info.flowcell}:{self._lane.lane}:{tile}:"
        ).encode()
        for start in range(0, len(outputs), CHUNK):
            part = slice(start, min(start + CHUNK, len(outputs)))
            chunk = calls.part(part.start, part.stop)
            if not read.is_index:
                self._stats.add_qualities(read, outputs[part], *fastq.quality_sums(chunk))
                if len(read.cycles) < self._shortest:
                    chunk = np.full_like(chunk, NO_CALL)
            elif read.is_reverse_complement:
                chunk = complement(chunk)
            text, ends = fastq.records(prefix, read.number, clusters(part), chunk)
            view = text.data
            begin = 0
            for last in _last_of_each(outputs[part]):
                end = int(ends[last])
                yield Piece(int(outputs[start + last]), read, view[begin:end])
                begin = end

    def _outputs(self, codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
        """The output of each cluster, by its index; and which index, where lengths differ."""
        barcodes = Barcodes.of_codes(codes)
        assignment = self._assign(barcodes)
        counts = np.bincount(barcodes.of, minlength=len(barcodes.codes))
        self._stats.add_barcodes(barcodes, counts, assignment)
        pairs = None if self._shown is None else assignment.pairs[barcodes.of]
        return assignment.samples[barcodes.of], pairs

    def _assign(self, barcodes: Barcodes) -> Assignment:
        if self._lane.takes_all:
            zeros = np.zeros(len(barcodes.codes), np.intp)
            return Assignment(zeros, zeros, zeros)
        return self._demultiplexer.assign(barcodes)

    def _index_codes(self, tile: int, chosen: Chosen) -> Codes:
        """The codes of all index cycles in use, shape (bases, kept)."""
        parts = [np.empty((0, len(chosen.kept)), np.uint8)]
        for read in self._lane.index_reads:
            calls = np.empty((len(read.cycles), len(chosen.kept)), np.uint8)
            for row, found in enumerate(self._calls(tile, read.cycles, chosen)):
                calls[row] = found
            parts.append(index_codes(calls, read.is_reverse_complement))
        return np.concatenate(parts)

    def _index_text(self, codes: Codes, pairs: NDArray[np.intp] | None) -> fastq.Text:
        """What stands last in each header: the observed indexes, or the sample's number.

        Of an index that is shorter than others of the lane those bases that it has.
        """
        clusters = codes.shape[1]
        if not self._lane.index_lengths:
            text = str(self._lane.outputs[0].number).encode()
            return np.broadcast_to(np.frombuffer(text, np.uint8), (clusters, len(text)))
        letters = LETTERS[codes.T]
        if len(self._lane.index_lengths) > 1:
            letters = np.insert(letters, self._lane.index_lengths[0], ord("+"), axis=1)
        return letters if self._shown is None else letters * self._shown[pairs]

    def _fill(self, table: CallTable, tile: int, cycles: range, chosen: Chosen) -> None:
        for row, found in enumerate(self._calls(tile, cycles, chosen)):
            table.put(row, found)

    def _calls(self, tile: int, numbers: Sequence[int], chosen: Chosen) -> Iterator[Calls]:
        """The calls of some cycles, each of all clusters that are kept."""

        def cycle(number: int) -> Found:
            try:
                return self._source.calls(tile, number, chosen)
            except ConversionError as err:
                return self._waived("missing-bcls", err)

        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            for number, found in zip(some, self._each(cycle, some), strict=True):
                if isinstance(found, ConversionError):
                    path = self._source.relative(self._source.file(tile, number))
                    self._stats.missing.add("missing-bcls", path, str(found))
                    yield np.full(len(chosen.kept), NO_CALL, np.uint8)
                else:
                    yield found

    def _passed(self, tile: int) -> tuple[NDArray[np.bool_], bool]:
        """Which clusters passed the filter, and whether that is known."""
        try:
            return self._source.passed(tile), True
        except ConversionError as err:
            self._waived("missing-filter", err)
            self._stats.missing.add("missing-filter", f"{self._lane.lane} {tile}", str(err))
            return np.ones(self._source.clusters(tile), np.bool_), False

    def _positions(self, tile: int, clusters: int) -> locs.Positions:
        try:
            return self._source.positions(tile, clusters)
        except ConversionError as err:
            self._waived("missing-positions", err)
            self._stats.missing.add("missing-positions", f"{self._lane.lane} {tile}", str(err))
            return locs.made_up(clusters)

    def _waived(self, flag: str, err: ConversionError) -> ConversionError:
        """The error, where a person said that such a file may be ignored; else it is raised."""
        if flag not in self._plan.ignore or err.code != DAMAGED:
            raise err
        return err


def _shown(lane: LanePlan) -> NDArray[np.uint8]:
    """1 where a letter of a header is shown: a row each of the lane's indexes, the last of none.

    Of ACG+TT, an i7 of two bases without i5 has AC, none has all.
    """
    rows = []
    for _, pair in lane.pairs:
        parts = [
            placed(index, len(read.cycles), read.is_reverse_complement)
            for index, read in zip(pair, lane.index_reads, strict=False)
        ]
        plus = "+" if len(parts) > 1 and pair[1] else UNREAD
        rows.append([letter != UNREAD for letter in plus.join(parts)])
    return np.array([*rows, [True] * len(rows[0])], np.uint8)


def _last_of_each(sorted_outputs: NDArray[np.intp]) -> list[int]:
    """Where each run of equal numbers ends."""
    ends = np.flatnonzero(np.diff(sorted_outputs))
    return [*(int(end) for end in ends), len(sorted_outputs) - 1]
