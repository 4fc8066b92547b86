"""A sample sheet written anew, as version 1 (bcl2fastq) or version 2 (BCL Convert).

What the other version has no place for is named in the result, never dropped without a word.
Sources: bcl2fastq2 guide ("Sample Sheet"); BCL Convert guide ("Sample Sheet"; an unknown setting of
version 2 ends it); DRAGEN guide v4.2 ("Sample Sheet": ReverseComplement is not supported).
"""

import csv
import io
from dataclasses import dataclass

from arteriole.illumina import settings_rendering, sheet_columns
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.settings_rendering import LeftOut
from arteriole.illumina.sheet_text import V2_SECTIONS, SheetText, plain

#: Lines of the header that both versions have, as version 1 and version 2 name them.
_HEADER = (("Experiment Name", "RunName"), ("Instrument Type", "InstrumentType"))
#: Lines of the header that say which version it is.
_VERSIONS = frozenset({"iemfileversion", "fileformatversion"})
_READ_NAMES = {False: "Read{}Cycles", True: "Index{}Cycles"}
Table = list[list[str]]


@dataclass(frozen=True, slots=True)
class Rendering:
    """A sheet's text, and what of the sheet that it was made of is not in it.

    `columns` are the settings that stand in columns, which BCL Convert knows since 4.1.
    """

    text: str
    version: int
    left_out: tuple[LeftOut, ...]
    columns: tuple[str, ...] = ()

    @property
    def losses(self) -> tuple[LeftOut, ...]:
        """What is left out and would change reads."""
        return tuple(left for left in self.left_out if left.changes_reads)


def render(
    sheet: SampleSheet,
    run_info: RunInfo,
    version: int,
    *,
    mismatches: tuple[int, int] | None = None,
    trim: bool = True,
    source: SheetText | None = None,
) -> Rendering:
    """Write a sheet for a run, with index2 as `sheet` has it.

    Args:
        version: 1 or 2.
        mismatches: in i7 and i5, for version 2; None for what the sheet says itself.
        trim: False leaves adapters out.
        source: the text that `sheet` was read from, for what a SampleSheet does not keep.
    """
    settings = settings_rendering.render(sheet, run_info, version, mismatches, trim)
    left_out = [*_header_left(sheet, version), *settings.left_out]
    if source is not None:
        left_out += _unread(source, sheet)
    header, table = _header(sheet, version), _samples(sheet, version, settings.columns)
    if version == 2 and any(sample.description for sample in sheet.samples):
        left_out.append(LeftOut("column Description", sheet.samples[0].line))
    if any(sample.flowcell for sample in sheet.samples):
        left_out.append(LeftOut("column FCID", sheet.samples[0].line))
    names = ("Settings", "Data") if version == 1 else V2_SECTIONS
    rows: Table = [["[Header]"], *header, [], ["[Reads]"], *_reads(run_info, version), []]
    rows += [[f"[{names[0]}]"], *(list(pair) for pair in settings.lines.items()), []]
    rows += [[f"[{names[1]}]"], *table]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return Rendering(text.getvalue(), version, tuple(left_out), tuple(settings.columns))


def _header(sheet: SampleSheet, version: int) -> Table:
    lines = [["IEMFileVersion", "4"] if version == 1 else ["FileFormatVersion", "2"]]
    for name, value in sheet.header.items():
        if (other := _header_name(name, sheet, version)) and value:
            lines.append([other, value])
    return lines


def _header_left(sheet: SampleSheet, version: int) -> list[LeftOut]:
    return [
        LeftOut(f"[Header] {name[:40]}")
        for name, value in sheet.header.items()
        if value and plain(name) not in _VERSIONS and not _header_name(name, sheet, version)
    ]


def _header_name(name: str, sheet: SampleSheet, version: int) -> str:
    """What a line of the header is called in `version`; empty where it has no place there.

    NB: IndexOrientation is never passed on, as index2 may have been turned.
    """
    key = plain(name)
    if key in _VERSIONS or key == "indexorientation":
        return ""
    names = next((both for both in _HEADER if key in map(plain, both)), None)
    if names is not None:
        return names[version - 1]
    return name if version == sheet.version else ""


def _reads(run_info: RunInfo, version: int) -> Table:
    if version == 1:
        return [[str(read.cycles)] for read in run_info.template_reads]
    groups = ((False, run_info.template_reads), (True, run_info.index_reads))
    return [
        [_READ_NAMES[is_index].format(number), str(read.cycles)]
        for is_index, reads in groups
        for number, read in enumerate(reads, start=1)
    ]


def _samples(sheet: SampleSheet, version: int, columns: dict[str, list[str]]) -> Table:
    """A column that no sample fills is left out, but for Sample_ID."""
    index = "index" if version == 1 else "Index"
    found = {
        "Lane": [str(sample.lane or "") for sample in sheet.samples],
        "Sample_ID": [sample.sample_id for sample in sheet.samples],
        "Sample_Name": [sample.sample_name for sample in sheet.samples],
        index: [sample.index for sample in sheet.samples],
        f"{index}2": [sample.index2 for sample in sheet.samples],
        "Sample_Project": [sample.project for sample in sheet.samples],
        "Description": [sample.description for sample in sheet.samples] if version == 1 else [],
        **columns,
    }
    used = {name: cells for name, cells in found.items() if name == "Sample_ID" or any(cells)}
    return [[*used], *(list(row) for row in zip(*used.values(), strict=True))]


def _unread(source: SheetText, sheet: SampleSheet) -> list[LeftOut]:
    """Columns that a SampleSheet does not keep; sections of other software are not spoken of."""
    data = "BCLConvert_Data" if sheet.version == 2 else "Data"
    known = sheet_columns.COLUMNS | sheet_columns.SETTING_COLUMNS
    rows = source.sections[data]
    line, names = rows[0]
    filled = {place for _, cells in rows[1:] for place, cell in enumerate(cells) if cell}
    return [
        LeftOut(f"column {name[:40]}", line)
        for place, name in enumerate(names)
        if name and place in filled and plain(name) not in known
    ]
