"""A site with manifests, and the folder on a cluster that it sends to."""

import grp
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.manifest import read_manifest
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work as checksum
from arteriole.jobs.service import StartRequest
from arteriole.jobs.worker import Task
from arteriole.transfer.cluster import Cluster
from arteriole.transfer.kind import TransferKind, TransferRequest
from arteriole.transfer.parts import SentPart
from arteriole.transfer.settings import Destination, TransferSettings
from arteriole.transfer.work import work

REQUEST = TransferRequest(attempt=1, destination="hpc")
BIG = "P1/S1_S1_L001_R1_001.fastq.gz"


class Place:
    """A site with manifests, and the folder on the cluster that it sends to."""

    def __init__(self, site: Any, sshd: Any) -> None:
        self.site = site
        self.sshd = sshd
        self.run = site.runfolder.name
        self.far = site.home / "cluster"
        self.far.mkdir()
        self.final = self.far / self.run / "attempt-1"
        self.partial = self.far / self.run / ".attempt-1.partial" / "attempt-1"
        self.ready = self.far / "ready" / f"{self.run}.attempt-1"

    def hash(self) -> None:
        """Make the manifests."""
        kind = ChecksumKind(ChecksumSettings.model_validate(self.site.roots))
        checksum(self.site.task(kind.parameters(self.run, StartRequest())))

    def write(self) -> None:
        """The FASTQs, as the site has them by now, and their manifests."""
        for name, data in self.site.fastq_files.items():
            (self.site.fastq / name).parent.mkdir(exist_ok=True)
            (self.site.fastq / name).write_bytes(data)
        self.site.write_record()
        if self.site.manifests.exists():
            shutil.rmtree(self.site.manifests)
        self.hash()

    def settings(self, destination: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        wanted = destination or self.sshd.destination(self.far)
        return {**self.site.roots, "destinations": {"hpc": wanted}, **more}

    def parameters(
        self,
        destination: dict[str, Any] | None = None,
        request: TransferRequest = REQUEST,
        **more: Any,
    ) -> dict[str, Any]:
        kind = TransferKind(TransferSettings.model_validate(self.settings(destination, **more)))
        return kind.parameters(self.run, request)

    def unpublish(self) -> None:
        """Make what is there the partial folder again."""
        self.ready.unlink()
        self.partial.parent.mkdir(mode=0o700)
        self.final.rename(self.partial)

    def transfer(self, destination: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return work(self.site.task(self.parameters(destination, **more)))

    def require_arrived(self) -> None:
        """The attempt with its manifest, the ready link, and nothing else."""
        assert self.ready.readlink() == Path(f"../{self.run}/attempt-1")
        found = {
            path.relative_to(self.final).as_posix(): path.read_bytes()
            for path in self.ready.resolve().rglob("*")
            if path.is_file()
        }
        manifests = {f"fastq.{n}": self.site.manifests / f"fastq.{n}" for n in ("md5", "blake3")}
        record = (self.site.fastq / "attempt.json").read_bytes()
        assert found == {
            **self.site.fastq_files,
            "attempt.json": record,
            **{name: path.read_bytes() for name, path in manifests.items()},
        }
        assert [p.name for p in (self.far / self.run).iterdir()] == ["attempt-1"]
        assert sorted(p.name for p in self.far.iterdir()) == sorted([self.run, "ready"])
        assert [p.name for p in self.ready.parent.iterdir()] == [self.ready.name]


def mounted(place: Place, **more: Any) -> dict[str, Any]:
    """The folder without ssh, which is slow; the scripts are the same."""
    return {"path": str(place.far), **more}


def cluster_of(task: Task, limit: Callable[[], int | None] | None = None) -> Cluster:
    """Where a job sends the FASTQs."""
    destination = Destination.model_validate(task.parameters["destination"])
    manifests = [read_manifest(Path(task.parameters["manifest"]))]
    return Cluster(task, destination, SentPart.FASTQ, manifests, limit)


def some_group() -> str:
    """One that is not this process's own, if it may give files to another."""
    if os.getuid() == 0:
        return grp.getgrgid(1).gr_name
    return grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def place(site: Any, sshd: Any) -> Place:
    made = Place(site, sshd)
    made.hash()
    return made


@pytest.fixture
def large(site: Any, sshd: Any) -> Place:
    """Two files of 3 MB that nothing makes smaller, for two streams."""
    source = random.Random(7)
    for name in list(site.fastq_files)[:2]:
        site.fastq_files[name] = source.randbytes(3_000_000)
    made = Place(site, sshd)
    made.write()
    return made
