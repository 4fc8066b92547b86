import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from blake3 import blake3

from arteriole.checksum import small_files as module
from arteriole.checksum.digests import PIECE, Interrupted, Meter
from arteriole.checksum.errors import ChecksumError
from arteriole.checksum.listing import list_files
from arteriole.checksum.small_files import SmallFiles, small_files


@dataclass
class Told:
    done: int = 0

    def __call__(self, done: int, total: int, unit: str) -> None:
        self.done = done


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MANY", 3)
    for number in range(9):
        (tmp_path / f"s_1_11{number:02}.bcl.gz").write_bytes(bytes([number]) * (number + 1))
    return list_files(tmp_path)


@pytest.fixture
def small(files):
    with small_files(2) as made:
        assert list(made.counted(files)) == files
        yield made


def expected(folder: Path, batch):
    contents = {found.name: (folder / found.name).read_bytes() for found in batch}
    return [
        (name, {"md5": hashlib.md5(content).digest(), "blake3": blake3(content).digest()})
        for name, content in contents.items()
    ]


def in_threads(monkeypatch) -> list[int]:
    """The lengths of the batches that no process digested."""
    lengths: list[int] = []
    whole = module.digest_batch

    def noted(folder, batch, meter):
        lengths.append(len(batch))
        return whole(folder, batch, meter)

    monkeypatch.setattr(module, "digest_batch", noted)
    return lengths


def pids(small: SmallFiles) -> list[int]:
    return [process._process.pid for process in small._processes]


def test_processes_digest_what_is_small_and_many(tmp_path, files, small, monkeypatch):
    lengths, told = in_threads(monkeypatch), Told()
    meter = Meter(told, 45)
    for batch in (files[:5], files[5:]):
        assert small.digest(tmp_path, batch, meter) == expected(tmp_path, batch)
    assert (lengths, told.done, len(pids(small))) == ([], 45, 2)


def test_a_process_reads_larger_files_piece_by_piece(tmp_path, files, small, monkeypatch):
    lengths = in_threads(monkeypatch)
    (tmp_path / "larger.cbcl").write_bytes(os.urandom(2 * PIECE + 3))
    (tmp_path / "empty.cbcl").touch()
    batch = list_files(tmp_path)
    assert small.digest(tmp_path, batch, Meter(Told(), 1)) == expected(tmp_path, batch)
    assert lengths == []


def test_the_few_and_the_large_need_none(tmp_path, files, small, monkeypatch):
    lengths = in_threads(monkeypatch)
    with small_files(2) as idle:
        assert len(list(idle.counted(files[:2]))) == 2
        assert idle.digest(tmp_path, files[:2], Meter(Told(), 3)) == expected(tmp_path, files[:2])
        assert pids(idle) == []
    (tmp_path / "large.cbcl").write_bytes(bytes(PIECE))
    large = [found for found in list_files(tmp_path) if found.size == PIECE]
    assert small.digest(tmp_path, large, Meter(Told(), PIECE)) == expected(tmp_path, large)
    assert lengths == [2, 1]


@pytest.mark.parametrize("how", ["longer", "touched", "replaced", "a pipe", "gone"])
def test_a_file_that_changes_is_told_as_in_a_thread(tmp_path, files, small, how):
    path = tmp_path / files[4].name
    status = path.stat()
    if how == "longer":
        path.write_bytes(b"longer than it was")
    elif how == "touched":
        os.utime(path, (1, 1))
    elif how == "replaced":
        (tmp_path / "other").write_bytes(path.read_bytes())
        os.utime(tmp_path / "other", ns=(status.st_atime_ns, status.st_mtime_ns))
        (tmp_path / "other").rename(path)
    else:
        path.unlink()
        if how == "a pipe":
            os.mkfifo(path)
    with pytest.raises(ChecksumError) as info:
        small.digest(tmp_path, files, Meter(Told(), 45))
    assert files[4].name in str(info.value)
    code = "checksum.unreadable" if how == "a pipe" else "checksum.changing"
    assert info.value.code == code and info.value.hint
    assert small.digest(tmp_path, files[:4], Meter(Told(), 10)) == expected(tmp_path, files[:4])


def test_a_process_that_is_gone_is_done_without(tmp_path, files, small, monkeypatch):
    lengths = in_threads(monkeypatch)
    for pid in pids(small):
        os.kill(pid, signal.SIGKILL)
    for _ in range(3):
        assert small.digest(tmp_path, files, Meter(Told(), 45)) == expected(tmp_path, files)
    assert lengths == [9, 9, 9]


def test_nothing_more_is_digested_after_a_stop(tmp_path, files, small):
    meter = Meter(Told(), 45)
    meter.stop()
    with pytest.raises(Interrupted):
        small.digest(tmp_path, files, meter)


def test_processes_end_with_their_job(files, small):
    begun = pids(small)
    small.end()
    for pid in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_processes_end_after_a_kill_of_their_job():
    script = """if True:
        import os, signal
        from arteriole.checksum.small_files import SmallFiles
        small = SmallFiles(2)
        small._begin()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as killed:
        killed.communicate(timeout=60)  # NB: the pipe is that of the processes too
    assert killed.returncode == -signal.SIGKILL
