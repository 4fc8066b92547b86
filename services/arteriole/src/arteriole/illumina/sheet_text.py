"""The text of a sample sheet: its bytes as sections of numbered rows of cells.

What spreadsheets and instruments do without changing the meaning is accepted: a byte order mark,
CRLF or CR, quotes, blank lines and trailing commas, section names in another case. So are, with a
note, UTF-16 with its mark, semicolons or tabs throughout, lines with # above the first section, a
header without its name, and blanks around a value; a converter that reads the file itself may take
those for something else.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from arteriole.illumina.errors import SampleSheetError

SIZE_LIMIT = 8 * 1024 * 1024
_SECTIONS_LIMIT = 1000
#: Of all sections; those of the samples have a limit of their own.
_LINES_LIMIT = 100_000

Rows = list[tuple[int, list[str]]]

REWRITTEN = frozenset({"sheet.utf16", "sheet.separator", "sheet.comments"})
"""Notes of a sheet that is read here, and not by a converter that reads the file itself."""
_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
)
"""Control characters, and those without a width, which change a name that looks right."""

V1_SECTIONS = ("Header", "Reads", "Settings", "Data")
V2_SECTIONS = ("BCLConvert_Settings", "BCLConvert_Data")
DATA_SECTIONS = ("Data", "BCLConvert_Data")
SETTINGS_SECTIONS = ("Settings", "BCLConvert_Settings")
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
    name: str = ""
    blanks: list[tuple[int, int]] = field(default_factory=list)
    strange: list[tuple[int, int]] = field(default_factory=list)


def read(data: bytes) -> SheetText:
    """Split a sheet into sections.

    A sheet of CASAVA has none: its table becomes the section Data.

    Raises:
        SampleSheetError: with code, line and column.
    """
    reading = _Reading()
    text = _text(data, reading.notes)
    rows: Rows | None = None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > _LINES_LIMIT:
        raise SampleSheetError(
            f"more than {_LINES_LIMIT:,} lines", code="sheet.too_large", line=_LINES_LIMIT + 1
        )
    separator = _separator(lines, reading.notes)
    for number, line in enumerate(lines, start=1):
        if not line or (rows is None and _is_comment(line, number, reading.notes)):
            continue
        found = _cells(line, number, separator)
        cells = [cell.strip() for cell in found]
        if not any(cells):
            continue
        if cells[0].startswith("["):
            rows = _begin(reading, cells, number)
        else:
            if rows is None:
                rows = _begin_without_name(reading, cells, number, lines)
            rows.append((number, cells))
        _look_at(reading, number, found)
    reading.notes += _told(reading)
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
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _utf16(data, notes)
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            text = _guessed(data, err.start, notes)
    if not text.strip(" \t\r\n,;"):
        raise SampleSheetError("the sample sheet is empty", code="sheet.empty")
    return text


def _utf16(data: bytes, notes: list[Note]) -> str:
    """What Excel saves as 'Unicode text'."""
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError as err:
        raise SampleSheetError(
            "the file begins as UTF-16 does, and is none",
            code="sheet.encoding",
            hint="save the sheet as CSV UTF-8",
        ) from err
    hint = "save the sheet as CSV UTF-8; bcl2fastq reads no UTF-16"
    notes.append(Note("sheet.utf16", 1, 0, "the sheet is UTF-16, and is read so", hint))
    return text


def _guessed(data: bytes, start: int, notes: list[Note]) -> str:
    """What Excel saves on Windows; letters beyond ASCII are refused later where they matter."""
    line = data[:start].count(b"\n") + 1
    try:
        if b"\0" in data:
            raise UnicodeError
        text = data.decode("cp1252")
    except UnicodeError as err:
        raise SampleSheetError(
            f"byte {data[start]:#04x} is not UTF-8",
            code="sheet.encoding",
            line=line,
            hint="save the sheet as CSV UTF-8",
        ) from err
    message = f"byte {data[start]:#04x} is not UTF-8; read as Windows-1252"
    hint = "save the sheet as CSV UTF-8"
    notes.append(Note("sheet.encoding_guessed", line, 0, message, hint))
    return text


def _separator(lines: list[str], notes: list[Note]) -> str:
    """What stands between the fields of the line that names the columns; else a comma."""
    for separator in (",", *_SEPARATORS):
        for number, line in enumerate(lines, start=1):
            cells = line.split(separator)
            if len(cells) < 2 or "sampleid" not in {plain(cell) for cell in cells}:
                continue
            if separator != ",":
                message = f"fields are separated by {_SEPARATORS[separator]}, and are read so"
                hint = "save the sheet with commas between the fields; bcl2fastq reads no other"
                notes.append(Note("sheet.separator", number, 0, message, hint))
            return separator
    return ","


def _is_comment(line: str, number: int, notes: list[Note]) -> bool:
    if not line.lstrip(' \t"').startswith("#"):
        return False
    if not any(note.code == "sheet.comments" for note in notes):
        message = "lines with # above the first section are passed over"
        hint = "remove them; bcl2fastq may take them for something else"
        notes.append(Note("sheet.comments", number, 0, message, hint))
    return True


def _cells(line: str, number: int, separator: str) -> list[str]:
    """The cells as they stand; a line without the sheet's separator may have commas behind it."""
    unseen = _UNSEEN.search(line)
    if unseen is not None:
        raise SampleSheetError(
            f"control character {ord(unseen[0]):#04x}", code="sheet.control_character", line=number
        )
    for mark, name in _SEPARATORS.items():
        if mark != separator and line.count(mark) >= 2 and separator not in line.rstrip(",; \t"):
            raise SampleSheetError(
                f"fields are separated by {name}",
                code="sheet.semicolons" if mark == ";" else "sheet.tabs",
                line=number,
                hint="save the sheet with commas between the fields",
            )
    try:
        between = separator if separator in line else ","
        return next(csv.reader([line], delimiter=between, strict=True), [])
    except csv.Error as err:
        raise SampleSheetError(
            f"the quotes do not match ({err})",
            code="sheet.quotes",
            line=number,
            hint="a field may not go over several lines",
        ) from err


