"""Checksum jobs on real folders."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.manifest import read_manifest
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work
from arteriole.jobs.service import StartRequest


def parameters(site: Any, attempt: int = 1) -> dict[str, Any]:
    kind = ChecksumKind(ChecksumSettings.model_validate(site.roots))
    return kind.parameters(site.runfolder.name, StartRequest(attempt=attempt))


def test_over_http(site: Any, serve: Callable[..., Any]) -> None:
    service = serve("checksum", site.roots)
    job = service.ended(service.submit(attempt=1)["job_id"])
    assert job["state"] == "done", job
    data = [*site.runfolder_files.values(), *site.fastq_files.values()]
    size = sum(map(len, data)) + (site.fastq / "attempt.json").stat().st_size
    assert (job["result"]["files"], job["result"]["as_written"]) == (len(data) + 1, 4)
    assert job["result"]["bytes"] == size
    assert job["progress"] == {"done": size, "total": size, "unit": "bytes"}
    for part, folder in (("runfolder", site.runfolder), ("fastq", site.fastq)):
        manifest = read_manifest(site.manifests / f"{part}.md5")
        assert job["result"]["manifests"][f"{part}.md5"] == manifest.digest
        command = ["md5sum", "-c", "--strict", "--quiet", str(manifest.path)]
        subprocess.run(command, cwd=folder, check=True)
    names = read_manifest(site.manifests / "runfolder.blake3").digests
    assert sorted(names) == sorted(site.runfolder_files)


def test_a_repeat_verifies(site: Any) -> None:
    first = work(site.task(parameters(site)))
    assert work(site.task(parameters(site))) == first


def _write(name: str) -> Callable[[Any], None]:
    def change(site: Any) -> None:
        (site.home / name.format(run=site.runfolder.name)).write_bytes(b"changed")

    return change


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (_write("runs/{run}/RunInfo.xml"), "checksum.changed", "RunInfo.xml"),
        (lambda s: (s.runfolder / "RTAComplete.txt").unlink(), "checksum.changed", "RTAComplete"),
        (
            _write("fastq/{run}/attempt-1/P1/S1_S1_L001_R1_001.fastq.gz"),
            "checksum.not_as_written",
            "P1/S1_S1_L001_R1_001.fastq.gz",
        ),
        (_write("fastq/{run}/attempt-1/x.fastq.gz"), "checksum.not_as_written", "x.fastq.gz"),
        (lambda s: (s.runfolder / "l").symlink_to("/etc/passwd"), "checksum.link", "link l"),
        (lambda s: (s.runfolder / "a\nb").touch(), "checksum.name", r"a\\nb"),
    ],
)
def test_a_change_is_found_and_nothing_overwritten(
    site: Any, change: Callable[[Any], None], code: str, named: str
) -> None:
    work(site.task(parameters(site)))
    before = {path: path.read_bytes() for path in site.manifests.iterdir()}
    change(site)
    with pytest.raises(ArterioleError, match=named) as raised:
        work(site.task(parameters(site)))
    assert raised.value.code == code
    assert {path: path.read_bytes() for path in site.manifests.iterdir()} == before


def test_fastqs_are_those_that_the_conversion_wrote(site: Any) -> None:
    path = site.fastq / "Undetermined_S0_L001_R1_001.fastq.gz"
    path.write_bytes(b"!" + path.read_bytes()[1:])
    with pytest.raises(ArterioleError, match="Undetermined_S0_L001_R1_001") as raised:
        work(site.task(parameters(site)))
    assert raised.value.code == "checksum.not_as_written"
    assert not site.manifests.exists()


@pytest.mark.parametrize(
    ("run", "attempt", "code"),
    [("gone", 1, "run.not_found"), (None, 2, "attempt.not_found"), ("..", 1, "name.characters")],
)
def test_requests_that_cannot_be_met(site: Any, run: str | None, attempt: int, code: str) -> None:
    kind = ChecksumKind(ChecksumSettings.model_validate(site.roots))
    with pytest.raises(ArterioleError) as raised:
        kind.parameters(run or site.runfolder.name, StartRequest(attempt=attempt))
    assert raised.value.code == code


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_killed_between_two_manifests(site: Any, left: int) -> None:
    """As many manifests are there as the killed worker wrote, and half of the next."""
    expected = work(site.task(parameters(site)))
    order = ["runfolder.md5", "runfolder.blake3", "fastq.md5", "fastq.blake3"]
    for name in order[left:]:
        (site.manifests / name).unlink()
    (site.manifests / f".{order[left]}.partial").write_text("half")
    assert work(site.task(parameters(site))) == expected
    assert sorted(p.name for p in site.manifests.iterdir()) == sorted(order)


def test_killed_while_it_reads(site: Any, until: Callable[..., Any]) -> None:
    """A file of 1 GiB gives the time for it."""
    big = site.runfolder / "big.bin"
    with open(big, "wb") as file:
        file.truncate(1 << 30)
    process = site.worker(parameters(site), "arteriole.checksum.work")
    progress = site.home / "jobs" / "process" / "progress.json"
    until(progress.exists)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not site.manifests.exists()
    os.truncate(big, 10)
    assert work(site.task(parameters(site)))["files"] == 10


def test_one_at_a_time(site: Any) -> None:
    from arteriole.jobs.exclusive import exclusive

    holder = site.task(parameters(site))
    with (
        exclusive(holder, f"{holder.run}.{holder.attempt}"),
        pytest.raises(ArterioleError) as raised,
    ):
        work(site.task(parameters(site)))
    assert raised.value.code == "job.busy"


def test_a_link_as_run_folder_does_not_lead_out(site: Any) -> None:
    outside = site.home / "outside"
    site.runfolder.rename(outside)
    Path(site.runfolder).symlink_to(outside)
    with pytest.raises(ArterioleError) as raised:
        parameters(site)
    assert raised.value.code == "path.outside"
