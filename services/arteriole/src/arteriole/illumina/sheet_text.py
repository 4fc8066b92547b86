"""The text of a sample sheet: its bytes as sections of numbered rows of cells.

What spreadsheets and instruments do without changing the meaning is accepted: a byte order mark,
CRLF or CR, quotes, blank lines and trailing commas, section names in another case.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field

from arteriole.illumina.errors import SampleSheetError

SIZE_LIMIT = 8 * 1024 * 1024
_SECTIONS_LIMIT = 1000
#: Of all sections; those of the samples have a limit of their own.
_LINES_LIMIT = 100_000

Rows = list[tuple[int, list[str]]]

V1_SECTIONS = ("Header", "Reads", "Settings", "Data")
V2_SECTIONS = ("BCLConvert_Settings", "BCLConvert_Data")
OTHER_SECTIONS = frozenset({"manifests", "contact", "platform", "investigator"})
"""Sections that say nothing to a converter, in lower case: of MiSeq Reporter and of older software.

So do `[<application>_Settings]` and `[<application>_Data]`, such as `Cloud_Data`, of version 2.
"""


@dataclass(frozen=True, slots=True)
class Note:
    """What was accepted though it may not be meant; a check tells it as a warning."""

    code: str
    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SheetText:
    """`sections` by their usual names, with the line on which each begins in `lines`."""

    sections: Mapping[str, Rows]
    lines: Mapping[str, int]
    notes: tuple[Note, ...]


@dataclass
class _Reading:
    sections: dict[str, Rows] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    found: int = 0


def read(data: bytes) -> SheetText:
    """Split a sheet into sections.

    A sheet of CASAVA has none: its table becomes the section Data.

    Raises:
        SampleSheetError: with code, line and column.
    """
    reading = _Reading()
    text = _text(data, reading.notes)
    rows: Rows | None = None
    lines = _lines(text)
    if len(lines) > _LINES_LIMIT:
        raise SampleSheetError(
            f"more than {_LINES_LIMIT:,} lines", code="sheet.too_large", line=_LINES_LIMIT + 1
        )
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        cells = _cells(line, number)
        if not any(cells):
            continue
        if cells[0].startswith("["):
            rows = _begin(reading, cells, number)
        elif rows is None and not is_casava(cells):
            raise SampleSheetError(
                f"expected a section such as [Header], found {cells[0][:40]!r}",
                code="sheet.section_missing",
                line=number,
            )
        else:
            if rows is None:
                rows = reading.sections["Data"] = []
                reading.lines["Data"] = number
            rows.append((number, cells))
    return SheetText(reading.sections, reading.lines, tuple(reading.notes))


def is_casava(cells: list[str]) -> bool:
    """Whether these are the column names of a sheet of CASAVA 1.8 (its user guide, appendix A)."""
    return {"fcid", "lane", "sampleid", "index"} <= {plain(cell) for cell in cells}


def plain(name: str) -> str:
    """A name without case, spaces and punctuation: `Sample_ID` and `sample id` are the same.

    >>> plain("Sample_ID"), plain("I7 Index-ID")
    ('sampleid', 'i7indexid')
    """
    return "".join(char for char in name.lower() if char.isalnum())


def distance(one: str, other: str) -> int:
    """How many letters to change, leave out, add, or swap with their neighbour.

    >>> distance("idnex2", "index2"), distance("lane", "index")
    (1, 4)
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


def is_near(one: str, other: str, most: int) -> bool:
    """Whether they differ in at most `most` letters, told at once of a name that is too long."""
    return abs(len(one) - len(other)) <= most and distance(one, other) <= most


def _text(data: bytes, notes: list[Note]) -> str:
    if len(data) > SIZE_LIMIT:
        raise SampleSheetError("the sample sheet is larger than 8 MiB", code="sheet.too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data[: err.start].count(b"\n") + 1
        text = _guessed(data, err.start, line)
        notes.append(
            Note(
                "sheet.encoding_guessed",
                line,
                0,
                f"byte {data[err.start]:#04x} is not UTF-8; read as Windows-1252",
                "save the sheet as CSV UTF-8",
            )
        )
    if not text.strip(" \t\r\n,;"):
        raise SampleSheetError("the sample sheet is empty", code="sheet.empty")
    return text


def _guessed(data: bytes, start: int, line: int) -> str:
    """What Excel saves on Windows; letters beyond ASCII are refused later where they matter."""
    try:
        if b"\0" in data:
            raise UnicodeError
        return data.decode("cp1252")
    except UnicodeError as err:
        raise SampleSheetError(
            f"byte {data[start]:#04x} is not UTF-8",
            code="sheet.encoding",
            line=line,
            hint="save the sheet as CSV UTF-8",
        ) from err


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


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
            f"the quotes do not match ({err})",
            code="sheet.quotes",
            line=number,
            hint="a field may not go over several lines",
        ) from err
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if line.count(mark) >= 2 and "," not in line.rstrip(",; \t"):
            raise SampleSheetError(
                f"fields are separated by {name}",
                code="sheet.semicolons" if mark == ";" else "sheet.tabs",
                line=number,
                hint="save the sheet with commas between the fields",
            )
    return [cell.strip() for cell in cells]


def _begin(reading: _Reading, cells: list[str], number: int) -> Rows:
    if not cells[0].endswith("]") or any(cells[1:]):
        raise SampleSheetError(
            f"expected a section such as [Data] alone on its line, found {cells[0][:40]!r}",
            code="sheet.section",
            line=number,
            column=1,
        )
    reading.found += 1
    if reading.found > _SECTIONS_LIMIT:
        raise SampleSheetError(
            f"more than {_SECTIONS_LIMIT} sections", code="sheet.too_large", line=number
        )
    found = cells[0][1:-1].strip()
    name = _usual_name(found, number)
    if name is None:
        if not _is_of_others(found):
            reading.notes.append(
                Note(
                    "sheet.section_ignored",
                    number,
                    1,
                    f"section [{found[:40]}] is not known and says nothing to a converter",
                )
            )
        return []
    if name in reading.sections:
        raise SampleSheetError(
            f"section [{name}] stands here for the second time",
            code="sheet.section_twice",
            line=number,
        )
    reading.sections[name] = []
    reading.lines[name] = number
    return reading.sections[name]


def _is_of_others(name: str) -> bool:
    return name.lower() in OTHER_SECTIONS or name.lower().endswith(("_settings", "_data"))


def _usual_name(found: str, number: int) -> str | None:
    """The section that is meant, None for one of other software.

    Raises:
        SampleSheetError: nearly the name of a section that matters.
    """
    for name in (*V1_SECTIONS, *V2_SECTIONS):
        if found.lower() == name.lower():
            return name
        if is_near(plain(found), plain(name), 1 if len(name) < 6 else 2):
            raise SampleSheetError(
                f"section [{found[:40]}] is not known",
                code="sheet.section_unknown",
                line=number,
                column=1,
                hint=f"is [{name}] meant?",
            )
    if not plain(found):
        raise SampleSheetError(
            "a section without a name", code="sheet.section_unknown", line=number, column=1
        )
    return None
