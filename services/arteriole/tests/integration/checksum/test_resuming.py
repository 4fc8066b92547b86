"""What was digested is not digested again: over kill -9, from cycle to cycle, and no further."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.checksum import volumes
from arteriole.checksum.journal import held
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.manifest import read_manifest, write_manifest
from arteriole.checksum.part_request import (
    AddendumRequest,
    DigestRequest,
    EarlyRequest,
    VerifyRequest,
)
from arteriole.checksum.parts import DigestedPart
from arteriole.checksum.places import journal_path
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import observe, work
from arteriole.jobs.service import StartRequest

#: A worker that makes each digest durable at once.
PROGRAM = """
import os, signal
from arteriole.checksum import journal, work
journal.SYNC_SECONDS = 0
add, kept = journal.Journal.add, []
def killed(self, digests):
    add(self, digests)
    kept.append(digests)
    if len(kept) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
journal.Journal.add = killed
work.main(work.work, work.observe)
"""
SIZE = 1 << 24


def parameters(site: Any, request: StartRequest | None = None, **more: Any) -> dict[str, Any]:
    kind = ChecksumKind(ChecksumSettings.model_validate(site.roots | more))
    return kind.parameters(site.runfolder.name, request or DigestRequest())


def do(site: Any, request: StartRequest | None = None, **more: Any) -> dict[str, Any]:
    return work(site.task(parameters(site, request, **more)))


RUN = DigestRequest(part=DigestedPart.RUN)


def require_md5sum(site: Any, name: str = "runfolder.md5") -> None:
    folder = site.runfolder if name.startswith("runfolder") else site.fastq
    command = ["md5sum", "-c", "--strict", "--quiet", str(site.manifests / name)]
    subprocess.run(command, cwd=folder, check=True)


def cycle(site: Any, number: int, data: bytes = b"calls") -> Path:
    path = site.runfolder / f"Data/Intensities/BaseCalls/L001/C{number}.1/s_1_1101.bcl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data + b"%d" % number)
    return path


def big_files(site: Any, count: int) -> None:
    for number in range(count):
        with open(site.runfolder / f"big-{number}", "wb") as file:
            file.truncate(SIZE)


def test_after_kill_9_only_the_rest_is_read(site: Any) -> None:
    big_files(site, 16)
    folder = site.job_folder(parameters(site), "unused", "killed")
    lock = folder.lock()
    command = [sys.executable, "-c", PROGRAM, str(folder.path), str(lock)]
    process = subprocess.Popen(command, pass_fds=(lock,), stdout=subprocess.DEVNULL)
    assert process.wait(60) == -signal.SIGKILL
    os.close(lock)
    result = do(site)
    assert 9 * SIZE < result["read"] <= 12 * SIZE < result["bytes"]
    require_md5sum(site)
    require_md5sum(site, "fastq.md5")
    assert do(site) == result | {"read": result["bytes"]}, "once closed, all is verified"


def test_a_damaged_journal_is_begun_anew_and_told(site: Any) -> None:
    for number in range(200):
        (site.runfolder / f"{'n' * 60}-{number}").write_bytes(b"%d" % number)
    do(site, RUN)
    for path in site.manifests.iterdir():
        path.unlink()
    path = journal_path(site.home / "jobs", site.runfolder.name, "runfolder")
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    task = site.task(parameters(site, RUN))
    result = work(task)
    assert result["read"] == result["bytes"]
    assert task.remarks["code"] == "checksum.journal" and str(path) in task.remarks["message"]
    require_md5sum(site)


def test_what_changed_since_is_digested_again(site: Any) -> None:
    for number in range(1, 6):
        cycle(site, number)
    early = do(site, EarlyRequest())
    assert early == {"files": 2 + 2, "bytes": early["bytes"], "left": 0, "closed": False}
    cycle(site, 2, b"other")
    (site.runfolder / "Data/Intensities/BaseCalls/L001/C3.1/s_1_1101.bcl").unlink()
    result = do(site)
    assert result["bytes"] - result["read"] == 102_400 + len("calls1"), "of cycle 1"
    require_md5sum(site)


def test_a_cycle_that_was_copied_again_in_place_with_its_old_time(site: Any) -> None:
    for number in range(1, 6):
        cycle(site, number, b"wrong")
    path = cycle(site, 2)
    path.write_bytes(b"WRONG2")
    before = path.stat()
    do(site, EarlyRequest())
    now = before
    while now.st_ctime_ns == before.st_ctime_ns:  # the clock of a file system ticks slowly
        with open(path, "r+b") as file:
            file.write(b"calls2")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        now = path.stat()
    assert (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns)
    assert before.st_ino == now.st_ino
    do(site)
    require_md5sum(site)


def test_only_cycles_that_are_behind_are_digested_early(site: Any) -> None:
    for number in range(1, 13):
        cycle(site, number)
    lane = site.runfolder / "Data/Intensities/BaseCalls/L002"
    lane.mkdir()
    for number in (1, 2, 3):
        (lane / f"{number:04}.bcl.bgzf").write_bytes(b"calls")
        (lane / f"{number:04}.bcl.bgzf.bci").write_bytes(b"index")
    assert do(site, EarlyRequest())["files"] == 10 + 1 + 2
    would = observe(site.task(parameters(site, EarlyRequest())))
    assert would["files"] == 10 + 1 + 2
    cycle(site, 13)
    assert do(site, EarlyRequest())["left"] == 0
    path = journal_path(site.home / "jobs", site.runfolder.name, "runfolder")
    with held(path) as journal:
        names = [row[0] for row in journal.digests()]
    assert len(names) == 11 + 1 + 2
    assert not any("C12.1" in name or "C13.1" in name or "0002" in name for name in names)


def test_it_is_read_slowly_and_not_for_long(site: Any) -> None:
    for number in range(1, 9):
        cycle(site, number, bytes(500_000))
    asked = parameters(site, EarlyRequest(), early_megabytes=2, early_seconds=3600)
    begun = time.monotonic()
    assert work(site.task(asked))["left"] == 0
    assert time.monotonic() - begun > 0.4  # of 3.1 MB those of the first second come at once
    cycle(site, 9)
    cycle(site, 10)
    done = work(site.task(asked | {"seconds": 0}))
    assert done["left"] > 0


def test_a_stage_that_waits_is_let_in(site: Any, until: Any) -> None:
    for number in range(1, 33):
        cycle(site, number, bytes(1 << 20))
    task = site.task(parameters(site, EarlyRequest(), early_megabytes=5))
    ended: list[dict[str, Any]] = []
    early = threading.Thread(target=lambda: ended.append(work(task)))
    early.start()
    until(lambda: (task.folder.progress() or {"done": 0})["done"] > 5 << 20)
    result = do(site)
    early.join()
    assert ended[0]["left"] > 0
    assert result["read"] < result["bytes"]


def test_once_closed_nothing_is_done_early(site: Any) -> None:
    do(site)
    assert do(site, EarlyRequest()) == {"files": 0, "bytes": 0, "left": 0, "closed": True}


def test_the_run_is_closed_before_there_are_fastqs(site: Any) -> None:
    site.fastq.rename(site.home / "kept")
    first = do(site, RUN)
    assert sorted(first["manifests"]) == ["runfolder.blake3", "runfolder.md5"]
    (site.home / "kept").rename(site.fastq)
    (site.runfolder / "Analysis").mkdir()
    (site.runfolder / "Analysis" / "late.txt").write_text("late")
    result = do(site)
    assert result["read"] == result["bytes"] - first["bytes"]
    assert result["manifests"].items() > first["manifests"].items()
    added = read_manifest(site.manifests / "runfolder.addendum-1.md5")
    assert list(added.digests) == ["Analysis/late.txt"]
    require_md5sum(site)
    require_md5sum(site, "runfolder.addendum-1.md5")


def test_a_change_after_the_close_is_no_news_to_be_digested(site: Any) -> None:
    do(site, RUN)
    (site.runfolder / "RunInfo.xml").write_bytes(b"other")
    with pytest.raises(ArterioleError, match=r"RunInfo\.xml") as raised:
        do(site)
    assert raised.value.code == "checksum.changed"


def flip(path: Path) -> None:
    """One bit, with size, time and inode as they were."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("part", ["runfolder", "fastq"])
