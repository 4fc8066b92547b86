"""The demo's sequencers: each writes one run, at its own pace."""

import threading
from pathlib import Path

from arteriole.simulator.plan import RunPlan
from arteriole.simulator.sequencer import write_run


class Sequencer(threading.Thread):
    """Writes the run of `plan` into `directory`; `text` tells how far it is."""

    def __init__(
        self, title: str, plan: RunPlan, directory: Path, truth: Path, seconds_per_cycle: float
    ) -> None:
        super().__init__(daemon=True)
        self.title = title
        self.name = plan.run
        self.text = "starting"
        self.failure: Exception | None = None
        self.plan = plan
        self._directory = directory
        self._truth = truth
        self._pace = seconds_per_cycle

    def run(self) -> None:
        try:
            write_run(
                self.plan,
                self._directory,
                seconds_per_cycle=self._pace,
                on_cycle=self._cycle,
                truth=self._truth / self.name,
            )
            self.text = "done"
        except Exception as err:
            self.failure = err
            self.text = f"failed: {err}"

    def _cycle(self, done: int, total: int) -> None:
        self.text = f"cycle {done}/{total}"
