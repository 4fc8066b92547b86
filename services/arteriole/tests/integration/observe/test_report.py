"""`arteriole observe report` on real services: observed, switched on, and done."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from arteriole.app.mode import Mode
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.kind import Bcl2fastqKind
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.cli import main
from arteriole.jobs.service import JobKind, JobService
from arteriole.runfolder.service import RunfolderService
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.simulator.sequencer import default_plan, write_run
from arteriole.transfer.kind import TransferKind
from arteriole.transfer.settings import TransferSettings

from ..app.serving import Serving, eventually

PLAN = {
    "receive": [],
    "convert": ["receive"],
    "checksum": ["convert"],
    "transfer": ["checksum"],
    "archive": ["checksum"],
}
SERVICES = {
    "convert": "bcl2fastq",
    "checksum": "checksum",
    "transfer": "transfer",
    "archive": "archive",
}


class Centre:
    """All services over one run, in a mode; the chain is driven as the packs drive it."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.state = home / "state"
        self.roots = [home / name for name in ("runs", "fastq", "manifests", "far", "vault")]
        for root in self.roots:
            root.mkdir()
        self._serving: dict[str, Serving] = {}
        for name in ("ARTERIOLE_URL", "ARTERIOLE_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        plan = default_plan(clusters=20, read_cycles=(6, 6), lanes=1, swaths=1)
        self.run = plan.run
        write_run(plan, home / "sequencer", truth=home / "truth")

    def sequence(self) -> None:
        (self.home / "sequencer" / self.run).rename(self.home / "runs" / self.run)

    def kinds(self) -> list[JobKind]:
        home = self.home
        roots: dict[str, Any] = {"fastq_root": home / "fastq", "manifest_root": home / "manifests"}
        runs = {"run_roots": [home / "runs"]}
        converter = {
            "fastq_root": home / "fastq",
            "converter": "builtin",
            "allow_empty_samples": True,
        }
        far = {"hpc": {"path": str(home / "far")}}
        vault = {"vault": {"directory": str(home / "vault")}}
        return [
            Bcl2fastqKind(Bcl2fastqSettings.model_validate({**converter, **runs})),
            ChecksumKind(ChecksumSettings.model_validate({**roots, **runs})),
            TransferKind(TransferSettings.model_validate({**roots, "destinations": far})),
            ArchiveKind(ArchiveSettings.model_validate({**roots, **runs, "destinations": vault})),
        ]

    def start(self, mode: Mode) -> None:
        settings = RunfolderSettings(
            monitored_directories=[self.home / "runs"],
            scan_interval=0.05,
            settle_seconds=0.0,
            adopt_existing=True,
        )
        self._serving["runfolder"] = Serving(lambda: RunfolderService(settings, self.state, mode))
        for kind in self.kinds():
            self._serving[kind.name] = Serving(
                lambda kind=kind: JobService(kind, self.state, 1, mode)
            )
        ports = {name: serving.url for name, serving in self._serving.items()}
        (self.state / "ports.json").write_text(json.dumps(ports))
        (self.home / "arteriole.yaml").write_text(f"state_dir: {self.state}\nmode: {mode.value}\n")

    def stop(self) -> None:
        for serving in self._serving.values():
            serving.stop()
        self._serving.clear()

    def post(self, where: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        service = more.pop("service", "runfolder")
        answer = self._serving[service].post(f"/api/1.0/{where}", body, **more)
        assert answer.ok, answer.text
        return dict(answer.json())

    def document(self) -> dict[str, Any]:
        answer = self._serving["runfolder"].get(f"/api/1.0/runs/{self.run}")
        return dict(answer.json()) if answer.ok else {}

    def do_all(self) -> None:
        """Claim the run, and do every stage of it."""
        eventually(lambda: self.document().get("state") == "ready")
        stages = {
            name: {"after": after, "time_limit": 60, "makes_attempt": name == "convert"}
            for name, after in PLAN.items()
        }
        claim = {"by": "w1", "plan": {"stages": stages}}
        attempt = self.post(f"runs/{self.run}/claim", claim)["attempt"]
        for stage, service in SERVICES.items():
            self._do(stage, service, attempt)

    def _do(self, stage: str, service: str, attempt: int) -> None:
        where = f"runs/{self.run}/stages/{stage}/{attempt}"
        assert self.post(f"{where}/begin", {"by": "w1"})["begun"]
        row = next(row for row in self.document()["attempts"] if row["attempt"] == attempt)
        body: dict[str, Any] = {"attempt": attempt, "stage": stage}
        body |= {"observe": True} if row["observed"] else {}
        destination = {"transfer": "hpc", "archive": "vault"}.get(stage)
        body |= {"destination": destination} if destination else {}
        key = {"Idempotency-Key": f"{self.run}.{stage}.{attempt}.1"}
        job = self.post(f"start/{self.run}", body, service=service, headers=key)
        attached = {"by": "w1", "service": service, "job_id": job["job_id"]}
        self.post(f"{where}/attach", attached)
        job = eventually(
            lambda: self._serving[service].get(f"/api/1.0/status/{job['job_id']}").json(),
            lambda found: found["state"] not in ("pending", "started"),
        )
        assert job["state"] == "done", job
        end = {"state": "skipped", "code": "run.observed"} if job["observed"] else {"state": "done"}
        self.post(f"{where}/end", {**attached, **end})

    def tree(self) -> dict[str, int]:
        paths = (path for root in self.roots for path in (root, *root.rglob("*")))
        return {str(path): path.lstat().st_mtime_ns for path in paths}

    def report(self, *arguments: str, code: int = 0) -> str:
        found = CliRunner().invoke(
            main,
            ["--config", str(self.home / "arteriole.yaml"), "observe", "report", *arguments],
        )
        assert found.exit_code == code, found.output
        return found.output

    def run_report(self, *arguments: str) -> dict[str, Any]:
        (run,) = json.loads(self.report("--json", *arguments))["runs"]
        return dict(run)


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    centre = Centre(tmp_path, monkeypatch)
    yield centre
    centre.stop()


def test_a_run_is_observed_then_done_as_announced(centre: Centre) -> None:
    centre.sequence()
    before = centre.tree()
    centre.start(Mode.OBSERVE)
    centre.do_all()
    assert centre.tree() == before
    run = centre.run_report()
    home = centre.home
    assert (run["run"], run["outcome"], run["verdict"]) == (centre.run, "nobody_else", "complete")
    files = run["would"]["convert"]["files"]
    assert run["would"]["transfer"]["to"] == f"{home}/far/{centre.run}/attempt-1"
    assert run["would"]["archive"]["files"] == run["would"]["checksum"]["files"] > 50
    assert (run["done"], run["as_announced"]) == (None, None)

    theirs = home / "theirs" / centre.run / "flat"
    theirs.mkdir(parents=True)
    for name in files:
        (theirs / Path(name).name).write_bytes(gzip.compress(b"@r\nA\n+\nI\n"))
    pattern = f"{home}/theirs/{{run}}"
    assert centre.run_report("--others", pattern)["others"]["matched"] == {"name": len(files)}
    assert f"{len(files)} by name" in centre.report("--run", centre.run, "--others", pattern)

    centre.stop()
    centre.start(Mode.ACT)
    centre.post(f"runs/{centre.run}/adopt", {})
    centre.do_all()
    run = centre.run_report()
    assert (run["attempt"], run["done"], run["differences"]) == (1, 2, [])
    assert run["as_announced"] is True
    assert "done as announced" in centre.report()

    made = home / "fastq" / centre.run / "attempt-2"
    assert sorted(path.relative_to(made).as_posix() for path in made.rglob("*.gz")) == sorted(files)
    record = json.loads((made / "attempt.json").read_text())
    (made / "attempt.json").write_text(json.dumps(record | {"sheet_sha256": "00"}))
    assert centre.run_report()["differences"] == ["the sample sheet is another one"]


def test_who_made_it_with_what(centre: Centre) -> None:
    centre.start(Mode.OBSERVE)
    found = json.loads(centre.report("--json"))
    config = (centre.home / "arteriole.yaml").read_bytes()
    assert found["runs"] == [] and found["summary"]["runs"] == 0
    assert found["produced"]["config_sha256"] == hashlib.sha256(config).hexdigest()
    assert found["produced"]["mode"] == "observe"
    assert "0 runs observed" in centre.report()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--others", "relative/{run}"], 2, "expected an absolute path"),
        (["--others", "/no/place/for/it"], 2, "expected an absolute path"),
        (["--run", "nobody"], 1, "nobody"),
    ],
)
def test_what_cannot_be_reported(
    centre: Centre, arguments: list[str], code: int, words: str
) -> None:
    centre.start(Mode.OBSERVE)
    assert words in " ".join(centre.report(*arguments, code=code).split())


def test_a_service_that_does_not_answer(centre: Centre) -> None:
    """What the others tell is reported nonetheless."""
    centre.sequence()
    centre.start(Mode.OBSERVE)
    centre.do_all()
    ports = json.loads((centre.state / "ports.json").read_text())
    (centre.state / "ports.json").write_text(json.dumps(ports | {"checksum": "http://127.0.0.1:9"}))
    run = centre.run_report()
    assert run["outcome"] == "open" and "checksum" not in run["would"]
    assert "not known: http://127.0.0.1:9 does not answer" in centre.report()
    shutil.rmtree(centre.home / "runs" / centre.run)
    assert centre.run_report()["complete"] is None