def test_a_flipped_bit_is_noticed_by_whoever_verifies(site: Any, part: str) -> None:
    do(site)
    verified = do(site, VerifyRequest())
    assert verified["late"] == 0 and verified["files"] == 9
    flip(next(path for path in getattr(site, part).rglob("*.gz") if path.is_file()))
    for request in (VerifyRequest(), DigestRequest()):
        with pytest.raises(ArterioleError, match=r"\.gz") as raised:
            do(site, request)
        assert raised.value.code in ("checksum.changed", "checksum.not_as_written")


def test_after_a_difference_the_bytes_are_read_again(site: Any) -> None:
    path = site.fastq / "Undetermined_S0_L001_R1_001.fastq.gz"
    flip(path)
    with pytest.raises(ArterioleError) as raised:
        do(site)
    assert raised.value.code == "checksum.not_as_written"
    flip(path)
    assert do(site)["as_written"] == 4


def test_verifying_writes_nothing_and_counts_what_came_later(site: Any) -> None:
    do(site)
    before = {path.name: path.read_bytes() for path in site.manifests.iterdir()}
    (site.runfolder / "late.log").write_text("late")
    assert do(site, VerifyRequest())["late"] == 1
    assert {path.name: path.read_bytes() for path in site.manifests.iterdir()} == before
    (site.fastq / "late.txt").write_text("late")
    with pytest.raises(ArterioleError, match=r"late\.txt") as raised:
        do(site, VerifyRequest())
    assert raised.value.code == "checksum.changed"


