"""The FASTQ files that a run's truth asks for, and a reader of those that there are."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arteriole.simulator.truth import TileTruth, Truth

UNDETERMINED = -1


@dataclass(frozen=True)
class Record:
    """One record, without its line ends; `line` is the number of its first line, 0 if expected."""

    name: bytes
    bases: bytes
    plus: bytes
    qualities: bytes
    line: int = 0


class DamagedError(Exception):
    """The file is no sound gzip of whole FASTQ records; the message tells how."""


@dataclass(frozen=True)
class Expected:
    """One FASTQ file: of one sample (its place in the sheet from 0) or UNDETERMINED."""

    sample: int
    lane: int
    read: int
    path: Path


def expected_files(truth: Truth, lane: int) -> list[Expected]:
    """The files of a lane, named as bcl2fastq names them, relative to the output folder.

    A folder for the project, one for the sample's id where it is not its name, then
    `<name>_S<place in the sheet>_L00<lane>_R<read>_001.fastq.gz`.
    """
    reads = range(1, 1 + sum(not read.is_index for read in truth.reads))
    stems = {UNDETERMINED: Path("Undetermined_S0")}
    for place, sample in enumerate(truth.samples):
        if sample.lies_in(lane):
            name = sample.name or sample.id
            parts = [sample.project, sample.id if name != sample.id else ""]
            stems[place] = Path(*filter(None, parts), f"{name}_S{place + 1}")
    return [
        Expected(place, lane, read, stem.with_name(f"{stem.name}_L{lane:03d}_R{read}_001.fastq.gz"))
        for place, stem in stems.items()
        for read in reads
    ]


def expected_records(truth: Truth, tiles: list[TileTruth], file: Expected) -> Iterator[Record]:
    """The records of `file` in order: tile after tile, clusters as the instrument wrote them."""
    ends = np.cumsum([0, *(read.cycles for read in truth.reads)])
    spans = list(zip(truth.reads, ends, ends[1:], strict=False))
    start, end = [(a, b) for read, a, b in spans if not read.is_index][file.read - 1]
    indexes = [(a, b) for read, a, b in spans if read.is_index]
    run = f"@{truth.instrument}:{truth.number}:{truth.flowcell}"
    for tile in tiles:
        letters = (tile.qualities + 33).astype(np.uint8)
        for n in np.flatnonzero(tile.passed & (tile.belongs == file.sample)):
            index = b"+".join(tile.bases[n, a:b].tobytes() for a, b in indexes).decode()
            place = f"{tile.lane}:{tile.number}:{tile.column[n]}:{tile.row[n]}"
            name = f"{run}:{place} {file.read}:N:0:{index}".encode()
            yield Record(
                name, tile.bases[n, start:end].tobytes(), b"+", letters[n, start:end].tobytes()
            )


def read_records(path: Path) -> Iterator[Record]:
    """The records of a gzipped FASTQ file, to its end, so that its checksum is tested too.

    Raises:
        DamagedError: the gzip is damaged or cut off, or the last record is not whole.
    """
    try:
        if path.stat().st_size == 0:
            raise DamagedError("the file has 0 bytes, which is no gzip")
        with gzip.open(path, "rb") as lines:
            number = 0
            while first := lines.readline():
                four = [first, *(lines.readline() for _ in range(3))]
                if not all(line.endswith(b"\n") for line in four):
                    raise DamagedError(f"line {number + 1}: the record is cut off")
                name, bases, plus, qualities = (line[:-1] for line in four)
                yield Record(name, bases, plus, qualities, line=number + 1)
                number += 4
    except (OSError, EOFError, zlib.error) as err:
        raise DamagedError(f"damaged gzip: {err}") from err
