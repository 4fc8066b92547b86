"""A site with attempts of genuine small FASTQs, and pipelines of fakes and of Debian's tools."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task
from arteriole.wes.kind import WesKind
from arteriole.wes.request import AnalysisRequest
from arteriole.wes.settings import WesSettings
from arteriole.wes.work import observe, work

FAKES = Path(__file__).parent / "fakes"
RUN = "260201_A00121_0031_BHVKJ3DSX7"
EARLIER = "260120_A00121_0030_AHVKJ3DSX7"


def write_attempt(
    root: Path, run: str, samples: dict[str, dict[int, int]], attempt: int = 1, **more: Any
) -> None:
    """Attempt with `samples`: name -> lane -> number of read pairs."""
    home = root / run / f"attempt-{attempt}"
    home.mkdir(parents=True)
    record: dict[str, Any] = {"run": run, "attempt": attempt, "degraded": False, **more}
    record |= {"samples": [], "files": []}
    for number, (sample, lanes) in enumerate(samples.items(), start=1):
        for lane, reads in lanes.items():
            record["samples"].append({"sample_id": sample, "lane": lane, "reads": reads})
            for read in (1, 2):
                path = f"{sample}_S{number}_L{lane:03}_R{read}_001.fastq.gz"
                text = "".join(
                    f"@{run}:{lane}:{n} {read}\n{'ACGT' * 5}\n+\n{'F' * 20}\n" for n in range(reads)
                )
                (home / path).write_bytes(gzip.compress(text.encode(), mtime=0))
                record["files"].append(
                    {"path": path, "sample_id": sample, "lane": lane, "read": read,
                     "reads": reads, "size": 0, "md5": "0" * 32, "blake3": ""}
                )  # fmt: skip
    (home / "attempt.json").write_text(json.dumps(record))
    (root / run / "current").symlink_to(home.name)


def sample(name: str, **more: Any) -> dict[str, Any]:
    """A sample's metadata."""
    return {"sample": name, "version": 1, "genome_build": "GRCh38", "pipeline": "count", **more}


THREE = [sample("T1"), sample("N1"), sample("R1")]


class Site:
    """The folders and settings of a wes service."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.fastq = home / "fastq"
        write_attempt(self.fastq, RUN, {"T1": {1: 30, 2: 20}, "N1": {1: 40, 2: 10}, "R1": {1: 7}})
        write_attempt(self.fastq, EARLIER, {"T1": {1: 5}, "X1": {3: 2}})
        self.jobs = 0
        self.work, self.results = home / "work", home / "results"
        self.template = home / "tumor-normal.yaml"
        self.behave("")
        self.settings: dict[str, Any] = {
            "fastq_root": str(self.fastq),
            "work_root": str(self.work),
            "results_root": str(self.results),
            "executors": {"here": {"type": "process", "cores": 2}},
            "pipelines": {"count": self.count("here")},
        }

    def behave(self, fake: str) -> None:
        """What is to go wrong in the fake bcbio."""
        self.template.write_text(
            f"details: [{{analysis: variant2}}]\nupload: {{dir: ../final}}\nfake: '{fake}'\n"
        )

    @staticmethod
    def count(executor: str) -> dict[str, Any]:
        """A pipeline of Debian's own tools: the digests of each sample's reads."""
        digest = ["sha256sum", "-b", "{r1}", "{r2}"]
        return {
            "version": "1",
            "executor": executor,
            "steps": [
                {"name": "folder", "command": ["mkdir", "-p", "{work}/results"]},
                {"name": "digest", "for_each": "sample", "command": digest},
                {"name": "keep", "command": ["cp", "-L", "{fastqs}", "{work}/results"]},
            ],
        }

    def on_slurm(self, **more: Any) -> None:
        """Executors and pipelines on Slurm: bcbio, then umccrise."""
        self.settings["executors"]["cluster"] = {
            "type": "slurm", "options": ["--partition=main"], "poll_seconds": 0.1,
            "settle_seconds": 1.0, **more,
        }  # fmt: skip
        bcbio = str(FAKES / "fake_bcbio_nextgen.py")
        start = [bcbio, "../config/{group}.yaml", "-n", "72", "-t", "ipython", "-s", "slurm"]
        start += ["-q", "main", "-r", "t=0-72:00", "-r", "conmem=20", "--timeout", "3000"]
        columns = {"samplename": "{fastq}", "description": "{sample}", "batch": "{batch}"}
        self.settings["pipelines"] |= {
            "bcbio": {
                "version": "1.2.9",
                "executor": "cluster",
                "needs": ["tumor", "normal"],
                "genomes": {"GRCh38": {"template": str(self.template)}},
                "table": {
                    "name": "{group}.csv",
                    "columns": {**columns, "phenotype": "{phenotype}"},
                },
                "steps": [
                    {"name": "template",
                     "command": [bcbio, "-w", "template", "{template}", "{table}", "{fastqs}"]},
                    {"name": "run", "cwd": "{group}/work", "command": [*start, "--tag", "{key}"]},
                ],
                "results": "{group}/final",
            },
            "umccrise": {
                "version": "2.3.1",
                "executor": "cluster",
                "after": "bcbio",
                "steps": [
                    {"name": "umccrise", "cpus": 2,
                     "command": [str(FAKES / "fake_umccrise.py"), "{input}", "-o",
                                 "{work}/umccrised", "-j{cpus}"]},
                ],
                "results": "umccrised",
            },
            "sleep": {
                "version": "1",
                "executor": "cluster",
                "steps": [
                    {"name": "wait", "command": [sys.executable, str(FAKES / "fake_tool.py"),
                                                 str(self.home), "{group}"]},
                ],
            },
        }  # fmt: skip

    def parameters(self, run: str = RUN, **body: Any) -> dict[str, Any]:
        """What the worker is given for a request."""
        kind = WesKind(WesSettings.model_validate(self.settings))
        kind.epoch = "e"
        request = AnalysisRequest.model_validate({"attempt": 1, "samples": THREE, **body})
        return kind.parameters(run, request)

    def analyse(self, run: str = RUN, **body: Any) -> dict[str, Any]:
        """The result of one more job."""
        self.jobs += 1
        folder = JobFolder(self.home / "jobs" / str(self.jobs))
        folder.prepare(
            {
                "job_id": self.jobs,
                "run": run,
                "stage": "analyse",
                "attempt": 1,
                "observe": body.get("observe", False),
                "parameters": self.parameters(run, **body),
                "worker": "arteriole.wes.work",
            }
        )
        lock = folder.lock()
        assert lock is not None
        task = Task(folder, lock)
        return observe(task) if task.observe else work(task)

    def result(self, unit: str) -> Path:
        return self.results / RUN / "attempt-1" / unit

    def record(self, unit: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.result(unit) / "analysis.json").read_text())
        return found
