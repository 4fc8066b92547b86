"""The conversion: Picard once a lane, then its files under bcl2fastq's names."""

import shutil
from collections import Counter
from dataclasses import dataclass

from arteriole.bcl2fastq.converters.builtin import asked, sources, stats
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    FastqFile,
    Progress,
    conversion_errors,
)
from arteriole.bcl2fastq.converters.picard import rule as rules
from arteriole.bcl2fastq.converters.picard import tool
from arteriole.bcl2fastq.converters.picard.inputs import LaneInputs
from arteriole.bcl2fastq.converters.picard.outputs import Index, move
from arteriole.bcl2fastq.converters.picard.rule import Rule
from arteriole.bcl2fastq.converters.picard.tool import Picard
from arteriole.bcl2fastq.tools.refusals import refuse_ignored, refuse_options
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet

_SCRATCH = ".picard"


@dataclass(frozen=True, slots=True)
class PicardConverter:
    """Converts with Picard what its rule of indexes can express; the rest it refuses by name.

    Attributes:
        own_rule: None for the rule that coincides with the mismatches asked for. Another one
            makes Picard's own assignment, whatever was asked for: for comparisons only.
    """

    own_rule: Rule | None = None
    name = "picard"
    unit = "tiles"

    @property
    def version(self) -> str:
        """That in the jar, or that it is not installed."""
        try:
            return Picard.find().version
        except ConversionError:
            return tool.NOT_INSTALLED

    def end_earlier(self, key: str) -> None:
        """Nothing: it ends with its job."""

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run, as the protocol says; needs as much room again for Picard's own files.

        Raises:
            ConversionError: also when Picard is not installed.
        """
        with conversion_errors():
            return self._convert(request, progress)

    def announce(self, request: ConversionRequest) -> Announcement:
        """What would be written, as the protocol says."""
        return self.plan(request).announcement()

    def plan(self, request: ConversionRequest) -> Plan:
        """What a conversion would write; out_dir is neither looked at nor touched.

        Raises:
            ConversionError: it would be refused.
            SampleSheetError, RunDataError: a file cannot be read.
        """
        Picard.find()
        refuse_ignored(request, "Picard", "builtin")
        refuse_options(request, self.name, "builtin")
        plan = plans.make(request, _check_settings)
        for lane in plan.lanes:
            self._rule(lane, request)
        return plan

    def _rule(self, lane: LanePlan, request: ConversionRequest) -> Rule:
        return self.own_rule or rules.rule_of(lane, request.barcode_mismatches)

    def _convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        plans.require_empty(request)
        plan = self.plan(request)
        picard = Picard.find()
        files: list[FastqFile] = []
        lanes: list[LaneStats] = []
        done = 0
        progress(done, plan.tiles)
        for lane in plan.lanes:
            counts = LaneStats(lane)
            _count_clusters(plan, counts)
            files += self._convert_lane(picard, request, plan, counts)
            lanes.append(counts)
            done += len(plan.run_info.tiles[lane.lane])
            progress(done, plan.tiles)
        stats.write(request.out_dir, plan, lanes)
        return ConversionResult(
            converter=self.name,
            version=picard.version,
            clusters=sum(lane.clusters for lane in lanes),
            clusters_pf=sum(lane.clusters_pf for lane in lanes),
            samples=stats.sample_reads(lanes),
            files=tuple(files),
            stats_path=stats.PATH,
            warnings=plan.warnings,
        )

    def _convert_lane(
        self,
        picard: Picard,
        request: ConversionRequest,
        plan: Plan,
        counts: LaneStats,
    ) -> list[FastqFile]:
        lane = counts.plan
        rule = self._rule(lane, request)
        scratch = request.out_dir / _SCRATCH
        scratch.mkdir()
        inputs = LaneInputs(scratch, plan.run_info, lane, rule)
        inputs.write()
        command = picard.command(inputs.arguments(plan.folder, request), scratch)
        tool.run(command, scratch / "picard.log")
        files: list[FastqFile] = []
        for place in range(len(lane.outputs)):
            moved = move(inputs, place, request.out_dir, counts)
            files += moved.files
            if self.own_rule is None and inputs.demultiplexes and place < len(lane.samples):
                _refuse_beyond(lane, place, moved.observed, request.barcode_mismatches)
        _reconcile(request, counts)
        shutil.rmtree(scratch)
        return files


def _check_settings(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> list[str]:
    return asked.check_settings(sheet, run_info, request, done=frozenset())


def _count_clusters(plan: Plan, counts: LaneStats) -> None:
    """NB: of RunInfo.xml's tiles; Picard leaves out a tile without a filter file unasked."""
    lane, kind = counts.plan.lane, counts.plan.kind
    source = sources.of_lane(plan.folder, plan.run_info, lane, kind)
    for tile in plan.run_info.tiles[lane]:
        passed = source.passed(tile)
        counts.clusters += len(passed)
        counts.clusters_pf += int(passed.sum())


def _refuse_beyond(
    lane: LanePlan, place: int, observed: Counter[Index], mismatches: tuple[int, int]
) -> None:
    """Refuse reads that Picard gave to a sample, and bcl2fastq's rule would not."""
    sample = lane.samples[place]
    wanted = (sample.index, sample.index2)
    beyond = [index for index in observed if rules.is_beyond(index, wanted, mismatches)]
    if beyond:
        reads = sum(observed[index] for index in beyond)
        raise ConversionError(
            f"lane {lane.lane}: Picard gave {reads} reads to sample {sample.sample_id} that lie"
            f" beyond the mismatches asked for, as it does not count no-calls among them;"
            f" the first was read as {'+'.join(beyond[0])}",
            hint="set barcode_mismatches: [0, 0], or convert with builtin",
            field="barcode_mismatches",
            code=rules.CODE,
        )


def _reconcile(request: ConversionRequest, counts: LaneStats) -> None:
    expected = counts.clusters if request.include_non_pf else counts.clusters_pf
    found = int(counts.reads.sum())
    if found != expected:
        raise ConversionError(
            f"lane {counts.plan.lane}: expected {expected} reads, as the filter files have them,"
            f" found {found} in what Picard wrote",
            hint="is the run complete? Picard leaves out tiles whose files it does not find",
            code="convert.picard_output",
        )
