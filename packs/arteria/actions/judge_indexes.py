from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import AnswerError
from arteria_indexes import SERVICE, STAGE, note_judged, release_hold
from arteria_jobs import job_status, require_of_stage
from arteria_names import code_of, identifier


class JudgeIndexes(ServiceAction):
    """Hold a run whose sheet has other indexes than were read; once for each job.

    Where the sheet is one that people have accepted and it fits, that hold ends. A job that only
    observed does neither. The words go from service to service; at last the runfolder service is
    told that it was done.
    """

    def act(self, run: str, job_id: str) -> Dict[str, Any]:
        job = job_status(self.client, SERVICE, job_id)
        require_of_stage(SERVICE, job, identifier(run, "run"), STAGE, job.get("attempt"))
        told = self._judge(run, job)
        note_judged(self.client, run, job["job_id"], told["code"])
        return told

    def _judge(self, run: str, job: Dict[str, Any]) -> Dict[str, Any]:
        observed = job.get("observed") is True
        if job.get("state") != "done":
            return _told(code_of(job), observed)
        found = job.get("result")
        if observed and isinstance(found, dict):
            found = found.get("would")
        if not isinstance(found, dict):
            raise AnswerError("expected a diagnosis as the result of job %s" % job["job_id"])
        code = code_of(found)
        if observed:
            return _told(code, observed)
        word = self.client.get(SERVICE, path("indexes", run)).get("acceptance") or {}
        if code:
            return _told(code, observed, held=self._hold(run, job, found, code, word))
        fits = word.get("complete") is True and word["sha256"] == found.get("sheet_sha256")
        return _told(code, observed, released=fits and release_hold(self.client, run, word))

    def _hold(
        self, run: str, job: Dict[str, Any], found: Dict[str, Any], code: str, word: Dict[str, Any]
    ) -> bool:
        reason = "its indexes are not those of the sheet: %s" % (found.get("message") or "",)
        hint = "arteriole indexes %s" % (run,)
        if word.get("message") and word["sha256"] == found.get("proposal_sha256"):
            reason, hint = "%s; %s" % (word["message"], reason), word["hint"]
        body = {
            "scope": "run",
            "name": run,
            "reason": reason[:500],
            "code": code,
            "hint": hint,
            "about": "%s.%s" % (SERVICE, identifier(str(job["job_id"]), "job_id")),
        }
        return self.client.post("runfolder", path("holds"), body).get("held") is True


def _told(code: str, observed: bool, held: bool = False, released: bool = False) -> Dict[str, Any]:
    return {"code": code, "held": held, "released": released, "observed": observed}
