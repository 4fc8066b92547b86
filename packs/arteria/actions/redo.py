from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Redo(ServiceAction):
    """Begin a new attempt of a run, from a stage on."""

    def act(self, run: str, from_stage: str, reason: str = "") -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "redo")
        return inert(
            self.client.post(
                "runfolder", where, {"from": identifier(from_stage, "from_stage"), "reason": reason}
            )
        )
