"""Sample sheets of version 1 (Illumina Experiment Manager, bcl2fastq), read with their places.

Lines and columns count from 1; a column is a comma-separated field.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arteriole.illumina.errors import SampleSheetError

SIZE_LIMIT = 8 * 1024 * 1024

COLUMNS = {
    "lane": "Lane",
    "sampleid": "Sample_ID",
    "samplename": "Sample_Name",
    "sampleproject": "Sample_Project",
    "project": "Sample_Project",
    "index": "index",
    "index2": "index2",
    "description": "Description",
}
"""Columns that are used, by their name without case and underscore."""

PASSIVE_COLUMNS = frozenset(
    {
        *("sampleplate", "samplewell", "indexplatewell", "indexplate", "platewell", "fcid"),
        *("i7indexid", "i5indexid", "indexid", "manifest", "genomefolder", "sampleref"),
        *("control", "recipe", "operator", "species", "samplegroup", "sampletype"),
        *("investigator", "containerlabel", "indexkit", "poolid", "librarynucleotide"),
    }
)
"""Columns that say nothing to a converter."""

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of [Settings] and its line."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of [Data]; what the sheet leaves out is empty, `lane` None."""

    line: int
    lane: int | None
    sample_id: str
    sample_name: str = ""
    project: str = ""
    index: str = ""
    index2: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class SampleSheet:
    """A sheet; `columns` gives the column number of each used column of [Data]."""

    header: Mapping[str, str]
    settings: Mapping[str, Setting]
    reads: tuple[int, ...]
    samples: tuple[Sample, ...]
    columns: Mapping[str, int]

    @staticmethod
    def read(path: Path) -> "SampleSheet":
        """Read the sheet at `path`.

        Raises:
            SampleSheetError: with code, line and column.
        """
        try:
            with path.open("rb") as file:
                data = file.read(SIZE_LIMIT + 1)
        except OSError as err:
            raise SampleSheetError(
                f"the sample sheet {path.name} cannot be read: {err.strerror}",
                code="sheet.unreadable",
            ) from err
        return parse(data)


def parse(data: bytes) -> SampleSheet:
    """Read a sheet from its bytes. Raises SampleSheetError."""
    sections = _sections(_text(data))
    header = _header(sections.get("Header", []))
    if "Data" not in sections:
        raise SampleSheetError(
            "the sheet has no [Data] section",
            code="sheet.data_missing",
            hint="the samples stand below a line [Data]",
        )
    columns, samples = _data(sections["Data"])
    return SampleSheet(
        header=header,
        settings=_settings(sections.get("Settings", [])),
        reads=_reads(sections.get("Reads", [])),
        samples=samples,
        columns=columns,
    )


def _text(data: bytes) -> str:
    if len(data) > SIZE_LIMIT:
        raise SampleSheetError("the sample sheet is larger than 8 MiB", code="sheet.too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise SampleSheetError(
            f"byte {data[err.start]:#04x} is not UTF-8",
            code="sheet.encoding",
            line=data[: err.start].count(b"\n") + 1,
            hint="save the sheet as CSV UTF-8",
        ) from err
    if not text.strip(" \t\r\n,;"):
        raise SampleSheetError("the sample sheet is empty", code="sheet.empty")
    return text


def _sections(text: str) -> dict[str, Rows]:
    sections: dict[str, Rows] = {}
    rows: Rows | None = None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        cells = _cells(line, number)
        if not any(cells):
            continue
        if cells[0].startswith("["):
            name = _section_name(cells, number)
            if name in sections:
                raise SampleSheetError(
                    f"section [{name}] stands here for the second time",
                    code="sheet.section_twice",
                    line=number,
                )
            rows = sections[name] = []
        elif rows is None:
            raise SampleSheetError(
                f"expected a section such as [Header], found {cells[0][:40]!r}",
                code="sheet.section_missing",
                line=number,
            )
        else:
            rows.append((number, cells))
    return sections


def _cells(line: str, number: int) -> list[str]:
    bad = next((place for place, char in enumerate(line) if char < " " and char != "\t"), None)
    if bad is not None:
        raise SampleSheetError(
            f"control character {ord(line[bad]):#04x}", code="sheet.control_character", line=number
        )
    try:
        cells = next(csv.reader([line], strict=True), [])
    except csv.Error as err:
        raise SampleSheetError(
            f"the quotes do not match ({err})", code="sheet.quotes", line=number
        ) from err
    cells = [cell.strip() for cell in cells]
    if line.count(";") >= 2 and "," not in line.rstrip(",; \t"):
        raise SampleSheetError(
            "fields are separated by semicolons",
            code="sheet.semicolons",
            line=number,
            hint="save the sheet with commas between the fields",
        )
    return cells


