"""Files with keys, as `crypt4gh-keygen` makes them (EGA's description: Crypt4GH key format, v1)."""

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path

from arteriole.archive.crypt4gh.sizes import KEY, NONCE
from arteriole.archive.errors import ArchiveError

PUBLIC, PRIVATE = "CRYPT4GH PUBLIC KEY", "CRYPT4GH PRIVATE KEY"
MAGIC = b"c4gh-v1"
NONE, SCRYPT, PBKDF2, CHACHA20 = b"none", b"scrypt", b"pbkdf2_hmac_sha256", b"chacha20_poly1305"
#: The passphrase, where no file has it; the variable that `crypt4gh` looks into too.
VARIABLE = "C4GH_PASSPHRASE"


def read_public_key(path: Path) -> bytes:
    """Its 32 bytes.

    Raises:
        ArchiveError: it cannot be read, or is of another form.
    """
    data = _armoured(path, PUBLIC)
    if len(data) != KEY:
        raise _unusable(path, PUBLIC, "it has another length")
    return data


def read_private_key(path: Path, passphrase_file: Path | None) -> bytes:
    """Its 32 bytes; the passphrase, if it has one, is in `passphrase_file` or the environment.

    Raises:
        ArchiveError: others may read one of the files, it is of another form, or its passphrase is
            another. NB: no error repeats what stands in them.
    """
    _require_own(path)
    parts = _Parts(path, _armoured(path, PRIVATE))
    kdf = parts.next()
    options = b"" if kdf == NONE else parts.next()
    cipher, secret = parts.next(), parts.next()
    if kdf != NONE or cipher != NONE:
        if cipher != CHACHA20:
            raise _unusable(path, PRIVATE, "its cipher is not known")
        secret = _unlocked(path, _derived(path, kdf, options, passphrase_file), secret)
    if len(secret) != KEY:
        raise _unusable(path, PRIVATE, "it has another length")
    return secret


class _Parts:
    """What follows the magic word: each with its length in two bytes before it."""

    def __init__(self, path: Path, data: bytes) -> None:
        if not data.startswith(MAGIC):
            raise _unusable(path, PRIVATE, f"it does not begin with {MAGIC.decode()}")
        self._path, self._left = path, data[len(MAGIC) :]

    def next(self) -> bytes:
        size = int.from_bytes(self._left[:2], "big")
        part, self._left = self._left[2 : 2 + size], self._left[2 + size :]
        if len(part) != size or not size:
            raise _unusable(self._path, PRIVATE, "it is cut off")
        return part


def _derived(path: Path, kdf: bytes, options: bytes, passphrase_file: Path | None) -> bytes:
    rounds, salt = int.from_bytes(options[:4], "big"), options[4:]
    passphrase = _passphrase(path, passphrase_file)
    if kdf == SCRYPT:
        return hashlib.scrypt(passphrase, salt=salt, n=1 << 14, r=8, p=1, dklen=KEY)
    if kdf == PBKDF2 and 0 < rounds < 1 << 24:
        return hashlib.pbkdf2_hmac("sha256", passphrase, salt, rounds, KEY)
    raise _unusable(
        path,
        PRIVATE,
        "its passphrase is made into a key by other means than scrypt",
        f"crypt4gh-keygen --relock --sk {path}, where Python has scrypt",
    )


def _passphrase(path: Path, file: Path | None) -> bytes:
    if file is None:
        found = os.environ.get(VARIABLE)
        if not found:
            raise _unusable(
                path,
                PRIVATE,
                "it has a passphrase, which nobody gives",
                f"set passphrase_file of the destination, or the variable {VARIABLE}",
            )
        return found.encode()
    _require_own(file)
    try:
        return file.read_bytes().removesuffix(b"\n")
    except OSError as err:
        raise _unusable(file, "its passphrase", f"it cannot be read: {err.strerror}") from None


def _unlocked(path: Path, key: bytes, secret: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        return ChaCha20Poly1305(key).decrypt(secret[:NONCE], secret[NONCE:], None)
    except (InvalidTag, ValueError):
        raise _unusable(path, PRIVATE, "its passphrase is another one") from None


def _armoured(path: Path, what: str) -> bytes:
    """What stands between the lines that begin and end it."""
    try:
        lines = path.read_text(encoding="ascii").split("\n")
    except OSError as err:
        raise _unusable(path, what, f"it cannot be read: {err.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(path, what, "it is not text") from None
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) < 3 or (lines[0], lines[-1]) != (
        f"-----BEGIN {what}-----",
        f"-----END {what}-----",
    ):
        raise _unusable(path, what, "it has other lines at its beginning and end")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise _unusable(path, what, "it is not in base64") from None


def _require_own(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as err:
        raise _unusable(path, "a secret", f"it cannot be read: {err.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        found = f"its mode is {stat.S_IMODE(mode):04o}"
        raise _unusable(
            path, "a secret, which only its owner may read,", found, f"chmod 600 {path}"
        )


def _unusable(path: Path, what: str, found: str, hint: str = "") -> ArchiveError:
    return ArchiveError(
        f"expected {what} in {path}; {found}",
        code="archive.key",
        hint=hint
        or "correct the file, or crypt4gh of the destination in arteriole.yaml; then retry",
    )
