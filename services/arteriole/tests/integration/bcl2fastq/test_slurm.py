"""Conversions as jobs of a real Slurm: one attempt or none, whatever dies on the way."""

import contextlib
import hashlib
import json
import runpy
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, find

from ...unit.bcl2fastq.conftest import Cluster, TinyRun, calls
from ..conftest import ServiceProcess, kill_process_of
from ..slurm import Slurm

pytestmark = pytest.mark.xdist_group("slurm")
RUN = "260101_M04034_0043_AAAAA"
FAKES = Path(__file__).parents[2] / "unit" / "bcl2fastq" / "fakes"
SHEET = "[Data]\nSample_ID,Sample_Project,index,index2\nS1,P1,ACGT,GGGG\nS2,,TTTT,CCCC\n"
#: Tells Slurm's id of its job, and goes on when it may.
WAITING = """#!/bin/sh
if [ "$1" != --version ]; then
  echo "$SLURM_JOB_ID" >> {home}/starts
  while [ ! -e {home}/go ]; do sleep 0.05; done
fi
exec {fake} "$@"
"""
Until = Callable[..., Any]


@dataclass
class Site:
    """A tiny run, and a bcl2fastq service that converts it on Slurm with the strict stand-in."""

    home: Path
    run: TinyRun

    @property
    def attempt(self) -> Path:
        return self.home / "fastq" / RUN / "attempt-1"

    @property
    def left(self) -> list[str]:
        """All that is in the run's folder of FASTQs."""
        return sorted(path.name for path in (self.home / "fastq" / RUN).glob("*"))

    def settings(self, converter: str = "bcl2fastq", **executor: Any) -> dict[str, Any]:
        tool = {"version": "2.20.0.422", "program": str(self.home / "bcl2fastq")}
        return {
            "run_roots": [str(self.home / "runs")],
            "fastq_root": str(self.home / "fastq"),
            "converter": converter,
            "bcl2fastq_tool": tool if converter == "bcl2fastq" else None,
            "executor": {
                "type": "slurm", "options": ["--partition=main"], "poll_seconds": 0.1,
                "settle_seconds": 1.0, "hours": 1, "memory_gb": 1, **executor,
            },
        }  # fmt: skip

    def behave(self, **knobs: Any) -> None:
        """What the stand-in is to do wrong."""
        fake = ["env", f"FAKE_BCL2FASTQ={json.dumps(knobs)}", sys.executable]
        program = self.home / "bcl2fastq"
        fake.append(str(FAKES / "fake_bcl2fastq.py"))
        program.write_text(WAITING.format(home=self.home, fake=shlex.join(fake)))
        program.chmod(0o755)

    def packed(self) -> dict[str, str]:
        """The tool in a SIF image, with the stand-in for Apptainer."""
        apptainer, image = self.home / "apptainer", self.home / "bcl2fastq.sif"
        words = shlex.join([sys.executable, str(FAKES / "fake_apptainer.py")])
        apptainer.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        apptainer.chmod(0o755)
        inside = {
            "programs": {"bcl2fastq": ["env", "SLURM_JOB_ID=1", str(self.home / "bcl2fastq")]}
        }
        header = runpy.run_path(str(FAKES / "fake_apptainer.py"))["HEADER"]
        image.write_bytes(header + json.dumps(inside).encode())
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        return {
            "version": "2.20.0.422", "sif": str(image), "sif_sha256": digest,
            "apptainer": str(apptainer),
        }  # fmt: skip

    def processes(self) -> list[str]:
        """The command lines of what runs with Apptainer."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found.append(path.read_text().replace("\0", " "))
        return [line for line in found if "fake_apptainer.py" in line and str(self.home) in line]

    def go(self) -> None:
        (self.home / "go").touch()

    def starts(self) -> list[str]:
        """Slurm's id of the job in which the program was started, once each time."""
        path = self.home / "starts"
        return path.read_text().split() if path.exists() else []

    def expected(self) -> dict[str, bytes]:
        """What a conversion here gives."""
        out = self.home / "here"
        out.mkdir()
        find("builtin").convert(
            ConversionRequest(self.run.folder, self.run.folder / "SampleSheet.csv", out),
            lambda done, total: None,
        )
        return fastqs(out)


def fastqs(folder: Path) -> dict[str, bytes]:
    paths = folder.rglob("*.fastq.gz")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def site(tmp_path: Path, slurm: Slurm) -> Site:
    for name in ("runs", "fastq"):
        (tmp_path / name).mkdir()
    run = TinyRun(tmp_path / "runs" / RUN, reads=((4, "N"), (4, "Y"), (4, "Y"), (4, "N")))
    run.clusters[1, 1101] = [Cluster(calls(each)) for each in ("GGGGACGTGGGGTTTT", "A" * 16)]
    run.clusters[1, 1102] = [Cluster(calls("AAAATTTTCCCCGGGG"))]
    run.write(SHEET)
    site = Site(tmp_path, run)
    site.behave()
    return site


@pytest.fixture
def service(site: Site, serve: Callable[..., ServiceProcess]) -> ServiceProcess:
    return serve("bcl2fastq", site.settings())


def kill_all(service: ServiceProcess, job_id: int) -> None:
    """kill -9 of the service, the supervisor and the worker; Slurm's job goes on."""
    service.kill()
    for module in ("supervisor", "work"):
        kill_process_of(service.jobs / str(job_id), module)


