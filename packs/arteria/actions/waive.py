from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Waive(ServiceAction):
    """Let a run be worked on as it is; what is made of it is degraded for good."""

    def act(self, run: str, ignore: List[str], reason: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "waive")
        body = {"ignore": [identifier(word, "ignore") for word in ignore], "reason": reason}
        return inert(self.client.post("runfolder", where, body))
