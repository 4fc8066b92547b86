"""BGZF: gzip in blocks, as bcl2fastq writes it and samtools indexes it (SAM specification, 4.1).

No time and no name stands in the headers, so the same text gives the same bytes. NB: that needs a
compressor that starts from the same state for every block and does the same on every processor, as
libdeflate does; isal 1.9.1 was seen, on a busy machine, to compress 1 block in some 10 000
differently.
"""

import hashlib
import os
import struct
from pathlib import Path

import deflate
from blake3 import blake3

BLOCK_SIZE = 65_280
LEVEL = 1
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_FLUSH_SIZE = 65_536
_HEADER = struct.Struct("<4BI2BH2BHH")
_LARGEST = 65_536 - _HEADER.size - 8


class BgzfWriter:
    """Compresses into a new file and digests its bytes as they are written.

    The file is open only while it is written to, since a lane has more files than a process may
    hold open. Raises FileExistsError if the file is already there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = bytearray()
        self._compressed: list[bytes] = []
        self._held = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._blake3 = blake3()
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        os.close(os.open(path, flags, 0o644))

    def write(self, text: bytes | memoryview) -> None:
        """Add text; it reaches the disk some blocks later."""
        self._text += text
        whole = len(self._text) // BLOCK_SIZE * BLOCK_SIZE
        if not whole:
            return
        with memoryview(self._text) as view:
            for start in range(0, whole, BLOCK_SIZE):
                self._hold(block(view[start : start + BLOCK_SIZE]))
        del self._text[:whole]
        if self._held >= _FLUSH_SIZE:
            self._flush()

    def close(self) -> None:
        """Write the rest and the end marker, and see them on disk."""
        if self._text:
            self._hold(block(self._text))
            self._text.clear()
        self._hold(END)
        self._flush(sync=True)

    @property
    def md5(self) -> str:
        """Of the file's bytes, once closed."""
        return self._md5.hexdigest()

    @property
    def blake3(self) -> str:
        """Of the file's bytes, once closed."""
        return str(self._blake3.hexdigest())

    def _hold(self, data: bytes) -> None:
        self._compressed.append(data)
        self._held += len(data)

    def _flush(self, sync: bool = False) -> None:
        data = b"".join(self._compressed)
        self._compressed.clear()
        self._held = 0
        self._md5.update(data)
        self._blake3.update(data)
        self.size += len(data)
        with open(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW), "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())


def block(text: bytes | bytearray | memoryview) -> bytes:
    """One BGZF block of at most BLOCK_SIZE bytes of text."""
    body = deflate.deflate_compress(text, LEVEL)
    if len(body) > _LARGEST:
        body = deflate.deflate_compress(text, 0)
    size = _HEADER.size + len(body) + 8
    head = _HEADER.pack(31, 139, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, size - 1)
    return b"".join((head, body, struct.pack("<II", deflate.crc32(text), len(text))))
