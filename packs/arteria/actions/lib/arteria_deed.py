"""Jobs of the checksum service on an attempt that are no stage of its run."""

from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, number


class Deed(ServiceAction):
    """Starts the job that `verb` asks for; it is done when `arteria.job` shows it done."""

    verb = ""

    def act(self, run: str, attempt: int) -> Dict[str, Any]:
        identifier(run, "run")
        key = "%s.%s" % (self.verb, identifier(self.execution_id(), "execution"))
        body = {"attempt": number(attempt, "attempt")}
        job = self.client.post("checksum", path(self.verb, run), body, {"Idempotency-Key": key})
        return {
            "service": "checksum",
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }
