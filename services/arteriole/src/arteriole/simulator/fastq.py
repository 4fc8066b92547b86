"""The FASTQ files that a run's truth asks for, and a reader of those that there are."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arteriole.simulator.tiles import LETTERS, Calls, Tile, codes_of, qualities_of
from arteriole.simulator.truth import Truth

UNDETERMINED = -1
_AT_ONCE = 10_000


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


def expected_records(truth: Truth, tiles: Iterable[Tile], file: Expected) -> Iterator[Record]:
    """The records of `file` in order: tile after tile, clusters as the instrument wrote them.

    An index read that the instrument marks as reverse complement is turned in the header, so
    that it reads as the sheet has it.
    """
    for name, bases, qualities in _rows(truth, tiles, file):
        yield Record(name, bases, b"+", qualities)


def is_as_expected(truth: Truth, tiles: Iterable[Tile], file: Expected, path: Path) -> int | None:
    """The number of records, if the file at `path` is byte for byte as `file` should be."""
    count, rows = 0, _rows(truth, tiles, file)
    try:
        if path.stat().st_size == 0:
            return None
        with gzip.open(path, "rb") as content:
            while part := list(islice(rows, _AT_ONCE)):
                text = b"".join([b"%b\n%b\n+\n%b\n" % row for row in part])
                if content.read(len(text)) != text:
                    return None
                count += len(part)
            return None if content.read(1) else count
    except (OSError, EOFError, zlib.error):
        return None


def _rows(
    truth: Truth, tiles: Iterable[Tile], file: Expected
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, bases and qualities of each record of `file`."""
    ends = np.cumsum([0, *(read.cycles for read in truth.reads)])
    spans = list(zip(truth.reads, ends, ends[1:], strict=False))
    start, end = [(a, b) for read, a, b in spans if not read.is_index][file.read - 1]
    indexes = [(a, b, read.is_reverse_complement) for read, a, b in spans if read.is_index]
    run = f"@{truth.instrument}:{truth.number}:{truth.flowcell}"
    for tile in tiles:
        prefix = f"{run}:{tile.lane}:{tile.number}:"
        chosen = np.flatnonzero(tile.passed & (tile.belongs == file.sample))
        calls = np.ascontiguousarray(tile.calls[start:end, chosen].T)
        bases, qualities = _texts(LETTERS[codes_of(calls)]), _texts(qualities_of(calls) + 33)
        observed = [_index_texts(tile.calls[a:b, chosen].T, turned) for a, b, turned in indexes]
        columns, rows = tile.column[chosen].tolist(), tile.row[chosen].tolist()
        for n, index in enumerate(zip(*observed, strict=True)):
            head = f"{prefix}{columns[n]}:{rows[n]} {file.read}:N:0:".encode()
            yield head + b"+".join(index), bases[n], qualities[n]


def _index_texts(calls: Calls, turned: bool) -> list[bytes]:
    codes = codes_of(calls)
    if turned:
        codes = np.where(codes[:, ::-1] < 4, 3 - codes[:, ::-1], 4)
    return _texts(LETTERS[codes])


def _texts(letters: npt.NDArray[np.uint8]) -> list[bytes]:
    """The rows of `letters` as bytes."""
    content, length = letters.astype(np.uint8).tobytes(), letters.shape[1]
    return [content[at : at + length] for at in range(0, len(content), length)]


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
