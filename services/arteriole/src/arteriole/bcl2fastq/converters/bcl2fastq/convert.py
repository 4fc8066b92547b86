"""The conversion: bcl2fastq over the whole run, then its counts and files against the plan.

A sheet that it cannot do at once is converted in parts, see parts.py.
"""

from dataclasses import dataclass, replace

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.bcl2fastq import command, joining, parts, stats
from arteriole.bcl2fastq.converters.bcl2fastq.about import BCL2FASTQ
from arteriole.bcl2fastq.converters.bcl2fastq.parts import Part
from arteriole.bcl2fastq.converters.bcl2fastq.sheet import check_settings
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Progress,
    conversion_errors,
)
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import outputs, tool
from arteriole.bcl2fastq.tools.refusals import refuse_settings
from arteriole.bcl2fastq.tools.tool import Tool
from arteriole.illumina import index_sets
from arteriole.jobs.worker import note


def using(settings: ToolSettings | None) -> "Bcl2fastqConverter":
    """The converter with its tool. Raises ConversionError if none is named."""
    return Bcl2fastqConverter(tool.require_settings(settings, BCL2FASTQ))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be written, and in which parts; in none if bcl2fastq does it at once."""

    plan: Plan
    parts: tuple[Part, ...]

    @property
    def tiles(self) -> int:
        """How many will be read, each as often as a part reads it."""
        return sum(part.plan.tiles for part in self.parts) or self.plan.tiles


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
        return self.prepare(request).plan.announcement()

    def prepare(self, request: ConversionRequest) -> Prepared:
        """What a conversion would write; out_dir is neither looked at nor touched.

        Raises:
            ConversionError: it would be refused.
            SampleSheetError, RunDataError: a file cannot be read.
        """
        _refuse_options(request)
        sheet = index_sets.read(
            request.sheet, request.index_sets, request.run_dir, BCL2FASTQ.converter, request.index2
        )
        if request.options.use_bases_mask:
            return Prepared(plans.make(request, check_settings, sheet), ())
        plan = plans.make(request, check_settings, sheet, several=True, lengths=True)
        split = parts.split(sheet, plan, request)
        return Prepared(_told(plan, split), split)

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
        prepared = self.prepare(request)
        plan = prepared.plan
        version = tool.require_version(runner.answer(request.key), self.settings, BCL2FASTQ)
        progress(0, prepared.tiles)
        if prepared.parts:
            self._run_parts(runner, prepared, request, progress)
        else:
            self._run(runner, plan, request)
        counts = stats.read(request.out_dir, plan)
        files = outputs.files(request.out_dir, plan, counts, request.threads, self.name)
        progress(prepared.tiles, prepared.tiles)
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

    def _run_parts(
        self, runner: Tool, prepared: Prepared, request: ConversionRequest, progress: Progress
    ) -> None:
        """One after another, each in a folder of its own; then what they wrote is joined."""
        done = 0
        for part in prepared.parts:
            part.request.out_dir.mkdir(parents=True)
            part.request.sheet.write_text(part.sheet, encoding="utf-8")
            try:
                self._run(runner, part.plan, part.request)
            except ArterioleError as err:
                raise ConversionError(
                    f"{part}: {err}", hint=err.hint, field=err.field, code=err.code
                ) from err
            done += part.plan.tiles
            progress(done, prepared.tiles)
        joining.counts(request.out_dir, prepared.plan, prepared.parts)
        joining.files(request.out_dir, prepared.plan, prepared.parts)

    def _run(self, runner: Tool, plan: Plan, request: ConversionRequest) -> None:
        """Run it, and hold what it counted and wrote against the plan."""
        arguments = command.arguments(plan, request)
        note(f"+ {self.settings.program} {' '.join(arguments)}")
        try:
            runner.run(arguments, request)
            stats.read(request.out_dir, plan)
            outputs.require_same(set(plan.files), outputs.fastqs(request.out_dir), self.name)
        except ArterioleError:
            tool.show(request, BCL2FASTQ)
            raise


def _told(plan: Plan, split: tuple[Part, ...]) -> Plan:
    """The plan with what people are to know of its parts."""
    if not split:
        return plan
    told = [f"{part} is a conversion of its own" for part in split]
    shared = parts.shared_lanes(split)
    if shared:
        lanes = ", ".join(map(str, sorted(shared)))
        told.append(
            f"lanes {lanes}: converted in several parts; reads of no sample are counted as those"
            " that no part gave to one, and are not kept as FASTQs"
        )
    return replace(plan, warnings=(*plan.warnings, *told), unfiled=shared)


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
