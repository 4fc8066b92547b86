"""A .bcl.bgzf a cycle, in which the tiles of a lane stand one after the other (NextSeq 500)."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.builtin.sources.source import DAMAGED, Chosen, Source
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import bci, bcl, bgzf, filters, locs, run_file
from arteriole.illumina.bci import IndexedTile, TileIndex
from arteriole.illumina.bcl import Calls
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.locs import Positions
from arteriole.illumina.run_file import Part


class LaneFilesSource(Source):
    """Nothing of a lane can be told without its s_<lane>.bci, which no waiver ignores."""

    def passed(self, tile: int) -> NDArray[np.bool_]:
        part = self._part(tile)
        path = self._folder.lane_filter(self._lane)
        return self._read(lambda path: filters.read(path, part), path)

    def positions(self, tile: int, clusters: int) -> Positions:
        if self._folder.shared_positions(self._lane) is not None:
            return super().positions(tile, clusters)
        part = self._part(tile)
        path = self._folder.lane_positions(self._lane)
        return self._read(lambda path: locs.read(path, part), path)

    def file(self, tile: int, cycle: int) -> Path:
        return self._folder.bgzf(self._lane, cycle)

    def calls(self, tile: int, cycle: int, chosen: Chosen) -> Calls:
        found = self._read(self._calls_of(tile), self.file(tile, cycle))
        return found[chosen.kept]

    def _clusters_by_calls(self, tile: int) -> int:
        return self._tile(tile).clusters

    def _calls_of(self, tile: int) -> Callable[[Path], Calls]:
        wanted = self._tile(tile)
        index = self._index
        after = [t for t in index.tiles.values() if t.place > wanted.place and t.clusters]

        def read(path: Path) -> Calls:
            offsets = bci.read_offsets(path.with_name(path.name + ".bci"), len(index.tiles))
            if not wanted.clusters:
                return np.empty(0, np.uint8)
            with run_file.opened(path) as file:
                if wanted.first == 0:
                    head = bgzf.read(file, 0, bcl.HEADER_SIZE, path.name)
                    _check_head(head, offsets[wanted.place], index, path.name)
                part = bgzf.read(file, offsets[wanted.place], wanted.clusters, path.name)
                if not after:
                    bgzf.ends_at(file, part.ends, path.name)
                elif offsets[after[0].place] not in part.ends:
                    raise RunDataError(
                        f"{path.name}: the calls of tile {tile} do not reach to those of the next"
                    )
            return np.frombuffer(part.data, np.uint8)

        return read

    def _part(self, tile: int) -> Part:
        found = self._tile(tile)
        return Part(found.first, found.clusters, self._index.clusters)

    def _tile(self, tile: int) -> IndexedTile:
        path = self._folder.tile_index(self._lane)
        try:
            return self._read(lambda _: self._index.tile(tile), path)
        except ConversionError as err:
            raise _needed(err) from err

    @cached_property
    def _index(self) -> TileIndex:
        return bci.read_tiles(self._folder.tile_index(self._lane))


def _check_head(head: bgzf.Part, start: int, index: TileIndex, name: str) -> None:
    count = int.from_bytes(head.data, "little")
    if count != index.clusters:
        raise RunDataError(f"{name}: expected {index.clusters} clusters, its header says {count}")
    if start not in head.ends:
        raise RunDataError(f"{name}: the calls of the first tile do not begin behind the header")


def _needed(err: ConversionError) -> ConversionError:
    code = "convert.tile_index" if err.code == DAMAGED else err.code
    return ConversionError(str(err), code=code, hint=err.hint)
