"""The conversion itself: lane by lane, tile by tile, so that memory stays that of one tile."""

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.builtin import demux_summary, stats
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.demultiplex import Demultiplexer
from arteriole.bcl2fastq.converters.builtin.outputs import LaneFiles
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.builtin.tiles import TileReader
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    FastqFile,
    Progress,
)

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class BuiltinConverter:
    """Converts base calls of every kind; what it does not do it refuses, see plan.py."""

    name = "builtin"
    unit = "tiles"

    @property
    def version(self) -> str:
        """That of this distribution."""
        return version("arteriole")

    def announce(self, request: ConversionRequest) -> Announcement:
        """What would be written, as the protocol says."""
        return plans.make(request).announcement()

    def end_earlier(self, key: str) -> None:
        """Nothing: it ends with its job."""

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run, as the protocol says. Raises ConversionError."""
        try:
            plans.require_empty(request)
            plan = plans.make(request)
            return _convert(request, plan, progress, self.name, self.version)
        except ConversionError:
            raise
        except ArterioleError as err:
            raise ConversionError(str(err), hint=err.hint, field=err.field, code=err.code) from err
        except OSError as err:
            if err.errno in NO_SPACE:
                raise ConversionError(
                    f"no space is left for the FASTQs in {request.out_dir.parent}: {err.strerror}",
                    hint="make room there, then retry",
                    code="convert.disk_full",
                ) from err
            raise ConversionError(
                f"the files cannot be read or written: {err}",
                hint="look at the permissions of the output folder and of the run folder",
                code="convert.io",
            ) from err


def _convert(
    request: ConversionRequest, plan: Plan, progress: Progress, name: str, version: str
) -> ConversionResult:
    files: list[FastqFile] = []
    lanes: list[LaneStats] = []
    done = 0
    progress(done, plan.tiles)
    with ExitStack() as stack:
        each: Any = map
        if request.threads > 1:
            each = stack.enter_context(ThreadPoolExecutor(request.threads)).map
        for lane in plan.lanes:
            counts = LaneStats(lane, len(plan.run_info.template_reads))
            outputs = LaneFiles(request.out_dir, lane, counts.template_reads)
            demultiplexer = _demultiplexer(lane, request.barcode_mismatches)
            reader = TileReader(
                plan, lane, demultiplexer, request.include_non_pf, each, request.out_dir
            )
            for tile in plan.run_info.tiles[lane.lane]:
                outputs.write(reader.pieces(tile, counts))
                done += 1
                progress(done, plan.tiles)
            files += outputs.close(counts)
            lanes.append(counts)
    stats.write(request.out_dir, plan, lanes)
    demux_summary.write((request.out_dir / stats.PATH).parent, lanes)
    return ConversionResult(
        converter=name,
        version=version,
        clusters=sum(lane.clusters for lane in lanes),
        clusters_pf=sum(lane.clusters_pf for lane in lanes),
        samples=stats.sample_reads(lanes),
        files=tuple(files),
        stats_path=stats.PATH,
        warnings=(*plan.warnings, *stats.missing_warnings(plan, lanes)),
    )


def _demultiplexer(lane: LanePlan, mismatches: tuple[int, int]) -> Demultiplexer:
    indexes = [
        (sample.index, sample.index2)[: len(lane.index_lengths)]
        for sample in lane.samples
        if not lane.takes_all
    ]
    return Demultiplexer(indexes, lane.index_lengths, mismatches)
