"""What counts as a file of a folder, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import list_files, require_unchanged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "run"
    for name in ("b.txt", "a/z é.txt", ".arteria/state", "a/.arteria/kept"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    (tmp_path / "outside").write_text("secret")
    return top


def names(folder: Path, *, without_own: bool = False) -> list[str]:
    return [found.name for found in list_files(folder, without_own=without_own)]


def test_files_are_sorted_and_our_own_left_out(folder: Path) -> None:
    assert names(folder) == [".arteria/state", "a/.arteria/kept", "a/z é.txt", "b.txt"]
    assert names(folder, without_own=True) == ["a/.arteria/kept", "a/z é.txt", "b.txt"]


def test_a_dash_below_the_top_is_a_name_as_others(folder: Path) -> None:
    (folder / "a" / "-").touch()
    assert "a/-" in names(folder)


def test_a_link_within_is_the_file(folder: Path) -> None:
    (folder / "link").symlink_to("a/z é.txt")
    assert [f.size for f in list_files(folder) if f.name == "link"] == [len("a/z é.txt".encode())]


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda f: (f / "l").symlink_to("../outside"), "checksum.link", "leads out"),
        (lambda f: (f / "l").symlink_to("/etc"), "checksum.link", "leads out"),
        (lambda f: (f / "l").symlink_to("a"), "checksum.link", "not lead to a file"),
        (lambda f: (f / "l").symlink_to("gone"), "checksum.link", "leads to nothing"),
        (lambda f: (f / "l").symlink_to("l"), "checksum.link", "leads to nothing"),
        (lambda f: os.mkfifo(f / "pipe"), "checksum.special", "pipe"),
        (lambda f: (f / "a\nb").touch(), "checksum.name", r"a\\nb"),
        (lambda f: (f / "a\\b").touch(), "checksum.name", "backslash"),
        (lambda f: (f / "a\x7f").touch(), "checksum.name", "control"),
        (lambda f: Path(os.fsdecode(bytes(f) + b"/\xff")).touch(), "checksum.name", "UTF-8"),
        (lambda f: (f / "d\r").mkdir(), "checksum.name", "control"),
        (lambda f: (f / "-").touch(), "checksum.name", "at the top not '-'"),
    ],
)
def test_what_is_refused(folder: Path, make: Callable[[Path], None], code: str, words: str) -> None:
    make(folder)
    with pytest.raises(ChecksumError, match=words) as raised:
        list_files(folder)
    assert raised.value.code == code


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match="cannot list") as raised:
        list_files(tmp_path / "gone")
    assert raised.value.code == "checksum.unreadable"


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "new").touch(),
        lambda f: (f / "b.txt").unlink(),
        lambda f: (f / "b.txt").write_text("longer than before"),
        lambda f: os.utime(f / "b.txt", ns=(1, 1)),
    ],
)
def test_changes_are_named(folder: Path, change: Callable[[Path], None]) -> None:
    before = list_files(folder)
    require_unchanged(folder, before)
    change(folder)
    with pytest.raises(ChecksumError, match=r"b\.txt|new") as raised:
        require_unchanged(folder, before)
    assert raised.value.code == "checksum.changing"


def test_another_ctime_alone_is_no_change(folder: Path) -> None:
    before = list_files(folder)
    os.utime(folder / "b.txt", ns=(1, before[-1].mtime_ns))
    assert require_unchanged(folder, before) == list_files(folder)
