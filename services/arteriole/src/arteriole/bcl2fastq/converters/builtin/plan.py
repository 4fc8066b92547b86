"""What a conversion will write, settled before the first base is read.

Everything that this converter does not do is refused here, by name.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from arteriole.bcl2fastq.converters.builtin import asked, base_calls, lane_reads
from arteriole.bcl2fastq.converters.builtin.lane_reads import Part
from arteriole.bcl2fastq.converters.conversion import (
    MERGED,
    UNDETERMINED,
    Announcement,
    ConversionError,
    ConversionRequest,
)
from arteriole.illumina import index_orientation, index_sets, sheet_check, tile_choice
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_check import Finding, Severity
from arteriole.illumina.tile_choice import TileChoiceError
from arteriole.illumina.used_reads import UsedRead

Pair = tuple[str, str]
"""An i7 and an i5, which may be empty."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """One sample on one lane; `number` is the n of `_S<n>_`, `folder` relative to the output.

    `more` are its indexes beside the first, of a sample with several rows.
    """

    sample_id: str
    name: str
    number: int
    folder: PurePosixPath
    index: str = ""
    index2: str = ""
    more: tuple[Pair, ...] = ()
    project: str = ""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All of its indexes."""
        return ((self.index, self.index2), *self.more)

    def fastq(self, lane: int, read: int, letter: str = "R") -> PurePosixPath:
        """bcl2fastq's file name; `read` counts those of its sort from 1.

        Args:
            lane: or MERGED, where lanes are not split.
            letter: I for an index read.
        """
        place = "" if lane == MERGED else f"_L{lane:03d}"
        return self.folder / f"{self.name}_S{self.number}{place}_{letter}{read}_001.fastq.gz"


@dataclass(frozen=True, slots=True)
class LanePlan:
    """A lane.

    The last of `outputs` is for undetermined reads, unless the lane has one sample without index,
    which takes every read.

    Attributes:
        reads: those in use; of index reads as many cycles as the sheet's indexes have.
        said: the same, with index reads as RunInfo.xml or a mask have them.
    """

    lane: int
    kind: BclKind
    samples: tuple[SamplePlan, ...]
    outputs: tuple[SamplePlan, ...]
    reads: tuple[UsedRead, ...]
    said: tuple[UsedRead, ...]

    @property
    def takes_all(self) -> bool:
        """Whether every read belongs to the lane's one sample."""
        return len(self.outputs) == len(self.samples)

    @property
    def template_reads(self) -> tuple[UsedRead, ...]:
        """Those that always become files."""
        return tuple(read for read in self.reads if not read.is_index)

    @property
    def index_reads(self) -> tuple[UsedRead, ...]:
        """Those that tell the samples apart."""
        return tuple(read for read in self.reads if read.is_index)

    @property
    def index_lengths(self) -> tuple[int, ...]:
        """The cycles used of each index read; none if all are ignored."""
        return tuple(len(read.cycles) for read in self.index_reads)

    @property
    def pairs(self) -> tuple[tuple[int, Pair], ...]:
        """The indexes of the lane, each with the place of its sample."""
        return tuple((n, pair) for n, sample in enumerate(self.samples) for pair in sample.pairs)

    @property
    def is_mixed(self) -> bool:
        """Whether some index is shorter than the cycles used of its read."""
        return not self.takes_all and any(
            tuple(map(len, pair))[: len(self.index_lengths)] != self.index_lengths
            for _, pair in self.pairs
        )


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A FASTQ that will be written; `lane` may be MERGED."""

    path: str
    output: SamplePlan
    lane: int
    read: int
    is_index: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole conversion; `run_info` has the tiles that are converted.

    Attributes:
        merged: each sample's lanes go into one file.
        index_fastqs: index reads become files too.
        unfiled: lanes whose reads of no sample are counted and not kept.
    """

    folder: RunFolder
    run_info: RunInfo
    lanes: tuple[LanePlan, ...]
    warnings: tuple[str, ...]
    ignore: frozenset[str] = frozenset()
    merged: bool = False
    index_fastqs: bool = False
    unfiled: frozenset[int] = frozenset()

    @property
    def tiles(self) -> int:
        """How many tiles will be converted."""
        return sum(len(self.run_info.tiles[lane.lane]) for lane in self.lanes)

    def planned(self, lanes: tuple[LanePlan, ...] | None = None) -> tuple[PlannedFile, ...]:
        """The FASTQs of some lanes, or of all."""
        files = {
            (path := output.fastq(number, read.number, read.name[0]).as_posix()): PlannedFile(
                path, output, number, read.number, read.is_index
            )
            for lane in (self.lanes if lanes is None else lanes)
            for number in (MERGED if self.merged else lane.lane,)
            for output in lane.outputs
            for read in lane.reads
            if (self.index_fastqs or not read.is_index) and self._is_kept(output, lane.lane)
        }
        return tuple(files.values())

    def _is_kept(self, output: SamplePlan, lane: int) -> bool:
        """NB: a file of all lanes would lack the reads of those that are not kept."""
        unfiled = bool(self.unfiled) if self.merged else lane in self.unfiled
        return not (unfiled and output.sample_id == UNDETERMINED)

    @property
    def files(self) -> tuple[str, ...]:
        """Every FASTQ that will be written, relative to the output folder."""
        return tuple(file.path for file in self.planned())

    def announcement(self) -> Announcement:
        """What it will write, in the words that all converters share."""
        samples = [(output.sample_id, lane.lane) for lane in self.lanes for output in lane.outputs]
        return Announcement(tuple(samples), self.files, self.warnings)


