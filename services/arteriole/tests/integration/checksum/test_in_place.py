"""Files that are written again in place during a job, after they were read."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from arteriole.app.errors import ArterioleError
from arteriole.checksum import small_files
from arteriole.checksum import work as worker
from arteriole.checksum.journal import Journal
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.manifest import read_manifest
from arteriole.checksum.part_request import (
    AddendumRequest,
    DigestRequest,
    EarlyRequest,
    VerifyRequest,
)
from arteriole.checksum.parts import DigestedPart
from arteriole.checksum.settings import ChecksumSettings
from arteriole.jobs.service import StartRequest

Deed = Callable[[], None]
RUN = DigestRequest(part=DigestedPart.RUN)
RESULTS = DigestRequest(part=DigestedPart.RESULTS)


@pytest.fixture
def before_looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a deed be done before each time that the files are compared with those that were read."""

    def install(*deeds: Deed) -> None:
        left = iter(deeds)

        def after_deed(look: Callable[..., Any]) -> Callable[..., Any]:
            def looked(*given: Any) -> Any:
                next(left, nothing)()
                return look(*given)

            return looked

        monkeypatch.setattr(Journal, "unlike", after_deed(Journal.unlike))
        monkeypatch.setattr(worker, "require_unchanged", after_deed(worker.require_unchanged))

    return install


def nothing() -> None:
    pass


def do(site: Any, request: StartRequest) -> dict[str, Any]:
    roots = site.roots | {"results_root": str(site.home / "results")}
    kind = ChecksumKind(ChecksumSettings.model_validate(roots))
    return worker.work(site.task(kind.parameters(site.runfolder.name, request)))


def results(site: Any) -> Path:
    unit = site.home / "results" / site.runfolder.name / "attempt-1" / "unit"
    unit.mkdir(parents=True, exist_ok=True)
    (unit / "log.txt").write_bytes(b"log")
    return unit


def require_right(folder: Path, manifest: Path) -> None:
    command = ["md5sum", "-c", "--strict", "--quiet", f"{manifest}.md5"]
    subprocess.run(command, cwd=folder, check=True)
    for name, digest in read_manifest(Path(f"{manifest}.blake3")).digests.items():
        assert digest == blake3((folder / name).read_bytes()).hexdigest(), name


def write_in_place(path: Path, data: bytes) -> None:
    """With the size and time of writing that it had."""
    before = now = path.stat()
    while now.st_ctime_ns == before.st_ctime_ns:  # the clock of a file system ticks slowly
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert now.st_ino == before.st_ino


def give_mode(path: Path) -> None:
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        path.chmod(before.st_mode ^ 0o010)


@pytest.mark.parametrize("many", [2, 2000])
def test_a_file_of_the_run_folder(
    site: Any, before_looks: Any, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(small_files, "MANY", many)  # from 2 on by processes
    before_looks(lambda: write_in_place(site.runfolder / "RunInfo.xml", b"<RUNINFO/>\n"))
    do(site, RUN)
    require_right(site.runfolder, site.manifests / "runfolder")


def test_a_fastq_that_becomes_another(site: Any, before_looks: Any) -> None:
    path = site.fastq / "Undetermined_S0_L001_R1_001.fastq.gz"
    before_looks(nothing, lambda: write_in_place(path, b"!"))
    with pytest.raises(ArterioleError, match=path.name) as raised:
        do(site, DigestRequest())
    assert raised.value.code == "checksum.not_as_written"
    assert not site.manifests.exists()


def test_a_fastq_that_becomes_what_was_written(site: Any, before_looks: Any) -> None:
    path = site.fastq / "Undetermined_S0_L001_R1_001.fastq.gz"
    write_in_place(path, b"!")
    before_looks(nothing, lambda: write_in_place(path, b"?"))
    assert do(site, DigestRequest())["as_written"] == 4
    require_right(site.runfolder, site.manifests / "runfolder")
    require_right(site.fastq, site.manifests / "fastq")


def test_a_result(site: Any, before_looks: Any) -> None:
    unit = results(site)
    (unit / "calls.vcf").write_bytes(b"calls")
    before_looks(lambda: write_in_place(unit / "calls.vcf", b"CALLS"))
    assert do(site, RESULTS)["files"] == 2
    require_right(unit, site.manifests / "results" / "unit")


def test_a_late_file(site: Any, before_looks: Any) -> None:
    do(site, DigestRequest())
    closed = {path: path.read_bytes() for path in site.manifests.iterdir()}
    (site.runfolder / "late").write_bytes(b"late")
    before_looks(lambda: write_in_place(site.runfolder / "late", b"LATE"))
    do(site, AddendumRequest())
    require_right(site.runfolder, site.manifests / "runfolder.addendum-1")
    assert {path: path.read_bytes() for path in closed} == closed


def test_a_cycle_that_was_digested_early(site: Any, before_looks: Any) -> None:
    paths = [site.runfolder / f"Data/Intensities/BaseCalls/L001/C{n}.1/1.bcl" for n in range(1, 6)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"calls")
    assert do(site, EarlyRequest())["files"] > 0
    before_looks(lambda: write_in_place(paths[1], b"CALLS"))
    do(site, RUN)
    require_right(site.runfolder, site.manifests / "runfolder")


@pytest.mark.parametrize("request_of", [VerifyRequest, DigestRequest])
def test_what_a_manifest_has_already_is_told_and_not_overwritten(
    site: Any, before_looks: Any, request_of: type[StartRequest]
) -> None:
    do(site, DigestRequest())
    closed = {path: path.read_bytes() for path in site.manifests.iterdir()}
    before_looks(lambda: write_in_place(site.runfolder / "RunInfo.xml", b"<RUNINFO/>\n"))
    with pytest.raises(ArterioleError, match=r"recorded earlier: RunInfo\.xml") as raised:
        do(site, request_of())
    assert raised.value.code == "checksum.changed"
    assert {path: path.read_bytes() for path in site.manifests.iterdir()} == closed


@pytest.mark.parametrize("part", ["runfolder", "results/unit"])
@pytest.mark.parametrize(("looks", "noted"), [(1, 1), (20, 4)])
def test_modes_that_are_given_during_the_job(
    site: Any,
    before_looks: Any,
    capfd: pytest.CaptureFixture[str],
    part: str,
    looks: int,
    noted: int,
) -> None:
    """Also at each look, as where a file system makes the time of change up."""
    folder = results(site) if part != "runfolder" else site.runfolder
    path = min(path for path in folder.iterdir() if path.is_file())
    before_looks(*[lambda: give_mode(path)] * looks)
    assert do(site, RUN if part == "runfolder" else RESULTS)["files"] > 0
    require_right(folder, site.manifests / part)
    out = capfd.readouterr().out
    assert out.count("another ctime after reading") == noted
    assert out.count("not read again") == (noted > 1)
