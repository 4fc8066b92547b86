"""Reading a part of a BGZF file by its virtual offsets (SAM specification, 4.1).

A virtual offset is the place of a block in the file, times 65536, plus the place in what the
block holds. Each block is unpacked whole, so that its checksum is compared.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from arteriole.illumina import gzip_data
from arteriole.illumina.errors import RunDataError

HEADER = struct.Struct("<4sIBBH4sH")
MAGIC = b"\x1f\x8b\x08\x04"
EXTRA = b"BC\x02\x00"
_LARGEST = 65_536
#: So many blocks may stand in a row that hold nothing.
_EMPTY_ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes, and the virtual offsets that may stand for the place just behind them."""

    data: bytes
    ends: frozenset[int]


def read(file: BinaryIO, start: int, count: int, name: str) -> Part:
    """`count` bytes from the virtual offset `start`.

    Raises:
        RunDataError: `name` is truncated, corrupt or not BGZF.
        OSError: it cannot be read.
    """
    place, inside = start >> 16, start & 0xFFFF
    parts: list[bytes] = []
    needed = inside + count
    empty = 0
    while True:
        held, after = _block(file, place, name)
        empty = 0 if held else empty + 1
        if empty > _EMPTY_ALLOWED:
            raise RunDataError(f"{name}: too many empty blocks at byte {place}")
        parts.append(held)
        if needed <= len(held):
            break
        needed -= len(held)
        place = after
    ends = {place << 16 | needed}
    if needed == len(held):
        ends.add(after << 16)
    return Part(b"".join(parts)[inside : inside + count], frozenset(ends))


def ends_at(file: BinaryIO, ends: frozenset[int], name: str) -> None:
    """See that behind a part nothing follows, but for the empty block that marks the end.

    Raises:
        RunDataError: something follows.
    """
    size = file.seek(0, 2)
    place = max(ends) >> 16
    if max(ends) & 0xFFFF:
        raise RunDataError(f"{name}: more base calls than its tiles have")
    if place == size:
        return
    held, after = _block(file, place, name)
    if held or after != size:
        raise RunDataError(f"{name}: {size - place} bytes follow its last tile")


def block_size(head: bytes) -> int | None:
    """The size of the block that begins with the 18 bytes `head`; None if it is not BGZF."""
    if len(head) < HEADER.size:
        return None
    magic, _, _, _, extra, field, last = HEADER.unpack(head)
    if (magic, extra, field) != (MAGIC, 6, EXTRA) or last < HEADER.size + 8:
        return None
    return int(last) + 1


def _block(file: BinaryIO, place: int, name: str) -> tuple[bytes, int]:
    """What the block at `place` holds, and where the next one begins."""
    file.seek(place)
    head = file.read(HEADER.size)
    if not head:
        raise RunDataError(f"{name} is truncated: it ends at byte {place}")
    size = block_size(head)
    if size is None:
        raise RunDataError(f"{name}: expected a BGZF block at byte {place}")
    data = head + file.read(size - len(head))
    if len(data) != size:
        raise RunDataError(f"{name} is truncated in the block at byte {place}")
    (length,) = struct.unpack_from("<I", data, size - 4)
    if length > _LARGEST:
        raise RunDataError(f"{name}: a block of {length} bytes at byte {place}")
    return gzip_data.member(data, length, f"{name}, block at byte {place}"), place + size
