from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Retry(ServiceAction):
    """Make every failed stage of a run's attempt ready again."""

    def act(self, run: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "retry")
        return inert(self.client.post("runfolder", where))
