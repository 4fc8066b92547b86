from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import RefusedError
from arteria_names import identifier, is_identifier

#: So many of the runs that were seen last are looked at.
LIMIT = 200


class StartEarly(ServiceAction):
    """Start a job for each run that is being sequenced, unless its last one still goes on."""

    def act(self) -> Dict[str, Any]:
        started: List[str] = []
        refused = 0
        if not self.client.has("checksum"):
            return {"started": started, "refused": refused}
        listed = self.client.get("runfolder", path("runs"), brief="true", limit=LIMIT)
        runs = listed.get("runs") or [] if listed.get("mode") != "observe" else []
        for name in [str(row.get("name")) for row in runs if row.get("verdict") == "sequencing"]:
            if not is_identifier(name) or self._goes_on(name):
                continue
            try:
                self._start(name)
                started.append(name)
            except RefusedError:  # it lies in no folder of the checksum service, say
                refused += 1
        return {"started": started, "refused": refused}

    def _goes_on(self, run: str) -> bool:
        query = {"run": run, "stage": "early", "limit": 1}
        jobs = self.client.get("checksum", path("status"), **query).get("jobs") or []
        return any(job.get("state") in ("pending", "started") for job in jobs)

    def _start(self, run: str) -> None:
        key = "early.%s.%s" % (identifier(self.execution_id(), "execution"), run)
        self.client.post("checksum", path("early", run), {}, {"Idempotency-Key": key})
