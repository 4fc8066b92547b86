from typing import Any, Dict, Optional

from arteria_action import ServiceAction, flags, stage_path
from arteria_client import path
from arteria_names import number


class BeginStage(ServiceAction):
    """Begin a stage: of several executions that try, one begins it."""

    def act(self, run: str, stage: str, attempt: int, by: Optional[str] = None) -> Dict[str, Any]:
        where = path(*stage_path(run, stage, attempt), "begin")
        by = self.by(by)
        answer = self.client.post("runfolder", where, {"by": by})
        result = flags(answer, "begun")
        tries = number(answer["try"], "try") if result["begun"] else 0
        return {**result, "by": result["by"] or by, "try_number": tries}
