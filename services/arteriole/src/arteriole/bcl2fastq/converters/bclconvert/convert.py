"""The conversion: BCL Convert over the whole run, then its counts and files against the plan."""

import errno
from dataclasses import dataclass, fields
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.bclconvert import command, joining, outputs, sheet
from arteriole.bcl2fastq.converters.bclconvert.about import BCL_CONVERT
from arteriole.bcl2fastq.converters.bclconvert.sheet import Prepared
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats, sample_reads
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Options,
    Progress,
    SampleReads,
)
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import bclconvert_stats as stats
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.tools.bclconvert_stats import Reports
from arteriole.bcl2fastq.tools.outputs import Counts, files
from arteriole.bcl2fastq.tools.tool import Tool
from arteriole.jobs.worker import note

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def using(settings: ToolSettings | None) -> "BclConvertConverter":
    """The converter with its tool. Raises ConversionError if none is named."""
    if settings is None:
        raise ConversionError(
            "the converter bclconvert needs to know which bcl-convert it is to run",
            hint="name it and its version in bcl2fastq.bclconvert_tool of arteriole.yaml",
            field="bclconvert_tool",
            code="convert.option",
        )
    return BclConvertConverter(settings)


@dataclass(frozen=True, slots=True)
class BclConvertConverter:
    """Converts with Illumina's BCL Convert, and publishes only what it was planned to write."""

    settings: ToolSettings
    name = "bclconvert"
    unit = "tiles"

    @property
    def _tool(self) -> Tool:
        return tool.of(self.settings, BCL_CONVERT)

    @property
    def version(self) -> str:
        """That which is required, or that it is not installed; nothing else converts."""
        try:
            self._tool.require()
        except ArterioleError:
            return tool.NOT_INSTALLED
        return self.settings.version

    def announce(self, request: ConversionRequest) -> Announcement:
        """What would be written, as the protocol says.

        NB: of an image it is only seen whether it is there; its version is asked at the conversion.
        """
        self._tool.require()
        return self.prepare(request).plan.announcement()

    def prepare(self, request: ConversionRequest) -> Prepared:
        """What a conversion would write, and by which sheet; out_dir is not touched.

        Raises:
            ConversionError: it would be refused.
            SampleSheetError, RunDataError: a file cannot be read.
        """
        _refuse_options(request)
        return sheet.prepare(request, self.settings.version)

    def end_earlier(self, key: str) -> None:
        """A container goes on without its job."""
        self._tool.end_earlier(key)

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run, as the protocol says. Raises ConversionError."""
        try:
            return self._convert(request, progress)
        except ConversionError:
            raise
        except ArterioleError as err:
            raise ConversionError(str(err), hint=err.hint, field=err.field, code=err.code) from err
        except OSError as err:
            full = err.errno in _NO_SPACE
            raise ConversionError(
                f"the files cannot be read or written: {err}",
                hint="make room there, then retry" if full else "look at the folders' permissions",
                code="convert.disk_full" if full else "convert.io",
            ) from err

    def _convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        plans.require_empty(request)
        runner = self._tool
        runner.require()
        prepared = self.prepare(request)
        plan = prepared.plan
        version = tool.require_version(runner.answer(request.key), self.settings, BCL_CONVERT)
        (request.out_dir / command.SHEET).write_text(prepared.sheet, encoding="utf-8")
        arguments = command.arguments(request, prepared.has_projects)
        note(f"+ {self.settings.program} {' '.join(arguments)}")
        progress(0, plan.tiles)
        folder = command.folder(request.out_dir)
        try:
            runner.run(arguments, request)
            lanes = stats.read(Reports.of(folder), prepared.written)
            plan = _settled(prepared, folder, request, lanes)
            counts = Counts(
                clusters=sum(lane.clusters for lane in lanes),
                clusters_pf=sum(lane.clusters_pf for lane in lanes),
                samples=_samples(prepared, lanes),
            )
            found = files(request.out_dir, plan, counts, request.threads, BCL_CONVERT.name)
        except ArterioleError:
            _show(request)
            raise
        progress(plan.tiles, plan.tiles)
        return ConversionResult(
            converter=self.name,
            version=version,
            clusters=counts.clusters,
            clusters_pf=counts.clusters_pf,
            samples=counts.samples,
            files=found,
            stats_path=stats.PATH,
            warnings=plan.warnings,
        )


def _settled(
    prepared: Prepared, folder: Path, request: ConversionRequest, lanes: list[LaneStats]
) -> Plan:
    """The plan as it was carried out, once files and statistics are where it has them."""
    out_dir, owners = request.out_dir, prepared.owners
    written = outputs.settle(folder, out_dir, prepared.written, lanes, BCL_CONVERT.name)
    stats.write(out_dir, Reports.of(out_dir), written, lanes)
    if not owners:
        return written
    joining.statistics(out_dir, prepared.plan, owners)
    return joining.files(out_dir, prepared.plan, written, owners)


def _samples(prepared: Prepared, lanes: list[LaneStats]) -> tuple[SampleReads, ...]:
    found = sample_reads(lanes)
    owners = prepared.owners
    return joining.counts(prepared.plan, found, owners) if owners else found


def _show(request: ConversionRequest) -> None:
    """The end of what it said goes to the job's log, as nothing else stays of what failed."""
    log = request.out_dir / BCL_CONVERT.log
    if log.is_file():
        note(tool.tail(log))


def _refuse_options(request: ConversionRequest) -> None:
    """What BCL Convert has no option for.

    It leaves clusters out that failed the filter and refuses colliding indexes; where a file is
    missing it ends, or without strict mode goes on in a way that its guide does not tell.
    """
    for name, asked in (
        ("include_non_pf", request.include_non_pf),
        ("allow_index_collisions", request.allow_index_collisions),
    ):
        if asked:
            raise ConversionError(
                f"{name} is not for the converter bclconvert",
                hint=f"leave out bcl2fastq.{name}, or convert with builtin",
                field=name,
                code="convert.option",
            )
    for field in fields(Options):
        if getattr(request.options, field.name) != field.default:
            raise ConversionError(
                f"{field.name} is not for the converter bclconvert",
                hint="leave it out, or convert with builtin or bcl2fastq",
                field=field.name,
                code="convert.option",
            )
    for sort in sorted(request.ignore - {"empty-samples"}):
        raise ConversionError(
            f"BCL Convert cannot ignore {sort[:40]}",
            hint="convert with builtin or bcl2fastq",
            field="ignore",
            code="convert.ignore",
        )
