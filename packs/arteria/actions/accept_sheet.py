from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import RefusedError
from arteria_indexes import release_hold, tell_in_hold
from arteria_names import identifier, inert
from arteria_sheet import sheet_of

SERVICE = "bcl2fastq"


class AcceptSheet(ServiceAction):
    """Make the sheet that the comparison of indexes proposes the run's, and compare that.

    The hold ends when it fits: `judge_indexes` sees to that. A repeat goes on where an earlier one
    has stopped.
    """

    def act(self, run: str, reason: str) -> Dict[str, Any]:
        where = path("indexes", identifier(run, "run"))
        there = self.client.get("runfolder", path("runs", run, "sheet"))
        body = {"reason": reason, "places": there["places"]}
        if there.get("base64"):
            body["sheet"] = there["base64"]
        try:
            word = self.client.post(SERVICE, path("indexes", run, "accept"), body)
        except RefusedError as error:
            if error.code == "indexes.same_person":
                tell_in_hold(self.client, run, self.client.get(SERVICE, where)["acceptance"])
            raise
        if not word["accepted"]:
            tell_in_hold(self.client, run, word)
            told = {} if self.in_brief else {"message": word["message"], "hint": word["hint"]}
            return inert({"accepted": False, **told})
        return inert({"accepted": True, "file": word["file"], **self._compared(run, where, word)})

    def _compared(self, run: str, where: str, word: Dict[str, Any]) -> Dict[str, Any]:
        """With the new sheet, by a job that is started now or was before."""
        newest = self.client.get(SERVICE, where)
        job, found = newest["job"], newest.get("diagnosis") or {}
        is_of_it = job["state"] == "done" and found.get("sheet_sha256") == word["sha256"]
        released = is_of_it and not found["code"] and release_hold(self.client, run, word)
        if not is_of_it and job["state"] not in ("pending", "started"):
            query = {"run": run, "stage": "indexes", "limit": 1000}
            number = len(self.client.get(SERVICE, path("status"), **query)["jobs"]) + 1
            key = {"Idempotency-Key": "%s.indexes.1.%d" % (run, number)}
            job = self.client.post(SERVICE, where, dict(sheet_of(self.client, run)), key)
        return {"job_id": str(job["job_id"]), "released": released}
