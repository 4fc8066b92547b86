"""The jobs of the wes service: the analyses of the samples of one attempt."""

import shutil
from typing import Any

from arteriole.app.errors import ConflictError
from arteriole.app.routes import Route
from arteriole.jobs.service import StartRequest
from arteriole.wes.attempts import read_attempt
from arteriole.wes.grouping import Grouping
from arteriole.wes.local_needs import needs_of
from arteriole.wes.request import AnalysisRequest
from arteriole.wes.settings import WesSettings


class WesKind:
    name = "wes"
    stage = "analyse"
    worker = "arteriole.wes.work"
    request: type[StartRequest] = AnalysisRequest
    rerun = True

    def __init__(self, settings: WesSettings) -> None:
        self._settings = settings
        #: Of the store, so that keys of steps are never used twice.
        self.epoch = ""

    def parameters(self, run: str, request: AnalysisRequest) -> dict[str, Any]:
        settings = self._settings
        common = {
            "epoch": self.epoch,
            "data_root": str(settings.data_root or settings.fastq_root),
            "work_root": str(settings.work_root),
            "results_root": str(settings.results_root),
            "ssh": settings.ssh,
            "tags": request.tags,
        }
        if request.observe:
            return {**common, "units": [], "held": [], "left_out": 0, **self._entries(None)}
        attempt = read_attempt(settings.fastq_root, run, request.attempt)
        if attempt.degraded and not request.released:
            raise ConflictError(
                f"attempt {request.attempt} of {run} was made under a waiver",
                code="analysis.degraded",
                hint="look at its data; an analysis is started only with released: true",
            )
        grouping = Grouping(settings, attempt, released=request.released)
        grouping.take(request.samples, request.held, request.pipeline)
        return {
            **common,
            "needs": needs_of(grouping.units, settings).document(),
            "units": [unit.model_dump() for unit in grouping.units],
            "held": [held.model_dump() for held in grouping.held],
            "left_out": grouping.left_out,
            **self._entries({unit.pipeline for unit in grouping.units}),
        }

    def _entries(self, wanted: set[str] | None) -> dict[str, Any]:
        """The pipelines named, all if None, and their executors, as they are now."""
        pipelines = {
            name: entry
            for name, entry in self._settings.pipelines.items()
            if wanted is None or name in wanted
        }
        executors = {entry.executor for entry in pipelines.values()}
        return {
            "pipelines": {n: entry.model_dump(mode="json") for n, entry in pipelines.items()},
            "executors": {
                name: entry.model_dump(mode="json")
                for name, entry in self._settings.executors.items()
                if name in executors
            },
        }

    def versions(self) -> dict[str, str]:
        """The pipelines and their versions, and whether sbatch is here."""
        found = {name: entry.version for name, entry in self._settings.pipelines.items()}
        return {**found, "sbatch": shutil.which("sbatch") or "missing"}

    def routes(self) -> list[Route]:
        return []
