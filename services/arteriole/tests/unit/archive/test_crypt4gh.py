"""Crypt4GH's form, and the files of its keys."""

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from arteriole.archive.crypt4gh.errors import NoKeyError, SpoiltError
from arteriole.archive.crypt4gh.header import PrivateKey, Seal, packets_of
from arteriole.archive.crypt4gh.journal import Journal, Journals, Proven
from arteriole.archive.crypt4gh.keys import VARIABLE, read_private_key, read_public_key
from arteriole.archive.crypt4gh.segments import Sealing, opened, sealed, unsealed
from arteriole.archive.crypt4gh.sizes import SEGMENT, header_size, sealed_size
from arteriole.archive.errors import ArchiveError
from arteriole.checksum.digests import FileDigest

MINE, OTHERS = PrivateKey(b"\1" * 32), PrivateKey(b"\2" * 32)
BOTH = [MINE.public, OTHERS.public]
HEADER = header_size(2)


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
@pytest.mark.parametrize("step", [7_000, SEGMENT, 5 * SEGMENT])
def test_there_and_back(size: int, step: int) -> None:
    """In whatever pieces it comes, for each recipient and for who wrote it."""
    data = (b"%d" % size * SEGMENT * 3)[:size]
    seal, sink = Seal(BOTH), io.BytesIO()
    sealing = Sealing(seal, sink)
    for start in range(0, size, step):
        sealing.write(data[start : start + step])
    sealing.close()
    there = sink.getvalue()
    assert len(there) == sealed_size(size, 2)
    for opener in (MINE.key_of, OTHERS.key_of, seal.key_of):
        pieces = (there[at : at + step] for at in range(0, len(there), step))
        assert b"".join(opened(pieces, opener, HEADER)) == data


def test_twice_the_same_is_not_the_same_twice() -> None:
    """Each file has a key of its own, and each segment a nonce."""
    first, second = (sealed(Seal(BOTH), bytes(2 * SEGMENT)) for _ in range(2))
    segments = {
        data[HEADER + n * (SEGMENT + 28) :][:SEGMENT] for data in (first, second) for n in (0, 1)
    }
    assert len(segments) == 4


def test_somebody_else_cannot_open_it() -> None:
    there = sealed(Seal([MINE.public]), b"data")
    with pytest.raises(NoKeyError):
        unsealed(there, OTHERS.key_of, header_size(1))


