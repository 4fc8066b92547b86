from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Unhold(ServiceAction):
    """Let the stages of a run that was held become ready again."""

    def act(self, run: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "unhold")
        return inert(self.client.post("runfolder", where))
