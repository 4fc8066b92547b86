from typing import Any, Dict

from arteria_action import ServiceAction, stage_path
from arteria_client import path
from arteria_errors import RefusedError
from arteria_names import identifier, is_identifier
from arteria_orchestrator import Orchestrator


class ReleaseStage(ServiceAction):
    """Give back the stage that an execution had begun, since that execution has failed."""

    def act(self, execution_id: str) -> Dict[str, Any]:
        execution = Orchestrator().execution(identifier(execution_id, "execution_id"))
        parameters = execution.get("parameters") or {}
        if not all(name in parameters for name in ("run", "stage", "attempt")):
            return {"released": False}
        where = stage_path(parameters["run"], parameters["stage"], parameters["attempt"])
        status = execution.get("status")
        body = {"by": execution_id, "reason": status if is_identifier(status) else "failed"}
        try:
            answer = self.client.post("runfolder", path(*where, "release"), body)
        except RefusedError as error:
            if error.status not in (404, 409):
                raise
            return {"released": False}
        return {"released": answer.get("released") is True, "failed": answer.get("failed") is True}
