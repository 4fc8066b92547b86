"""Every service at once, each with something to be found in it; all with tokens."""

import logging
import os
from dataclasses import dataclass, field

import pytest
import requests

from arteriole.app.auth import Role, Tokens
from arteriole.app.mode import Mode
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.service import ArchiveService
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.service import Bcl2fastqService
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.jobs.jobs import JobState, Outcome
from arteriole.jobs.service import JobService
from arteriole.metadata.service import MetadataService
from arteriole.metadata.settings import MetadataSettings
from arteriole.runfolder.service import RunfolderService
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.transfer.kind import TransferKind
from arteriole.transfer.settings import TransferSettings
from arteriole.wes.service import WesService
from arteriole.wes.settings import WesSettings

from ..app.serving import DEADLINE, Serving, eventually

RUN, SAMPLE = "200624_A00834_0183_BHMTFYDRXX", "NA12878"
PLAN = {"receive": {}, "convert": {"after": ["receive"]}, "qc": {"after": ["convert"]}}
NAMES = ("runfolder", "bcl2fastq", "checksum", "transfer", "archive", "wes", "metadata")


@dataclass
class Known:
    """A service, what its paths may name, and who may ask it all."""

    name: str
    serving: Serving
    token: str
    names: dict[str, str] = field(default_factory=dict)  # by the path's parameter

    def __post_init__(self):
        self.session = requests.Session()
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self.document = self.session.get(
            f"{self.serving.url}/openapi.json", timeout=DEADLINE
        ).json()

    @property
    def operations(self):
        return [
            (method.upper(), path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]


def _with_a_job(make):
    """The service, and a job of it that has ended."""

    def made():
        service = make()
        job = service.queue.submit(
            "k", {}, run=RUN, stage="convert", attempt=1, parameters={}, who="x"
        )
        folder = service.runner.folder(job.job_id)
        folder.path.mkdir(parents=True)
        folder.log.write_bytes(b"caf\xe9 \x1b[31m\0")
        service.queue.ended(job, Outcome(JobState.DONE, 0, "", "done", "", {}))
        return service

    return made


def _makers(home):
    """The services by their names; none of the runs is where a job could find it."""
    fastq, state = home / "fastq", home / "state"
    roots = {"fastq_root": fastq, "manifest_root": home / "manifests"}
    runs = {"run_roots": [home / "no_runs"]}
    act = Mode.ACT

    def jobs(kind, make=JobService):
        return _with_a_job(lambda: make(kind(), state, 1, act))

    return {
        "runfolder": lambda: RunfolderService(
            RunfolderSettings(
                monitored_directories=[home / "runs"],
                can_create_runfolder=True,
                adopt_existing=True,
                readiness="marker",
                scan_interval=3600.0,
            ),
            state,
            act,
        ),
        "bcl2fastq": _with_a_job(
            lambda: Bcl2fastqService(
                Bcl2fastqSettings(
                    **runs, fastq_root=fastq, converter="builtin", sheet_folder=home / "sheets"
                ),
                state,
                act,
            )
        ),
        "checksum": jobs(lambda: ChecksumKind(ChecksumSettings(**runs, **roots))),
        "transfer": jobs(
            lambda: TransferKind(
                TransferSettings(**roots, destinations={"far": {"path": str(home / "far")}})
            )
        ),
        "archive": _with_a_job(
            lambda: ArchiveService(
                ArchiveKind(
                    ArchiveSettings(
                        **runs,
                        **roots,
                        restore_root=home / "restored",
                        destinations={"far": {"directory": str(home / "far")}},
                    )
                ),
                state,
                1,
                act,
            )
        ),
        "wes": _with_a_job(
            lambda: WesService(
                WesSettings.model_validate(
                    {
                        "fastq_root": str(fastq),
                        "work_root": str(home / "work"),
                        "results_root": str(home / "results"),
                        "executors": {"here": {"type": "process", "cores": 1}},
                        "pipelines": {
                            "count": {
                                "version": "1",
                                "executor": "here",
                                "steps": [{"name": "count", "command": ["wc", "{fastqs}"]}],
                            }
                        },
                    }
                ),
                state,
                act,
            )
        ),
        "metadata": lambda: MetadataService(
            MetadataSettings.model_validate(
                {"sources": [{"csv": {"folder": str(home / "drop"), "scan_interval": 3600.0}}]}
            ),
            state,
        ),
    }


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    """By their names."""
    home = tmp_path_factory.mktemp("site")
    for name in (
        "runs",
        "fastq",
        "manifests",
        "far",
        "restored",
        "work",
        "results",
        "drop",
        "sheets",
    ):
        (home / name).mkdir()
    (home / "runs" / RUN).mkdir()
    (home / "runs" / RUN / "RTAComplete.txt").touch()
    (home / "drop" / "s.csv").write_text(
        f"sample,project,use,pipeline\n{SAMPLE},P,research,count\n"
    )
    os.utime(home / "drop" / "s.csv", (0, 0))  # a new one may still be being written
    tokens = Tokens(home / "tokens.json")
    token = tokens.create("admin", Role.ADMIN)
    level = logging.getLogger("arteriole").level
    made = _makers(home)
    assert tuple(made) == NAMES
    known = {name: Known(name, Serving(make, tokens), token) for name, make in made.items()}
    names = {"runfolder": RUN, "run": RUN, "job_id": "1", "run_id": "1", "attempt": "1"}
    for one in known.values():
        one.names |= names
    known["metadata"].names |= {"sample": SAMPLE}
    known["runfolder"].names |= {
        "path": str(home / "runs" / RUN), "stage": "convert", "file": "index.html",
    }  # fmt: skip
    _claim(known["runfolder"])
    yield known
    for one in known.values():
        one.session.close()
        one.serving.stop()
    logging.getLogger("arteriole").setLevel(level)


def _claim(runfolder):
    def ask(method, path, **more):
        return runfolder.serving.call(
            method, f"/api/1.0/runs/{RUN}{path}", headers=runfolder.headers, **more
        )

    eventually(lambda: ask("GET", "").json().get("state") == "ready")
    answer = ask("POST", "/claim", json={"by": "ex1", "plan": {"stages": PLAN}})
    assert answer.json()["claimed"], answer.text
