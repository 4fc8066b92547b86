from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Adopt(ServiceAction):
    """Let a run that was found at first start be worked on."""

    def act(self, run: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "adopt")
        return inert(self.client.post("runfolder", where))
