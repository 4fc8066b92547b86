"""Which reads each lane has: those of the run, or what the masks leave of them.

Masks come from the option `use_bases_mask`, or from OverrideCycles of the sheet, which may stand at
each sample; those of a lane agree in all but how much of an index read is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.illumina import bases_mask, override_cycles, used_reads
from arteriole.illumina.override_cycles import Mask, MaskError
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet, Setting
from arteriole.illumina.sheet_rules.rule import INDEXES
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
        masked: whether one mask says what they are.
        mixed: whether samples of a lane have masks of their own that differ in their index reads,
            each of which uses as many cycles as the sample's index has; `reads` has the longest.
    """

    sheet: SampleSheet
    run_info: RunInfo
    reads: tuple[UsedRead, ...]
    masked: bool
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """The reads of a lane, as those of a Part."""

    reads: tuple[UsedRead, ...]
    masked: bool = False
    mixed: bool = False


def parts(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> tuple[Part, ...]:
    """The run by lanes that have the same reads; one part of it all where nothing is masked.

    A lane without a sample is in no part where something is masked.

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
    lanes = [
        lane
        for lane in run_info.lanes
        if any(sample.lane in (None, lane) for sample in sheet.samples)
    ]
    if not reads or not lanes:
        return whole(sheet, run_info, request)
    every = used_reads.whole(run_info)
    kinds = {lane: reads.get(lane, _Kind(every)) for lane in lanes}
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
    lengths = [[len(value(sample)) for sample in samples] for _, value in INDEXES]
    if not any(map(any, lengths)):
        return tuple(read for read in part.reads if not read.is_index or read.number <= 2)
    places = iter(lengths)
    used = []
    for read in part.reads:
        found = next(places, []) if read.is_index else [len(read.cycles)]
        for sample, length in zip(samples, found, strict=False) if part.masked else ():
            if read.is_index and any(found) and length != len(read.cycles):
                raise ConversionError(
                    f"line {sample.line}: the mask uses {len(read.cycles)} cycles of {read.name},"
                    f" the sheet's index has {length} bases",
                    code=CODE,
                    hint="let the mask use as many cycles as the index has bases",
                    field="use_bases_mask",
                )
        if any(found):
            used.append(read.cut(max(found)))
    return tuple(used)


def _reads(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> dict[int, _Kind]:
    """Of each lane that has a mask."""
    setting = override(sheet)
    asked = request.options.use_bases_mask
    if setting is not None and asked:
        raise MaskError(f"line {setting.line}: the sheet has OverrideCycles, and a mask is asked")
    if setting is not None:
        return _of_samples(sheet, setting, run_info)
    masks = bases_mask.of_lanes(asked, run_info)
    return {lane: _Kind(used_reads.masked(mask, run_info), True) for lane, mask in masks.items()}


def override(sheet: SampleSheet) -> Setting | None:
    """OverrideCycles, if the sheet says any."""
    found = (s for name, s in sheet.settings.items() if plain(name) == "overridecycles")
    return next((s for s in found if any(value for _, value in s.values)), None)


def _of_samples(sheet: SampleSheet, setting: Setting, run_info: RunInfo) -> dict[int, _Kind]:
    by_line = {
        line: used_reads.masked(_override(value, line, run_info), run_info)
        for line, value in setting.values
        if value
    }
    if not setting.rows:
        kind = _Kind(by_line[setting.line], True)
        return dict.fromkeys(run_info.lanes, kind)
    return dict(_of_rows(sheet, by_line, run_info))


def _of_rows(
    sheet: SampleSheet, by_line: dict[int, tuple[UsedRead, ...]], run_info: RunInfo
) -> Iterator[tuple[int, _Kind]]:
    for lane in run_info.lanes:
        samples = [sample for sample in sheet.samples if sample.lane in (None, lane)]
        kinds = {by_line.get(sample.line) for sample in samples}
        if len(kinds) > 1:
            own = {s.line: by_line.get(s.line) or _unmasked(s, run_info) for s in samples}
            try:
                yield lane, _Kind(_longest(samples, own), mixed=True)
            except MaskError as err:
                raise MaskError(f"lane {lane}: {err}") from err
        else:
            for reads in kinds:
                if reads is not None:
                    yield lane, _Kind(reads, masked=True)


def _unmasked(sample: Sample, run_info: RunInfo) -> tuple[UsedRead, ...]:
    """Of a sample without a mask beside others: the first cycles of an index read, as ever."""
    lengths = {number: len(value(sample)) for number, (_, value) in enumerate(INDEXES, start=1)}
    every = used_reads.whole(run_info)
    cut = (r.cut(lengths.get(r.number, 0)) if r.is_index else r for r in every)
    return tuple(read for read in cut if read.cycles)


def _longest(
    samples: list[Sample], by_line: dict[int, tuple[UsedRead, ...]]
) -> tuple[UsedRead, ...]:
    """The reads of samples whose masks differ in their index reads; of these the longest.

    Raises:
        MaskError: they differ in something else, or not as the indexes do.
    """
    first = samples[0]
    templates = [read for read in by_line[first.line] if not read.is_index]
    longest: dict[int, UsedRead] = {}
    for sample in samples:
        reads = by_line[sample.line]
        if [read for read in reads if not read.is_index] != templates:
            raise MaskError(_differing(first.line, sample.line))
        used = {read.number: read for read in reads if read.is_index}
        for number, (column, value) in enumerate(INDEXES, start=1):
            cycles = used[number].cycles if number in used else range(0)
            if len(cycles) != len(value(sample)):
                raise MaskError(
                    f"line {sample.line}: OverrideCycles uses {len(cycles)} cycles for {column},"
                    f" which has {len(value(sample))} bases"
                )
        for number, read in used.items():
            other = longest.setdefault(number, read)
            # NB: indexes of a lane are compared from their first cycle, to find collisions too.
            if other.cycles.start != read.cycles.start:
                raise MaskError(
                    f"line {sample.line}: OverrideCycles begins {read.name} at another cycle than"
                    " that of another sample of the lane"
                )
            longest[number] = max(other, read, key=lambda one: len(one.cycles))
    return tuple(sorted([*templates, *longest.values()], key=lambda read: read.cycles.start))


def _differing(line: int, other: int) -> str:
    return (
        f"lines {line} and {other} have different OverrideCycles; those of a lane must agree,"
        " but for the cycles of its indexes"
    )


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
    kind: _Kind,
    lanes: list[int],
) -> Part:
    """NB: a sample of a lane that is not on the flow cell is in every part, to be told."""
    numbers = [read.number for read in kind.reads if read.is_index]
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
            reads=used_reads.as_reads(kind.reads),
            tiles={lane: run_info.tiles[lane] for lane in lanes},
        ),
        reads=kind.reads,
        masked=kind.masked,
        mixed=kind.mixed,
    )


def _as_read(sample: Sample, numbers: list[int]) -> Sample:
    """With those of its indexes that are read, the first one first."""
    both = {1: sample.index, 2: sample.index2}
    indexes = [both[number] for number in numbers]
    first, second = (*indexes, "", "")[:2]
    return replace(sample, index=first, index2=second)
