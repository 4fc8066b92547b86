"""Checksum jobs: digests of a run folder and of an attempt's FASTQs."""

from importlib.metadata import version
from typing import Any

from arteriole.app.names import find_run, within
from arteriole.app.routes import Route
from arteriole.checksum.part_request import (
    AddendumRequest,
    DigestRequest,
    EarlyRequest,
    VerifyRequest,
)
from arteriole.checksum.parts import DigestedPart
from arteriole.checksum.places import (
    attempt_folder,
    find_attempt,
    manifest_folder,
    require_manifests,
    results_folder,
)
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.units import RESULTS
from arteriole.jobs.service import StartRequest


class ChecksumKind:
    name = "checksum"
    stage = "checksum"
    worker = "arteriole.checksum.work"
    request: type[StartRequest] = DigestRequest
    rerun = True

    def __init__(self, settings: ChecksumSettings) -> None:
        self._settings = settings

    def parameters(self, run: str, request: StartRequest) -> dict[str, Any]:
        match request:
            case EarlyRequest():
                return self._of_early(run)
            case VerifyRequest():
                return self._of_closed(run, request, "verify")
            case AddendumRequest():
                return self._of_closed(run, request, "addendum")
        part = getattr(request, "part", DigestedPart.DATA)
        if part == DigestedPart.RESULTS:
            return self._of_results(run, request)
        of_run = self._of_run(run, request)
        if part == DigestedPart.RUN:
            return of_run | {"part": DigestedPart.RUN.value}
        return of_run | self._of_fastq(run, request)

    def _of_run(self, run: str, request: StartRequest) -> dict[str, Any]:
        settings = self._settings
        return {
            "runfolder": str(find_run(settings.run_roots, run)),
            "manifests": str(manifest_folder(settings.manifest_root, run, request.attempt)),
            "threads": settings.threads,
        }

    def _of_fastq(self, run: str, request: StartRequest) -> dict[str, Any]:
        fastq_folder = attempt_folder if request.observe else find_attempt
        return {"fastq": str(fastq_folder(self._settings.fastq_root, run, request.attempt))}

    def _of_early(self, run: str) -> dict[str, Any]:
        settings = self._settings
        return {
            "verb": "early",
            "runfolder": str(find_run(settings.run_roots, run)),
            "manifests": str(within(settings.manifest_root, run)),
            "threads": settings.threads,
            "megabytes": settings.early_megabytes,
            "seconds": settings.early_seconds,
        }

    def _of_closed(self, run: str, request: StartRequest, verb: str) -> dict[str, Any]:
        """A job on manifests that are there already."""
        if not request.observe:
            require_manifests(self._settings.manifest_root, run, request.attempt)
        return {"verb": verb, **self._of_run(run, request), **self._of_fastq(run, request)}

    def _of_results(self, run: str, request: StartRequest) -> dict[str, Any]:
        settings = self._settings
        folder = results_folder(
            settings.results_root, self.name, run, request.attempt, observe=request.observe
        )
        manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        return {
            "part": DigestedPart.RESULTS.value,
            "results": str(folder),
            "manifests": str(manifests / RESULTS),
            "threads": settings.threads,
        }

    def versions(self) -> dict[str, str]:
        return {"blake3": version("blake3")}

    def routes(self) -> list[Route]:
        return []
