"""Archive jobs to a directory."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.archive.kind import ArchiveKind, ArchiveRequest
from arteriole.archive.landmark import MARK
from arteriole.archive.settings import ArchiveSettings
from arteriole.archive.work import work
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work as checksum
from arteriole.jobs.service import StartRequest

from ..app.mounts import Mounts

FASTQ = "P1/S1_S1_L001_R1_001.fastq.gz"


class Place:
    """A site with manifests, and its archive."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.run = site.runfolder.name
        self.directory = site.home / "archive"
        self.directory.mkdir()
        self.final = self.directory / self.run / "attempt-1"
        self.partial = self.directory / self.run / ".attempt-1.partial"
        self.settings = {
            **site.roots,
            "destinations": {"tape": {"directory": str(self.directory)}},
        }
        self.checksum()

    def checksum(self) -> None:
        kind = ChecksumKind(ChecksumSettings.model_validate(self.site.roots))
        checksum(self.site.task(kind.parameters(self.run, StartRequest())))

    def parameters(self, destination: str = "tape") -> dict[str, Any]:
        kind = ArchiveKind(ArchiveSettings.model_validate(self.settings))
        return kind.parameters(self.run, ArchiveRequest(attempt=1, destination=destination))

    def archive(self) -> dict[str, Any]:
        return work(self.site.task(self.parameters()))

    def require_archived(self) -> None:
        """Both parts as they were, four manifests that fit, the record, and nothing else."""
        assert [p.name for p in (self.directory / self.run).iterdir()] == ["attempt-1"]
        names = {p.relative_to(self.final).as_posix() for p in self.final.rglob("*") if p.is_file()}
        parts = {f"runfolder/{name}" for name in self.site.runfolder_files}
        parts |= {f"fastq/{name}" for name in [*self.site.fastq_files, "attempt.json"]}
        manifests = {f"manifest/{p.name}" for p in self.site.manifests.iterdir()}
        assert names == parts | manifests | {"archive.json"}
        for part in ("runfolder", "fastq"):
            subprocess.run(
                ["md5sum", "-c", "--strict", "--quiet", f"../manifest/{part}.md5"],
                cwd=self.final / part,
                check=True,
            )
        record = json.loads((self.final / "archive.json").read_text())
        assert (record["run"], record["attempt"], record["files"]) == (self.run, 1, len(parts))
        assert len(record["manifests"]) == 4


@pytest.fixture
def place(site: Any) -> Place:
    return Place(site)


def test_over_http(place: Place, serve: Callable[..., Any]) -> None:
    service = serve("archive", place.settings)
    job = service.ended(service.submit(attempt=1, destination="tape")["job_id"])
    assert job["state"] == "done", job
    assert job["result"]["path"] == str(place.final)
    size = 2 * job["result"]["bytes"]
    assert job["progress"] == {"done": size, "total": size, "unit": "bytes"}
    place.require_archived()
    copy = place.final / "runfolder" / "RunInfo.xml"
    assert copy.stat().st_mtime_ns == (place.site.runfolder / "RunInfo.xml").stat().st_mtime_ns


def test_a_repeat_verifies_and_writes_nothing(place: Place) -> None:
    first = place.archive()
    before = {p: p.stat().st_mtime_ns for p in place.final.rglob("*")}
    assert place.archive() == {**first, "already": True}
    assert {p: p.stat().st_mtime_ns for p in place.final.rglob("*")} == before


