"""A .bcl or .bcl.gz a tile and cycle (HiSeq, MiSeq)."""

from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.sources.source import Chosen, Source
from arteriole.illumina import bcl, whole_calls
from arteriole.illumina.bcl import Calls
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo


class TileFilesSource(Source):
    """`kind` is that of the lane's first file."""

    def __init__(self, folder: RunFolder, run_info: RunInfo, lane: int, kind: BclKind) -> None:
        super().__init__(folder, run_info, lane)
        self._kind = kind

    def file(self, tile: int, cycle: int) -> Path:
        return self._folder.bcl(self._lane, cycle, tile, self._kind)

    def calls(self, tile: int, cycle: int, chosen: Chosen) -> Calls:
        clusters = len(chosen.passed)
        path = self.file(tile, cycle)
        return self._read(lambda path: bcl.read(path, clusters), path)[chosen.kept]

    def _clusters_by_calls(self, tile: int) -> int:
        return self._first_count(
            lambda cycle: self._read(whole_calls.unpacked_clusters, self.file(tile, cycle))
        )
