"""The conversion: bcl2fastq over the whole run, then its counts and files against the plan."""

from dataclasses import dataclass

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.bcl2fastq import command, stats
from arteriole.bcl2fastq.converters.bcl2fastq.about import BCL2FASTQ
from arteriole.bcl2fastq.converters.bcl2fastq.sheet import check_settings
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionRequest,
    ConversionResult,
    Progress,
    conversion_errors,
)
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import outputs, tool
from arteriole.bcl2fastq.tools.refusals import refuse_settings
from arteriole.bcl2fastq.tools.tool import Tool
from arteriole.jobs.worker import note


def using(settings: ToolSettings | None) -> "Bcl2fastqConverter":
    """The converter with its tool. Raises ConversionError if none is named."""
    return Bcl2fastqConverter(tool.require_settings(settings, BCL2FASTQ))


@dataclass(frozen=True, slots=True)
class Bcl2fastqConverter:
    """Converts with Illumina's bcl2fastq, and publishes only what it was planned to write."""

    settings: ToolSettings
    name = "bcl2fastq"
    unit = "tiles"

    @property
    def _tool(self) -> Tool:
        return tool.of(self.settings, BCL2FASTQ)

    @property
    def version(self) -> str:
        """That which is required, or that it is not installed; nothing else converts."""
        return tool.installed(self._tool, self.settings)

    def announce(self, request: ConversionRequest) -> Announcement:
        """What would be written, as the protocol says.

        NB: of an image it is only seen whether it is there; its version is asked at the conversion.
        """
        self._tool.require()
        return self.plan(request).announcement()

    def plan(self, request: ConversionRequest) -> Plan:
        """What a conversion would write; out_dir is neither looked at nor touched.

        Raises:
            ConversionError: it would be refused.
            SampleSheetError, RunDataError: a file cannot be read.
        """
        _refuse_options(request)
        return plans.make(request, check_settings)

    def end_earlier(self, key: str) -> None:
        """A container goes on without its job."""
        self._tool.end_earlier(key)

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run, as the protocol says. Raises ConversionError."""
        with conversion_errors():
            return self._convert(request, progress)

    def _convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        plans.require_empty(request)
        runner = self._tool
        runner.require()
        plan = self.plan(request)
        version = tool.require_version(runner.answer(request.key), self.settings, BCL2FASTQ)
        arguments = command.arguments(plan, request)
        note(f"+ {self.settings.program} {' '.join(arguments)}")
        progress(0, plan.tiles)
        try:
            runner.run(arguments, request)
            counts = stats.read(request.out_dir, plan)
            files = outputs.files(request.out_dir, plan, counts, request.threads, self.name)
        except ArterioleError:
            tool.show(request, BCL2FASTQ)
            raise
        progress(plan.tiles, plan.tiles)
        return ConversionResult(
            converter=self.name,
            version=version,
            clusters=counts.clusters,
            clusters_pf=counts.clusters_pf,
            samples=counts.samples,
            files=files,
            stats_path=stats.PATH,
            warnings=plan.warnings,
            image=runner.image,
        )


def _refuse_options(request: ConversionRequest) -> None:
    """What is an option here, but none whose result could be vouched for there.

    bcl2fastq has `--with-failed-reads`, but its guide does not say which of its counts then hold
    for the files; colliding indexes it refuses itself.
    It gets the sheet as it is, and takes index2 as the instrument read it.
    """
    asked = {
        "include_non_pf": request.include_non_pf,
        "allow_index_collisions": request.allow_index_collisions,
        "index2: forward": request.index2 == "forward",
    }
    refuse_settings(asked, BCL2FASTQ.converter)