@given(at=st.integers(0, sealed_size(100, 2) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed_by_who_wrote_it(at: int, bit: int) -> None:
    seal = Seal(BOTH)
    there = bytearray(sealed(seal, b"x" * 100))
    there[at] ^= 1 << bit
    with pytest.raises(SpoiltError):
        unsealed(bytes(there), seal.key_of, HEADER)


@given(
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda data: b"crypt4gh\1\0\0\0" + data)
    | st.binary(max_size=300).map(lambda data: b"crypt4gh\1\0\0\0\2\0\0\0\x6c\0\0\0" + data)
)
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    try:
        packets = packets_of(data)
    except SpoiltError:
        return
    assert len(packets) * 108 + 16 <= len(data)


def test_a_public_key_that_makes_no_secret() -> None:
    with pytest.raises(SpoiltError, match="makes no secret"):
        Seal([bytes(32)])
    there = bytearray(Seal([MINE.public]).header)
    there[24:56] = bytes(32)
    with pytest.raises(SpoiltError):
        MINE.key_of(packets_of(bytes(there)))


def test_a_packet_of_another_kind() -> None:
    """One that is for us, and does not have the key of the data."""
    there = bytearray(Seal([MINE.public]).header)
    own = Seal([MINE.public])
    told = (1).to_bytes(4, "little") + bytes(36)
    (shared,) = own._shared
    nonce = bytes(12)
    there = bytearray(own.header)
    there[56:] = nonce + ChaCha20Poly1305(shared).encrypt(nonce, told, None)
    with pytest.raises(SpoiltError, match="another kind"):
        MINE.key_of(packets_of(bytes(there)))


def armoured(what: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f"-----BEGIN CRYPT4GH {what} KEY-----\n{text}\n-----END CRYPT4GH {what} KEY-----\n"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def part(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


SECRET = bytes(range(32))
PLAIN = b"c4gh-v1" + part(b"none") + part(b"none") + part(SECRET)


def locked(kdf: bytes, rounds: int = 0) -> bytes:
    """With the passphrase `open`."""
    salt, nonce = bytes(16), bytes(12)
    if kdf == b"pbkdf2_hmac_sha256":
        key = hashlib.pbkdf2_hmac("sha256", b"open", salt, rounds, 32)
    else:
        key = hashlib.scrypt(b"open", salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    secret = nonce + ChaCha20Poly1305(key).encrypt(nonce, SECRET, None)
    options = rounds.to_bytes(4, "big") + salt
    return b"c4gh-v1" + b"".join(map(part, (kdf, options, b"chacha20_poly1305", secret)))


def test_files_of_keys(tmp_path: Path) -> None:
    public = write(tmp_path / "a.pub", armoured("PUBLIC", MINE.public), 0o644)
    assert read_public_key(public) == MINE.public
    for data in (PLAIN, PLAIN + part(b"a comment")):
        assert read_private_key(write(tmp_path / "a", armoured("PRIVATE", data)), None) == SECRET


@pytest.mark.parametrize("data", [locked(b"scrypt"), locked(b"pbkdf2_hmac_sha256", 1000)])
def test_a_locked_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    path = write(tmp_path / "a", armoured("PRIVATE", data))
    file = write(tmp_path / "passphrase", "open\n")
    assert read_private_key(path, file) == SECRET
    monkeypatch.setenv(VARIABLE, "open")
    assert read_private_key(path, None) == SECRET
    for found, words in (("wrong", "its passphrase is another one"), ("", "which nobody gives")):
        monkeypatch.setenv(VARIABLE, found)
        with pytest.raises(ArchiveError, match=words):
            read_private_key(path, None)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (armoured("PRIVATE", PLAIN), 0o640, "mode is 0640"),
        (armoured("PRIVATE", PLAIN), 0o604, "mode is 0604"),
        (armoured("PUBLIC", PLAIN), 0o600, "other lines"),
        (armoured("PRIVATE", PLAIN[:-1]), 0o600, "cut off"),
        (armoured("PRIVATE", b"c4gh-v2" + PLAIN[7:]), 0o600, "does not begin with c4gh-v1"),
        (armoured("PRIVATE", PLAIN.replace(part(SECRET), part(b"short"))), 0o600, "length"),
        (armoured("PRIVATE", locked(b"bcrypt", 100)), 0o600, "other means than scrypt"),
        (armoured("PRIVATE", locked(b"pbkdf2_hmac_sha256", 1000).replace(b"chacha20", b"aes--256")),
         0o600, "cipher is not known"),
        ("-----BEGIN CRYPT4GH PRIVATE KEY-----\n(%)\n-----END CRYPT4GH PRIVATE KEY-----\n",
         0o600, "base64"),
        ("\u00e4", 0o600, "not text"),
        ("", 0o600, "other lines"),
    ],
)  # fmt: skip
def test_private_keys_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, mode: int, words: str
) -> None:
    monkeypatch.setenv(VARIABLE, "open")
    with pytest.raises(ArchiveError, match=words) as raised:
        read_private_key(write(tmp_path / "a", text, mode), None)
    assert raised.value.code == "archive.key"
    told = str(raised.value) + raised.value.hint
    assert base64.b64encode(SECRET)[:20].decode() not in told and "(%)" not in told


def test_public_keys_that_are_refused(tmp_path: Path) -> None:
    for text in (armoured("PUBLIC", b"short"), armoured("PRIVATE", PLAIN), "ssh-ed25519 AAAA a@b"):
        with pytest.raises(ArchiveError, match="expected CRYPT4GH PUBLIC KEY"):
            read_public_key(write(tmp_path / "a.pub", text))
    with pytest.raises(ArchiveError, match="No such file"):
        read_public_key(tmp_path / "nowhere")


def proven(key: str) -> Proven:
    digest = FileDigest(key, 1, "m", "b")
    return Proven(key, ("r",), digest, digest)


@pytest.mark.parametrize("left", [b"", b"{", b'{"key": "b"}\n', b"[1]\n", b"\xff\n"])
def test_a_journal_that_was_cut_off(tmp_path: Path, left: bytes) -> None:
    path = Journals(tmp_path, "far/../away").path("run", 1, "u")
    journal = Journal(path)
    journal.add(proven("a"))
    with open(path, "ab") as file:
        file.write(left)
    again = Journal(path)
    assert again.get("a") == proven("a") and again.get("b") is None
    again.add(proven("c"))
    assert Journal(path).get("c") == again.get("c") == proven("c")
    assert path.is_relative_to(tmp_path / "run" / "attempt-1" / "crypt4gh")


def test_half_a_line_of_a_journal_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j" / "x.jsonl"
    Journal(path).add(proven("a"))
    whole: Any = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        assert Journal(path).get("a") is None