def _unreadable(path: Path) -> None:
    """For root, too."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def _dangling(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("nothing")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda final: (final / "fastq" / FASTQ).write_bytes(b"x"), f"fastq/{FASTQ}"),
        (lambda final: (final / "fastq" / FASTQ).unlink(), f"fastq/{FASTQ}"),
        (lambda final: (final / "runfolder" / "new").touch(), "runfolder/new"),
        (lambda final: (final / "manifest" / "fastq.md5").write_bytes(b""), "fastq.md5"),
        (lambda final: (final / "archive.json").unlink(), "archive.json"),
        (lambda final: (final / "archive.json").write_text("{"), "archive.json"),
        (lambda final: (final / "archive.json").write_text("[]"), r"archive\.json: expected a"),
        (lambda final: _unreadable(final / "manifest" / "fastq.md5"), r"cannot read .*fastq\.md5"),
        (lambda final: _dangling(final), r"archive\.json: .*No such file"),
    ],
)
def test_a_changed_archive_is_told(
    place: Place, change: Callable[[Path], None], named: str
) -> None:
    place.archive()
    change(place.final)
    with pytest.raises(ArterioleError, match=named) as raised:
        place.archive()
    assert raised.value.code == "archive.verify"


def test_a_record_of_other_manifests_is_told(place: Place) -> None:
    """One digit of a digest is another one."""
    digest = place.archive()["manifests"]["fastq.md5"]
    record = place.final / "archive.json"
    other = f"{'1' if digest[0] == '0' else '0'}{digest[1:]}"
    record.write_text(record.read_text().replace(digest, other))
    with pytest.raises(ArterioleError, match=r"archive\.json has other manifests") as raised:
        place.archive()
    assert raised.value.code == "archive.verify"


def _same_size(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda site: _same_size(site.runfolder / "RunInfo.xml"), "RunInfo.xml"),
        (lambda site: (site.runfolder / "RTAComplete.txt").unlink(), "RTAComplete.txt"),
        (lambda site: (site.runfolder / "new.txt").touch(), "new.txt"),
        (lambda site: _same_size(site.fastq / FASTQ), FASTQ),
        (lambda site: (site.fastq / FASTQ).write_bytes(b"short"), FASTQ),
    ],
)
def test_a_source_that_is_not_as_its_manifest_has_it(
    place: Place, change: Callable[[Any], None], named: str
) -> None:
    change(place.site)
    with pytest.raises(ArterioleError, match=named) as raised:
        place.archive()
    assert raised.value.code == "archive.source_changed"
    assert not place.final.exists()


def test_requests_that_cannot_be_met(place: Place) -> None:
    with pytest.raises(ArterioleError, match="has: tape") as raised:
        place.parameters("glacier")
    assert raised.value.code == "destination.unknown"
    (place.site.manifests / "runfolder.blake3").unlink()
    with pytest.raises(ArterioleError, match=r"has no runfolder\.blake3") as raised:
        place.parameters()
    assert raised.value.code == "manifest.missing"


def test_an_archive_that_is_not_mounted(place: Place) -> None:
    parameters = place.parameters()
    place.directory.rmdir()
    with pytest.raises(ArterioleError) as raised:
        work(place.site.task(parameters))
    assert raised.value.code == "archive.no_folder"
    assert not place.directory.exists()


def test_a_mount_point_whose_file_system_is_away_is_not_filled(place: Place) -> None:
    """Once something was archived there; until then any folder is taken."""
    work(place.site.task(place.parameters()))
    place.directory.rename(place.site.home / "away")
    place.directory.mkdir()
    with pytest.raises(ArterioleError, match=r"arteriole-archive is not there, and was") as raised:
        work(place.site.task(place.parameters()))
    assert raised.value.code == "archive.no_folder" and not list(place.directory.iterdir())
    (place.directory / MARK).touch()  # as the hint has it, of an archive that was moved
    assert not work(place.site.task(place.parameters()))["already"]


def test_where_no_mark_can_be_remembered_it_is_archived(place: Place) -> None:
    (place.site.manifests.parents[1] / ".archives").touch()
    assert not place.archive()["already"] and place.archive()["already"]
    assert (place.directory / MARK).is_file()


def test_a_mark_that_is_there_is_not_written_again(place: Place) -> None:
    """It may be another's, in a directory that several share, or on a disk that changes nothing."""
    (place.directory / MARK).symlink_to("/proc/version")  # root too cannot write that
    assert not place.archive()["already"]


def test_an_archive_may_be_named_elsewhere(place: Place) -> None:
    work(place.site.task(place.parameters()))
    other = place.site.home / "other"
    other.mkdir()
    parameters = {**place.parameters(), "directory": str(other)}
    assert not work(place.site.task(parameters))["already"] and (other / MARK).is_file()


