"""Picard's FASTQ files, put under bcl2fastq's names with bcl2fastq's headers.

Picard writes `PREFIX.1.fastq.gz`, `PREFIX.barcode_1.fastq.gz` and so on; its headers end with the
index of the sample, bcl2fastq's with the index that was read, which is in the barcode files.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.bgzf import BgzfWriter
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import ConversionError, FastqFile
from arteriole.bcl2fastq.converters.picard.inputs import LaneInputs, turned
from arteriole.illumina.bcl import QUALITY_OFFSET
from arteriole.illumina.sheet_check import distance

CODE = "convert.picard_output"
_DISTINCT = 1_000_000
_BELOW_Q30 = bytes(range(QUALITY_OFFSET + 30))

Index = tuple[str, ...]
FastqRecord = tuple[bytes, bytes, bytes, bytes]
"""Header, bases, plus and qualities, each with its line end."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One output: its files, and how often each index was read, in the sheet's orientation.

    NB: beyond a million distinct ones the rarest are given up, so that memory is bounded.
    """

    files: list[FastqFile]
    observed: Counter[Index]


def move(inputs: LaneInputs, place: int, out_dir: Path, stats: LaneStats) -> Moved:
    """Rewrite the files of one output of a lane; Picard's are removed, counts go to `stats`.

    Raises:
        ConversionError: the files that Picard wrote are damaged or do not fit each other.
    """
    output, lane = inputs.lane.outputs[place], inputs.lane.lane
    paths = [output.fastq(lane, n + 1) for n in range(stats.template_reads)]
    writers = [_writer(out_dir / path) for path in paths]
    observed: Counter[Index] = Counter()
    for index, reads in _clusters(inputs, place, stats.template_reads):
        stats.reads[place] += 1
        observed[index] += 1
        if len(observed) > _DISTINCT:
            observed = Counter(dict(observed.most_common(_DISTINCT // 5)))
        end = ("+".join(index) if index else str(output.number)).encode() + b"\n"
        for n, (head, bases, plus, qualities) in enumerate(reads):
            writers[n].write(b"".join((head, end, bases, plus, qualities)))
            letters = qualities.rstrip(b"\n")
            stats.quality_sum[place, n] += sum(letters) - QUALITY_OFFSET * len(letters)
            stats.q30[place, n] += len(letters.translate(None, _BELOW_Q30))
    _count_indexes(inputs, place, observed, stats)
    for writer in writers:
        writer.close()
    for path in _picard_files(inputs, place, stats.template_reads):
        path.unlink(missing_ok=True)
    files = [
        FastqFile(
            path=path.as_posix(),
            sample_id=output.sample_id,
            lane=lane,
            read=n + 1,
            reads=int(stats.reads[place]),
            size=writer.size,
            md5=writer.md5,
            blake3=writer.blake3,
        )
        for n, (path, writer) in enumerate(zip(paths, writers, strict=True))
    ]
    return Moved(files, observed)


def _header(line: bytes, read: int) -> bytes:
    """Up to and with its last colon; Picard leaves out the number of a run's only read.

    >>> _header(b"@M1:7:F:1:1101:15:99 :N:0:ACGT", 1)
    b'@M1:7:F:1:1101:15:99 1:N:0:'
    """
    place, _, rest = line.partition(b" ")
    _, flag, control, _ = rest.split(b":")
    return b"%b %d:%b:%b:" % (place, read, flag, control)


def _writer(path: Path) -> BgzfWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    return BgzfWriter(path)


def _picard_files(inputs: LaneInputs, place: int, template_reads: int) -> list[Path]:
    """Those of the template reads, then those of the indexes."""
    prefix = inputs.prefix(place)
    names = [str(n + 1) for n in range(template_reads)]
    names += [f"barcode_{n + 1}" for n in range(len(inputs.lane.index_lengths))]
    return [prefix.with_name(f"{prefix.name}.{name}.fastq.gz") for name in names]


def _clusters(
    inputs: LaneInputs, place: int, template_reads: int
) -> Iterator[tuple[Index, list[FastqRecord]]]:
    """The index that was read, and the template reads, of each cluster; headers lack the index."""
    paths = _picard_files(inputs, place, template_reads)
    if not any(path.exists() for path in paths):
        return
    turns = [read.is_reverse_complement for read in inputs.run_info.index_reads]
    try:
        for records in zip(*map(_records, paths), strict=True):
            if len({record[0].partition(b" ")[0] for record in records}) > 1:
                raise ValueError(f"not each has {records[0][0]!r} at the same place")
            letters = [record[1].rstrip(b"\n").decode("ascii") for record in records]
            index = zip(letters[template_reads:], turns, strict=False)
            yield (
                tuple(turned(text) if turn else text for text, turn in index),
                [
                    (_header(head, n + 1), *rest)
                    for n, (head, *rest) in enumerate(records[:template_reads])
                ],
            )
    except (OSError, EOFError, ValueError, zlib.error) as err:
        raise ConversionError(
            f"lane {inputs.lane.lane}: the files that Picard wrote for"
            f" {inputs.lane.outputs[place].sample_id} are damaged or do not fit: {err}",
            hint="is the disk full?",
            code=CODE,
        ) from err


def _records(path: Path) -> Iterator[FastqRecord]:
    with gzip.open(path, "rb") as file:
        lines = iter(file)
        yield from zip(lines, lines, lines, lines, strict=True)


def _count_indexes(
    inputs: LaneInputs, place: int, observed: Counter[Index], stats: LaneStats
) -> None:
    """Mismatches as bcl2fastq counts them (the worse of the two indexes), and unknown indexes."""
    lane = inputs.lane
    if lane.takes_all or not lane.index_lengths:
        return
    if place == len(lane.samples):
        stats.unknown.update({"+".join(index): count for index, count in observed.items()})
        return
    sample = lane.samples[place]
    for index, count in observed.items():
        found = max(map(distance, index, (sample.index, sample.index2)))
        stats.mismatches[place, min(found, 2)] += count
