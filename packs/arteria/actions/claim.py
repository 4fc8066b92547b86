from typing import Any, Dict, Optional

from arteria_action import ServiceAction, flags
from arteria_client import path
from arteria_names import identifier, number


class Claim(ServiceAction):
    """Claim a run with the plan of its stages: the first claim wins."""

    def act(self, run: str, plan: Dict[str, Any], by: Optional[str] = None) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "claim")
        by = self.by(by)
        answer = self.client.post("runfolder", where, {"by": by, "plan": plan})
        attempt = answer.get("attempt")
        result = flags(answer, "claimed")
        return {
            **result,
            "by": result["by"] or by,
            "attempt": number(attempt, "attempt") if attempt is not None else 0,
        }
