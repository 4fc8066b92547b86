"""`arteriole restore`, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from arteriole.cli import main

from .conftest import Centre, tree, write_tree


@pytest.fixture
def arteriole(
    directory: Centre, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    service = serve("archive", directory.settings)
    monkeypatch.setenv("ARTERIOLE_ARCHIVE_URL", service.url.removesuffix("/api/1.0"))
    monkeypatch.setenv("ARTERIOLE_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("arteriole.commands.restore.POLL", 0.05)

    def run(*words: str) -> Any:
        return CliRunner().invoke(main, ["restore", directory.run, *words])

    return run


def test_restore(directory: Centre, arteriole: Callable[..., Any]) -> None:
    directory.archive()
    done = arteriole("--attempt", "1")
    place = directory.restored / directory.run / "attempt-1"
    assert done.exit_code == 0, done.output
    assert f"bringing back data of {directory.run}, attempt 1: archive/1\n" in done.output
    assert f"{place} is there, every byte verified: 9 files" in done.output
    assert tree(place) == directory.data
    assert "was there already, and is whole" in arteriole("--attempt", "1").output
    (place / "fastq" / "Stats" / "Stats.json").write_text("[]")
    done = arteriole("--attempt", "1", "--from", "vault")
    assert done.exit_code == 1 and "fastq/Stats/Stats.json [restore.exists]" in done.output
    assert "archive/4" in arteriole("--attempt", "1", "--no-wait").output


def test_restore_of_an_archive_without_an_addendum(
    directory: Centre, arteriole: Callable[..., Any]
) -> None:
    directory.archive()
    write_tree(directory.site.runfolder, {"Logs/late.txt": b"late"})
    directory.checksum()
    done = arteriole("--attempt", "1")
    assert done.exit_code == 0 and "[restore.late_files]" in done.output, done.output


def test_restore_of_some(directory: Centre, arteriole: Callable[..., Any]) -> None:
    directory.archive()
    done = arteriole("--attempt", "1", "--sample", "S1")
    assert done.exit_code == 0 and "every byte verified: 2 files" in done.output, done.output
    done = arteriole("--attempt", "1", "--part", "fastq", "--file", "fastq/none")
    assert done.exit_code == 1 and "[restore.not_found]" in done.output


def test_refusals(directory: Centre, arteriole: Callable[..., Any]) -> None:
    done = arteriole("--attempt", "2")
    assert done.exit_code == 1 and "[archive.not_archived]" in done.output
    done = arteriole("--attempt", "1", "--from", "tape")
    assert done.exit_code == 1 and "[destination.unknown]" in done.output
    assert arteriole().exit_code == 1  # no runfolder service to ask for the newest attempt
