"""One FASTQ of the instrument: copied, digested, unpacked to its end and counted in one reading."""

import io
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import igzip, igzip_lib

from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.checksum.digests import Digester, FileDigest
from arteriole.illumina import run_file

#: Bytes of text unpacked at once.
_TEXT = 1 << 18
#: @instrument:run number:flow cell:lane:tile:x:y[:UMI] read:is filtered:control:index
_HEADER = re.compile(rb"@[^:\s]+:(\d+):([^:\s]+):(\d+):\d+:\d+:\d+(?::\S+)? (\d):[YN]:\d+:\S*\n")


@dataclass(frozen=True, slots=True)
class Origin:
    """What the first record of a file must say of itself."""

    flowcell: str
    lane: int
    read: int


class _Tee(io.RawIOBase):
    """What is read of `source` is digested and written on the way."""

    def __init__(self, source: BinaryIO, target: BinaryIO | None, beat: Callable[[], None]) -> None:
        self._source, self._target, self._beat = source, target, beat
        self.digester, self.crc = Digester(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        self._beat()
        count = self._source.readinto(buffer)  # type: ignore[attr-defined]
        piece = memoryview(buffer)[:count]
        self.digester.update(piece)
        self.crc = zlib.crc32(piece, self.crc)
        if self._target is not None:
            self._target.write(piece)
        return int(count)


def take(
    source: Path,
    target: Path | None,
    crc: int,
    reads: int,
    origin: Origin,
    beat: Callable[[], None],
) -> FileDigest:
    """Copy `source` to the new file `target` (to nowhere if None).

    Args:
        crc: the CRC-32 that its bytes are to have.
        reads: how many records it is to have.
        beat: called often; what it raises ends the copy.

    Raises:
        ConversionError: it is cut short, damaged, has other reads, or those of another run.
        OSError: it cannot be read or written.
    """
    with run_file.open_file(source) as file:
        before = os.fstat(file.fileno())
        if target is None:
            tee, lines = _through(file, None, source.name, reads, origin, beat)
        else:
            with target.open("xb", buffering=0) as out:
                tee, lines = _through(file, out, source.name, reads, origin, beat)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _damaged(f"{source.name} changed while it was copied", "wait until nothing writes")
    if tee.digester.size != before.st_size or tee.crc != crc:
        raise _damaged(f"{source.name} is not what Manifest.tsv has the digest of")
    if lines != 4 * reads:
        rest = f" and {lines % 4} lines" if lines % 4 else ""
        raise _counts(source.name, f"{lines // 4} records{rest}", reads)
    return tee.digester.digest(source.name)


def _through(
    file: BinaryIO,
    out: BinaryIO | None,
    name: str,
    reads: int,
    origin: Origin,
    beat: Callable[[], None],
) -> tuple[_Tee, int]:
    """All of the file read; and the lines of its text, of which there are no more than wanted."""
    tee = _Tee(file, out, beat)
    lines, last = 0, b""
    try:
        with igzip.IGzipFile(fileobj=tee) as text:  # type: ignore[no-untyped-call]  # isal's own
            while piece := text.read(_TEXT):
                if not last:
                    _require_origin(piece, name, origin)
                lines += piece.count(b"\n")
                last = piece[-1:]
                if lines > 4 * reads:
                    raise _counts(name, "more records", reads)
    except (EOFError, igzip.BadGzipFile, igzip_lib.IsalError, zlib.error) as err:  # type: ignore[misc]
        raise _damaged(f"{name} is cut short or damaged: {err}") from err
    if last not in (b"", b"\n"):
        raise _damaged(f"{name} ends within a line")
    return tee, lines


def _require_origin(piece: bytes, name: str, origin: Origin) -> None:
    found = _HEADER.match(piece)
    if found is None:
        raise _damaged(f"{name} does not begin as a FASTQ of Illumina's does")
    said = Origin(found[2].decode("ascii", "replace"), int(found[3]), int(found[4]))
    if said != origin:
        raise ConversionError(
            f"{name} has reads of flow cell {said.flowcell[:40]}, lane {said.lane}, read"
            f" {said.read}; expected {origin.flowcell}, lane {origin.lane}, read {origin.read}",
            hint="find out where the file comes from; it is not taken",
            code="ingest.files",
        )


def _counts(name: str, found: str, reads: int) -> ConversionError:
    return ConversionError(
        f"{name} has {found}; Demultiplex_Stats.csv counts {reads}",
        hint="queue the analysis again on the instrument, or convert with another converter",
        code="ingest.counts",
    )


def _damaged(message: str, hint: str = "copy it from the instrument again") -> ConversionError:
    return ConversionError(message, hint=hint, code="ingest.damaged")
