from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_clean import ask
from arteria_names import identifier


class Clean(ServiceAction):
    """Move what may go into a bin, or empty the bin; a listing unless it is told otherwise.

    Where two people have to say so, each says it with a token of their own: `arteriole clean`.
    """

    def act(self, run: str, verb: str = "list", kind: str = "", reason: str = "") -> Dict[str, Any]:
        verb = identifier(verb, "verb")
        job = ask(self.client, run, verb, kind, reason, self.execution_id())
        if "job_id" not in job:  # the word of a second person is missing
            return {"service": "archive", "job_id": "", "state": "waits"}
        return {
            "service": "archive",
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }
