"""The conversion itself: lane by lane, tile by tile, so that memory stays that of one tile."""

import errno
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin import reports, stats
from arteriole.bcl2fastq.converters.builtin.demultiplex import Demultiplexer
from arteriole.bcl2fastq.converters.builtin.outputs import FastqFiles
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
        return _plan(request).announcement()

    def end_earlier(self, key: str) -> None:
        """Nothing: it ends with its job."""

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run, as the protocol says. Raises ConversionError."""
        try:
            plans.require_empty(request)
            plan = _plan(request)
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


def _plan(request: ConversionRequest) -> Plan:
    return plans.make(request, several=True, lengths=True)


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
        for group in (plan.lanes,) if plan.merged else ((lane,) for lane in plan.lanes):
            outputs = FastqFiles(request.out_dir, plan.planned(group), each, request.threads)
            for lane in group:
                counts = LaneStats(lane)
                lanes.append(counts)
                reader = TileReader(plan, counts, _demultiplexer(lane, request), request, each)
                for tile in plan.run_info.tiles[lane.lane]:
                    outputs.write(lane, reader.pieces(tile))
                    done += 1
                    progress(done, plan.tiles)
            files += outputs.close(_reads(lanes[-len(group) :]))
    stats.write(request.out_dir, plan, lanes)
    reports.write(request.out_dir, lanes)
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


def _reads(lanes: list[LaneStats]) -> Counter[str]:
    """How many reads each sample has on some lanes."""
    reads: Counter[str] = Counter()
    for sample in stats.sample_reads(lanes):
        reads[sample.sample_id] += sample.reads
    return reads


def _demultiplexer(lane: LanePlan, request: ConversionRequest) -> Demultiplexer:
    pairs = () if lane.takes_all else lane.pairs
    return Demultiplexer(
        [pair for _, pair in pairs],
        lane.index_lengths,
        request.barcode_mismatches,
        owners=[place for place, _ in pairs],
        turned=tuple(read.is_reverse_complement for read in lane.index_reads),
    )
