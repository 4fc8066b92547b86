"""Sets of indexes that 10x Genomics sells under a name, and sheets that name them.

They are read from CSV files as 10x publishes them for each plate. A set of a single index kit has
four i7, all of one sample: `SI-GA-A1,GGTTTACT,CTAAACGG,TCGGCGTC,AACCGTAA`, without a line of column
names. One of a dual kit has an i7 and an i5, below `index_name,index(i7),index2_workflow_a(i5),
index2_workflow_b(i5)`; workflow a is the i5 forward, b its reverse complement (10x Genomics, pages
of the index kits; kb.10xgenomics.com 360045918991 has SI-TT-A1 in both).
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from arteriole.illumina import index_orientation, run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.index_orientation import (
    Convention,
    Index2,
    index2_of,
    reverse_complement,
)
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_text import plain

CODE = "convert.index_sets"
SIZE_LIMIT = 4 * 1024 * 1024
#: How many indexes a set of a single kit has.
SINGLES = 4
_NAME = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+", re.ASCII)
_BASES = re.compile("[ACGT]{4,24}")
_DUAL = ("indexname", "indexi7", "index2workflowai5", "index2workflowbi5")
_DUAL_SHOWN = "index_name,index(i7),index2_workflow_a(i5),index2_workflow_b(i5)"
Pair = tuple[str, str]


class IndexSetError(RunDataError):
    """A file of index sets cannot be used; the message has its line."""

    code = CODE

    def __init__(self, path: Path, line: int, message: str) -> None:
        where = f"{path}, line {line}" if line else f"{path}"
        hint = "take the CSV file of the index kit as 10x Genomics publishes it"
        super().__init__(f"{where}: {message}", hint=hint)


@dataclass(frozen=True, slots=True)
class IndexSets:
    """The indexes of each set by its name in capitals, with i5 forward; and where they are from."""

    pairs: Mapping[str, tuple[Pair, ...]] = field(default_factory=dict)
    files: tuple[str, ...] = ()


NO_SETS = IndexSets()


def load(paths: Sequence[Path]) -> IndexSets:
    """The sets of some files; one may stand in several, if it is the same.

    Raises:
        IndexSetError: naming the file and the line.
    """
    pairs: dict[str, tuple[Pair, ...]] = {}
    for path in paths:
        for line, name, found in _sets(path):
            if pairs.setdefault(name, found) != found:
                raise IndexSetError(path, line, f"{name} stands elsewhere with other indexes")
    return IndexSets(pairs, tuple(path.name for path in paths))


def _sets(path: Path) -> list[tuple[int, str, tuple[Pair, ...]]]:
    rows = _rows(path)
    if not rows:
        raise IndexSetError(path, 0, "expected index sets, found none")
    first, names = rows[0]
    if plain(names[0]) != _DUAL[0]:
        return [(line, *_single(path, line, cells)) for line, cells in rows]
    if tuple(map(plain, names)) != _DUAL:
        raise IndexSetError(path, first, f"expected the columns {_DUAL_SHOWN}")
    return [(line, *_dual(path, line, cells)) for line, cells in rows[1:]]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that say something, with their numbers; those with # do not."""
    try:
        data = run_file.read(path, SIZE_LIMIT)
        lines = data.decode("utf-8-sig").splitlines()
        rows = [(n, next(csv.reader([line], strict=True), [])) for n, line in enumerate(lines, 1)]
    except (RunDataError, UnicodeDecodeError, csv.Error) as err:
        raise IndexSetError(path, 0, f"cannot be read as CSV ({err})") from err
    stripped = ((line, [cell.strip() for cell in cells]) for line, cells in rows)
    return [(line, cells) for line, cells in stripped if any(cells) and cells[0][:1] != "#"]


def _single(path: Path, line: int, cells: list[str]) -> tuple[str, tuple[Pair, ...]]:
    name, *indexes = cells
    if len(indexes) != SINGLES or len(set(indexes)) != SINGLES:
        raise IndexSetError(
            path,
            line,
            f"expected a name and {SINGLES} different indexes, or first a line {_DUAL_SHOWN}",
        )
    _require_bases(path, line, indexes)
    return _named(path, line, name), tuple((index, "") for index in indexes)