SettingsCheck = Callable[[SampleSheet, RunInfo, ConversionRequest], list[str]]
"""Refuses what the sheet's settings ask for and a converter does not do; returns warnings."""


def make(
    request: ConversionRequest,
    check_settings: SettingsCheck | None = None,
    sheet: SampleSheet | None = None,
    *,
    masked: bool = True,
    several: bool = False,
    lengths: bool = False,
) -> Plan:
    """Check the request, its sheet and its run; out_dir is neither looked at nor touched.

    Args:
        check_settings: of another converter than the builtin one.
        sheet: the one of the request, with index2 as the converter takes it.
        masked: whether OverrideCycles says which files there are; False leaves that to a tool.
        several: whether the converter takes samples that have several indexes on a lane.
        lengths: whether it takes indexes of several lengths on a lane.

    Raises:
        ConversionError: something is refused.
        SampleSheetError, RunDataError: a file cannot be read.
    """
    asked.check_options(request)
    folder = RunFolder(request.run_dir)
    run_info = folder.run_info
    if sheet is None:
        sets, said = request.index_sets, request.index2
        sheet = index_sets.read(request.sheet, sets, folder.path, "builtin", said)
        sheet = index_orientation.for_converter("builtin", sheet, folder.path, request.index2)
    warnings = (check_settings or asked.check_settings)(sheet, run_info, request)
    pooling = _Pooling(several, lengths)
    if not request.options.use_bases_mask:
        warnings += _checked(sheet, run_info, request, pooling)
    parts = (lane_reads.parts if masked else lane_reads.whole)(sheet, run_info, request)
    for part in parts:
        # NB: the cycles of a mixed part are those of the sheet's indexes, which were checked above.
        if (part.sheet is not sheet and not part.mixed) or request.options.use_bases_mask:
            warnings += _checked(part.sheet, part.run_info, request, pooling)
    for read in run_info.template_reads:
        if read.is_reverse_complement:
            raise ConversionError(
                f"read {read.number} is marked IsReverseComplement, known of index reads only",
                code="convert.read_orientation",
            )
    kinds = base_calls.kinds(folder, run_info, request.ignore)
    base_calls.require_listed(folder, run_info, kinds)
    samples = _samples_by_lane(parts, run_info)
    warnings += [
        f"no sample on lane {lane}: it is not converted"  # as the sheet's rule tells it
        for lane in run_info.lanes
        if not samples[lane]
    ]
    run_info = _chosen(run_info, [lane for lane in run_info.lanes if samples[lane]], request)
    base_calls.require_files(folder, run_info, request.ignore)
    kinds = {lane: kinds[lane] for lane in run_info.lanes}
    base_calls.require_filters(folder, run_info, kinds)
    numbers = _numbers(sheet)
    lanes = tuple(
        _lane(part, lane, kinds[lane], samples[lane], numbers)
        for part in parts
        for lane in part.run_info.lanes
        if lane in run_info.tiles
    )
    if request.include_non_pf:
        base_calls.require_all_clusters(folder, run_info, kinds)
    merged = request.options.no_lane_splitting or asked.is_on(sheet, asked.MERGED_LANES)
    index_fastqs = request.options.create_fastq_for_index_reads or asked.is_on(
        sheet, asked.INDEX_FASTQS
    )
    if index_fastqs:
        _refuse_mixed(lanes)
    return Plan(
        folder=folder,
        run_info=run_info,
        lanes=tuple(sorted(lanes, key=lambda lane: lane.lane)),
        warnings=tuple(dict.fromkeys(warnings)),
        ignore=request.ignore,
        merged=merged,
        index_fastqs=index_fastqs,
    )


