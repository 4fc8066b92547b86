from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier, number


class Restore(ServiceAction):
    """Bring an archived attempt, or some of it, back.

    The job is done when `arteria.job` shows it done.
    """

    def act(
        self,
        run: str,
        attempt: int,
        destination: str = "",
        part: str = "",
        sample: str = "",
        file: str = "",
    ) -> Dict[str, Any]:
        identifier(run, "run")
        body: Dict[str, Any] = {"attempt": number(attempt, "attempt")}
        asked = {"destination": destination, "part": part, "sample": sample}
        body.update((name, identifier(word, name)) for name, word in asked.items() if word)
        if file:
            body["file"] = "/".join(identifier(word, "file") for word in file.split("/"))
        key = {"Idempotency-Key": "restore.%s" % identifier(self.execution_id(), "execution")}
        job = self.client.post("archive", path("restore", run), body, key)
        return {
            "service": "archive",
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }
