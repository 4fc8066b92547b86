"""A .cbcl a cycle and surface, each tile a gzip member of it (NovaSeq, NextSeq 1000, iSeq).

The instrument keeps the clusters that failed the filter in the first cycles only, so each file says
for itself whether it has them. Where they are left out nothing is known of them: they cannot be
converted, nor can anything without the filter file that says which clusters are there.
"""

import threading
from collections import OrderedDict
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.sources.source import DAMAGED, Chosen, Source
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import cbcl
from arteriole.illumina.bcl import Calls
from arteriole.illumina.cbcl import Header
from arteriole.illumina.run_folder import RunFolder, surface
from arteriole.illumina.run_info import RunInfo

#: Headers kept hold at most so many tiles in all, of 24 bytes each.
_TILES_KEPT = 1_000_000


class SurfaceFilesSource(Source):
    """Reads each header once, as long as those of a surface are within bounds."""

    def __init__(self, folder: RunFolder, run_info: RunInfo, lane: int) -> None:
        super().__init__(folder, run_info, lane)
        self._headers: OrderedDict[Path, Header] = OrderedDict()
        self._tiles_kept = 0
        self._lock = threading.Lock()

    def file(self, tile: int, cycle: int) -> Path:
        return self._folder.cbcl(self._lane, cycle, surface(tile))

    def calls(self, tile: int, cycle: int, chosen: Chosen) -> Calls:
        path, header = self._place(tile, cycle)
        if not header.excludes_failed:
            clusters, kept = len(chosen.passed), chosen.kept
        else:
            self._require_filter(path, chosen)
            clusters, kept = int(chosen.passed.sum()), chosen.ranks
        return self._read(lambda path: cbcl.read(path, header, tile, clusters), path)[kept]

    def _place(self, tile: int, cycle: int) -> tuple[Path, Header]:
        """The file that has the tile, as a rule that of its surface, and its header."""
        usual = self.file(tile, cycle)
        if not usual.is_file() or tile not in self._header(usual).numbers:
            for path in self._folder.cbcls(self._lane, cycle):
                if path != usual and tile in self._header(path).numbers:
                    return path, self._header(path)
        return usual, self._header(usual)

    def require_all_clusters(self) -> None:
        """Refuse a lane in which a file lacks the clusters that failed the filter.

        Raises:
            ConversionError: names the first such file.
        """
        for cycle in range(1, self._run_info.cycles + 1):
            for path in self._folder.cbcls(self._lane, cycle):
                if self._header(path).excludes_failed:
                    raise self._excluded(path)

    def require_filters(self, unfiltered: set[int]) -> None:
        """Refuse `unfiltered` tiles in a file that lacks the clusters that failed the filter.

        Raises:
            ConversionError: names the first such file.
        """
        if not unfiltered:
            return
        for cycle in range(1, self._run_info.cycles + 1):
            for path in self._folder.cbcls(self._lane, cycle):
                try:
                    header = self._header(path)
                except ConversionError as err:
                    if err.code != DAMAGED:
                        raise
                    continue  # it is told, or ignored, when it is read
                if header.excludes_failed and unfiltered.intersection(header.numbers.tolist()):
                    raise self._without_filter(path)

    def _header(self, path: Path) -> Header:
        with self._lock:
            known = self._headers.get(path)
            if known is not None:
                self._headers.move_to_end(path)
                return known
        header = self._read(cbcl.read_header, path)
        with self._lock:
            if path not in self._headers:
                self._headers[path] = header
                self._tiles_kept += len(header.numbers)
            while self._tiles_kept > _TILES_KEPT and len(self._headers) > 1:
                _, dropped = self._headers.popitem(last=False)
                self._tiles_kept -= len(dropped.numbers)
        return header

    def _require_filter(self, path: Path, chosen: Chosen) -> None:
        if not chosen.filter_known:
            raise self._without_filter(path)
        if not chosen.passed[chosen.kept].all():
            raise self._excluded(path)

    def _without_filter(self, path: Path) -> ConversionError:
        return ConversionError(
            f"{self.relative(path)} holds only the clusters that passed the filter, "
            "and the filter file, which says which they are, is missing or damaged",
            code="convert.filter_needed",
            hint="copy the filter files from the instrument again",
        )

    def _excluded(self, path: Path) -> ConversionError:
        return ConversionError(
            f"{self.relative(path)} holds only the clusters that passed the filter, "
            "so the others cannot be converted",
            code="convert.non_pf",
            hint="convert without include_non_pf",
            field="include_non_pf",
        )

    def _clusters_by_calls(self, tile: int) -> int:
        def count(cycle: int) -> int:
            path, header = self._place(tile, cycle)
            if header.excludes_failed:
                raise self._without_filter(path)
            return self._read(lambda _: header.block(tile).clusters, path)

        return self._first_count(count)
