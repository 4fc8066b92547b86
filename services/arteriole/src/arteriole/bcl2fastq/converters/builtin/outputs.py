"""The FASTQ files of one lane, or of all where lanes are not split."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.builtin.bgzf import BgzfWriter
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, PlannedFile
from arteriole.bcl2fastq.converters.builtin.tiles import Piece
from arteriole.bcl2fastq.converters.conversion import ConversionError, FastqFile

_BATCH_SIZE = 16 * 1024 * 1024

Key = tuple[str, bool, int]
"""Of a file: the sample, whether it is an index read, and which."""


class FastqFiles:
    """Every planned file is there at once, so that none is missing at the end.

    Args:
        out_dir: exists; folders are made below it.
        each: `map`, or that of a pool of `threads` threads, which compress different files.
    """

    def __init__(
        self,
        out_dir: Path,
        planned: Iterable[PlannedFile],
        each: Callable[..., Iterator[Any]] = map,
        threads: int = 1,
    ) -> None:
        self._each = each
        self._threads = threads
        self._planned = {
            (file.output.sample_id, file.is_index, file.read): file for file in planned
        }
        self._batch: dict[Key, list[memoryview]] = {}
        self._batch_size = 0
        self._writers: dict[Key, BgzfWriter] = {}
        for key, file in self._planned.items():
            path = out_dir / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.resolve().is_relative_to(out_dir.resolve()):
                raise ConversionError(
                    f"{file.path} would lie outside of the output folder", code="convert.output"
                )
            self._writers[key] = BgzfWriter(path)

    def write(self, lane: LanePlan, pieces: Iterable[Piece]) -> None:
        """Append the pieces of a lane to their files, in order."""
        for piece in pieces:
            output = lane.outputs[piece.output].sample_id
            key = output, piece.read.is_index, piece.read.number
            self._batch.setdefault(key, []).append(piece.text)
            self._batch_size += len(piece.text)
            if self._batch_size >= _BATCH_SIZE:
                self._write_batch()
        self._write_batch()

    def close(self, reads: Mapping[str, int]) -> list[FastqFile]:
        """Finish the files; `reads` says how many each sample has in them."""
        for writer in self._writers.values():
            writer.close()
        return [
            FastqFile(
                path=file.path,
                sample_id=file.output.sample_id,
                lane=file.lane,
                read=file.read,
                reads=reads[file.output.sample_id],
                size=writer.size,
                md5=writer.md5,
                blake3=writer.blake3,
                is_index=file.is_index,
            )
            for file, writer in zip(self._planned.values(), self._writers.values(), strict=True)
        ]

    def _write_batch(self) -> None:
        batch, self._batch, self._batch_size = list(self._batch.items()), {}, 0
        # NB: as many shares as threads, not one a file: there may be thousands of small ones.
        shares = (batch[place :: self._threads] for place in range(self._threads))
        for _ in self._each(self._write_share, shares):
            pass

    def _write_share(self, share: list[tuple[Key, list[memoryview]]]) -> None:
        for key, texts in share:
            for text in texts:
                self._writers[key].write(text)
