"""What a conversion will write, settled before the first base is read.

Everything that this converter does not do is refused here, by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from arteriole.bcl2fastq.converters.builtin import base_calls
from arteriole.bcl2fastq.converters.conversion import (
    IGNORABLE,
    UNDETERMINED,
    Announcement,
    ConversionError,
    ConversionRequest,
)
from arteriole.illumina import index_orientation, sheet_check, sheet_settings
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import Read, RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_check import Finding, Severity
from arteriole.illumina.sheet_settings import Meaning
from arteriole.illumina.sheet_text import plain

_SETTING_HINTS = {
    Meaning.MISMATCHES: "set bcl2fastq.barcode_mismatches to what the sheet asks for",
    Meaning.OTHER: "remove it, or convert with bcl2fastq",
}


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """One sample on one lane; `number` is the n of `_S<n>_`, `folder` relative to the output."""

    sample_id: str
    name: str
    number: int
    folder: PurePosixPath
    index: str = ""
    index2: str = ""

    def fastq(self, lane: int, read: int) -> PurePosixPath:
        """bcl2fastq's file name; `read` counts template reads from 1."""
        return self.folder / f"{self.name}_S{self.number}_L{lane:03d}_R{read}_001.fastq.gz"


@dataclass(frozen=True, slots=True)
class LanePlan:
    """A lane; `index_lengths` are the cycles used of each index read, none if all are ignored.

    The last of `outputs` is for undetermined reads, unless the lane has one sample without index,
    which takes every read.
    """

    lane: int
    kind: BclKind
    samples: tuple[SamplePlan, ...]
    outputs: tuple[SamplePlan, ...]
    index_lengths: tuple[int, ...]

    @property
    def takes_all(self) -> bool:
        """Whether every read belongs to the lane's one sample."""
        return len(self.outputs) == len(self.samples)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole conversion."""

    folder: RunFolder
    run_info: RunInfo
    lanes: tuple[LanePlan, ...]
    warnings: tuple[str, ...]
    ignore: frozenset[str] = frozenset()

    @property
    def tiles(self) -> int:
        """How many tiles will be converted."""
        return sum(len(self.run_info.tiles[lane.lane]) for lane in self.lanes)

    @property
    def files(self) -> tuple[str, ...]:
        """Every FASTQ that will be written, relative to the output folder."""
        return tuple(
            output.fastq(lane.lane, read).as_posix()
            for lane in self.lanes
            for output in lane.outputs
            for read in range(1, len(self.run_info.template_reads) + 1)
        )

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
) -> Plan:
    """Check the request, its sheet and its run; out_dir is neither looked at nor touched.

    Args:
        check_settings: of another converter than the builtin one.
        sheet: the one of the request, with index2 as the converter takes it.

    Raises:
        ConversionError: something is refused.
        SampleSheetError, RunDataError: a file cannot be read.
    """
    _check_options(request)
    folder = RunFolder(request.run_dir)
    run_info = folder.run_info
    if sheet is None:
        sheet = SampleSheet.read(request.sheet)
        sheet = index_orientation.for_converter("builtin", sheet, folder.path, request.index2)
    warnings = (check_settings or _check_settings)(sheet, run_info, request)
    findings = sheet_check.check(sheet, run_info, request.barcode_mismatches)
    _refuse(findings, request)
    _refuse_pooled(sheet)
    warnings += [_told(finding) for finding in findings]
    for read in run_info.template_reads:
        if read.is_reverse_complement:
            raise ConversionError(
                f"read {read.number} is marked IsReverseComplement, known of index reads only",
                code="convert.read_orientation",
            )
    numbers = _numbers(sheet)
    by_lane = sheet_check.samples_by_lane(sheet, run_info)
    kinds = base_calls.kinds(folder, run_info, request.ignore)
    base_calls.require_files(folder, run_info, request.ignore)
    base_calls.require_listed(folder, run_info, kinds)
    base_calls.require_filters(folder, run_info, kinds)
    lanes = tuple(
        _lane(run_info, lane, kinds[lane], samples, numbers) for lane, samples in by_lane.items()
    )
    if request.include_non_pf:
        base_calls.require_all_clusters(folder, run_info, kinds)
    return Plan(folder, run_info, lanes, tuple(warnings), request.ignore)


def _check_options(request: ConversionRequest) -> None:
    unknown = request.ignore - set(IGNORABLE)
    if unknown:
        raise ConversionError(
            f"{min(unknown)[:40]!r} cannot be ignored",
            hint="known are: " + ", ".join(IGNORABLE),
            field="ignore",
            code="convert.ignore",
        )
    if not all(0 <= allowed <= 2 for allowed in request.barcode_mismatches):
        raise ConversionError(
            f"expected 0 to 2 mismatches an index, found {request.barcode_mismatches}",
            field="barcode_mismatches",
            code="convert.mismatches",
        )
    if not 1 <= request.threads <= 256:
        raise ConversionError(
            f"expected 1 to 256 threads, found {request.threads}",
            field="threads",
            code="convert.threads",
        )


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


def _check_settings(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> list[str]:
    warnings = []
    for name, setting in sheet.settings.items():
        meaning = sheet_settings.meaning(name, sheet, run_info, request.barcode_mismatches)
        if plain(name) in sheet_settings.ADAPTER_SETTINGS and request.ignore_adapters:
            warnings.append(f"line {setting.line}: setting {name} ignored, reads are not trimmed")
        elif meaning is Meaning.ADAPTERS:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for adapter trimming, "
                "which the builtin converter does not do",
                hint="`ignore_adapters: true` converts without trimming; bcl2fastq trims",
                field=name[:60],
                code="convert.adapters",
            )
        elif meaning is not Meaning.NEUTRAL:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for {meaning.value}, "
                "which the builtin converter does not do",
                hint=_SETTING_HINTS[meaning],
                field=name[:60],
                code="convert.setting",
            )
    return warnings


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


def _refuse_pooled(sheet: SampleSheet) -> None:
    """Files are planned for one index a sample and lane, and one length of index a lane."""
    rows: dict[tuple[str, int | None], int] = {}
    lengths: dict[int | None, tuple[int, int]] = {}
    for sample in sheet.samples:
        key = sample.sample_id, sample.lane
        if rows.setdefault(key, sample.line) != sample.line:
            raise ConversionError(
                f"line {sample.line}: the sample stands in line {rows[key]} with another index;"
                " a sample with several indexes on a lane is not converted",
                hint="give each row a Sample_ID of its own, and put the files together afterwards",
                code="convert.several_indexes",
            )
        found = len(sample.index), len(sample.index2)
        if lengths.setdefault(sample.lane, found) != found:
            raise ConversionError(
                f"line {sample.line}: its indexes have other lengths than those of the lane's first"
                " sample; indexes of several lengths on a lane are not converted",
                hint="split the sheet, or shorten all to one length",
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
    run_info: RunInfo,
    lane: int,
    kind: BclKind,
    samples: list[Sample],
    numbers: dict[str, int],
) -> LanePlan:
    index_reads = len(run_info.index_reads)
    planned = tuple(_sample(sample, numbers[sample.sample_id], index_reads) for sample in samples)
    undetermined = SamplePlan(UNDETERMINED, UNDETERMINED, 0, PurePosixPath())
    takes_all = len(planned) == 1 and not planned[0].index
    return LanePlan(
        lane=lane,
        kind=kind,
        samples=planned,
        outputs=planned if takes_all else (*planned, undetermined),
        index_lengths=_index_lengths(planned, run_info.index_reads),
    )


def _sample(sample: Sample, number: int, index_reads: int) -> SamplePlan:
    """Files lie in Sample_Project; in Sample_ID below it if a differing Sample_Name names them.

    An index that the run did not read is left out (the sheet's check lets it pass where the sample
    is alone on its lane).
    """
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
    index = sample.index if index_reads else ""
    index2 = sample.index2 if index_reads > 1 else ""
    return SamplePlan(sample.sample_id, name, number, folder, index, index2)


def _index_lengths(samples: tuple[SamplePlan, ...], reads: tuple[Read, ...]) -> tuple[int, ...]:
    """As long as the sheet's indexes; the whole index reads where the lane has none."""
    if not any(sample.index for sample in samples):
        return tuple(read.cycles for read in reads[:2])
    lengths = (len(samples[0].index), len(samples[0].index2))
    return tuple(length for length in lengths if length)