def _samples_by_lane(parts: tuple[Part, ...], run_info: RunInfo) -> dict[int, list[Sample]]:
    found: dict[int, list[Sample]] = {lane: [] for lane in run_info.lanes}
    for part in parts:
        found |= sheet_check.samples_by_lane(part.sheet, part.run_info)
    return found


def _chosen(run_info: RunInfo, lanes: list[int], request: ConversionRequest) -> RunInfo:
    """The run with the tiles that are converted. Raises ConversionError if there are none."""
    tiles = {lane: run_info.tiles[lane] for lane in lanes}
    if request.options.tiles:
        try:
            tiles = tile_choice.choose(request.options.tiles, tiles)
        except TileChoiceError as err:
            raise ConversionError(
                f"tiles: {err}",
                hint="say them as --tiles of bcl2fastq does, such as s_1, s_[2-4] or s_1_1101",
                field="tiles",
                code="convert.tiles",
            ) from err
    return replace(run_info, tiles=tiles)


def require_empty(request: ConversionRequest) -> None:
    """Raises ConversionError if out_dir is not an empty folder, but for the request's sheet."""
    out_dir = request.out_dir
    if not out_dir.is_dir() or any(path != request.sheet for path in out_dir.iterdir()):
        raise ConversionError(
            "the output folder must exist and be empty",
            hint="an earlier conversion is never written over; give a new folder",
            field="out_dir",
            code="convert.output",
        )


@dataclass(frozen=True, slots=True)
class _Pooling:
    """What a converter takes of indexes on one lane, see `make`."""

    several: bool
    lengths: bool


def _checked(
    sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest, pooling: _Pooling
) -> list[str]:
    """Refuse a sheet that does not fit; what else was found is told."""
    findings = sheet_check.check(sheet, run_info, request.barcode_mismatches)
    _refuse(findings, request)
    _refuse_pooled(sheet, pooling)
    return [_told(finding) for finding in findings]


def _refuse(findings: tuple[Finding, ...], request: ConversionRequest) -> None:
    waived = set(request.waived_rules)
    if request.allow_index_collisions:
        waived.add("sheet.index_collision")
    errors = [f for f in findings if f.severity is Severity.ERROR and f.code not in waived]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise ConversionError(
            f"the sample sheet does not fit: {_told(errors[0])}{more}",
            hint=errors[0].hint,
            code=errors[0].code,
        )


