"""Sample sheets, read with their places: lines and columns count from 1.

Read are sheets of version 1 (Illumina Experiment Manager, bcl2fastq, MiSeq), of version 2
(BCL Convert: `[BCLConvert_Settings]`, `[BCLConvert_Data]`), the mixture of both that some
instruments write (FileFormatVersion 2 with `[Settings]` and `[Data]`), and those of CASAVA 1.8.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arteriole.illumina import run_file, sheet_columns, sheet_text
from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.sheet_columns import Columns
from arteriole.illumina.sheet_text import REWRITTEN, SIZE_LIMIT, Note, Rows, SheetText, plain

SAMPLES_LIMIT = 50_000
_READ_NAMES = ("read1cycles", "read2cycles")
_INDEX_READ_NAMES = ("index1cycles", "index2cycles")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and its line.

    `rows` gives (line, value) of each sample where it stands in `column` of the samples; then
    `value` and `line` are those of the first.
    """

    value: str
    line: int
    rows: tuple[tuple[int, str], ...] = ()
    column: int = field(default=0, compare=False)

    @property
    def values(self) -> tuple[tuple[int, str], ...]:
        """(line, value) of each place where it is said."""
        return self.rows or ((self.line, self.value),)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of samples; what the sheet leaves out is empty, `lane` None.

    `flowcell` is CASAVA's FCID. `index_set` is what the sheet has in the place of an index that
    was written out (index_sets.py).
    """

    line: int
    lane: int | None
    sample_id: str
    sample_name: str = ""
    project: str = ""
    index: str = ""
    index2: str = ""
    description: str = ""
    flowcell: str = ""
    index_set: str = ""


@dataclass(frozen=True, slots=True)
class SampleSheet:
    """A sheet.

    Attributes:
        columns: the column number of each used column.
        reads: cycles of the template reads, `index_reads` of the index reads; empty if not said.
        version: 2 for a sheet of BCL Convert, else 1.
        notes: what was accepted though it may not be meant.
        header_lines: the line of each name of the header.
        sections: the line on which each known section begins.
        set_files: where names of index sets were looked up.
    """

    header: Mapping[str, str]
    settings: Mapping[str, Setting]
    reads: tuple[int, ...]
    samples: tuple[Sample, ...]
    columns: Mapping[str, int]
    index_reads: tuple[int, ...] = ()
    version: int = 1
    notes: tuple[Note, ...] = ()
    header_lines: Mapping[str, int] = field(default_factory=dict)
    sections: Mapping[str, int] = field(default_factory=dict)
    set_files: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_rewritten(self) -> bool:
        """Whether a converter that reads the file itself may find something else in it."""
        return any(note.code in REWRITTEN for note in self.notes)

    def projects(self) -> dict[str, list[str]]:
        """The projects of each sample, by Sample_ID; most have one, which may be empty."""
        found: dict[str, list[str]] = {}
        for sample in self.samples:
            named = found.setdefault(sample.sample_id, [])
            if sample.project not in named:
                named.append(sample.project)
        return found

    @staticmethod
    def read(path: Path) -> "SampleSheet":
        """Read the sheet at `path`.

        Raises:
            SampleSheetError: with code, line and column.
        """
        try:
            with run_file.open_file(path) as file:
                data = file.read(SIZE_LIMIT + 1)
        except OSError as err:
            raise SampleSheetError(
                f"the sample sheet {path.name} cannot be read: {err.strerror}",
                code="sheet.unreadable",
            ) from err
        return parse(data)


def parse(data: bytes) -> SampleSheet:
    """Read a sheet from its bytes. Raises SampleSheetError."""
    text = sheet_text.read(data)
    version, settings_name, data_name = _format(text)
    rows = text.sections[data_name]
    if not rows:
        raise SampleSheetError(
            f"the [{data_name}] section has no line of column names",
            code="sheet.data_missing",
            hint=f"the first line below [{data_name}] names the columns",
        )
    if len(rows) > SAMPLES_LIMIT:
        raise SampleSheetError(
            f"more than {SAMPLES_LIMIT:,} samples",
            code="sheet.too_large",
            line=rows[SAMPLES_LIMIT][0],
            hint="split the sheet",
        )
    columns = sheet_columns.read(rows)
    settings = _settings(text.sections.get(settings_name, []))
    reads, index_reads, notes = _reads(text.sections.get("Reads", []))
    is_casava = sheet_text.is_casava(rows[0][1]) and len(text.sections) == 1
    header = text.sections.get("Header", [])
    return SampleSheet(
        header=_header(header),
        settings=settings | _row_settings(rows[1:], columns, settings),
        reads=reads,
        samples=tuple(_sample(line, cells, columns, is_casava) for line, cells in rows[1:]),
        columns=columns.used,
        index_reads=index_reads,
        version=version,
        notes=text.notes + notes + columns.notes,
        header_lines={cells[0]: number for number, cells in header},
        sections=text.lines,
    )


def _format(text: SheetText) -> tuple[int, str, str]:
    """(version, name of the section of settings, name of the one of samples)."""
    found = text.sections
    version_2 = [name for name in sheet_text.V2_SECTIONS if name in found]
    for name in ("Settings", "Data"):
        if version_2 and found.get(name):
            raise SampleSheetError(
                f"sections [{name}] and [{version_2[0]}] stand beside each other",
                code="sheet.versions_mixed",
                line=text.lines[name],
                hint="keep those of one version",
            )
    data_name = "BCLConvert_Data" if version_2 else "Data"
    if data_name not in found:
        raise SampleSheetError(
            f"the sheet has no [{data_name}] section",
            code="sheet.data_missing",
            hint=f"the samples stand below a line [{data_name}]",
        )
    return (2, "BCLConvert_Settings", data_name) if version_2 else (1, "Settings", data_name)


def _header(rows: Rows) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, cells in rows:
        value = cells[1] if len(cells) > 1 else ""
        key = plain(cells[0])
        if key == "fileformatversion" and value not in {"1", "2"}:
            raise SampleSheetError(
                f"expected FileFormatVersion 1 or 2, found {value[:20]!r}",
                code="sheet.version",
                line=number,
                column=2,
            )
        if key == "indexorientation" and value.lower() not in {"", "forward"}:
            raise SampleSheetError(
                f"expected IndexOrientation Forward, found {value[:20]!r}",
                code="sheet.index_orientation",
                line=number,
                column=2,
                hint="write index2 as it is ordered, and IndexOrientation,Forward",
            )
        header[cells[0]] = value
    return header


def _settings(rows: Rows) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    names: set[str] = set()
    for number, cells in rows:
        if plain(cells[0]) in names:
            raise SampleSheetError(
                f"setting {cells[0][:40]!r} stands here for the second time",
                code="sheet.setting_twice",
                line=number,
                column=1,
            )
        names.add(plain(cells[0]))
        settings[cells[0]] = Setting(cells[1] if len(cells) > 1 else "", number)
    return settings


def _row_settings(
    rows: Rows, columns: Columns, settings: Mapping[str, Setting]
) -> dict[str, Setting]:
    """Settings that stand in columns, if any sample has them."""
    found: dict[str, Setting] = {}
    said = {plain(name): setting for name, setting in settings.items()}
    for name, column in columns.settings.items():
        values = [(line, cells[column - 1] if len(cells) >= column else "") for line, cells in rows]
        given = [(line, value) for line, value in values if value]
        if not given:
            continue
        if plain(name) in said:
            raise SampleSheetError(
                f"{name} is said for each sample and also in line {said[plain(name)].line}",
                code="sheet.setting_twice",
                line=given[0][0],
                column=column,
                hint="say it in one place",
            )
        found[name] = Setting(given[0][1], given[0][0], tuple(values), column)
    return found


def _reads(rows: Rows) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Note, ...]]:
    """Cycles of template and of index reads, and notes; reads without a cycle are left out."""
    numbered: list[int] = []
    named: dict[str, int] = {}
    notes: list[Note] = []
    for number, cells in rows:
        name = plain(cells[0])
        if name in {*_READ_NAMES, *_INDEX_READ_NAMES}:
            value = cells[1] if len(cells) > 1 else ""
            named[name] = _cycles(value or "0", number, 2)
            if not named[name] and name in _READ_NAMES:
                message = f"{cells[0]} says {'0' if value else 'no'} cycles"
                hint = "remove the line; BCL Convert fails at it"
                notes.append(Note("sheet.reads_zero", number, 2, message, hint))
        elif name != "index":  # a sheet for a MiSeq may name its index reads without their cycles
            numbered.append(_cycles(cells[0], number, 1))
    if named and numbered:
        raise SampleSheetError(
            "reads with and without a name stand beside each other",
            code="sheet.reads",
            line=rows[0][0],
            hint="expected Read1Cycles,151 in each line, or 151",
        )
    templates = numbered or [named.get(name, 0) for name in _READ_NAMES]
    indexes = [named.get(name, 0) for name in _INDEX_READ_NAMES]
    return tuple(n for n in templates if n), tuple(n for n in indexes if n), tuple(notes)


def _cycles(text: str, line: int, column: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise SampleSheetError(
            f"expected a number of cycles, found {text[:40]!r}",
            code="sheet.reads",
            line=line,
            column=column,
        )
    return int(text)


def _sample(line: int, cells: list[str], columns: Columns, is_casava: bool) -> Sample:
    width = columns.width
    surplus = next((n for n, cell in enumerate(cells[width:], start=width + 1) if cell), None)
    if surplus is not None:
        raise SampleSheetError(
            f"{width} columns are named, this line has {surplus}",
            code="sheet.row_length",
            line=line,
            column=surplus,
        )

    def value(name: str) -> str:
        column = columns.used.get(name, 0)
        return cells[column - 1] if 0 < column <= len(cells) else ""

    lane = value("Lane")
    if lane and not (lane.isascii() and lane.isdecimal() and len(lane) < 6 and int(lane) > 0):
        raise SampleSheetError(
            f"expected a lane number, found {lane[:40]!r}",
            code="sheet.lane",
            line=line,
            column=columns.used["Lane"],
        )
    index, index2 = value("index"), value("index2")
    if is_casava and not index2:
        # CASAVA writes both indexes in one field.
        index, _, index2 = index.partition("-")
    return Sample(
        line=line,
        lane=int(lane) if lane else None,
        sample_id=value("Sample_ID"),
        sample_name=value("Sample_Name"),
        project=value("Sample_Project"),
        index=index,
        index2=index2,
        description=value("Description"),
        flowcell=value("FCID"),
    )