def _section_name(cells: list[str], number: int) -> str:
    name = cells[0][1:-1]
    if not cells[0].endswith("]") or any(cells[1:]):
        raise SampleSheetError(
            f"expected a section such as [Data] alone on its line, found {cells[0][:40]!r}",
            code="sheet.section",
            line=number,
            column=1,
        )
    if name.endswith(("_Settings", "_Data")):
        raise _version_2(number, f"section [{name}]")
    if name not in {"Header", "Reads", "Settings", "Data", "Manifests"}:
        raise SampleSheetError(
            f"section [{name[:40]}] is not known",
            code="sheet.section_unknown",
            line=number,
            column=1,
            hint="expected [Header], [Reads], [Settings], [Manifests] or [Data]",
        )
    return name


def _version_2(line: int, sign: str) -> SampleSheetError:
    return SampleSheetError(
        f"{sign} belongs to a sample sheet of version 2, which is not read",
        code="sheet.version_2",
        line=line,
        hint="write a sheet of version 1: [Header], [Reads], [Settings], [Data]",
    )


def _header(rows: Rows) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, cells in rows:
        value = cells[1] if len(cells) > 1 else ""
        if cells[0] == "FileFormatVersion" and value != "1":
            raise _version_2(number, f"FileFormatVersion {value[:20]}")
        header[cells[0]] = value
    return header


def _settings(rows: Rows) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for number, cells in rows:
        if cells[0] in settings:
            raise SampleSheetError(
                f"setting {cells[0][:40]!r} stands here for the second time",
                code="sheet.setting_twice",
                line=number,
                column=1,
            )
        settings[cells[0]] = Setting(cells[1] if len(cells) > 1 else "", number)
    return settings


def _reads(rows: Rows) -> tuple[int, ...]:
    reads: list[int] = []
    for number, cells in rows:
        if any(cells[1:]) and not cells[0].isdecimal():
            raise _version_2(number, f"the named read {cells[0][:40]!r}")
        if not (cells[0].isascii() and cells[0].isdecimal() and len(cells[0]) < 6):
            raise SampleSheetError(
                f"expected a number of cycles, found {cells[0][:40]!r}",
                code="sheet.reads",
                line=number,
                column=1,
            )
        reads.append(int(cells[0]))
    return tuple(reads)


def _data(rows: Rows) -> tuple[dict[str, int], tuple[Sample, ...]]:
    if not rows:
        raise SampleSheetError(
            "the [Data] section has no line of column names",
            code="sheet.data_missing",
            hint="the first line below [Data] names the columns",
        )
    number, names = rows[0]
    columns = _columns(number, names)
    return columns, tuple(_sample(line, cells, columns, len(names)) for line, cells in rows[1:])


def _columns(number: int, names: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for column, name in enumerate(names, start=1):
        plain = name.replace("_", "").replace(" ", "").lower()
        if not plain or plain in PASSIVE_COLUMNS:
            continue
        if plain not in COLUMNS:
            raise SampleSheetError(
                f"column {name[:40]!r} is not known",
                code="sheet.column_unknown",
                line=number,
                column=column,
                hint="remove it, or rename it to one of: " + ", ".join(sorted(COLUMNS.values())),
            )
        if COLUMNS[plain] in columns:
            raise SampleSheetError(
                f"column {COLUMNS[plain]} stands here for the second time",
                code="sheet.column_twice",
                line=number,
                column=column,
            )
        columns[COLUMNS[plain]] = column
    if "Sample_ID" not in columns:
        raise SampleSheetError(
            "there is no column Sample_ID",
            code="sheet.sample_id_missing",
            line=number,
            hint="the first line below [Data] names the columns",
        )
    return columns


def _sample(line: int, cells: list[str], columns: dict[str, int], width: int) -> Sample:
    surplus = next((n for n, cell in enumerate(cells[width:], start=width + 1) if cell), None)
    if surplus is not None:
        raise SampleSheetError(
            f"{width} columns are named, this line has {surplus}",
            code="sheet.row_length",
            line=line,
            column=surplus,
        )

    def value(name: str) -> str:
        column = columns.get(name, 0)
        return cells[column - 1] if 0 < column <= len(cells) else ""

    lane = value("Lane")
    if lane and not (lane.isascii() and lane.isdecimal() and len(lane) < 6 and int(lane) > 0):
        raise SampleSheetError(
            f"expected a lane number, found {lane[:40]!r}",
            code="sheet.lane",
            line=line,
            column=columns["Lane"],
        )
    return Sample(
        line=line,
        lane=int(lane) if lane else None,
        sample_id=value("Sample_ID"),
        sample_name=value("Sample_Name"),
        project=value("Sample_Project"),
        index=value("index"),
        index2=value("index2"),
        description=value("Description"),
    )
