"""Archive jobs: a run folder, an attempt's FASTQs and their manifests to a directory."""

from typing import Any

from arteriole.app.errors import InvalidError
from arteriole.app.names import find_run
from arteriole.app.routes import Route
from arteriole.archive.settings import ArchiveSettings
from arteriole.checksum.places import (
    attempt_folder,
    find_attempt,
    manifest_folder,
    require_manifests,
)
from arteriole.jobs.service import StartRequest


class ArchiveRequest(StartRequest):
    destination: str


class ArchiveKind:
    name = "archive"
    stage = "archive"
    worker = "arteriole.archive.work"
    request: type[StartRequest] = ArchiveRequest
    rerun = True

    def __init__(self, settings: ArchiveSettings) -> None:
        self._settings = settings

    def parameters(self, run: str, request: ArchiveRequest) -> dict[str, Any]:
        settings = self._settings
        destination = settings.destinations.get(request.destination)
        if destination is None:
            known = ", ".join(settings.destinations) or "none"
            raise InvalidError(
                f"no destination {request.destination[:60]!r}; arteriole.yaml has: {known}",
                code="destination.unknown",
                field="destination",
            )
        runfolder = find_run(settings.run_roots, run)
        if request.observe:
            fastq = attempt_folder(settings.fastq_root, run, request.attempt)
            manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        else:
            fastq = find_attempt(settings.fastq_root, run, request.attempt)
            manifests = require_manifests(settings.manifest_root, run, request.attempt)
        return {
            "runfolder": str(runfolder),
            "fastq": str(fastq),
            "manifests": str(manifests),
            "name": request.destination,
            "directory": str(destination.directory),
            "threads": settings.threads,
        }

    def versions(self) -> dict[str, str]:
        return {}

    def routes(self) -> list[Route]:
        return []
