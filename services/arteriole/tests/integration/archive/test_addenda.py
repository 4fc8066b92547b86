"""Addenda that come after the archive: archived beside it, and read with it as one."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.archive.kind import DrillRequest
from arteriole.archive.work import work

from .conftest import BASE, Centre, Keys, Store, tree, write_tree
from .test_clean import Cleaning

LATE = "Logs/late.txt"


def _late(centre: Centre, name: str = LATE, data: bytes = b"late") -> None:
    write_tree(centre.site.runfolder, {name: data})
    centre.checksum()


def _restored(centre: Centre) -> dict[str, bytes]:
    return tree(centre.restored / centre.run / "attempt-1")


@pytest.fixture(params=["directory", "bundles", "sealed"])
def grown(request: pytest.FixtureRequest, keys: Keys) -> tuple[Centre, Callable[[], Any]]:
    """A site with a destination of each kind, and what tells all that is there."""
    centre: Centre = request.getfixturevalue(request.param)
    if request.param == "directory":
        return centre, lambda: tree(centre.site.home / "vault" / centre.run)
    store: Store = request.getfixturevalue("store")
    return centre, store.objects


def test_each_is_archived_beside_it_and_all_comes_back(grown: Any, keys: Keys) -> None:
    centre, look = grown
    first = centre.archive()
    before = look()
    _late(centre)
    second = centre.archive()
    assert (second["already"], second["files"]) == (False, first["files"] + 1)
    assert second["bytes"] == first["bytes"] + 4 and second["path"] == first["path"]
    assert [one["addendum"] for one in second["addenda"]] == [1]
    assert second["manifests"].keys() - first["manifests"].keys() == {
        "runfolder.addendum-1.md5",
        "runfolder.addendum-1.blake3",
    }
    _late(centre, "Logs/later.txt", b"even later")
    third = centre.archive()
    assert [one["addendum"] for one in third["addenda"]] == [1, 2]
    after = look()
    assert before.items() <= after.items()
    assert {name.rpartition("attempt-1")[2].partition("/")[0] for name in after} == {
        "",
        ".addendum-1",
        ".addendum-2",
    }
    assert centre.archive() == {**third, "already": True}
    assert look() == after
    data = centre.data
    if "s3" in centre.settings["destinations"]["vault"] and "crypt4gh" in centre.destination:
        centre.destination["crypt4gh"]["private_key"] = keys.private("hospital")
    assert centre.restore(file=f"runfolder/{LATE}")["bytes"] == 4
    for folder in (centre.site.runfolder, centre.site.fastq, centre.site.manifests):
        shutil.rmtree(folder)
    assert centre.restore()["files"] == third["files"]
    assert _restored(centre) == data


def test_one_that_was_not_finished(directory: Centre) -> None:
    """It is no part of what is archived, until the next job has finished it."""
    directory.archive()
    without = {name: d for name, d in directory.data.items() if "RunInfo" not in name}
    _late(directory)
    place = directory.site.home / "vault" / directory.run
    write_tree(place / ".attempt-1.addendum-1.partial" / "runfolder", {LATE: b"l"})
    directory.restore()
    assert f"runfolder/{LATE}" not in _restored(directory)
    assert without.items() <= _restored(directory).items()
    directory.archive()
    assert sorted(path.name for path in place.iterdir()) == ["attempt-1", "attempt-1.addendum-1"]
    assert (place / "attempt-1.addendum-1" / "runfolder" / LATE).read_bytes() == b"late"


def test_one_that_was_altered_is_told(directory: Centre, refused: Any) -> None:
    directory.archive()
    _late(directory)
    directory.archive()
    path = directory.site.home / "vault" / directory.run / "attempt-1.addendum-1/runfolder" / LATE
    path.write_bytes(b"lats")
    for job in (directory.archive, directory.restore):
        with refused("archive.verify", "late.txt"):
            job()


def _lose(centre: Centre, volume: str, request: pytest.FixtureRequest) -> None:
    """Let `volume` be gone from the archive."""
    if (place := centre.site.home / "vault" / centre.run / volume).is_dir():
        shutil.rmtree(place)
        return
    store: Store = request.getfixturevalue("store")
    for key in store.keys():  # noqa: SIM118
        if f"/{volume}/" in key:
            store.change(key, None)


@pytest.mark.parametrize("kind", ["directory", "bundles"])
def test_one_that_is_gone_from_between_is_told(
    request: pytest.FixtureRequest, kind: str, refused: Any
) -> None:
    """What is not of the run folder comes back, and so does what is asked for by its name."""
    centre: Centre = request.getfixturevalue(kind)
    centre.archive()
    for name in (LATE, "Logs/later.txt"):
        _late(centre, name)
        centre.archive()
    _lose(centre, "attempt-1.addendum-1", request)
    drill = centre.kind().parameters(centre.run, DrillRequest(destination="vault"))
    for job in (
        centre.restore,
        lambda: centre.restore(part="runfolder"),
        lambda: work(centre.site.task(drill)),
    ):
        with refused("archive.verify", "addendum 1"):
            job()
    assert not list(centre.restored.glob("*/attempt-1"))
    assert centre.restore(part="fastq")["files"] == len(centre.site.fastq_files) + 1
    assert centre.restore(file="runfolder/Logs/later.txt")["files"] == 1
    with refused("restore.not_found"):
        centre.restore(file=f"runfolder/{LATE}")
    assert not centre.archive()["already"]
    centre.restore()
    assert _restored(centre) == centre.data


def test_one_that_was_never_archived_is_told(directory: Centre) -> None:
    directory.archive()
    _late(directory)
    task = directory.restore_task()
    work(task)
    assert task.remarks["code"] == "restore.late_files"
    assert "addendum-1" in task.remarks["message"]
    assert f"runfolder/{LATE}" not in _restored(directory)
    task = directory.restore_task(part="fastq")
    work(task)
    assert not task.remarks


def test_nothing_is_put_beside_an_altered_archive(directory: Centre, refused: Any) -> None:
    place = Path(directory.archive()["path"])
    _late(directory)
    (place / "runfolder" / "new").touch()
    with refused("archive.verify", "runfolder/new"):
        directory.archive()
    assert [path.name for path in place.parent.iterdir()] == ["attempt-1"]


def test_an_archive_that_was_made_anew_has_them_itself(directory: Centre) -> None:
    """What lies beside it is then of no account."""
    place = Path(directory.archive()["path"])
    _late(directory)
    directory.archive()
    shutil.rmtree(place)
    record = directory.archive()
    assert not record["already"] and "addenda" not in record
    assert len(json.loads((place / "archive.json").read_text())["manifests"]) == 6
    assert directory.archive() == {**record, "already": True}
    directory.restore()
    assert _restored(directory) == directory.data


def test_the_readme_restores_it(bundles: Centre, store: Store, tmp_path: Path) -> None:
    bundles.archive()
    _late(bundles)
    bundles.archive()
    for key, data in store.objects().items():
        number, _, name = key.removeprefix(BASE).partition("/")
        write_tree(tmp_path, {f"copied{number}/{name}": data})
    script = "\n".join(
        block
        for block in (tmp_path / "copied/README.txt").read_text().split("\n\n")
        if block.startswith("for ")
    )
    found: dict[str, bytes] = {}
    for folder in ("copied", "copied.addendum-1"):
        subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path / folder, check=True)
        found |= tree(tmp_path / folder)
    assert bundles.data.items() <= found.items()


@pytest.mark.parametrize("kind", ["directory", "s3"])
def test_clean_takes_them_as_proven(request: pytest.FixtureRequest, kind: str) -> None:
    cleaning = Cleaning(request.getfixturevalue(kind))
    cleaning.archive()
    _late(cleaning.centre)
    (raw,) = work(cleaning.task("list", kinds=["raw"]))["kinds"]
    assert not raw["may_go"] and "other manifests than are here" in str(raw["objections"])
    cleaning.archive()
    moved = work(cleaning.task())["kinds"]["raw"]
    assert "runfolder.addendum-1.md5" in moved["manifests"]
    assert sorted(moved["archives"]) == ["tape", "vault"]