def test_behind_ssh_it_gives_what_a_conversion_here_gives(
    site: Site,
    serve: Callable[..., ServiceProcess],
    slurm: Slurm,
    login_node: dict[str, Any],
    until: Until,
) -> None:
    service = serve("bcl2fastq", site.settings("builtin", **login_node))
    job = service.ended(service.submit(RUN)["job_id"])
    assert job["state"] == "done", job
    assert job["progress"] == {"done": 2, "total": 2, "unit": "tiles"}
    assert (job["result"]["converter"], job["result"]["clusters"]) == ("builtin", 3)
    assert fastqs(site.attempt) == site.expected()
    assert site.left == ["attempt-1", "current"]
    assert not list(site.attempt.glob("*out*"))
    until(lambda: slurm.queue() == [])
    assert "converting on " in service.call("GET", f"logs/{RUN}").text


def test_in_an_image_of_apptainer_on_the_node(
    site: Site, serve: Callable[..., ServiceProcess], slurm: Slurm, until: Until
) -> None:
    service = serve("bcl2fastq", {**site.settings(), "bcl2fastq_tool": site.packed()})
    stopped = service.submit(RUN, "one")["job_id"]
    until(site.starts)
    assert site.processes()
    service.call("POST", f"stop/{stopped}")
    assert service.ended(stopped)["state"] == "cancelled"
    until(lambda: not site.processes())
    assert not site.attempt.exists()
    until(lambda: slurm.queue() == [])
    site.go()
    job = service.ended(service.submit(RUN, "two")["job_id"])
    assert job["state"] == "done", job
    assert fastqs(site.attempt) == site.expected()
    record = json.loads((site.attempt / "attempt.json").read_text())
    assert record["converter_image"] == f"sha256:{site.packed()['sif_sha256']}"


def test_killed_with_the_controller_away_it_is_found_again(
    site: Site, slurm: Slurm, service: ServiceProcess, until: Until
) -> None:
    job_id = service.submit(RUN)["job_id"]
    until(site.starts)
    kill_all(service, job_id)
    slurm.stop()
    try:
        service.start()
        log = service.jobs / str(job_id) / "log"
        until(lambda: "slurm.unreachable" in log.read_text())
        assert service.status(job_id)["state"] == "started" and not site.attempt.exists()
    finally:
        slurm.start()
    site.go()
    job = service.ended(job_id)
    assert job["state"] == "done", job
    assert len(site.starts()) == 1 and fastqs(site.attempt) == site.expected()


def test_one_with_another_sheet_is_ended_before_the_next_writes(
    site: Site, slurm: Slurm, service: ServiceProcess, until: Until
) -> None:
    job_id = service.submit(RUN)["job_id"]
    until(site.starts)
    kill_all(service, job_id)
    sheet = SHEET.replace("S2", "S3")
    (site.run.folder / "SampleSheet.csv").write_text(sheet)
    service.start()
    until(lambda: len(site.starts()) == 2)
    assert len(slurm.queue()) == 1 and len(site.left) == 1
    site.go()
    assert service.ended(job_id)["state"] == "done"
    assert len(set(site.starts())) == 2
    record = json.loads((site.attempt / "attempt.json").read_text())
    assert record["sheet_sha256"] == hashlib.sha256(sheet.encode()).hexdigest()
    assert {row["sample_id"] for row in record["samples"]} == {"S1", "S3", "Undetermined"}


@pytest.mark.parametrize("dead", [False, True])
def test_a_stop_ends_the_job_of_slurm(
    site: Site, slurm: Slurm, service: ServiceProcess, until: Until, dead: bool
) -> None:
    job_id = service.submit(RUN)["job_id"]
    until(site.starts)
    if dead:  # nobody is left to obey
        kill_all(service, job_id)
        (service.jobs / str(job_id) / "stop").touch()
        service.start()
    else:
        service.call("POST", f"stop/{job_id}")
    job = service.ended(job_id)
    assert (job["state"], job["code"]) == ("cancelled", "job.stopped")
    until(lambda: slurm.queue() == [])
    assert site.left == [".attempt-1.partial-1"]  # as here: the next conversion clears it


def test_a_node_that_goes_down_in_the_middle(
    site: Site, slurm: Slurm, service: ServiceProcess, until: Until
) -> None:
    """Slurm starts the job again; what its first start wrote counts for nothing."""
    job_id = service.submit(RUN)["job_id"]
    until(site.starts)
    (first,) = (site.attempt.parent / site.left[0]).glob("start-*")
    (first / "half.fastq.gz").write_bytes(b"half")
    slurm.lose_node()
    until(lambda: slurm.hurry() or len(site.starts()) == 2)
    site.go()
    job = service.ended(job_id)
    assert job["state"] == "done", job
    assert len(set(site.starts())) == 1 and fastqs(site.attempt) == site.expected()


def test_what_fails_is_told_as_here_and_leaves_nothing(
    site: Site, slurm: Slurm, service: ServiceProcess, until: Until
) -> None:
    job_id = service.submit(RUN)["job_id"]
    until(site.starts)
    slurm.run("scancel", "--user=root")
    job = service.ended(job_id)
    assert (job["state"], job["code"]) == ("error", "slurm.cancelled")
    assert site.left == []
    site.behave(exit=1)
    site.go()
    job = service.ended(service.submit(RUN, "again")["job_id"])
    assert (job["state"], job["code"]) == ("error", "convert.tool_failed")  # as here
    assert "barcode collision" in job["message"] and site.left == []