def _refuse_pooled(sheet: SampleSheet, pooling: _Pooling) -> None:
    """Most tools take one index a sample and lane, and one length of index a lane."""
    rows: dict[tuple[str, int | None], int] = {}
    lengths: dict[int | None, tuple[int, int]] = {}
    for sample in sheet.samples:
        key = sample.sample_id, sample.lane
        if rows.setdefault(key, sample.line) != sample.line and not pooling.several:
            raise ConversionError(
                f"line {sample.line}: the sample stands in line {rows[key]} with another index;"
                " a sample with several indexes on a lane is not converted",
                hint="convert with builtin, bclconvert, or bcl2fastq without a mask; or give each"
                " row a Sample_ID of its own, and put the files together afterwards",
                code="convert.several_indexes",
            )
        found = len(sample.index), len(sample.index2)
        if lengths.setdefault(sample.lane, found) != found and not pooling.lengths:
            raise ConversionError(
                f"line {sample.line}: its indexes have other lengths than those of the lane's first"
                " sample; indexes of several lengths on a lane are not converted",
                hint="convert with builtin, bclconvert, or bcl2fastq without a mask; or split the"
                " sheet, or shorten all to one length",
                code="convert.index_lengths",
            )


def _refuse_mixed(lanes: tuple[LanePlan, ...]) -> None:
    """Raises ConversionError where files of index reads would hold more than their indexes."""
    for lane in lanes:
        if lane.is_mixed:
            raise ConversionError(
                f"lane {lane.lane} has indexes of several lengths; its index reads are not made"
                " files",
                hint="leave out CreateFastqForIndexReads, or split the sheet",
                field="create_fastq_for_index_reads",
                code="convert.index_lengths",
            )


def _told(finding: Finding) -> str:
    if not finding.line:
        return finding.message
    column = f", column {finding.column}" if finding.column else ""
    return f"line {finding.line}{column}: {finding.message}"


def _numbers(sheet: SampleSheet) -> dict[str, int]:
    """The n of `_S<n>_`: samples count from 1 as they first appear in the sheet."""
    numbers: dict[str, int] = {}
    for sample in sheet.samples:
        numbers.setdefault(sample.sample_id, len(numbers) + 1)
    return numbers


def _lane(
    part: Part,
    lane: int,
    kind: BclKind,
    samples: list[Sample],
    numbers: dict[str, int],
) -> LanePlan:
    index_reads = len(part.run_info.index_reads)
    rows: dict[str, list[Sample]] = {}
    for sample in samples:
        rows.setdefault(sample.sample_id, []).append(sample)
    planned = tuple(_sample(some, numbers[name], index_reads) for name, some in rows.items())
    undetermined = SamplePlan(UNDETERMINED, UNDETERMINED, 0, PurePosixPath())
    takes_all = len(planned) == 1 and not planned[0].index
    return LanePlan(
        lane=lane,
        kind=kind,
        samples=planned,
        outputs=planned if takes_all else (*planned, undetermined),
        reads=lane_reads.of_sheet(part, samples),
        said=part.reads,
    )


def _sample(rows: list[Sample], number: int, index_reads: int) -> SamplePlan:
    """What the rows of a sample on a lane plan, which have the same names.

    Files lie in Sample_Project; in Sample_ID below it if a differing Sample_Name names them.

    An index that the run did not read is left out (the sheet's check lets it pass where the sample
    is alone on its lane).
    """
    sample = rows[0]
    for text in (sample.sample_id, sample.sample_name, sample.project):
        # NB: these become paths, so they are looked at once more, whatever was checked before.
        if text and not sheet_check.NAME.fullmatch(text):
            raise ConversionError(
                f"line {sample.line}: a name is not fit for a file name",
                code="sheet.name_characters",
            )
    name = sample.sample_name or sample.sample_id
    folder = PurePosixPath(sample.project) if sample.project else PurePosixPath()
    if name != sample.sample_id:
        folder /= sample.sample_id
    first, *more = dict.fromkeys(
        (row.index if index_reads else "", row.index2 if index_reads > 1 else "") for row in rows
    )
    return SamplePlan(
        sample.sample_id, name, number, folder, *first, tuple(more), project=sample.project
    )
