"""The data of a Crypt4GH file, segment by segment (Crypt4GH 1.0, 3.4)."""

import io
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from arteriole.archive.archive import Bytes
from arteriole.archive.bundle import Stream
from arteriole.archive.crypt4gh.errors import SpoiltError
from arteriole.archive.crypt4gh.header import Packet, Seal, packets_of
from arteriole.archive.crypt4gh.sizes import NONCE, SEALED, SEGMENT
from arteriole.checksum.digests import Sink

#: The key of the data, by the packets of a header.
Opener = Callable[[list[Packet]], bytes]


class Sealing:
    """A sink that gives `sink` the bytes of a Crypt4GH file; `close` gives it the last of them."""

    def __init__(self, seal: Seal, sink: Sink) -> None:
        self._cipher = ChaCha20Poly1305(seal.key)
        self._sink = sink
        self._rest = bytearray()
        sink.write(seal.header)

    def write(self, piece: Any, /) -> None:
        taken = 0
        view = memoryview(piece)
        if self._rest:
            taken = min(SEGMENT - len(self._rest), len(view))
            self._rest += view[:taken]
            if len(self._rest) < SEGMENT:
                return
            self._write(self._rest)
            self._rest.clear()
        while len(view) - taken >= SEGMENT:
            self._write(view[taken : taken + SEGMENT])
            taken += SEGMENT
        self._rest += view[taken:]

    def close(self) -> None:
        if self._rest:
            self._write(self._rest)
            self._rest.clear()

    def _write(self, segment: Any) -> None:
        """NB: a key seals one file only, so nonces that are drawn do not meet."""
        nonce = os.urandom(NONCE)
        self._sink.write(nonce)
        self._sink.write(self._cipher.encrypt(nonce, segment, None))


def opened(pieces: Bytes, opener: Opener, header: int) -> Bytes:
    """The data of a file whose bytes are `pieces`, of which `header` are its header.

    Raises:
        SpoiltError: it is no such file, or a bit of it is not as it was written. NB: one that
            lacks its last segments cannot be told from a shorter one: digests of the data can.
        NoKeyError: none of its packets is for the opener.
    """
    with closing(pieces):
        stream = Stream(pieces)
        key = opener(packets_of(b"".join(stream.take(header))))
        yield from opened_segments(stream, key)


def opened_segments(stream: Stream, key: bytes) -> Bytes:
    """The data of each segment; SpoiltError as of `opened`."""
    cipher = ChaCha20Poly1305(key)
    while sealed := b"".join(stream.take(SEALED)):
        try:
            yield cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None)
        except (InvalidTag, ValueError) as err:
            raise SpoiltError("a segment of it is not as it was encrypted") from err


def sealed(seal: Seal, data: bytes) -> bytes:
    """The file that `data` becomes."""
    sink = io.BytesIO()
    sealing = Sealing(seal, sink)
    sealing.write(data)
    sealing.close()
    return sink.getvalue()


def unsealed(data: bytes, opener: Opener, header: int) -> bytes:
    """The data of the file that is `data`; errors as of `opened`."""
    return b"".join(opened((piece for piece in (data,)), opener, header))
