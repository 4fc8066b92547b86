"""Manifests: as md5sum reads them, never overwritten."""

import errno
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.checksum.errors import ChecksumError, ManifestError
from arteriole.checksum.manifest import Manifest, read_manifest

A, B = "0" * 32, "f" * 32


def test_a_full_disk_is_told_with_its_path(tmp_path: Path) -> None:
    partial = tmp_path / ".m.md5.partial"
    partial.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"m\.md5\.partial") as raised:
        Manifest(tmp_path / "m.md5", {"a": A}).write()
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(partial))


def test_md5sum_accepts_it(tmp_path: Path) -> None:
    if shutil.which("md5sum") is None:
        pytest.skip("md5sum is not installed")
    digests = {}
    for name in ("b c.txt", "a.txt", "sub/é"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        digests[name] = hashlib.md5(name.encode()).hexdigest()
    manifest = Manifest(tmp_path / "m.md5", digests)
    assert manifest.write()
    command = ["md5sum", "-c", "--strict", "m.md5"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode() == "a.txt: OK\nb c.txt: OK\nsub/é: OK\n"
    assert not list(tmp_path.glob(".*partial"))


def test_an_equal_one_is_verified_and_left(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "deep" / "m.md5", {"a": A})
    assert manifest.write()
    inode = manifest.path.stat().st_ino
    assert not manifest.write()
    assert manifest.path.stat().st_ino == inode


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({"a": B, "b": A}, "a"),
        ({"a": A}, "b"),
        ({"a": A, "b": A, "c": A}, "c"),
        ({f"n{number}": A for number in range(9)} | {"a": A, "b": A}, "n0, n1, n2, n3, n4 and 4"),
    ],
)
def test_another_content_is_an_error(tmp_path: Path, now: dict[str, str], named: str) -> None:
    earlier = Manifest(tmp_path / "m.md5", {"a": A, "b": A})
    earlier.write()
    with pytest.raises(ChecksumError, match=f"recorded earlier: {named}") as raised:
        Manifest(tmp_path / "m.md5", now).write()
    assert raised.value.code == "checksum.changed"
    assert read_manifest(tmp_path / "m.md5") == earlier


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{A}  a", "newline at the end"),
        (f"{A} a\n", ":1: expected '<32 hex"),
        (f"{A}  a\n{A[1:]}  b\n", ":2: expected"),
        (f"{A.replace('0', 'G')}  a\n", ":1: expected"),
        (f"{A}  /etc/passwd\n", ":1: expected"),
        (f"{A}  ../x\n", ":1: expected"),
        (f"{A}  a/../../x\n", ":1: expected"),
        (f"{A}  .\n", ":1: expected"),
        (f"{A}  a//b\n", ":1: expected"),
        (f"\\{A}  a\\nb\n", ":1: expected"),
        (f"{A}  a\r\n", ":1: expected"),
        (f"{A}  a\n\n", ":2: expected"),
        (f"{A}  a\n{B}  a\n", ":2: a comes twice"),
        (b"\xff\n", "utf-8"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "m.md5"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ManifestError, match=words):
        read_manifest(path)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        read_manifest(tmp_path / "m.blake3")
    assert raised.value.code == "manifest.missing"


PARTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="/\\"))
NAMES = st.lists(PARTS.filter(lambda p: p not in ("", ".", "..")), min_size=1).map("/".join)


@given(st.dictionaries(NAMES, st.text("0123456789abcdef", min_size=64, max_size=64)))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, digests: dict[str, str]
) -> None:
    manifest = Manifest(tmp_path_factory.mktemp("m") / "m.blake3", digests)
    manifest.write()
    assert read_manifest(manifest.path) == manifest
