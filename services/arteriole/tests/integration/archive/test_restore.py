"""Bringing back what was archived, from each kind of destination."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import BASE, Centre, Store, tree, write_tree
from .proxy import Proxy

FASTQ = "P1/S1_S1_L001_R1_001.fastq.gz"


def _place(centre: Centre) -> Path:
    return centre.restored / centre.run / "attempt-1"


def test_each_byte_and_time_comes_back(centre: Centre) -> None:
    centre.archive()
    result = centre.restore()
    place = _place(centre)
    assert tree(place) == centre.data
    assert [path.name for path in place.parent.iterdir()] == ["attempt-1"]
    files = len(centre.data) - 4
    assert result == {
        "from": "vault",
        "to": str(place),
        "units": 1,
        "already": 0,
        "files": files,
        "bytes": sum(len(d) for n, d in centre.data.items() if not n.startswith("manifest/")),
    }
    for part in ("runfolder", "fastq"):
        command = ["md5sum", "-c", "--strict", "--quiet", f"../manifest/{part}.md5"]
        subprocess.run(command, cwd=place / part, check=True)
    source = centre.site.fastq / FASTQ
    assert (place / "fastq" / FASTQ).stat().st_mtime_ns == source.stat().st_mtime_ns
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    assert centre.restore() == {**result, "already": 1}
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_it_needs_nothing_but_the_archive(centre: Centre) -> None:
    centre.archive()
    data = centre.data
    for folder in (centre.site.runfolder, centre.site.fastq, centre.site.manifests):
        shutil.rmtree(folder)
    centre.restore()
    assert tree(_place(centre)) == data


def test_a_file_dated_before_1970(centre: Centre) -> None:
    path = centre.site.runfolder / "RunInfo.xml"
    os.utime(path, ns=(-1, -1))
    record = centre.archive()
    assert centre.archive() == {**record, "already": True}
    centre.restore()
    assert tree(_place(centre)) == centre.data
    assert (_place(centre) / "runfolder" / "RunInfo.xml").stat().st_mtime_ns == -1


def test_an_addendum_is_archived_and_comes_back(centre: Centre) -> None:
    (centre.site.runfolder / "Logs").mkdir()
    (centre.site.runfolder / "Logs" / "late.txt").write_text("late")
    centre.checksum()
    centre.archive()
    centre.restore()
    place = _place(centre)
    assert (place / "runfolder" / "Logs" / "late.txt").read_text() == "late"
    for name in ("runfolder.md5", "runfolder.addendum-1.md5"):
        command = ["md5sum", "-c", "--strict", "--quiet", f"../manifest/{name}"]
        subprocess.run(command, cwd=place / "runfolder", check=True)
    assert centre.restore()["already"] == 1


PART = r"attempt-1\.part-[0-9a-f]{12}"
SOME: list[tuple[dict[str, str], str, Callable[[str], bool]]] = [
    ({"part": "fastq"}, r"attempt-1\.fastq", lambda name: name.startswith("fastq/")),
    ({"part": "runfolder"}, r"attempt-1\.runfolder", lambda name: name.startswith("runfolder/")),
    ({"sample": "S1"}, PART, lambda name: "/S1_S1_" in name),
    ({"file": f"fastq/{FASTQ}"}, PART, f"fastq/{FASTQ}".__eq__),
]


def test_some_of_it(centre: Centre) -> None:
    """Files and lines of manifests that were asked for, and none else."""
    centre.archive()
    for asked, folder, chosen in SOME:
        result = centre.restore(**asked)
        place = Path(result["to"])
        assert re.fullmatch(folder, place.name)
        there = tree(place)
        manifests = {n: there.pop(n) for n in list(there) if n.startswith("manifest/")}
        assert there == {n: d for n, d in centre.data.items() if chosen(n)} and there
        assert result["files"] == len(there)
        for name, text in manifests.items():
            assert set(text.splitlines()) <= set(centre.data[name].splitlines())
            if name.endswith(".md5"):
                part = name[len("manifest/") : -len(".md5")]
                command = ["md5sum", "-c", "--strict", "--quiet", f"../{name}"]
                subprocess.run(command, cwd=place / part, check=True)
        assert sum(len(text.splitlines()) for text in manifests.values()) == 2 * len(there)
    assert centre.restore(**asked) == {**result, "already": 1}


def test_one_file_reads_little_more_than_itself(bundles: Centre, way: Proxy) -> None:
    bundles.archive()
    back = 0

    def count(where: str, piece: bytes) -> bytes:
        nonlocal back
        back += len(piece) if where == "back" else 0
        return piece

    way.garble = count
    size = bundles.restore(file=f"fastq/{FASTQ}")["bytes"]
    assert size == 450_000 <= back <= size + 100_000


def test_what_cannot_be_chosen(directory: Centre, refused: Any) -> None:
    directory.archive()
    for asked in ({"sample": "S"}, {"sample": "S1", "part": "runfolder"}, {"file": "/etc/passwd"}):
        with refused("restore.not_found"):
            directory.restore(**asked)
    with refused("restore.selection"):
        directory.restore(part="results", sample="S1")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "other content": (
        lambda p: (p / "fastq" / FASTQ).write_bytes(b"x" * 450_000),
        f"fastq/{FASTQ}",
    ),
    "one less": (lambda p: (p / "fastq" / FASTQ).unlink(), f"fastq/{FASTQ}"),
    "one more": (lambda p: (p / "new").touch(), "new"),
    "other manifest": (lambda p: _reverse(p / "manifest" / "fastq.md5"), "manifest/fastq.md5"),
    "a link out": (lambda p: (p / "l").symlink_to("/etc/passwd"), "link l"),
}


def _reverse(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def test_other_content_is_left_as_it_is(directory: Centre, refused: Any) -> None:
    directory.archive()
    for name, (change, told) in CHANGES.items():
        shutil.rmtree(directory.restored / directory.run, ignore_errors=True)
        directory.restore()
        change(_place(directory))
        before = tree(_place(directory))
        with refused("restore.exists", told):
            directory.restore()
        assert tree(_place(directory)) == before, name


def _same_size(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize(
    "left",
    [
        lambda partial: None,
        lambda partial: (partial / "fastq" / FASTQ).write_bytes(b"half"),
        lambda partial: _same_size(partial / "fastq" / FASTQ),
        lambda partial: (partial / "manifest" / "fastq.md5").write_bytes(b"half"),
        lambda partial: shutil.rmtree(partial / "runfolder"),
    ],
    ids=["all", "half a file", "wrong file", "half a manifest", "half of all"],
)
def test_what_an_earlier_start_left(directory: Centre, left: Callable[[Path], None]) -> None:
    directory.archive()
    directory.restore()
    partial = _place(directory).with_name(".attempt-1.partial")
    _place(directory).rename(partial)
    left(partial)
    inode = (partial / "fastq" / "Stats" / "Stats.json").stat().st_ino
    assert directory.restore()["already"] == 0
    assert tree(_place(directory)) == directory.data
    assert (_place(directory) / "fastq" / "Stats" / "Stats.json").stat().st_ino == inode
    assert not partial.exists()


def test_what_was_left_whole_without_its_time_gets_it(directory: Centre) -> None:
    """As by a start that was killed between the last byte and the time."""
    source = directory.site.runfolder / "RunInfo.xml"
    os.utime(source, ns=(1, 1_500_000_000_000_000_007))
    shutil.rmtree(directory.site.manifests)
    directory.checksum()
    vault = directory.site.home / "vault" / directory.run / "attempt-1"
    for job, final in ((directory.archive, vault), (directory.restore, _place(directory))):
        job()
        (final / "archive.json").unlink(missing_ok=True)
        partial = final.with_name(".attempt-1.partial")
        final.rename(partial)
        (partial / "runfolder" / "RunInfo.xml").touch()
        job()
        found = (final / "runfolder" / "RunInfo.xml").stat().st_mtime_ns
        assert found == source.stat().st_mtime_ns


@pytest.mark.parametrize("link", ["", "runfolder", "runfolder/InterOp", "manifest/fastq.md5"])
def test_nothing_is_written_through_a_link(directory: Centre, refused: Any, link: str) -> None:
    """A link to a file is replaced."""
    directory.archive()
    other = directory.site.home / "runs" / "another"
    write_tree(other, {"RunInfo.xml": b"of another run"})
    left = _place(directory).with_name(".attempt-1.partial") / link
    left.parent.mkdir(parents=True)
    if link.endswith(".md5"):
        left.symlink_to(other / "RunInfo.xml")
        directory.restore()
        assert tree(_place(directory)) == directory.data
    else:
        left.symlink_to(other)
        with refused("restore.exists", f"the link {link}"):
            directory.restore()
        assert left.is_symlink()
    assert tree(other) == {"RunInfo.xml": b"of another run"}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (f"fastq/{FASTQ}", b"short", FASTQ),
        (f"fastq/{FASTQ}", b"\0" * 450_000, FASTQ),
        (f"fastq/{FASTQ}", None, FASTQ),
        ("manifest/fastq.md5", b"", r"fastq\.md5"),
        ("manifest/fastq.md5", None, r"fastq\.md5"),
        ("archive.json", b"{}", r"manifest runfolder\.md5"),
        ("archive.json", b"{", r"archive\.json"),
    ],
)
def test_a_changed_directory_is_not_brought_back(
    directory: Centre, refused: Any, name: str, data: bytes | None, told: str
) -> None:
    path = Path(directory.archive()["path"]) / name
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    with refused("archive.verify", told):
        directory.restore()
    assert not _place(directory).exists()


def test_a_changed_bucket_is_not_brought_back(s3: Centre, store: Store, refused: Any) -> None:
    s3.archive()
    index = json.loads(store.get(f"{BASE}/index.json"))
    content = next(entry["key"] for entry in index["files"] if entry["name"].endswith(FASTQ))
    index["files"][0]["name"] = "fastq/../../outside"
    for key, data, told in (
        (content, b"\0" * 450_000, FASTQ),
        (content, None, "data/"),
        (f"{BASE}/manifest/fastq.blake3", b"", r"fastq\.blake3"),
        (f"{BASE}/index.json", json.dumps(index).encode(), "index.json"),
        (f"{BASE}/archive.json", b"[]", "archive.json"),
    ):
        before = store.change(key, data)
        with refused("archive.verify", told):
            s3.restore()
        store.change(key, before)
        assert not _place(s3).exists()
    s3.restore()


def test_what_is_not_archived(centre: Centre, refused: Any) -> None:
    for asked in ({}, {"part": "results"}):
        with refused("archive.not_archived"):
            centre.restore(**asked)
    assert not list(centre.restored.iterdir())


def test_manifests_that_are_not_ours(directory: Centre, refused: Any) -> None:
    """An archive that agrees with itself only."""
    directory.archive()
    path = directory.site.manifests / "fastq.md5"
    path.write_bytes(path.read_bytes().replace(b"P1", b"P2"))
    with refused("archive.verify", r"fastq\.md5"):
        directory.restore()


def test_requests_that_cannot_be_met(directory: Centre, refused: Any) -> None:
    directory.archive()
    with refused("destination.unknown", "has: vault"):
        directory.restore(destination="tape")
    directory.restored.rmdir()
    with refused("restore.no_folder"):
        directory.restore()
    assert not directory.restored.exists()
    directory.settings["destinations"]["other"] = directory.settings["destinations"]["vault"]
    with refused("destination.unknown", "has: vault, other"):
        directory.restore()
    del directory.settings["restore_root"]
    with refused("restore.not_set", "brought back"):
        directory.restore(destination="vault")


def test_no_room(directory: Centre, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is what it is: it is only told to be full."""
    directory.archive()
    full = type(shutil.disk_usage("/"))(10, 10, 0)
    monkeypatch.setattr("arteriole.archive.restore.shutil.disk_usage", lambda path: full)
    with refused("restore.disk_full", "are free"):
        directory.restore()
    assert not list(directory.restored.iterdir())


def test_a_service_that_observes_brings_nothing_back(
    directory: Centre, serve: Callable[..., Any]
) -> None:
    directory.archive()
    service = serve("archive", directory.settings, mode="observe")
    answer = service.call("POST", f"restore/{directory.run}", json={})
    job = service.ended(answer.json()["job_id"])
    assert job["observed"] and job["state"] == "done"
    assert job["result"]["would"]["to"] == str(_place(directory))
    assert not list(directory.restored.iterdir())


def test_a_key_means_either_of_the_two(directory: Centre, serve: Callable[..., Any]) -> None:
    service = serve("archive", directory.settings)
    body = {"destination": "vault", "attempt": 1, "stage": "x"}
    headers = {"Idempotency-Key": "one"}
    assert service.call("POST", f"start/{directory.run}", json=body, headers=headers).ok
    answer = service.call("POST", f"restore/{directory.run}", json=body, headers=headers)
    assert answer.json()["error"]["code"] == "job.key_reused"
