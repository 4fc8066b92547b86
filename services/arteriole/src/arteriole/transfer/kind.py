"""Transfer jobs: an attempt's FASTQs to a cluster."""

import subprocess
from pathlib import Path
from typing import Any

from arteriole.app.errors import InvalidError
from arteriole.app.routes import Route
from arteriole.checksum.places import (
    attempt_folder,
    find_attempt,
    manifest_folder,
    require_manifests,
)
from arteriole.jobs.jobs import Job
from arteriole.jobs.needs import Needs
from arteriole.jobs.service import StartRequest
from arteriole.policy.gate import QUESTION, Gate, ask, question
from arteriole.policy.settings import DataKind
from arteriole.transfer.settings import Destination, TransferSettings

#: The folder of the ready links, so no run may be called so.
READY = "ready"


class TransferRequest(StartRequest):
    destination: str


class TransferKind:
    name = "transfer"
    stage = "transfer"
    worker = "arteriole.transfer.work"
    request: type[StartRequest] = TransferRequest
    rerun = True

    def __init__(self, settings: TransferSettings, gate: Gate | None = None) -> None:
        self._settings = settings
        self._gate = gate
        self._versions: dict[str, str] | None = None

    def parameters(self, run: str, request: TransferRequest) -> dict[str, Any]:
        settings = self._settings
        if run == READY:
            raise InvalidError(
                f"a run called {READY!r} would take the place of the ready links", field="run"
            )
        destination = self._destination(request.destination)
        if request.observe:
            fastq = attempt_folder(settings.fastq_root, run, request.attempt)
            manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        else:
            fastq = find_attempt(settings.fastq_root, run, request.attempt)
            manifests = require_manifests(
                settings.manifest_root, run, request.attempt, ("fastq.md5",)
            )
        policy = self._question(run, fastq, request.destination)
        ask(policy, observe=request.observe)
        return {
            # It waits for the network and the far side, often for long; no core is kept for it.
            "needs": Needs(cores=0).document(),
            "fastq": str(fastq),
            "manifest": str(manifests / "fastq.md5"),
            "name": request.destination,
            "destination": destination.model_dump(mode="json"),
            "rsync": settings.rsync,
            "ssh": settings.ssh,
            "timeout": settings.timeout,
            **policy,
        }

    def _question(self, run: str, fastq: Path, name: str) -> dict[str, Any]:
        return question(self._gate, run, fastq, name, [DataKind.FASTQ])

    def at_start(self, job: Job) -> dict[str, Any]:
        """With the policy of now."""
        given = {name: value for name, value in job.parameters.items() if name != QUESTION}
        return given | self._question(job.run, Path(given["fastq"]), given["name"])

    def _destination(self, name: str) -> Destination:
        destination = self._settings.destinations.get(name)
        if destination is None:
            known = ", ".join(self._settings.destinations) or "none"
            raise InvalidError(
                f"no destination {name[:60]!r}; arteriole.yaml has: {known}",
                code="destination.unknown",
                field="destination",
            )
        for setting in ("identity_file", "known_hosts"):
            path = getattr(destination, setting)
            if path is not None and not path.is_file():
                raise InvalidError(
                    f"{setting} of the destination {name} does not exist: {path}",
                    code="destination.unusable",
                    hint="put the file there, or correct arteriole.yaml",
                    field="destination",
                )
        return destination

    def versions(self) -> dict[str, str]:
        if self._versions is None:
            self._versions = {
                "rsync": _first_line([self._settings.rsync, "--version"]),
                "ssh": _first_line([self._settings.ssh, "-V"]),
            }
        return self._versions

    def routes(self) -> list[Route]:
        return []


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "missing"
    return (done.stdout or done.stderr).decode("utf-8", "replace").partition("\n")[0]
