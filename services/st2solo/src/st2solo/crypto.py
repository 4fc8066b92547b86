"""Encryption of datastore values in the format of StackStorm's st2common/util/crypto.py.

A value is the upper-case hexadecimal of `header(5) iv(16) AES-256-CBC(PKCS#7) HMAC-SHA1(20)`, and
the key file is keyczar's JSON; values and key files can be carried over from and to a StackStorm.
"""

import base64
import binascii
import hmac
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from st2solo.errors import InvalidError, St2SoloError

_HEADER = b"00000"
_BLOCK = 16
_SIGNATURE = 20


class CryptoKeyError(St2SoloError):
    """The crypto key file cannot be used."""


@dataclass(frozen=True)
class CryptoKey:
    aes: bytes = field(repr=False)
    hmac: bytes = field(repr=False)

    def encrypt(self, plain: str) -> str:
        padder = padding.PKCS7(_BLOCK * 8).padder()
        data = padder.update(plain.encode()) + padder.finalize()
        iv = os.urandom(_BLOCK)
        encryptor = Cipher(algorithms.AES(self.aes), modes.CBC(iv)).encryptor()
        message = _HEADER + iv + encryptor.update(data) + encryptor.finalize()
        return (message + self._sign(message)).hex().upper()

    def decrypt(self, value: str) -> str:
        """
        Raises:
            InvalidError: the value is not encrypted, or with another key, or was altered.
        """
        try:
            raw = binascii.unhexlify(value)
        except ValueError as err:
            raise InvalidError(
                "expected an encrypted value, found plain text; store it with"
                " `st2 key set --encrypt`"
            ) from err
        message, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
        if len(message) < len(_HEADER) + 2 * _BLOCK or not hmac.compare_digest(
            self._sign(message), signature
        ):
            raise InvalidError("the encrypted value was altered or made with another crypto key")
        iv, body = message[len(_HEADER) :][:_BLOCK], message[len(_HEADER) + _BLOCK :]
        decryptor = Cipher(algorithms.AES(self.aes), modes.CBC(iv)).decryptor()
        unpadder = padding.PKCS7(_BLOCK * 8).unpadder()
        data = unpadder.update(decryptor.update(body) + decryptor.finalize())
        return (data + unpadder.finalize()).decode()

    def _sign(self, message: bytes) -> bytes:
        return hmac.digest(self.hmac, message, "sha1")


def load_or_create(path: Path) -> CryptoKey:
    """The key of the file; at first start a new one, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path)
    try:
        content = json.loads(path.read_text())
        return CryptoKey(
            aes=_unbase64(content["aesKeyString"]),
            hmac=_unbase64(content["hmacKey"]["hmacKeyString"]),
        )
    except (ValueError, KeyError, TypeError) as err:
        raise CryptoKeyError(f"{path}: expected a crypto key file (keyczar's JSON): {err}") from err


def _write(path: Path) -> None:
    content: dict[str, Any] = {
        "hmacKey": {"hmacKeyString": _base64(os.urandom(32)), "size": 256},
        "size": 256,
        "aesKeyString": _base64(os.urandom(32)),
        "mode": "CBC",
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
