"""The wes service: analyses as jobs, by Arteria's verbs and by those of GA4GH WES 1.1."""

from pathlib import Path

from arteriole.app.mode import Mode
from arteriole.app.routes import Route
from arteriole.jobs.service import JobService
from arteriole.wes.ga4gh import Ga4ghApi
from arteriole.wes.kind import WesKind
from arteriole.wes.settings import WesSettings


class WesService(JobService):
    def __init__(self, settings: WesSettings, state_dir: Path, mode: Mode = Mode.OBSERVE) -> None:
        kind = WesKind(settings)
        super().__init__(kind, state_dir, settings.parallel, mode, far=True)
        kind.epoch = self.store.epoch
        self._ga4gh = Ga4ghApi(self, settings)

    def routes(self) -> list[Route]:
        return [*super().routes(), *self._ga4gh.routes()]
