"""Gzip data of a known size: every checksum is compared, and no bomb can unfold.

RFC 1952. A member that is not read to its end has an unread checksum, so each is read to its end.
"""

from isal import igzip_lib, isal_zlib

from arteriole.illumina.errors import RunDataError

_HINT = "copy the file from the instrument again"


def members(data: bytes, limit: int, name: str) -> bytes:
    """What all members of `data` hold; stops soon after `limit` bytes.

    Raises:
        RunDataError: `name` is truncated or corrupt.
    """
    parts: list[bytes] = []
    size = 0
    while data and size <= limit:
        part, data = _member(data, limit - size, name)
        parts.append(part)
        size += len(part)
        data = data.lstrip(b"\0")
    return b"".join(parts)


def member(data: bytes, size: int, name: str) -> bytes:
    """What `data` holds, which is one member of exactly `size` bytes and nothing beside it.

    Raises:
        RunDataError: it is anything else; `name` says where it stands.
    """
    part, rest = _member(data, size, name)
    if len(part) != size:
        found = f"more than {size}" if len(part) > size else str(len(part))
        raise RunDataError(f"{name}: expected {size} bytes unpacked, found {found}", hint=_HINT)
    if rest:
        raise RunDataError(f"{name}: {len(rest)} bytes follow its gzip data", hint=_HINT)
    return part


def _member(data: bytes, limit: int, name: str) -> tuple[bytes, bytes]:
    """The first member and what follows it; more than `limit` bytes if it has more."""
    try:
        stream = isal_zlib.decompressobj(wbits=31)
        part = stream.decompress(data, limit + 1)
        if not stream.eof and len(part) <= limit:
            # An output that just fits may leave the trailer, and its checksum, unread.
            part += stream.decompress(stream.unconsumed_tail, limit + 1 - len(part))
    except igzip_lib.IsalError as err:  # type: ignore[misc]  # typed as an instance
        raise RunDataError(f"{name} is corrupt: {err}", hint=_HINT) from err
    if not stream.eof and len(part) <= limit:
        raise RunDataError(f"{name} is truncated: its gzip stream has no end", hint=_HINT)
    return part, stream.unused_data
