"""Files of a service that somebody else writes."""

import os
from pathlib import Path

import pytest

from arteriole.app import private_file
from arteriole.app.auth import Role, Tokens
from arteriole.serve import first_tokens
from arteriole.settings import Settings

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
#: User and group, of a service and of a folder of its.
SERVICE, FOLDER = (23001, 23002), (23003, 23004)


def owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    private_file.write(path, "one")
    path.chmod(0o644)
    private_file.write(path, "two é")
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("two é", 0o600)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        private_file.write(path, "three")
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]
    assert path.read_text(encoding="utf-8") == "two é"


@root_only
def test_tokens_that_root_makes_and_revokes_stay_the_services(tmp_path: Path) -> None:
    os.chown(tmp_path, *FOLDER)
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.create("ada", Role.OPERATOR)
    assert owner(tokens.path) == FOLDER
    os.chown(tokens.path, *SERVICE)
    tokens.create("bob", Role.READER)
    assert owner(tokens.path) == SERVICE
    tokens.revoke("ada")
    assert (owner(tokens.path), tokens.path.stat().st_mode & 0o777) == (SERVICE, 0o600)
    assert tokens.names() == {"bob": "reader"}


@root_only
def test_first_tokens_are_those_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, *FOLDER)
    first_tokens(Settings(state_dir=tmp_path))
    found = {path.name: owner(path) for path in tmp_path.iterdir()}
    assert found == dict.fromkeys(("admin.token", "packs.token", "tokens.json"), FOLDER)


@root_only
def test_root_is_not_led_to_another_file_by_a_link(tmp_path: Path) -> None:
    """A folder's owner may put any name there; root writes to none of them."""
    folder, other = tmp_path / "state", tmp_path / "other"
    folder.mkdir()
    other.write_text("root's")
    os.chown(folder, *FOLDER)
    for name in ("tokens.json", "tokens.partial", "tokens.json.partial"):
        (folder / name).symlink_to(other)
        os.chown(folder / name, *FOLDER, follow_symlinks=False)
    private_file.write(folder / "tokens.json", "{}")
    assert (other.read_text(), owner(other)) == ("root's", (0, 0))
    assert not (folder / "tokens.json").is_symlink()
    assert owner(folder / "tokens.json") == FOLDER
