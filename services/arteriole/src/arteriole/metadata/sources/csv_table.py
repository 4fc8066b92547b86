"""A table of samples as people make them in spreadsheets: its bytes as records and refusals.

What spreadsheets do without changing the meaning is accepted: a byte order mark, CRLF, semicolons,
quotes, a first line `sep=;`, blank lines, spaces around a value, trailing empty cells, column names
and words in another case. Everything else is refused with its place.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from arteriole.app.errors import ArterioleError
from arteriole.app.names import is_identifier
from arteriole.metadata.record import FIELDS, Entry, Flaw, FlawedError, read_record

SIZE_LIMIT = 10 * 1000 * 1000
ROWS_LIMIT = 100_000
COLUMNS_LIMIT = 200

REQUIRED = ("sample", "project", "use")

#: Other names of columns (docs/metadata.md); case, spaces, `_` and `-` do not matter in any.
ALIASES = {
    "sample_id": "sample",
    "project_id": "project",
    "sample_project": "project",
    "purpose": "use",
    "subject_id": "subject",
    "pseudonym": "subject",
    "batch_id": "batch",
    "pair": "batch",
    "reference": "genome_build",
    "genome": "genome_build",
    "workflow": "pipeline",
    "deliver_to": "recipient",
    "control_type": "control",
    "reads": "expected_reads",
    "top_up": "top_up_of",
}
#: Columns for people, which are passed over.
REMARKS = ("comment", "comments", "note", "notes", "remark", "remarks")
#: What a table says for the check of sample sheets (bcl2fastq), which is passed over here.
OF_SHEETS = ("flow_cell", "flow_cell_id", "fcid", "lane", "index", "index2", "i7", "i5")
#: Fields whose words are a closed list: here their case does not matter.
WORDS = ("use", "phenotype", "control")
SPELLINGS = {"tumour": "tumor"}

CONTRADICTION = "metadata.contradiction"


def plain(name: str) -> str:
    """A column's name without case, spaces, `_` and `-`.

    >>> plain("Genome Build"), plain("top-up_of")
    ('genomebuild', 'topupof')
    """
    return "".join(char for char in name.lower() if char not in " _-\t\xa0")


_OF_SHEETS = frozenset(map(plain, OF_SHEETS))
_COLUMNS = {plain(name): of for name, of in ({name: name for name in FIELDS} | ALIASES).items()}
#: What some spreadsheets put on a first line of its own.
_SEPARATOR = re.compile(r"sep=[,;]?\r?\n", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is not taken from a file, and why; `line` 0 is the file, `column` "" the row."""

    file: str
    line: int
    column: str
    code: str
    message: str

    def document(self) -> dict[str, str | int]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (where, self.column, self.message)))


class TableError(ArterioleError):
    """A file cannot be read as a table of samples; nothing is taken from it."""

    code = "metadata.table"

    def __init__(self, file: str, line: int, message: str, column: str = "") -> None:
        self.refusal = Refusal(file, line, column, self.code, message)
        super().__init__(str(self.refusal), hint="save it as CSV in UTF-8; see docs/metadata.md")


@dataclass
class Table:
    """What one file says: a record a sample, and what of it is refused.

    A sample with a row that is refused has no record, whatever its other rows say.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    #: Of each sample that cannot be told because of a row, the first such.
    unsure: dict[str, Refusal] = field(default_factory=dict)

    def refuse(self, sample: str, refusal: Refusal) -> None:
        self.refused.append(refusal)
        if is_identifier(sample):
            self.unsure.setdefault(sample, refusal)


def read(data: bytes, file: str) -> Table:
    """The table in `data`, the content of `file`.

    Raises:
        TableError: it is none, or one whose columns are not known; with file, line and column.
    """
    rows = _rows(_text(data, file), file)
    header = next(rows, None)
    if header is None:
        raise TableError(file, 0, "expected a row with the names of the columns, found none")
    return _table(rows, _columns(*header, file), file)


def _text(data: bytes, file: str) -> str:
    if len(data) > SIZE_LIMIT:
        raise TableError(file, 0, f"expected at most {SIZE_LIMIT} bytes, found {len(data)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data[: err.start].count(b"\n") + 1
        found = f"expected UTF-8, found the byte {data[err.start]:#04x}"
        raise TableError(file, line, found) from err
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(file, line, "expected text, found a zero byte")
    return text


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the number of the line on which it begins."""
    lines = io.StringIO(text, newline="")
    above = 0
    if _SEPARATOR.match(text):
        lines.readline()
        above = 1
    begin = lines.tell()
    names = next((line for line in lines if line.strip(" \t\r\n,;")), "")
    lines.seek(begin)
    rows = csv.reader(lines, delimiter=_delimiter(names), strict=True)
    count = 0
    while True:
        line = above + rows.line_num + 1
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error as err:
            raise TableError(file, line, f"expected a row of cells, found: {err}") from err
        if not any(cells):
            continue
        count += 1
        if count > ROWS_LIMIT + 1:
            raise TableError(file, line, f"expected at most {ROWS_LIMIT} rows, found more")
        yield line, cells


