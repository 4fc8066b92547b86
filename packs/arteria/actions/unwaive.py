from typing import Any, Dict, List, Optional

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Unwaive(ServiceAction):
    """Withdraw what is waived of a run, or some rules alone; what was made so stays degraded."""

    def act(self, run: str, reason: str, rules: Optional[List[str]] = None) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "unwaive")
        body: Dict[str, Any] = {"reason": reason}
        if rules:
            body["rules"] = [identifier(rule, "rules") for rule in rules]
        return inert(self.client.post("runfolder", where, body))
