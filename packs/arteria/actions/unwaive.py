from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Unwaive(ServiceAction):
    """Withdraw the waiver of a run; what was made under it stays degraded."""

    def act(self, run: str, reason: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "unwaive")
        return inert(self.client.post("runfolder", where, {"reason": reason}))
