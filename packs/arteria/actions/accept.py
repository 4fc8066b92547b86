from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Accept(ServiceAction):
    """Let a held stage of a run count as done as it is."""

    def act(self, run: str, reason: str, stage: str = "") -> Dict[str, Any]:
        body = {"reason": reason}
        if stage:
            body["stage"] = identifier(stage, "stage")
        return inert(
            self.client.post("runfolder", path("runs", identifier(run, "run"), "accept"), body)
        )