def test_manifests_that_contradict_each_other(place: Place) -> None:
    path = place.site.manifests / "fastq.blake3"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(ArterioleError, match="list different files") as raised:
        place.archive()
    assert raised.value.code == "manifest.invalid"


def test_no_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is what it is: it is only told to be full."""
    full = type(shutil.disk_usage("/"))(10, 10, 0)
    monkeypatch.setattr("arteriole.archive.directory.shutil.disk_usage", lambda path: full)
    with pytest.raises(ArterioleError, match="are free") as raised:
        place.archive()
    assert raised.value.code == "archive.disk_full"
    assert not place.partial.exists()


@pytest.mark.parametrize(
    "left",
    [
        lambda partial: None,
        lambda partial: (partial / "fastq" / FASTQ).write_bytes(b"half"),
        lambda partial: _same_size(partial / "fastq" / FASTQ),
        lambda partial: (partial / "manifest" / "fastq.md5").write_bytes(b"half"),
        lambda partial: (partial / "archive.json").write_bytes(b"{"),
        lambda partial: shutil.rmtree(partial / "runfolder"),
    ],
    ids=["all", "half a file", "wrong file", "half a manifest", "half a record", "half of all"],
)
def test_what_an_earlier_start_left(place: Place, left: Callable[[Path], None]) -> None:
    place.archive()
    place.final.rename(place.partial)
    left(place.partial)
    kept = place.partial / "fastq" / "Stats" / "Stats.json"
    inode = kept.stat().st_ino
    assert not place.archive()["already"]
    place.require_archived()
    assert (place.final / "fastq" / "Stats" / "Stats.json").stat().st_ino == inode


def test_nothing_foreign_is_archived(place: Place) -> None:
    (place.partial / "fastq").mkdir(parents=True)
    (place.partial / "fastq" / "foreign").touch()
    with pytest.raises(ArterioleError, match="fastq/foreign") as raised:
        place.archive()
    assert raised.value.code == "archive.verify"
    assert not place.final.exists()


def test_a_planted_link_is_not_written_through(place: Place) -> None:
    outside = place.site.home / "outside"
    outside.write_text("precious")
    copy = place.partial / "fastq" / FASTQ
    copy.parent.mkdir(parents=True)
    copy.symlink_to(outside)
    place.archive()
    assert outside.read_text() == "precious"
    place.require_archived()


@pytest.mark.parametrize("link", ["", "fastq", "fastq/Stats"])
def test_nothing_is_copied_through_a_linked_folder(place: Place, link: str) -> None:
    outside = place.site.home / "outside"
    outside.mkdir()
    left = place.partial / link
    left.parent.mkdir(parents=True)
    left.symlink_to(outside)
    with pytest.raises(ArterioleError, match=left.name) as raised:
        place.archive()
    assert raised.value.code == "archive.verify"
    assert not list(outside.iterdir()) and not place.final.exists()


def test_killed_while_it_copies(place: Place, until: Callable[..., Any]) -> None:
    name = "Data/big.bin"
    place.site.runfolder_files[name] = b"acgt" * (16 << 20)
    (place.site.runfolder / name).write_bytes(place.site.runfolder_files[name])
    for path in place.site.manifests.iterdir():
        path.unlink()
    place.checksum()
    process = place.site.worker(place.parameters(), "arteriole.archive.work")
    until((place.site.home / "jobs" / "process" / "progress.json").exists)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert place.partial.exists() and not place.final.exists()
    assert not place.archive()["already"]
    place.require_archived()


def test_a_disk_that_fills_up(place: Place, mounts: Mounts) -> None:
    """One in memory, which has room for the bytes, and not for so many files."""
    mounts.memory(place.directory, "size=16m,nr_inodes=12")
    with pytest.raises(ArterioleError) as raised:
        mounts.do(place.archive)
    assert raised.value.code == "archive.disk_full"
    assert not mounts.do(place.final.exists)
    mounts.memory(place.directory, "nr_inodes=200", again=True)
    assert not mounts.do(place.archive)["already"]
    mounts.do(place.require_archived)
