"""The FASTQ files of one lane."""

from collections.abc import Iterable
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.bgzf import BgzfWriter
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.builtin.tiles import Piece
from arteriole.bcl2fastq.converters.conversion import ConversionError, FastqFile

_BATCH_SIZE = 16 * 1024 * 1024

File = tuple[int, int]
"""An output's place in LanePlan.outputs, and a template read counted from 0."""


class LaneFiles:
    """Every output of the lane gets its files at once, so that none is missing at the end.

    Args:
        out_dir: exists; folders are made below it.
    """

    def __init__(self, out_dir: Path, lane: LanePlan, reads: int) -> None:
        self._lane = lane
        self._batch: dict[File, list[memoryview]] = {}
        self._batch_size = 0
        self._paths = {
            (place, read): output.fastq(lane.lane, read + 1)
            for place, output in enumerate(lane.outputs)
            for read in range(reads)
        }
        self._writers: dict[File, BgzfWriter] = {}
        for file, relative in self._paths.items():
            path = out_dir / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.resolve().is_relative_to(out_dir.resolve()):
                raise ConversionError(
                    f"{relative} would lie outside of the output folder", code="convert.output"
                )
            self._writers[file] = BgzfWriter(path)

    def write(self, pieces: Iterable[Piece]) -> None:
        """Append the pieces to their files, in order."""
        for piece in pieces:
            self._batch.setdefault((piece.output, piece.read), []).append(piece.text)
            self._batch_size += len(piece.text)
            if self._batch_size >= _BATCH_SIZE:
                self._write_batch()
        self._write_batch()

    def close(self, stats: LaneStats) -> list[FastqFile]:
        """Finish the files; `stats` knows how many reads each has."""
        for writer in self._writers.values():
            writer.close()
        return [
            FastqFile(
                path=self._paths[file].as_posix(),
                sample_id=self._lane.outputs[file[0]].sample_id,
                lane=self._lane.lane,
                read=file[1] + 1,
                reads=int(stats.reads[file[0]]),
                size=writer.size,
                md5=writer.md5,
                blake3=writer.blake3,
            )
            for file, writer in self._writers.items()
        ]

    def _write_batch(self) -> None:
        batch, self._batch, self._batch_size = self._batch, {}, 0
        for file, texts in batch.items():
            for text in texts:
                self._writers[file].write(text)
