"""How far running jobs have come, as they were last told of; kept in memory, since it is no truth.

The jobs are other services'; whoever knows both tells of it.
"""

import time
from dataclasses import dataclass
from typing import Any

from arteriole.app import times
from arteriole.app.pace import Pace
from arteriole.runfolder.records import Run, Stage

#: So many are kept at most; what nobody asks for is forgotten at last.
LIMIT = 1000


@dataclass(frozen=True)
class JobProgress:
    """`done` of `total` units at the time `at`, by one job that does a stage begun at `begun`."""

    job: tuple[str | None, int | None]  # service, job_id
    begun: str | None
    done: int
    total: int
    unit: str
    at: str
    pace: Pace

    def is_of(self, stage: Stage) -> bool:
        """The stage is still done by this job, and was not begun again."""
        return (
            stage.has_job
            and (stage.service, stage.job_id) == self.job
            and stage.begun == self.begun
        )

    @property
    def percent(self) -> int:
        """0 to 100, rounded down: a job that has not ended is not shown as if it had."""
        return min(100, 100 * self.done // self.total)

    def document(self) -> dict[str, Any]:
        return {
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "percent": self.percent,
            "at": self.at,
            **self.pace.document(),
        }


class Progress:
    """What was told of each stage that runs; of any other it is forgotten."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, int], JobProgress] = {}

    def tell(
        self, run: Run, stage: Stage, job: tuple[str, int], done: int, total: int, unit: str
    ) -> bool:
        """Keep it; False, and nothing happens, if this job does not do the stage now."""
        key, word = _key(run, stage), (time.time(), done, total, unit)
        before = self._told.get(key)
        goes_on = before is not None and before.job == job and before.is_of(stage)
        pace = before.pace.told(*word) if before and goes_on else Pace.begin(*word)
        told = JobProgress(job, stage.begun, done, total, unit, times.now(), pace)
        if not told.is_of(stage):
            return False
        self._told.pop(key, None)
        self._told[key] = told
        if len(self._told) > LIMIT:
            del self._told[next(iter(self._told))]
        return True

    def of(self, run: Run, stage: Stage) -> JobProgress | None:
        told = self._told.get(_key(run, stage))
        if told is None or told.is_of(stage):
            return told
        del self._told[_key(run, stage)]
        return None

    def document(self, run: Run, stage: Stage) -> dict[str, Any] | None:
        """`{done, total, unit, percent, at}`, with `{per_second, ends}` once known; or None."""
        told = self.of(run, stage)
        return None if told is None else told.document()


def _key(run: Run, stage: Stage) -> tuple[str, str, int]:
    return run.name, stage.stage, stage.attempt
