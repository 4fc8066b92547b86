from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import RefusedError
from arteria_indexes import SERVICE, note_begun, note_judged
from arteria_names import code_of, identifier
from arteria_sheet import sheet_of

#: A repeat with another sheet than the first start had.
OTHER_SHEET = "job.key_reused"


class StartIndexes(ServiceAction):
    """Start the job that compares the indexes that a run has read with its sheet.

    Once a run: a repeat is the same job. People start further ones with `arteriole indexes`.
    The runfolder service is told that it compares; of a start that would be refused again, that
    nothing will.
    """

    def act(self, run: str) -> Dict[str, Any]:
        try:
            job = self._start(identifier(run, "run"))
        except RefusedError as error:
            if error.final:
                note_judged(self.client, run, None, code_of({"code": error.code}))
            raise
        note_begun(self.client, run, job["job_id"])
        return {
            "service": SERVICE,
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }

    def _start(self, run: str) -> Dict[str, Any]:
        where, key = path("indexes", run), {"Idempotency-Key": "%s.indexes.1.0" % run}
        try:
            return self.client.post(SERVICE, where, dict(sheet_of(self.client, run)), key)
        except RefusedError as error:
            if error.code != OTHER_SHEET:
                raise
        return self.client.get(SERVICE, where)["job"]
