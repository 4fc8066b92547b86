from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Hold(ServiceAction):
    """Let no stage of a run become ready."""

    def act(self, run: str, reason: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "hold")
        return inert(self.client.post("runfolder", where, {"reason": reason}))
