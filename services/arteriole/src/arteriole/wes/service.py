"""The wes service: analyses as jobs, by Arteria's verbs and by those of GA4GH WES 1.1."""

from dataclasses import asdict
from pathlib import Path

from arteriole.app.auth import Role
from arteriole.app.mode import Mode
from arteriole.app.routes import Call, Reply, Route
from arteriole.jobs.machine import Machine
from arteriole.jobs.service import JobService
from arteriole.wes.ga4gh import Ga4ghApi
from arteriole.wes.kind import WesKind
from arteriole.wes.settings import WesSettings
from arteriole.wes.tasks import tasks_of


class WesService(JobService):
    def __init__(
        self,
        settings: WesSettings,
        state_dir: Path,
        mode: Mode = Mode.OBSERVE,
        machine: Machine | None = None,
    ) -> None:
        kind = WesKind(settings)
        super().__init__(kind, state_dir, settings.parallel, mode, far=True, machine=machine)
        kind.epoch = self.store.epoch
        self._ga4gh = Ga4ghApi(self, settings)

    def routes(self) -> list[Route]:
        steps = Route(
            "GET", "/api/1.0/tasks/{job_id}", self._tasks, Role.READER, "the steps of a job"
        )
        return [*super().routes(), steps, *self._ga4gh.routes()]

    def _tasks(self, call: Call) -> Reply:
        job = self.find_job(call)
        tasks = tasks_of(job, self.runner.folder(job.job_id))
        return Reply({"tasks": [asdict(one) for one in tasks]})
