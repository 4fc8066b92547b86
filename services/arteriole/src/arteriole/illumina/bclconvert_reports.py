"""The tables in Reports of BCL Convert 4, read as what an untrusted program wrote.

Demultiplex_Stats.csv, Quality_Metrics.csv, Top_Unknown_Barcodes.csv and fastq_list.csv (BCL Convert
guide, "Metrics Output" and "Output Files"). Columns are found by their names: versions add some.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from arteriole.illumina import run_file
from arteriole.illumina.demultiplexing_stats import SIZE_LIMIT, DemultiplexingStatsError

Row = dict[str, str]
T = TypeVar("T")
_NO_INDEX = {"", "na"}


@dataclass(frozen=True, slots=True)
class SampleCount:
    """A line of Demultiplex_Stats.csv: reads of a sample on a lane by their mismatches."""

    lane: int
    sample_id: str
    reads: int
    perfect: int
    one_mismatch: int
    two_mismatches: int


@dataclass(frozen=True, slots=True)
class Quality:
    """A line of Quality_Metrics.csv: `bases` of a sample's template read, from 1, on a lane."""

    lane: int
    sample_id: str
    read: int
    bases: int
    bases_q30: int
    quality_sum: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A line of Top_Unknown_Barcodes.csv, with the indexes as the instrument read them.

    Also where RunInfo.xml marks one IsReverseComplement (Illumina Knowledge 5078).
    """

    lane: int
    index: str
    index2: str
    reads: int


@dataclass(frozen=True, slots=True)
class ListedFastq:
    """A line of fastq_list.csv; `read2` is empty for a single read."""

    lane: int
    sample_id: str
    read1: str
    read2: str


def sample_counts(path: Path) -> list[SampleCount]:
    """Demultiplex_Stats.csv. Raises DemultiplexingStatsError."""

    def of_row(row: Row) -> SampleCount:
        return SampleCount(
            lane=_number(row, "Lane", path),
            sample_id=_text(row, "SampleID", path),
            reads=_number(row, "# Reads", path),
            perfect=_number(row, "# Perfect Index Reads", path),
            one_mismatch=_number(row, "# One Mismatch Index Reads", path),
            two_mismatches=_number(row, "# Two Mismatch Index Reads", path),
        )

    return _read(path, of_row)


def qualities(path: Path) -> list[Quality]:
    """Quality_Metrics.csv. Raises DemultiplexingStatsError."""

    def of_row(row: Row) -> Quality:
        return Quality(
            lane=_number(row, "Lane", path),
            sample_id=_text(row, "SampleID", path),
            read=_number(row, "ReadNumber", path),
            bases=_number(row, "Yield", path),
            bases_q30=_number(row, "YieldQ30", path),
            quality_sum=_number(row, "QualityScoreSum", path),
        )

    return _read(path, of_row)


def unknown(path: Path) -> list[Unknown]:
    """Top_Unknown_Barcodes.csv. Raises DemultiplexingStatsError."""

    def of_row(row: Row) -> Unknown:
        indexes = (row.get("index") or "", row.get("index2") or "")
        index, index2 = ("" if text in _NO_INDEX else text for text in indexes)
        reads = _number(row, "# Reads", path)
        return Unknown(_number(row, "Lane", path), index, index2, reads)

    return _read(path, of_row)


def fastq_list(path: Path) -> list[ListedFastq]:
    """fastq_list.csv. Raises DemultiplexingStatsError."""

    def of_row(row: Row) -> ListedFastq:
        return ListedFastq(
            lane=_number(row, "Lane", path),
            sample_id=_text(row, "RGSM", path),
            read1=_text(row, "Read1File", path),
            read2=row.get("Read2File") or "",
        )

    return _read(path, of_row)


def _read(path: Path, of_row: Callable[[Row], T]) -> list[T]:
    try:
        with run_file.open_file(path) as file:
            data = file.read(SIZE_LIMIT + 1)
        if len(data) > SIZE_LIMIT:
            raise DemultiplexingStatsError(f"{path.name}: larger than {SIZE_LIMIT // 1024**2} MiB")
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        return [of_row(row) for row in csv.DictReader(text, strict=True)]
    except OSError as err:
        raise DemultiplexingStatsError(f"{path.name} cannot be read: {err.strerror}") from err
    except (UnicodeDecodeError, csv.Error) as err:
        raise DemultiplexingStatsError(f"{path.name}: not CSV ({str(err)[:80]})") from err


def _text(row: Row, name: str, path: Path) -> str:
    value = row.get(name) or ""
    if not value:
        raise DemultiplexingStatsError(f"{path.name}: expected a {name} in each line, found none")
    return value


def _number(row: Row, name: str, path: Path) -> int:
    text = row.get(name) or ""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise DemultiplexingStatsError(
            f"{path.name}: expected a whole number {name}, found {text[:40]!r}"
        )
    return int(text)
