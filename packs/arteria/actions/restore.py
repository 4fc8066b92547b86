from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_attempt import chosen_attempt
from arteria_client import path
from arteria_names import identifier


class Restore(ServiceAction):
    """Bring an archived attempt, or some of it, back.

    The job is done when `arteria.job` shows it done.
    """

    def act(
        self,
        run: str,
        attempt: int = 0,
        destination: str = "",
        part: str = "",
        sample: str = "",
        file: str = "",
    ) -> Dict[str, Any]:
        asked = {"destination": destination, "part": part, "sample": sample}
        body: Dict[str, Any] = {
            name: identifier(word, name) for name, word in asked.items() if word
        }
        if file:
            body["file"] = "/".join(identifier(word, "file") for word in file.split("/"))
        body["attempt"] = chosen_attempt(self.client, run, attempt)
        key = {"Idempotency-Key": "restore.%s" % identifier(self.execution_id(), "execution")}
        job = self.client.post("archive", path("restore", run), body, key)
        return {
            "service": "archive",
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }
