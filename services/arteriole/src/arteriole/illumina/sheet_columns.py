"""The columns of a sheet's table of samples: which are used, which say nothing, which are refused.

A misspelt `index2` that is ignored mixes samples up. So a name near to one that matters is refused,
and so is a column of an unknown name that holds what looks like indexes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.sheet_text import Note, Rows, distance, is_near, plain

COLUMNS = {
    "lane": "Lane",
    "sampleid": "Sample_ID",
    "samplename": "Sample_Name",
    "sampleproject": "Sample_Project",
    "project": "Sample_Project",
    "index": "index",
    "index1": "index",
    "index2": "index2",
    "description": "Description",
    "fcid": "FCID",
}
"""Columns that are used, by their name without case and punctuation."""

SETTING_COLUMNS = {
    "overridecycles": "OverrideCycles",
    "barcodemismatchesindex1": "BarcodeMismatchesIndex1",
    "barcodemismatchesindex2": "BarcodeMismatchesIndex2",
    "adapterread1": "AdapterRead1",
    "adapterread2": "AdapterRead2",
    "adapterbehavior": "AdapterBehavior",
    "adapterstringency": "AdapterStringency",
    "minimumadapteroverlap": "MinimumAdapterOverlap",
}
"""Settings that BCL Convert takes for each sample (BCL Convert software guide, "Sample Sheet")."""

PASSIVE_COLUMNS = frozenset(
    {
        # Illumina Experiment Manager, bcl2fastq and MiSeq Reporter
        *("sampleplate", "samplewell", "i7indexid", "i5indexid", "indexid", "indexplatewell"),
        *("manifest", "manifests", "genomefolder", "samplegroup", "sampletype", "species"),
        *("librarynucleotide", "poolid", "ispool", "investigator", "replicates"),
        # CASAVA 1.8
        *("sampleref", "control", "recipe", "operator"),
        # Local Run Manager and BaseSpace
        *("indexplate", "platewell", "indexkit", "indexname", "i7indexname", "i5indexname"),
        *("containerlabel", "containername", "libraryname", "libraryid", "libraryprepkit"),
        *("libraryprepkitname", "indexadapterkitname", "projectname", "well", "plate"),
        # TruSight Oncology 500, DRAGEN and BCL Convert
        *("pairid", "samplefeature", "sampledescription", "dnaid", "rnaid", "barcodesetid"),
        *("fastqcompressionformat", "customdescription", "libraryinputvolume"),
        # Laboratory systems
        *("readstructure", "referencename", "targetset", "librarynm", "sampledate"),
        *("dnaextractname", "tubebarcode", "platebarcode", "librarybarcode", "indexplateposition"),
        *("i7plate", "i5plate", "i7well", "i5well", "indexwell", "indexset", "indexsetname"),
        *("indexadapters", "pcrcycles"),
    }
)
"""Columns that say nothing to a converter, by the software that writes them."""

_COLUMNS_LIMIT = 1000
_LIKE_INDEX_NAME = re.compile(
    r"index|lane|mismatch|cycles|adapter|(?<![a-z])[ip][57]|(?<![a-z])umi"
)
_SEQUENCE = re.compile(r"[ACGTNacgtn]{4,}([-+][ACGTNacgtn]{4,})?")


@dataclass(frozen=True, slots=True)
class Columns:
    """Column numbers, counted from 1, of what is used; `width` columns have a name."""

    used: Mapping[str, int]
    settings: Mapping[str, int]
    width: int
    notes: tuple[Note, ...]


def read(rows: Rows) -> Columns:
    """Name the columns of a table whose first row holds their names.

    Raises:
        SampleSheetError: a column is unknown or stands there twice, or there is no Sample_ID.
    """
    number, names = rows[0]
    if len(names) > _COLUMNS_LIMIT:
        raise SampleSheetError(
            f"more than {_COLUMNS_LIMIT} columns", code="sheet.too_large", line=number
        )
    has_sample_project = any(plain(name) == "sampleproject" for name in names)
    used: dict[str, int] = {}
    settings: dict[str, int] = {}
    notes: list[Note] = []
    for column, name in enumerate(names, start=1):
        key = plain(name)
        if key in COLUMNS and not (key == "project" and has_sample_project):
            _take(used, COLUMNS[key], number, column)
        elif key in SETTING_COLUMNS:
            _take(settings, SETTING_COLUMNS[key], number, column)
        elif name and key not in PASSIVE_COLUMNS and key != "project" and not _is_custom(name):
            _refuse_if_near(name, number, column)
            _refuse_if_sequences(name, rows, column)
            notes.append(_ignored(name, number, column))
    if "Sample_ID" not in used:
        raise SampleSheetError(
            "there is no column Sample_ID",
            code="sheet.sample_id_missing",
            line=number,
            hint="the first line of the section with the samples names the columns",
        )
    for column, name in enumerate(names, start=1):
        if not name:
            _refuse_if_unnamed(rows, column)
    return Columns(used, settings, len(names), tuple(notes))


def _is_custom(name: str) -> bool:
    """Whether it is a laboratory's own column, which BCL Convert passes over from 4.4 on."""
    return name.lower().startswith("custom_")


def _take(columns: dict[str, int], name: str, line: int, column: int) -> None:
    if name in columns:
        raise SampleSheetError(
            f"column {name} stands here for the second time",
            code="sheet.column_twice",
            line=line,
            column=column,
        )
    columns[name] = column


def _refuse_if_near(name: str, line: int, column: int) -> None:
    key = plain(name)
    near = sorted(
        (distance(key, short), known)
        for short, known in (COLUMNS | SETTING_COLUMNS).items()
        if is_near(key, short, 1 if len(short) < 6 else 2)
    )
    if near or _LIKE_INDEX_NAME.search(name.lower()):
        known = sorted({*COLUMNS.values(), *SETTING_COLUMNS.values()})
        raise SampleSheetError(
            f"column {name[:40]!r} is not known",
            code="sheet.column_unknown",
            line=line,
            column=column,
            hint=f"is {near[0][1]} meant?"
            if near
            else "remove it, or rename it to one of: " + ", ".join(known),
        )


def _refuse_if_sequences(name: str, rows: Rows, column: int) -> None:
    """The values speak: at least half of those given are bases."""
    values = [(line, cells[column - 1]) for line, cells in rows[1:] if len(cells) >= column]
    given = [(line, value) for line, value in values if value]
    sequences = [line for line, value in given if _SEQUENCE.fullmatch(value)]
    if sequences and len(sequences) * 2 >= len(given):
        raise SampleSheetError(
            f"column {name[:40]!r} is not known, but holds what looks like indexes",
            code="sheet.column_unknown",
            line=rows[0][0],
            column=column,
            hint="rename it to index or index2, or remove it",
        )


def _refuse_if_unnamed(rows: Rows, column: int) -> None:
    for line, cells in rows[1:]:
        if len(cells) >= column and cells[column - 1]:
            raise SampleSheetError(
                "a value stands in a column without a name",
                code="sheet.column_unnamed",
                line=line,
                column=column,
                hint="name the column, or shift the row so that it fits the columns",
            )


def _ignored(name: str, line: int, column: int) -> Note:
    return Note(
        "sheet.column_ignored",
        line,
        column,
        f"column {name[:40]!r} is not known and says nothing to a converter",
        "remove it if it should say something",
    )
