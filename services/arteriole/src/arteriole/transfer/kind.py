"""Transfer jobs: an attempt's FASTQs, or the run folder, to a cluster."""

import subprocess
from pathlib import Path
from typing import Any

from arteriole.app.errors import InvalidError
from arteriole.app.names import find_run
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
from arteriole.policy.gate import QUESTION, Gate, ask, question, require_same
from arteriole.policy.settings import DataKind
from arteriole.transfer.parts import SentPart
from arteriole.transfer.settings import TUNING, Destination, TransferSettings

#: The folder of the ready links, so no run may be called so.
READY = "ready"
KINDS = {SentPart.FASTQ: DataKind.FASTQ, SentPart.RUNFOLDER: DataKind.RAW}


class TransferRequest(StartRequest):
    destination: str
    part: SentPart = SentPart.FASTQ

    def asked(self) -> dict[str, Any]:
        """A key of a version that knew no parts still means the same job."""
        document = super().asked()
        if self.part is SentPart.FASTQ:
            del document["part"]
        return document


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
        destination, part = self._destination(request.destination), request.part
        fastq = attempt_folder(settings.fastq_root, run, request.attempt)
        source = self._source(run, request)
        if request.observe:
            manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        else:
            manifests = require_manifests(
                settings.manifest_root, run, request.attempt, (part.manifest,)
            )
        policy = self._question(run, fastq, request.destination, part)
        ask(policy, observe=request.observe)
        return {
            # It waits for the network and the far side, often for long; no core is kept for it.
            "needs": Needs(cores=0).document(),
            "part": part.value,
            part.value: str(source),
            "manifest": str(manifests / part.manifest),
            "name": request.destination,
            "destination": destination.model_dump(mode="json"),
            "rsync": settings.rsync,
            "ssh": settings.ssh,
            "timeout": settings.timeout,
            **policy,
        }

    def _question(self, run: str, fastq: Path, name: str, part: SentPart) -> dict[str, Any]:
        return question(self._gate, run, fastq, name, [KINDS[part]])

    def at_start(self, job: Job) -> dict[str, Any]:
        """With the policy of now; PolicyError if the destination is another one by now."""
        given = {name: value for name, value in job.parameters.items() if name != QUESTION}
        now = self._settings.destinations.get(given["name"])
        require_same(given["name"], given["destination"], now, TUNING)
        fastq = attempt_folder(self._settings.fastq_root, job.run, job.attempt)
        part = SentPart(given.get("part", SentPart.FASTQ))  # of earlier versions
        return given | self._question(job.run, fastq, given["name"], part)

    def _source(self, run: str, request: TransferRequest) -> Path:
        settings = self._settings
        if request.part is SentPart.FASTQ:
            place = attempt_folder if request.observe else find_attempt
            return place(settings.fastq_root, run, request.attempt)
        if not settings.run_roots:
            raise InvalidError(
                "the run folder is asked for, and transfer has no run_roots",
                code="transfer.no_run_roots",
                hint="set transfer.run_roots in arteriole.yaml to where run folders are",
                field="part",
            )
        return find_run(settings.run_roots, run)

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
