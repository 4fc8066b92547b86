"""Where a lane's clusters come from, a class a way of storing base calls."""

from arteriole.bcl2fastq.converters.builtin.sources.lane_files import LaneFilesSource
from arteriole.bcl2fastq.converters.builtin.sources.source import Chosen, Source
from arteriole.bcl2fastq.converters.builtin.sources.surface_files import SurfaceFilesSource
from arteriole.bcl2fastq.converters.builtin.sources.tile_files import TileFilesSource
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo

__all__ = ["Chosen", "Source", "of_lane"]


def of_lane(folder: RunFolder, run_info: RunInfo, lane: int, kind: BclKind) -> Source:
    """The source of a lane whose base calls are of `kind`."""
    if kind is BclKind.CBCL:
        return SurfaceFilesSource(folder, run_info, lane)
    if kind is BclKind.BCL_BGZF:
        return LaneFilesSource(folder, run_info, lane)
    return TileFilesSource(folder, run_info, lane, kind)
