"""What jobs of running stages wait for, as was last told; kept in memory, like their progress."""

import time
from dataclasses import dataclass
from typing import Any

from arteriole.runfolder.records import Run, Stage

#: Seconds after which it is not believed any more: whoever knows tells it each minute.
BELIEVED = 300.0
#: The code of a conversion that waits for space.
LACKS_SPACE = "convert.waits_for_space"


@dataclass(frozen=True)
class Wait:
    """`job` (service, job_id) of a stage begun at `begun` waits; `code` is empty for a place, cores
    or memory.
    """

    job: tuple[str | None, int | None]
    begun: str | None
    code: str
    message: str
    at: float

    def is_of(self, stage: Stage) -> bool:
        job = (stage.service, stage.job_id)
        return stage.has_job and job == self.job and stage.begun == self.begun

    def document(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message}


class Waiting:
    def __init__(self) -> None:
        self._told: dict[tuple[str, str, int], Wait] = {}

    def tell(
        self, run: Run, stage: Stage, job: tuple[str, int], message: str, *, lacks_space: bool
    ) -> bool:
        """Keep it; False, and nothing happens, if this job does not do the stage now."""
        code = LACKS_SPACE if lacks_space else ""
        wait = Wait(job, stage.begun, code, message, time.monotonic())
        if not wait.is_of(stage):
            return False
        old = wait.at - BELIEVED
        self._told = {key: one for key, one in self._told.items() if one.at >= old}
        self._told[_key(run, stage)] = wait
        return True

    def end(self, run: Run, stage: Stage) -> None:
        """Its job goes on."""
        self._told.pop(_key(run, stage), None)

    def of(self, run: Run, stage: Stage) -> Wait | None:
        told = self._told.get(_key(run, stage))
        if told is None or not told.is_of(stage) or time.monotonic() - told.at > BELIEVED:
            return None
        return told


def _key(run: Run, stage: Stage) -> tuple[str, str, int]:
    return run.name, stage.stage, stage.attempt
