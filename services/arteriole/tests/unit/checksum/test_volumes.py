"""A pair of manifests that is closed, and addenda of what came later."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.checksum.journal import Journal
from arteriole.checksum.listing import FoundFile
from arteriole.checksum.volumes import Volumes, stems


def known(journal: Journal, files: dict[str, str]) -> None:
    """Let the journal have these files, digested; each text is a digit of their digests."""
    journal.take_listing(FoundFile(name, 1, 1) for name in files)
    journal.add(
        (name, {"md5": bytes.fromhex(digit * 32), "blake3": bytes.fromhex(digit * 64)})
        for name, digit in files.items()
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "manifests"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_late_files_become_addenda_and_what_is_closed_stays(journal: Journal, folder: Path) -> None:
    volumes = Volumes(folder, "runfolder")
    assert not volumes.is_closed()
    known(journal, {"b": "1", "a": "2"})
    volumes.close(journal, may_grow=True)
    first = content(folder)
    assert first["runfolder.md5"] == f"{'2' * 32}  a\n{'1' * 32}  b\n".encode()
    assert volumes.is_closed()
    for number, name in ((1, "late"), (2, "later")):
        known(journal, {"b": "1", "a": "2"} | dict.fromkeys(("late", "later")[:number], "3"))
        written = volumes.close(journal, may_grow=True)
        assert sorted(written) == sorted(content(folder))
        assert stems(folder, "runfolder")[-1] == f"runfolder.addendum-{number}"
        added = content(folder)[f"runfolder.addendum-{number}.blake3"]
        assert added == f"{'3' * 64}  {name}\n".encode()
    assert {name: content(folder)[name] for name in first} == first
    assert volumes.close(journal, may_grow=True) == written


@pytest.mark.parametrize("gone", ["runfolder", "runfolder.addendum-1"])
def test_one_that_is_gone_while_a_later_one_is_there(
    journal: Journal, folder: Path, gone: str
) -> None:
    volumes = Volumes(folder, "runfolder")
    files: dict[str, str] = {}
    for name in ("a", "b", "c"):
        files[name] = "1"
        known(journal, files)
        volumes.close(journal, may_grow=True)
    for kind in ("md5", "blake3"):
        (folder / f"{gone}.{kind}").unlink()
    (folder / "runfolder.notes").touch()
    before = content(folder)
    for close in (volumes.close, volumes.append, volumes.compare):
        with pytest.raises(ArterioleError, match=rf"{gone}\.blake3 are gone, and .*2") as raised:
            close(journal)
        assert raised.value.code == "manifest.missing" and raised.value.hint
    assert content(folder) == before


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({"a": "1"}, "b"),
        ({"a": "1", "b": "3"}, "b"),
        ({"a": "1", "b": "2", "c": "1"}, "c"),
        ({"a": "1", "c": "1"}, "b"),
    ],
)
def test_what_differs_is_an_error(
    journal: Journal, folder: Path, now: dict[str, str], named: str
) -> None:
    volumes = Volumes(folder, "fastq")
    known(journal, {"a": "1", "b": "2"})
    volumes.close(journal)
    before = content(folder)
    known(journal, now)
    with pytest.raises(ArterioleError, match=f"recorded earlier: {named}$") as raised:
        volumes.close(journal)
    assert (raised.value.code, content(folder)) == ("checksum.changed", before)


def test_half_a_pair_is_completed_with_its_own_files(journal: Journal, folder: Path) -> None:
    volumes = Volumes(folder, "runfolder")
    known(journal, {"a": "1"})
    volumes.close(journal)
    (folder / "runfolder.blake3").unlink()
    known(journal, {"a": "1", "late": "2"})
    volumes.close(journal, may_grow=True)
    assert content(folder)["runfolder.blake3"] == f"{'1' * 64}  a\n".encode()
    assert content(folder)["runfolder.addendum-1.md5"] == f"{'2' * 32}  late\n".encode()


def test_a_pair_that_lists_different_files_is_refused(journal: Journal, folder: Path) -> None:
    known(journal, {"a": "1", "b": "2"})
    Volumes(folder, "fastq").close(journal)
    (folder / "fastq.md5").write_text(f"{'1' * 32}  a\n")
    with pytest.raises(ArterioleError, match="list different files: b") as raised:
        Volumes(folder, "fastq").close(journal)
    assert raised.value.code == "manifest.invalid"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("runfolder.md5", f"{'3' * 32}  a\n"),
        ("runfolder.blake3", f"{'1' * 64}  a\n"),
        ("runfolder.addendum-1.md5", f"{'3' * 32}  a\n"),
    ],
)
def test_a_name_that_comes_twice_is_refused(
    journal: Journal, folder: Path, name: str, line: str
) -> None:
    """Also where the first digest is the wrong one."""
    volumes = Volumes(folder, "runfolder")
    for files in ({"a": "1", "b": "2"}, {"a": "1", "b": "2", "late": "4"}):
        known(journal, files)
        volumes.close(journal, may_grow=True)
    (folder / name).write_text(line + (folder / name).read_text())
    for look in (volumes.compare, volumes.close, volumes.append):
        with pytest.raises(ArterioleError, match=r"runfolder\.\* list files") as raised:
            look(journal)
        assert raised.value.code == "manifest.invalid"


def test_an_empty_folder_has_manifests_too(journal: Journal, folder: Path) -> None:
    known(journal, {})
    Volumes(folder, "runfolder").close(journal)
    assert content(folder) == {"runfolder.md5": b"", "runfolder.blake3": b""}
