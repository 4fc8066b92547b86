"""Run folders that are sent themselves, and files that are left out of what is sent."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from arteriole.app.errors import ArterioleError
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.part_request import AddendumRequest
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work as checksum
from arteriole.jobs.worker import Task
from arteriole.transfer.kind import TransferRequest
from arteriole.transfer.parts import SentPart
from arteriole.transfer.work import observe, work

from .conftest import BIG, Place

REQUEST = TransferRequest(attempt=1, destination="hpc", part=SentPart.RUNFOLDER)
CYCLE = "Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz"
CONFIG = "Config/hh5 2015-10-05 Effective.cfg"


def mounted(place: Place, *patterns: str) -> dict[str, Any]:
    """The folder without ssh, which is slow; the scripts are the same."""
    return {"path": str(place.far), "excludes": {"runfolder": list(patterns)}}


def task_of(place: Place, *patterns: str, observed: bool = False) -> Task:
    request = REQUEST.model_copy(update={"observe": observed})
    parameters = place.parameters(mounted(place, *patterns), request)
    task: Task = place.site.task(parameters, observe=observed)
    return task


def send(place: Place, *patterns: str) -> dict[str, Any]:
    return work(task_of(place, *patterns))


def require_arrived(place: Place, *left_out: str) -> None:
    """The run folder without our own files, a manifest of what is there, and the ready link."""
    link = place.far / "ready" / f"{place.run}.runfolder-1"
    assert link.readlink() == Path(f"../{place.run}/runfolder-1")
    there = link.resolve()
    found = {p.relative_to(there).as_posix(): p.read_bytes() for p in files_in(there)}
    manifest, other = (found.pop(f"runfolder.{kind}").decode() for kind in ("md5", "blake3"))
    wanted = {
        p.relative_to(place.site.runfolder).as_posix(): p for p in files_in(place.site.runfolder)
    }
    del wanted[".arteria/state"]
    assert set(left_out) <= set(wanted)
    assert found == {n: p.read_bytes() for n, p in wanted.items() if n not in left_out}
    digests = {name: hashlib.md5(data).hexdigest() for name, data in found.items()}
    assert manifest == "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    digests = {name: blake3(data).hexdigest() for name, data in found.items()}
    assert other == "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    check = ["md5sum", "--check", "--strict", "--quiet", "runfolder.md5"]
    subprocess.run(check, cwd=there, check=True)
    assert not list(there.parent.glob(".*"))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_beside_the_fastqs_over_ssh(place: Place, serve: Callable[..., Any]) -> None:
    service = serve("transfer", place.settings())
    asked = {"attempt": 1, "destination": "hpc"}
    fastq = service.ended(service.submit(**asked)["job_id"])
    started = service.submit(**asked, part="runfolder", stage="transfer_runfolder")
    job = service.ended(started["job_id"])
    assert (fastq["state"], job["state"], job["code"]) == ("done", "done", "")
    assert job["stage"] == "transfer_runfolder"
    result = job["result"]
    assert (result["part"], result["files"], result["already"]) == ("runfolder", 4, False)
    assert result["bytes"] == sum(map(len, place.site.runfolder_files.values()))
    assert result["left_out"] == {"files": 0, "bytes": 0, "patterns": []}
    require_arrived(place)
    assert sorted(path.name for path in place.final.parent.iterdir()) == [
        "attempt-1",
        "runfolder-1",
    ]
    shutil.rmtree(place.final.parent / "runfolder-1")
    (place.far / "ready" / f"{place.run}.runfolder-1").unlink()
    place.require_arrived()


def test_a_repeat_reads_every_byte(place: Place) -> None:
    send(place)
    assert send(place)["already"]
    path = place.far / place.run / "runfolder-1" / CYCLE
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ArterioleError, match=f"manifest has it: {CYCLE}$") as raised:
        send(place)
    assert raised.value.code == "transfer.verify"


def test_what_came_later_is_sent_with_its_digests(place: Place) -> None:
    (place.site.runfolder / "Logs").mkdir()
    (place.site.runfolder / "Logs" / "late.log").write_text("late")
    with pytest.raises(ArterioleError, match=r"lists: Logs/late.log$") as raised:
        send(place)
    assert raised.value.code == "transfer.runfolder_changed"
    kind = ChecksumKind(ChecksumSettings.model_validate(place.site.roots))
    checksum(place.site.task(kind.parameters(place.run, AddendumRequest(attempt=1))))
    assert send(place)["files"] == 5
    require_arrived(place)


def add(place: Place, name: str) -> None:
    """A file that comes late, with an addendum."""
    (place.site.runfolder / name).write_text(name)
    kind = ChecksumKind(ChecksumSettings.model_validate(place.site.roots))
    checksum(place.site.task(kind.parameters(place.run, AddendumRequest(attempt=1))))


@pytest.mark.parametrize("sent_with", [0, 1])
def test_what_came_after_it_was_sent_is_told(place: Place, sent_with: int) -> None:
    """What is there is as it was, whatever came since; only that is sent when asked for."""
    for number in range(sent_with):
        add(place, f"early-{number}.log")
    send(place)
    final = place.far / place.run / "runfolder-1"
    before = {path: path.stat().st_ino for path in files_in(final)}
    # A second link keeps each inode from being given to a new file.
    shutil.copytree(final, final.with_name("before"), copy_function=os.link)
    add(place, "late-1.log")
    add(place, "late-2.log")
    with pytest.raises(ArterioleError, match=r"since: late-1\.log, late-2\.log$") as raised:
        send(place)
    assert raised.value.code == "transfer.late_files"
    assert {path: path.stat().st_ino for path in files_in(final)} == before
    (place.far / "ready" / f"{place.run}.runfolder-1").unlink()
    partial = final.with_name(".runfolder-1.partial")
    partial.mkdir(mode=0o700)
    final.rename(partial / final.name)
    assert send(place)["resent"] == []
    require_arrived(place)
    same = {path for path, inode in before.items() if path.stat().st_ino == inode}
    assert {path.name for path in set(before) - same} == {"runfolder.md5", "runfolder.blake3"}


def test_what_changed_there_is_no_late_file(place: Place) -> None:
    send(place)
    add(place, "late.log")
    (place.far / place.run / "runfolder-1" / CYCLE).write_bytes(b"other")
    with pytest.raises(ArterioleError, match=f"manifest has it: {CYCLE}$") as raised:
        send(place)
    assert raised.value.code == "transfer.verify"


def test_late_files_that_are_left_out_are_not_missed(place: Place) -> None:
    send(place, "*.log")
    add(place, "late.log")
    assert send(place, "*.log")["already"]


def test_files_are_left_out(place: Place) -> None:
    """They are counted, and nowhere told as verified; the rest is."""
    result = send(place, "Config/*", "RTA?omplete.txt")
    sizes = {name: len(data) for name, data in place.site.runfolder_files.items()}
    assert result["left_out"] == {
        "files": 2,
        "bytes": sizes[CONFIG],
        "patterns": ["Config/*", "RTA?omplete.txt"],
    }
    assert (result["files"], result["bytes"]) == (2, sum(sizes.values()) - sizes[CONFIG])
    require_arrived(place, CONFIG, "RTAComplete.txt")
    assert send(place, "Config/*", "RTA?omplete.txt")["already"]


def test_fastqs_are_left_out(place: Place) -> None:
    """And are not needed for the rest to be verified."""
    wanted = {"path": str(place.far), "excludes": {"fastq": ["Undetermined_*", "Stats/*"]}}
    assert place.transfer(wanted)["left_out"]["files"] == 2
    manifest = (place.final / "fastq.md5").read_text().splitlines()
    assert [line[34:] for line in manifest] == [
        "P1/S1_S1_L001_R1_001.fastq.gz",
        "P1/S1_S1_L001_R2_001.fastq.gz",
        "attempt.json",
    ]
    assert len(files_in(place.final)) == 5


def test_a_name_is_no_command(place: Place) -> None:
    for name in ("$(touch x).log", "`touch y`.log", "a'b.log", "-rf.log"):
        (place.site.runfolder / name).write_text(name)
    shutil.rmtree(place.site.manifests)
    place.hash()
    result = send(place, "$(touch x)*", "`touch y`*", "a'b*")
    assert result["left_out"]["files"] == 3
    require_arrived(place, "$(touch x).log", "`touch y`.log", "a'b.log")


def test_what_is_excluded_since_an_earlier_start_is_removed(place: Place) -> None:
    """Of a partial folder; a final one is left as it is."""
    partial = place.far / place.run / ".runfolder-1.partial" / "runfolder-1"
    shutil.copytree(place.site.runfolder, partial)
    kept = partial / "Data" / ".rsync-partial"
    kept.mkdir()
    (kept / "half").touch()
    assert send(place, "Config/*")["resent"] == []
    require_arrived(place, CONFIG)
    assert not (place.far / place.run / "runfolder-1" / "Config").exists()
    with pytest.raises(ArterioleError, match=r"manifest has it: runfolder\.md5$") as raised:
        send(place)
    assert raised.value.code == "transfer.verify"
    require_arrived(place, CONFIG)


def test_a_run_folder_with_a_folder_of_rsync(place: Place) -> None:
    """Of the site's own rsync; and one there that an earlier version of ours has left."""
    own = place.site.runfolder / "Data" / ".rsync-partial"
    own.mkdir()
    (own / "s_1_1102.bcl.gz").write_bytes(b"half of it")
    shutil.rmtree(place.site.manifests)
    place.hash()
    for folder in ("Config", "Data"):
        left = place.far / place.run / ".runfolder-1.partial" / "runfolder-1" / folder
        (left / ".rsync-partial").mkdir(parents=True)
        (left / ".rsync-partial" / "half").write_bytes(b"half")
    assert send(place)["resent"] == []
    require_arrived(place)
    names = {path.name for path in (place.far / place.run / "runfolder-1").rglob("*")}
    assert "half" not in names and not list(place.far.glob("*/runfolder-1/Config/.*"))