def test_addenda_read_only_what_is_late(site: Any) -> None:
    do(site)
    assert do(site, AddendumRequest()) == {"files": 0, "bytes": 0, "manifests": {}}
    for number in (1, 2):
        (site.runfolder / f"late-{number}").write_bytes(b"12345")
        result = do(site, AddendumRequest())
        names = [f"runfolder.addendum-{number}.{kind}" for kind in ("md5", "blake3")]
        assert (result["files"], result["bytes"], list(result["manifests"])) == (1, 5, names)
        require_md5sum(site, names[0])
    assert do(site, VerifyRequest())["late"] == 0


@pytest.fixture
def half(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An addendum of which the second manifest could not be written."""
    do(site)
    (site.runfolder / "late").write_bytes(b"12345")

    def write(path: Path, entries: Iterable[tuple[str, str]]) -> None:
        if path.suffix == ".blake3":
            raise OSError(errno.ENOSPC, "no space")
        write_manifest(path, entries)

    with monkeypatch.context() as patched:
        patched.setattr(volumes, "write_manifest", write)
        with pytest.raises(OSError, match="no space"):
            do(site, AddendumRequest())
    assert not (site.manifests / "runfolder.addendum-1.blake3").exists()


@pytest.mark.usefixtures("half")
def test_half_an_addendum_is_completed(site: Any) -> None:
    before = (site.manifests / "runfolder.addendum-1.md5").read_bytes()
    (site.runfolder / "later").write_bytes(b"1")
    result = do(site, AddendumRequest())
    assert (result["files"], result["bytes"]) == (2, 6)
    names = [f"runfolder.addendum-{n}.{kind}" for n in (1, 2) for kind in ("md5", "blake3")]
    assert list(result["manifests"]) == names
    assert (site.manifests / names[0]).read_bytes() == before
    assert list(read_manifest(site.manifests / names[1]).digests) == ["late"]
    assert do(site, AddendumRequest()) == {"files": 0, "bytes": 0, "manifests": {}}
    assert do(site, VerifyRequest())["late"] == 0


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize(
    "deed", [lambda path: path.unlink(), lambda path: path.write_bytes(b"54321")]
)
def test_half_an_addendum_of_a_file_that_changed_stays_half(
    site: Any, deed: Callable[[Path], Any]
) -> None:
    deed(site.runfolder / "late")
    with pytest.raises(ArterioleError, match=r"recorded earlier: late$") as raised:
        do(site, AddendumRequest())
    assert raised.value.code == "checksum.changed"
    assert not (site.manifests / "runfolder.addendum-1.blake3").exists()


@pytest.mark.parametrize("request_of", [VerifyRequest, AddendumRequest])
def test_without_manifests_there_is_nothing_to_verify(site: Any, request_of: Any) -> None:
    with pytest.raises(ArterioleError) as raised:
        do(site, request_of())
    assert raised.value.code == "manifest.missing"


def test_over_http(site: Any, serve: Any) -> None:
    service = serve("checksum", site.roots)
    for verb, result in (("early", "left"), ("", "manifests"), ("verify", "late")):
        where = f"{verb or 'start'}/{site.runfolder.name}"
        answer = service.call("POST", where, json={}, headers={"Idempotency-Key": f"k.{verb}"})
        assert answer.status_code == 202, answer.text
        job = service.ended(answer.json()["job_id"])
        assert (job["state"], job["stage"]) == ("done", verb or "checksum"), job
        assert result in job["result"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small tmpfs")
@pytest.mark.parametrize("place", ["work", "manifests"])
def test_a_full_disk_is_told_and_the_job_goes_on_later(site: Any, place: str) -> None:
    for number in range(3000):
        (site.runfolder / f"{'name' * 20}-{number}").touch()
    folder = site.home / place
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        with pytest.raises((ArterioleError, OSError)) as raised:
            do(site)
        full = getattr(raised.value, "code", None) or raised.value.errno  # type: ignore[union-attr]
        assert full in ("disk.full", 28)
        assert not list(folder.rglob("runfolder.*5"))
        subprocess.run(["mount", "-o", "remount,size=10m", str(folder)], check=True)
        result = do(site)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert result["files"] == 3000 + 9
