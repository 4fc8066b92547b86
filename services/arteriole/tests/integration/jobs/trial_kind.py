"""A kind of job for tests: its worker does what the request tells it."""

from pathlib import Path
from typing import Any

from arteriole.app.errors import InvalidError
from arteriole.app.routes import Route
from arteriole.jobs.service import StartRequest


class TrialRequest(StartRequest):
    do: str = "wait"
    #: As in a job's parameters.
    needs: dict[str, Any] | None = None


class TrialKind:
    name = "trial"
    stage = "trial"
    worker = "trial_work"
    request: type[StartRequest] = TrialRequest

    def __init__(self, root: Path, *, rerun: bool) -> None:
        self._root = root
        self.rerun = rerun

    def parameters(self, run: str, request: TrialRequest) -> dict[str, Any]:
        if not (self._root / run).is_dir():
            raise InvalidError(f"no {run}", code="run.not_found", field="run")
        needs = {"needs": request.needs} if request.needs else {}
        return {"do": request.do, "folder": str(self._root / run), **needs}

    def versions(self) -> dict[str, str]:
        return {"trial": "1"}

    def routes(self) -> list[Route]:
        return []