def _delimiter(names: str) -> str:
    """The one of `,` and `;` that splits the line into more names that are known."""

    def known(delimiter: str) -> int:
        return sum(plain(name.strip('"\r\n')) in _COLUMNS for name in names.split(delimiter))

    return max(",;", key=known)


def _columns(line: int, cells: list[str], file: str) -> list[tuple[str, str]]:
    """Our name of each column, "" for those that are passed over, and its name in the file."""
    while not cells[-1]:
        cells.pop()
    if len(cells) > COLUMNS_LIMIT:
        raise TableError(file, line, f"expected at most {COLUMNS_LIMIT} columns, found more")
    columns: list[tuple[str, str]] = []
    for number, name in enumerate(cells, start=1):
        found, shown = _COLUMNS.get(plain(name), ""), name[:60] or f"column {number}"
        if not found and plain(name) not in REMARKS and plain(name) not in _OF_SHEETS:
            text = f"expected one of {', '.join(FIELDS)}; found {name[:60]!r}"
            raise TableError(file, line, text, shown)
        if found in (of for of, _ in columns if of):
            raise TableError(file, line, f"expected one column {found}, found two", shown)
        columns.append((found, shown))
    for name in REQUIRED:
        if name not in (of for of, _ in columns):
            raise TableError(file, line, f"expected a column {name}, found none", name)
    return columns


def _table(
    rows: Iterator[tuple[int, list[str]]], columns: list[tuple[str, str]], file: str
) -> Table:
    table = Table()
    shown = {name: in_file for name, in_file in columns if name}
    kept: dict[str, tuple[int, Entry]] = {}
    contradicted: set[str] = set()
    for line, cells in rows:
        values = {name: cell for (name, _), cell in zip(columns, cells, strict=False) if name}
        try:
            entry = _entry(values, cells[len(columns) :])
        except FlawedError as err:
            for flaw in err.flaws:
                column = shown.get(flaw.field, flaw.field)
                refusal = Refusal(file, line, column, err.code, flaw.text)
                table.refuse(values.get("sample", ""), refusal)
            continue
        first, other = kept.setdefault(entry.sample, (line, entry))
        if other.digest == entry.digest:
            continue
        column = shown.get(_differing(other, entry), "")
        places = [(line, first)] if entry.sample in contradicted else [(first, line), (line, first)]
        contradicted.add(entry.sample)
        for here, there in places:
            text = f"expected what line {there} says of the same sample, found another value"
            table.refuse(entry.sample, Refusal(file, here, column, CONTRADICTION, text))
    table.entries = {name: entry for name, (_, entry) in kept.items() if name not in table.unsure}
    return table


def _differing(one: Entry, other: Entry) -> str:
    """The first field that they say differently."""
    mine, theirs = json.loads(one.text), json.loads(other.text)
    return next((name for name in FIELDS if mine[name] != theirs[name]), "")


def _entry(values: dict[str, str], surplus: list[str]) -> Entry:
    if any(surplus):
        raise FlawedError((Flaw("", "expected no cell beyond the columns, found one"),))
    given: dict[str, object] = {name: cell for name, cell in values.items() if cell}
    given.setdefault("sample", "")
    for name in WORDS:
        if name in given:
            word = values[name].lower()
            given[name] = SPELLINGS.get(word, word)
    if "top_up_of" in given:
        given["top_up_of"] = values["top_up_of"].split()
    return read_record(given).entry()
