"""The sheet that the instrument used, against the one that the site has now.

Compared is what decides the reads of each sample: lane, Sample_ID, indexes, mismatches, and the
settings that ask for anything. Projects, names and descriptions may differ: files get those of
the site's sheet.
"""

from dataclasses import dataclass

from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import override_cycles, sheet_check, sheet_settings
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_settings import MISMATCH_SETTINGS, Meaning
from arteriole.illumina.sheet_text import plain


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """What decides which reads a sample gets on a lane, and what they are."""

    lane: int
    sample_id: str
    index: str
    index2: str
    settings: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        said = "".join(f", {name} {value}" for name, value in self.settings)
        index = "+".join(part for part in (self.index, self.index2) if part)
        return f"{self.sample_id[:60]} of lane {self.lane}, index {index or 'none'}{said}"


def require_same(
    used: SampleSheet, given: SampleSheet, run_info: RunInfo, mismatches: tuple[int, int]
) -> tuple[str, ...]:
    """Warnings of what differs and changes no read.

    Args:
        used: of the instrument, with index2 as BCL Convert takes it, as `given`.
        mismatches: in i7 and i5, as the site allows them.

    Raises:
        ConversionError: something differs that changes reads.
    """
    indexes = len(run_info.index_reads[:2])
    allowed = sheet_settings.allowed_mismatches(used)
    if indexes and (allowed is None or allowed[:indexes] != mismatches[:indexes]):
        found = "several numbers" if allowed is None else " and ".join(map(str, allowed[:indexes]))
        raise _differs(
            f"mismatches: {found} in the sheet that the instrument used, and"
            f" {' and '.join(map(str, mismatches[:indexes]))} are allowed here",
            "set bcl2fastq.barcode_mismatches to what the instrument was told",
        )
    theirs, ours = _rows(used, run_info), _rows(given, run_info)
    if theirs != ours:
        first = min(theirs ^ ours)
        one = next((row for row in sorted(theirs - ours) if _is_same(row, first)), None)
        other = next((row for row in sorted(ours - theirs) if _is_same(row, first)), None)
        raise _differs(
            f"the instrument used {one or 'no such sample'}; the sheet of the site has"
            f" {other or 'no such sample'} ({len(theirs ^ ours)} rows differ)",
            "correct the sheet of the run, or queue the analysis again on the instrument with the"
            " right one and wait; else convert with another converter",
        )
    others = _others(used) != _others(given)
    return ("the sheet that the instrument used has other names or projects",) if others else ()


def _is_same(row: Row, other: Row) -> bool:
    return (row.lane, row.sample_id) == (other.lane, other.sample_id)


def _rows(sheet: SampleSheet, run_info: RunInfo) -> set[Row]:
    def said_of(name: str, value: str) -> str:
        if plain(name) == "overridecycles":
            return override_cycles.rewritten(value, run_info)
        return value.upper()

    settings = {
        plain(name): {line: said_of(name, value) for line, value in setting.values}
        if setting.rows
        else said_of(name, setting.value)
        for name, setting in sheet.settings.items()
        if plain(name) not in MISMATCH_SETTINGS
        and sheet_settings.meaning(name, sheet, run_info) is not Meaning.NEUTRAL
    }

    def of_sample(sample: Sample) -> tuple[tuple[str, str], ...]:
        said = {
            name: value if isinstance(value, str) else value.get(sample.line, "")
            for name, value in settings.items()
        }
        return tuple(sorted((name, value) for name, value in said.items() if value))

    return {
        Row(lane, sample.sample_id, sample.index, sample.index2, of_sample(sample))
        for lane, samples in sheet_check.samples_by_lane(sheet, run_info).items()
        for sample in samples
    }


def _others(sheet: SampleSheet) -> set[tuple[str, ...]]:
    return {(s.sample_id, s.sample_name or s.sample_id, s.project) for s in sheet.samples}


def _differs(message: str, hint: str) -> ConversionError:
    return ConversionError(message, hint=hint, code="ingest.sheet_differs")
