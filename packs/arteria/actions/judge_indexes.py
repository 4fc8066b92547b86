from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import AnswerError
from arteria_jobs import job_status, require_of_stage
from arteria_names import code_of, identifier

SERVICE = "bcl2fastq"
STAGE = "indexes"


class JudgeIndexes(ServiceAction):
    """Hold a run whose sheet has other indexes than were read; once for each job.

    A job that only observed holds nothing. The words go from service to service.
    """

    def act(self, run: str, job_id: str) -> Dict[str, Any]:
        job = job_status(self.client, SERVICE, job_id)
        require_of_stage(SERVICE, job, identifier(run, "run"), STAGE, job.get("attempt"))
        observed = job.get("observed") is True
        if job.get("state") != "done":
            return {"code": code_of(job), "held": False, "observed": observed}
        found = job.get("result")
        if observed and isinstance(found, dict):
            found = found.get("would")
        if not isinstance(found, dict):
            raise AnswerError("expected a diagnosis as the result of job %s" % job["job_id"])
        code = code_of(found)
        held = bool(code) and not observed and self._hold(run, job, found, code)
        return {"code": code, "held": held, "observed": observed}

    def _hold(self, run: str, job: Dict[str, Any], found: Dict[str, Any], code: str) -> bool:
        body = {
            "scope": "run",
            "name": run,
            "reason": "its indexes are not those of the sheet: %s"
            % (str(found.get("message") or "")[:400],),
            "code": code,
            "hint": "arteriole indexes %s" % (run,),
            "about": "%s.%s" % (SERVICE, identifier(str(job["job_id"]), "job_id")),
        }
        return self.client.post("runfolder", path("holds"), body).get("held") is True
