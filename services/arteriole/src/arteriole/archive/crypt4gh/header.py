"""The header of a Crypt4GH file: the key of its data, in a packet for each recipient.

Crypt4GH 1.0, 2.2 and 3.2: `crypt4gh`, version and number of packets; a packet is its own length, a
method, the writer's public key, a nonce, and what is sealed with the key that writer and reader
share: the first half of BLAKE2b(X25519 secret || reader's public key || writer's public key).
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from arteriole.archive.crypt4gh.errors import NoKeyError, SpoiltError
from arteriole.archive.crypt4gh.sizes import KEY, NONCE, PACKET, PREAMBLE

MAGIC, VERSION = b"crypt4gh", 1
#: Of packets, and of data: X25519 with ChaCha20-Poly1305, and ChaCha20-Poly1305.
X25519, CHACHA20 = 0, 0
#: Kinds of packets: the data's key, and which of the data counts.
DATA_KEY, EDIT_LIST = 0, 1

_PREAMBLE = struct.Struct("<8sII")
#: Length and method of a packet.
_LENGTHS = struct.Struct("<II")
_DATA_KEY = struct.Struct(f"<II{KEY}s")


@dataclass(frozen=True)
class Packet:
    """One that is for somebody."""

    writer: bytes
    sealed: bytes


class Seal:
    """A new key for the data of one file, and the header that gives it to `recipients`.

    Attributes:
        header: its bytes.

    Raises:
        SpoiltError: the public key of a recipient is of no use.
    """

    def __init__(self, recipients: Sequence[bytes]) -> None:
        self.key = ChaCha20Poly1305.generate_key()
        self._told = _DATA_KEY.pack(DATA_KEY, CHACHA20, self.key)
        mine = X25519PrivateKey.generate()
        public = mine.public_key().public_bytes_raw()
        self._shared = [_shared(mine, one, reader=one, writer=public) for one in recipients]
        self.header = _PREAMBLE.pack(MAGIC, VERSION, len(recipients)) + b"".join(
            _LENGTHS.pack(PACKET, X25519) + public + _sealed(key, self._told)
            for key in self._shared
        )

    def key_of(self, packets: list[Packet]) -> bytes:
        """The key that `packets` give each recipient; NoKeyError unless it is the one of this seal.

        NB: so a header that was read back is proven without anybody's private key.
        """
        if packets != packets_of(self.header):
            raise NoKeyError("its header is not the one that was sent")
        pairs = zip(self._shared, packets, strict=True)
        if any(_opened(key, packet.sealed) != self._told for key, packet in pairs):
            raise NoKeyError("its header does not have the key that was used")
        return self.key


class PrivateKey:
    """That of a recipient, from its 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = X25519PrivateKey.from_private_bytes(secret)
        self.public = self._secret.public_key().public_bytes_raw()

    def key_of(self, packets: list[Packet]) -> bytes:
        """The data's key, out of a packet that is for us; NoKeyError if none is.

        Raises:
            SpoiltError: what is in it is not of the form that we write.
        """
        for packet in packets:
            shared = _shared(self._secret, packet.writer, reader=self.public, writer=packet.writer)
            told = _opened(shared, packet.sealed)
            if told is not None:
                return _key_of(told)
        raise NoKeyError("it is for others")


def packets_of(header: bytes) -> list[Packet]:
    """The packets of `header` that can be for us.

    Raises:
        SpoiltError: it is no header, or not all of one, or more.
    """
    try:
        magic, version, count = _PREAMBLE.unpack_from(header)
        if (magic, version) != (MAGIC, VERSION):
            raise SpoiltError("it does not begin as a Crypt4GH file of version 1")
        packets, at = [], PREAMBLE
        for _ in range(count):
            length, method = _LENGTHS.unpack_from(header, at)
            packet = header[at + _LENGTHS.size : at + length]
            if length == PACKET and method == X25519:
                packets.append(Packet(packet[:KEY], packet[KEY:]))
            at += max(length, _LENGTHS.size)
    except struct.error as err:
        raise SpoiltError("its header is cut off") from err
    if at != len(header):
        raise SpoiltError("its header is not as long as it says")
    return packets


def _key_of(told: bytes) -> bytes:
    kind, method, key = _DATA_KEY.unpack(told)
    if (kind, method) != (DATA_KEY, CHACHA20):
        raise SpoiltError("its header has a packet of another kind than we write")
    return bytes(key)


def _shared(own: X25519PrivateKey, other: bytes, *, reader: bytes, writer: bytes) -> bytes:
    try:
        secret = own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError as err:  # of a key that gives the same secret with any other
        raise SpoiltError("a public key in it makes no secret") from err
    return hashlib.blake2b(secret + reader + writer).digest()[:KEY]


def _sealed(key: bytes, data: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, data, None)


def _opened(key: bytes, sealed: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except InvalidTag:
        return None