def test_an_exclude_that_fits_nothing_is_told(place: Place) -> None:
    task = task_of(place, "Thumbnail_Images/*", "Config/*")
    work(task)
    assert task.remarks["code"] == "transfer.excludes_nothing"
    assert task.remarks["message"].endswith("excludes of hpc: Thumbnail_Images/*")
    require_arrived(place, CONFIG)


def test_an_exclude_of_everything_is_an_error(place: Place) -> None:
    with pytest.raises(ArterioleError, match="leave out all 4 files") as raised:
        send(place, "*")
    assert raised.value.code == "transfer.excludes_all"
    assert list(place.far.iterdir()) == []


def test_observing_tells_what_would_be_left_out(place: Place) -> None:
    shutil.rmtree(place.site.manifests)
    task = task_of(place, "Config/*", "none", observed=True)
    left_out = {"files": 1, "bytes": len(place.site.runfolder_files[CONFIG])}
    would = observe(task)
    assert would["to"] == f"{place.far}/{place.run}/runfolder-1"
    assert would["left_out"] == {**left_out, "patterns": ["Config/*", "none"]}
    assert would["files"] == 3 and task.remarks["code"] == "transfer.excludes_nothing"
    assert list(place.far.iterdir()) == []


def test_a_service_without_run_roots_says_so(place: Place) -> None:
    with pytest.raises(ArterioleError) as raised:
        place.parameters(mounted(place), REQUEST, run_roots=[])
    assert raised.value.code == "transfer.no_run_roots"
    place.parameters(run_roots=[])


def test_a_job_of_an_earlier_version_sends_fastqs(place: Place) -> None:
    parameters = place.parameters(mounted(place))
    del parameters["part"], parameters["destination"]["excludes"]
    assert work(place.site.task(parameters))["part"] == "fastq"
    place.require_arrived()
    assert "part" not in TransferRequest(destination="hpc").asked()
    assert REQUEST.asked()["part"] == "runfolder"
    assert (place.final / BIG).is_file()