def _look_at(reading: _Reading, number: int, cells: list[str]) -> None:
    """Remember blanks where a converter may read them, and letters that are not ASCII."""
    if reading.name in (*DATA_SECTIONS, *SETTINGS_SECTIONS):
        reading.blanks += [
            (number, column)
            for column, cell in enumerate(cells, start=1)
            if cell and (cell[0].isspace() or cell[-1].isspace())
        ]
    if not "".join(cells).isascii():
        reading.strange += [
            (number, column)
            for column, cell in enumerate(cells, start=1)
            if not cell.strip().isascii()
        ]


def _told(reading: _Reading) -> Iterator[Note]:
    if reading.blanks:
        line, column = reading.blanks[0]
        message = f"{len(reading.blanks)} values begin or end with a blank, which is left out"
        yield Note("sheet.blanks", line, column, message, "remove it: converters may take it along")
    # Where the encoding was guessed, the letters are told with it.
    if reading.strange and all(note.code != "sheet.encoding_guessed" for note in reading.notes):
        line, column = reading.strange[0]
        message = f"{len(reading.strange)} values have letters that are not ASCII"
        yield Note("sheet.not_ascii", line, column, message, "write them without accents")


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
        reading.name = ""
        return []
    if name in reading.sections:
        raise SampleSheetError(
            f"section [{name}] stands here for the second time",
            code="sheet.section_twice",
            line=number,
        )
    reading.name = name
    reading.sections[name] = []
    reading.lines[name] = number
    return reading.sections[name]


def _begin_without_name(reading: _Reading, cells: list[str], number: int, lines: list[str]) -> Rows:
    """The table of CASAVA; or a header that lost its name, at which bcl2fastq does not look."""
    below = [line.strip(' \t"').lower() for line in lines if line.lstrip(' \t"').startswith("[")]
    if is_casava(cells):
        name = "Data"
    elif below and not any(line.startswith("[header") for line in below) and len(cells) > 1:
        name = "Header"
        message = "the sheet does not begin with a section; what stands above is taken for [Header]"
        hint = "write [Header] above it; BCL Convert may ask for it"
        reading.notes.append(Note("sheet.header_missing", number, 0, message, hint))
    else:
        raise SampleSheetError(
            f"expected a section such as [Header], found {cells[0][:40]!r}",
            code="sheet.section_missing",
            line=number,
        )
    reading.name = name
    reading.lines[name] = number
    return reading.sections.setdefault(name, [])


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
