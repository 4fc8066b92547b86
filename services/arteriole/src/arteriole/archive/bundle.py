"""Small files as one plain tar, whose bytes follow from the files: twice packed it is the same.

A bundle's name is the BLAKE3 of its bytes with the content of each file replaced by the BLAKE3 of
that content. So it is known before anything is read, and proves headers, padding and order.
"""

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from blake3 import blake3

from arteriole.archive.archive import Parcel
from arteriole.archive.errors import source_changed
from arteriole.archive.holding import HeldFile
from arteriole.checksum.digests import Digester, FileDigest, Meter, Sink, digest_file

FOLDER = "bundles/"
SUFFIX = ".tar"
#: Sizes of POSIX tar: a file fills whole blocks, and two empty ones end it.
BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)


@dataclass(frozen=True)
class Span:
    """Where in a bundle a file's content lies, and what it has to be."""

    offset: int
    digest: FileDigest

    @property
    def end(self) -> int:
        return self.offset + self.digest.size


def pack(files: Iterable[HeldFile], size: int, base: str, suffix: str = "") -> list[Parcel]:
    """`files` in their order, in bundles of at most `size` bytes where a file is not larger.

    Args:
        base, suffix: stand before and behind their names.
    """
    packed: list[Parcel] = []
    bundle = _Packing()
    for file in files:
        if bundle.files and bundle.size_with(file) > size:
            packed.append(bundle.parcel(base, suffix))
            bundle = _Packing()
        bundle.add(file)
    if bundle.files:
        packed.append(bundle.parcel(base, suffix))
    return packed


def copy_bundle(parcel: Parcel, meter: Meter, sink: Sink) -> FileDigest:
    """Write the bundle to `sink`, each file digested as it is read; the digests of the whole.

    Raises:
        ArchiveError: a source is not as its manifest has it.
    """
    whole = _Digested(sink)
    frame = parcel.size
    for file in parcel.files:
        whole.write(_header(file))
        if digest_file(file.source, file.found, meter, whole) != file.digest:
            raise source_changed(file.digest.name, file.source)
        whole.write(bytes(_padding(file)))
        frame -= file.digest.size
    whole.write(END)
    meter.add(frame)
    return whole.digester.digest(parcel.place)


def spans(parcel: Parcel) -> list[Span]:
    pairs = zip(parcel.offsets, parcel.files, strict=True)
    return [Span(offset, file.digest) for offset, file in pairs]


class Reading:
    """Takes a bundle from end to end.

    Attributes:
        wrong: the names of the files that are not as they have to be.
    """

    def __init__(self, expected: Sequence[Span]) -> None:
        self._left = iter(expected)
        self._span = next(self._left, None)
        self._at = 0
        self._name = blake3()
        self._content = Digester()
        self.wrong: list[str] = []

    def write(self, piece: Any, /) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[self._take(rest) :]

    @property
    def name(self) -> str:
        """The name that these bytes have; `cut` if they end within a file."""
        return self._name.hexdigest() if self._span is None else "cut"

    def _take(self, rest: memoryview) -> int:
        span, count = self._span, len(rest)
        if span is None or self._at < span.offset:
            count = count if span is None else min(count, span.offset - self._at)
            self._name.update(rest[:count])
        else:
            count = min(count, span.end - self._at)
            self._content.update(rest[:count])
            if self._at + count == span.end:
                self._close(span)
        self._at += count
        return count

    def _close(self, span: Span) -> None:
        found = self._content.digest(span.digest.name)
        if found != span.digest:
            self.wrong.append(span.digest.name)
        self._name.update(found.blake3.encode())
        self._content = Digester()
        self._span = next(self._left, None)


class _Packing:
    """A bundle that grows."""

    def __init__(self) -> None:
        self.files: list[HeldFile] = []
        self._offsets: list[int] = []
        self._size = 0
        self._name = blake3()

    def size_with(self, file: HeldFile) -> int:
        return self._size + len(_header(file)) + file.digest.size + _padding(file) + len(END)

    def add(self, file: HeldFile) -> None:
        header = _header(file)
        self._name.update(header)
        self._name.update(file.digest.blake3.encode())
        self._name.update(bytes(_padding(file)))
        self.files.append(file)
        self._offsets.append(self._size + len(header))
        self._size += len(header) + file.digest.size + _padding(file)

    def parcel(self, base: str, suffix: str) -> Parcel:
        self._name.update(END)
        place = f"{base}{FOLDER}{self._name.hexdigest()}{SUFFIX}{suffix}"
        return Parcel(place, self._size + len(END), tuple(self.files), tuple(self._offsets))


class _Digested:
    """A sink whose bytes are digested on their way."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.digester = Digester()

    def write(self, piece: Any, /) -> None:
        self.digester.update(piece)
        self._sink.write(piece)


def _header(file: HeldFile) -> bytes:
    """Of a regular file of root's, mode 0644; a name that is long or not ASCII in a pax header."""
    info = tarfile.TarInfo(file.name)
    info.size = file.digest.size
    info.mtime = max(0, file.found.mtime_ns // 1_000_000_000)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _padding(file: HeldFile) -> int:
    return -file.digest.size % BLOCK


def split(pieces: Iterator[bytes], cuts: Sequence[tuple[int, int]]) -> Iterator[Iterator[bytes]]:
    """Of a stream of bytes those of each (offset, size), in order.

    NB: the bytes of one have to be taken before the next is asked for.
    """
    stream = Stream(pieces)
    for offset, size in cuts:
        for _ in stream.take(offset - stream.at):
            pass
        yield stream.take(size)
    for _ in pieces:  # so that a connection is read to its end, and can be used again
        pass


class Stream:
    """Bytes that are taken in other portions than they come in."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.at = 0

    def take(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes, or as many as there are."""
        while count > 0:
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
                if not self._rest:
                    return
            piece, self._rest = self._rest[:count], self._rest[count:]
            self.at += len(piece)
            count -= len(piece)
            yield bytes(piece)