def _dual(path: Path, line: int, cells: list[str]) -> tuple[str, tuple[Pair, ...]]:
    if len(cells) != len(_DUAL):
        raise IndexSetError(path, line, f"expected {len(_DUAL)} values, found {len(cells)}")
    name, i7, forward, turned = cells
    _require_bases(path, line, cells[1:])
    if reverse_complement(forward) != turned:
        raise IndexSetError(
            path, line, "index2 of workflow b is not the reverse complement of that of workflow a"
        )
    return _named(path, line, name), ((i7, forward),)


def _named(path: Path, line: int, name: str) -> str:
    if not _NAME.fullmatch(name.upper()) or len(name) > 40:
        raise IndexSetError(path, line, f"expected a name such as SI-GA-A1, found {name[:40]!r}")
    return name.upper()


def _require_bases(path: Path, line: int, indexes: list[str]) -> None:
    odd = next((index for index in indexes if not _BASES.fullmatch(index)), None)
    if odd is not None:
        raise IndexSetError(path, line, f"expected an index of A, C, G and T, found {odd[:40]!r}")


def written_out(
    sheet: SampleSheet, sets: IndexSets, run_dir: Path | None, converter: str, said: str | None
) -> SampleSheet:
    """The sheet with a row for each index of a set that it names, all with the row's line.

    An i5 gets the direction in which the sheet has those that it writes out itself; without a run
    it is forward.

    Args:
        converter, said: as of index_orientation.

    Raises:
        OrientationError: it is not known how index2 is to be written.
        RunDataError: RunInfo.xml or RunParameters.xml cannot be read.
    """
    found = forward(sheet, sets)
    return found if run_dir is None else oriented(found, run_dir, converter, said)


def oriented(sheet: SampleSheet, run_dir: Path, converter: str, said: str | None) -> SampleSheet:
    """With the i5 of sets, which are forward, in the direction of the sheet's own.

    Raises:
        OrientationError, RunDataError: as of `written_out`.
    """
    if not any(sample.index_set and sample.index2 for sample in sheet.samples):
        return sheet
    info, parameters = RunInfo.read(run_dir), RunParameters.read(run_dir)
    convention = None if said is None else Convention(said)
    index2 = index2_of(sheet, info, parameters, index_orientation.reader(converter), convention)
    if index2 is None:
        return sheet
    turning, wanted = Index2(index2.i5, Convention.FORWARD), index2.written
    samples = tuple(
        replace(one, index2=turning.taken(one.index2, wanted)) if one.index_set else one
        for one in sheet.samples
    )
    return replace(sheet, samples=samples)


def forward(sheet: SampleSheet, sets: IndexSets) -> SampleSheet:
    """The same with every i5 of a set forward, whatever the sheet has."""
    samples = tuple(row for sample in sheet.samples for row in _rows_of(sample, sets))
    return replace(sheet, samples=samples, set_files=sets.files)


def _rows_of(sample: Sample, sets: IndexSets) -> tuple[Sample, ...]:
    pairs = sets.pairs.get(sample.index.upper())
    if pairs is None or sample.index2 not in ("", sample.index):
        return (sample,)
    name = sample.index
    return tuple(replace(sample, index=i7, index2=i5, index_set=name) for i7, i5 in pairs)


def read(
    path: Path, files: Sequence[Path], run_dir: Path, converter: str, said: str | None
) -> SampleSheet:
    """The sheet at `path` as a conversion takes it, with the sets of `files` written out.

    Raises:
        SampleSheetError, IndexSetError: a file cannot be read.
        OrientationError, RunDataError: as of `written_out`.
    """
    return written_out(SampleSheet.read(path), load(files), run_dir, converter, said)


def names(sheet: SampleSheet) -> dict[tuple[str, int | None], str]:
    """What stands in the place of bases, by Sample_ID and lane, in a sheet as it was read."""
    return {
        (sample.sample_id, sample.lane): sample.index
        for sample in sheet.samples
        if "-" in sample.index and _NAME.fullmatch(sample.index.upper())
    }
