from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, inert, number


class Redo(ServiceAction):
    """Do a run again from a stage on: in a new attempt, if that makes its data anew.

    With `attempt` only if that is the run's newest: what became known of an older one is no reason
    to do a newer one again.
    """

    def act(self, run: str, from_stage: str, reason: str = "", attempt: int = 0) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "redo")
        if number(attempt, "attempt"):
            newest = self.client.get("runfolder", path("runs", run)).get("attempt")
            if newest != attempt:
                return {"attempt": number(newest, "attempt"), "superseded": True}
        return inert(
            self.client.post(
                "runfolder", where, {"from": identifier(from_stage, "from_stage"), "reason": reason}
            )
        )
