from typing import Any, Dict, List, Optional

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert


class Waive(ServiceAction):
    """Let a run be worked on as it is; what is made of it is degraded for good."""

    def act(
        self,
        run: str,
        reason: str,
        ignore: Optional[List[str]] = None,
        rules: Optional[List[str]] = None,
    ) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "waive")
        body: Dict[str, Any] = {"reason": reason}
        body["ignore"] = [identifier(word, "ignore") for word in ignore or []]
        if rules:
            body["rules"] = [identifier(rule, "rules") for rule in rules]
        return inert(self.client.post("runfolder", where, body))
