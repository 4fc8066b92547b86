"""Which reads each lane has: those of the run, or what the masks leave of them.

Masks come from the option `use_bases_mask`, or from OverrideCycles of the sheet, which may stand at
each sample if those of a lane agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.illumina import bases_mask, override_cycles, used_reads
from arteriole.illumina.override_cycles import Mask, MaskError
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet, Setting
from arteriole.illumina.sheet_text import plain
from arteriole.illumina.used_reads import UsedRead

CODE = "convert.bases_mask"


@dataclass(frozen=True, slots=True)
class Part:
    """Some lanes of a run that have the same reads, as if they were a run of their own.

    Attributes:
        sheet: the samples of these lanes, with the indexes that are read; without a word on cycles.
        run_info: of these lanes alone, with the reads in use.
        reads: those in use, which may be longer than the sheet's indexes.
        masked: whether a mask says what they are.
    """

    sheet: SampleSheet
    run_info: RunInfo
    reads: tuple[UsedRead, ...]
    masked: bool


def parts(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> tuple[Part, ...]:
    """The run by lanes that have the same reads; one part of it all where nothing is masked.

    Raises:
        ConversionError: a mask is not possible, or the samples of a lane have different ones.
    """
    try:
        reads = _reads(sheet, run_info, request)
    except MaskError as err:
        raise ConversionError(
            f"{err}",
            code=CODE,
            hint="write one mask a read of the run, such as y*,i8n*,n*,y* (--use-bases-mask) or"
            " Y151;I8N2;N10;Y151 (OverrideCycles)",
            field="use_bases_mask",
        ) from err
    if not reads:
        return whole(sheet, run_info, request)
    every = used_reads.whole(run_info)
    kinds = {lane: (reads.get(lane, every), lane in reads) for lane in run_info.lanes}
    return tuple(
        _part(sheet, run_info, kind, [lane for lane in kinds if kinds[lane] == kind])
        for kind in dict.fromkeys(kinds.values())
    )


def whole(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> tuple[Part, ...]:
    """One part of it all, with every cycle, whatever the sheet says of cycles."""
    return (Part(sheet, run_info, used_reads.whole(run_info), False),)


def of_sheet(part: Part, samples: list[Sample]) -> tuple[UsedRead, ...]:
    """The reads of a lane: of an index as many cycles as the sheet's indexes have.

    Raises:
        ConversionError: a mask uses another number of cycles than they have.
    """
    lengths = [max((len(text) for text in texts), default=0) for texts in _indexes(samples)]
    if not any(lengths):
        return tuple(read for read in part.reads if not read.is_index or read.number <= 2)
    places = iter(lengths)
    used = []
    for read in part.reads:
        length = next(places, 0) if read.is_index else len(read.cycles)
        if part.masked and length not in (0, len(read.cycles)):
            raise ConversionError(
                f"line {samples[0].line}: the mask uses {len(read.cycles)} cycles of {read.name},"
                f" the sheet's index has {length} bases",
                code=CODE,
                hint="let the mask use as many cycles as the index has bases",
                field="use_bases_mask",
            )
        if length:
            used.append(read.cut(length))
    return tuple(used)


def _indexes(samples: list[Sample]) -> tuple[list[str], list[str]]:
    return [sample.index for sample in samples], [sample.index2 for sample in samples]


def _reads(
    sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest
) -> dict[int, tuple[UsedRead, ...]]:
    """Of each lane that has a mask."""
    setting = override(sheet)
    asked = request.options.use_bases_mask
    if setting is not None and asked:
        raise MaskError(f"line {setting.line}: the sheet has OverrideCycles, and a mask is asked")
    masks = (
        _of_samples(sheet, setting, run_info)
        if setting is not None
        else bases_mask.of_lanes(asked, run_info)
    )
    return {lane: used_reads.masked(mask, run_info) for lane, mask in masks.items()}


def override(sheet: SampleSheet) -> Setting | None:
    """OverrideCycles, if the sheet says any."""
    found = (s for name, s in sheet.settings.items() if plain(name) == "overridecycles")
    return next((s for s in found if any(value for _, value in s.values)), None)


def _of_samples(
    sheet: SampleSheet, setting: Setting, run_info: RunInfo
) -> dict[int, tuple[Mask, ...]]:
    by_line = {
        line: _override(value, line, run_info) if value else None for line, value in setting.values
    }
    if not setting.rows:
        mask = by_line[setting.line]
        return {lane: mask for lane in run_info.lanes if mask is not None}
    return dict(_of_rows(sheet, by_line, run_info))


def _of_rows(
    sheet: SampleSheet, by_line: dict[int, tuple[Mask, ...] | None], run_info: RunInfo
) -> Iterator[tuple[int, tuple[Mask, ...]]]:
    for lane in run_info.lanes:
        samples = [sample for sample in sheet.samples if sample.lane in (None, lane)]
        masks = {by_line.get(sample.line): sample.line for sample in samples}
        if len(masks) > 1:
            lines = " and ".join(str(line) for line in sorted(masks.values())[:2])
            raise MaskError(
                f"lane {lane}: lines {lines} have different OverrideCycles; those of a lane must"
                " agree"
            )
        for mask in masks:
            if mask is not None:
                yield lane, mask


def _override(text: str, line: int, run_info: RunInfo) -> tuple[Mask, ...]:
    try:
        masks = override_cycles.parse(text, run_info)
    except MaskError as err:
        raise MaskError(f"line {line}: OverrideCycles: {err}") from err
    for read, mask in zip(run_info.reads, masks, strict=True):
        other = "Y" if read.is_index else "I"
        if any(kind == other for kind, _ in mask.parts):
            raise MaskError(
                f"line {line}: OverrideCycles: {other} in read {read.number}, which is"
                f" {'an index' if read.is_index else 'a template'} read"
            )
    return tuple(mask.in_order_of(read) for read, mask in zip(run_info.reads, masks, strict=True))


def _part(
    sheet: SampleSheet,
    run_info: RunInfo,
    kind: tuple[tuple[UsedRead, ...], bool],
    lanes: list[int],
) -> Part:
    """NB: a sample of a lane that is not on the flow cell is in every part, to be told."""
    used, masked = kind
    numbers = [read.number for read in used if read.is_index]
    samples = tuple(
        _as_read(sample, numbers)
        for sample in sheet.samples
        if sample.lane in (None, *lanes) or sample.lane not in run_info.lanes
    )
    settings = {n: s for n, s in sheet.settings.items() if plain(n) != "overridecycles"}
    return Part(
        sheet=replace(sheet, samples=samples, settings=settings, reads=(), index_reads=()),
        run_info=replace(
            run_info,
            reads=used_reads.as_reads(used),
            tiles={lane: run_info.tiles[lane] for lane in lanes},
        ),
        reads=used,
        masked=masked,
    )


def _as_read(sample: Sample, numbers: list[int]) -> Sample:
    """With those of its indexes that are read, the first one first."""
    both = {1: sample.index, 2: sample.index2}
    indexes = [both[number] for number in numbers]
    first, second = (*indexes, "", "")[:2]
    return replace(sample, index=first, index2=second)
