"""Checksum jobs: digests of a run folder and of an attempt's FASTQs."""

from importlib.metadata import version
from typing import Any

from arteriole.app.names import find_run
from arteriole.app.routes import Route
from arteriole.checksum.part_request import PartRequest
from arteriole.checksum.parts import Part
from arteriole.checksum.places import attempt_folder, find_attempt, manifest_folder, results_folder
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.units import RESULTS
from arteriole.jobs.service import StartRequest


class ChecksumKind:
    name = "checksum"
    stage = "checksum"
    worker = "arteriole.checksum.work"
    request: type[StartRequest] = PartRequest
    rerun = True

    def __init__(self, settings: ChecksumSettings) -> None:
        self._settings = settings

    def parameters(self, run: str, request: StartRequest) -> dict[str, Any]:
        settings = self._settings
        if isinstance(request, PartRequest) and request.part is Part.RESULTS:
            return self._of_results(run, request)
        fastq_folder = attempt_folder if request.observe else find_attempt
        return {
            "runfolder": str(find_run(settings.run_roots, run)),
            "fastq": str(fastq_folder(settings.fastq_root, run, request.attempt)),
            "manifests": str(manifest_folder(settings.manifest_root, run, request.attempt)),
            "threads": settings.threads,
        }

    def _of_results(self, run: str, request: PartRequest) -> dict[str, Any]:
        settings = self._settings
        folder = results_folder(
            settings.results_root, self.name, run, request.attempt, observe=request.observe
        )
        manifests = manifest_folder(settings.manifest_root, run, request.attempt)
        return {
            "part": request.part.value,
            "results": str(folder),
            "manifests": str(manifests / RESULTS),
            "threads": settings.threads,
        }

    def versions(self) -> dict[str, str]:
        return {"blake3": version("blake3")}

    def routes(self) -> list[Route]:
        return []
