"""A sheet whose samples use the index reads in several ways, split into one conversion each.

bcl2fastq has one mask a lane. So the samples are put into parts by the cycles that they use; a part
has a sheet and a mask of its own, and reads the tiles of its lanes alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters.builtin import lane_reads
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tools import own_ids
from arteriole.illumina import cycle_masks, override_cycles, sheet_rendering
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_text import plain

#: The folder of what is kept of each part; no project can have this name.
FOLDER = "bcl2fastq.parts"
SHEET = "SampleSheet.csv"


@dataclass(frozen=True, slots=True)
class Part:
    """One conversion of several.

    Attributes:
        number, count: which of how many it is, from 1.
        plan: what it is to write, with the names of its own sheet.
        request: what is asked of it, with its mask and tiles, in a folder of its own.
        sheet: the text of its sheet.
        owners: for each Sample_ID of its sheet the sample of the run's sheet.
    """

    number: int
    count: int
    plan: Plan
    request: ConversionRequest
    sheet: str
    owners: Mapping[str, str]

    def __str__(self) -> str:
        lanes = ", ".join(str(lane.lane) for lane in self.plan.lanes)
        mask = ", ".join(self.request.options.use_bases_mask) or "none"
        return f"part {self.number} of {self.count} (lanes {lanes}; mask {mask})"


def split(sheet: SampleSheet, whole: Plan, request: ConversionRequest) -> tuple[Part, ...]:
    """The parts of a conversion; none if bcl2fastq can do it at once, by the sheet as it is.

    Raises:
        ConversionError: a part would be refused, or its sheet could not say what is asked.
    """
    info = whole.folder.run_info
    said = _said(sheet)
    masks = {sample: _mask(said.get(sample.line, ""), sample, info) for sample in sheet.samples}
    different = tuple(dict.fromkeys(masks.values()))
    if len(different) == 1 and not said and not _is_rewritten(sheet):
        return ()
    _refuse_turned(sheet, info)
    found = []
    for number, mask in enumerate(different, start=1):
        samples = tuple(sample for sample in sheet.samples if masks[sample] == mask)
        place = number, len(different)
        found.append(_part(replace(sheet, samples=samples), mask, place, whole, request))
    return tuple(found)


def _is_rewritten(sheet: SampleSheet) -> bool:
    """Whether bcl2fastq cannot get the sheet as it is, though one mask does."""
    return own_ids.given(sheet).are_made or any(sample.index_set for sample in sheet.samples)


def shared_lanes(parts: tuple[Part, ...]) -> frozenset[int]:
    """The lanes that are converted in several parts."""
    lanes = [lane.lane for part in parts for lane in part.plan.lanes]
    return frozenset(lane for lane in lanes if lanes.count(lane) > 1)


def _said(sheet: SampleSheet) -> dict[int, str]:
    """OverrideCycles of each sample that has some, by its line."""
    setting = lane_reads.override(sheet)
    if setting is None:
        return {}
    if setting.rows:
        return {line: text for line, text in setting.rows if text}
    return {sample.line: setting.value for sample in sheet.samples}


def _mask(said: str, sample: Sample, info: RunInfo) -> str:
    """As --use-bases-mask has it; '' for a sample without an index, which needs none."""
    if not said and not sample.index:
        return ""
    masks = override_cycles.parse(said or cycle_masks.mask(info, sample), info)
    ordered = (mask.in_order_of(read) for read, mask in zip(info.reads, masks, strict=True))
    return ",".join(
        "".join(f"{kind.lower()}{count}" for kind, count in mask.parts) for mask in ordered
    )


def _refuse_turned(sheet: SampleSheet, info: RunInfo) -> None:
    """NB: whether indexes collide is seen from the end of a marked i5; bcl2fastq knows no mark."""
    lengths = {len(sample.index2) for sample in sheet.samples if sample.index2}
    if len(lengths) > 1 and any(read.is_reverse_complement for read in info.index_reads):
        raise ConversionError(
            'index2 is of several lengths, and RunInfo.xml says IsReverseComplement="Y", which'
            " bcl2fastq does not know",
            hint="convert with builtin or bclconvert",
            code="convert.index_lengths",
        )


def _part(
    sheet: SampleSheet,
    mask: str,
    place: tuple[int, int],
    whole: Plan,
    request: ConversionRequest,
) -> Part:
    number, count = place
    settings = {n: s for n, s in sheet.settings.items() if plain(n) != "overridecycles"}
    own = own_ids.given(replace(sheet, settings=settings))
    rendering = sheet_rendering.render(own.sheet, whole.folder.run_info, 1)
    if rendering.losses:
        raise ConversionError(
            f"{rendering.losses[0]} cannot be said to bcl2fastq in the sheet of a part",
            hint="remove it, or convert with builtin or bclconvert",
            field=rendering.losses[0].what.removeprefix("setting "),
            code="convert.setting",
        )
    home = request.out_dir / FOLDER / str(number)
    lanes = [
        lane.lane for lane in whole.lanes if any(s.lane in (None, lane.lane) for s in sheet.samples)
    ]
    options = replace(
        request.options,
        use_bases_mask=(mask,) if mask else (),
        tiles=tuple(_tiles(whole, lanes, request)),
    )
    asked = replace(request, sheet=home / SHEET, out_dir=home, options=options)
    plan = plans.make(asked, lambda *_: [], own.sheet)
    return Part(number, count, plan, asked, rendering.text, own.owners)


def _tiles(whole: Plan, lanes: list[int], request: ConversionRequest) -> Iterator[str]:
    """The lanes, as --tiles has them; tile by tile where only some of them were asked for."""
    for lane in lanes:
        if request.options.tiles:
            yield from (f"s_{lane}_{tile}" for tile in whole.run_info.tiles[lane])
        else:
            yield f"s_{lane}"
