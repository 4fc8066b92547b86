from typing import Any, Dict, Optional, Tuple

from arteria_action import ServiceAction, stage_path
from arteria_client import path
from arteria_errors import AnswerError, RefusedError
from arteria_jobs import STAGE_STATES, end_with_job, job_path, job_status
from arteria_names import identifier, number


class StartJob(ServiceAction):
    """Start the job that does a stage, and tell the runfolder service which one it is.

    The runfolder service says whether the attempt is only observed, and what bcl2fastq may ignore.
    A start that is refused for good fails the stage: another try would not mend it.
    A job may end before it is attached, and its end is then refused; so a job that has ended by
    now ends its stage here.
    """

    def act(
        self,
        run: str,
        stage: str,
        attempt: int,
        service: str,
        try_number: int,
        destination: str = "",
        by: Optional[str] = None,
        part: str = "",
        storage_class: str = "",
    ) -> Dict[str, Any]:
        where = stage_path(run, stage, attempt)
        by = self.by(by)
        job_path("status", service, "0")
        key = "%s.%s.%d.%d" % (run, stage, where[-1], number(try_number, "try_number"))
        body: Dict[str, Any] = {"attempt": attempt, "stage": stage}
        asked = {"destination": destination, "part": part, "storage_class": storage_class}
        body.update((name, identifier(word, name)) for name, word in asked.items() if word)
        row = self._attempt(run, where[-1])
        if row.get("aborted"):
            return self._aborted(where, by, service)
        if row.get("observed"):
            body["observe"] = True
        if row.get("ignore") and service == "bcl2fastq":
            body["ignore"] = [identifier(word, "ignore") for word in row["ignore"]]
        try:
            job = self.client.post(service, path("start", run), body, {"Idempotency-Key": key})
        except RefusedError as error:
            if error.final:
                self._fail(where, by, error)
            raise
        job_id = job["job_id"]
        attached = {"by": by, "service": service, "job_id": job_id}
        self.client.post("runfolder", path(*where, "attach"), attached)
        job = job_status(self.client, service, job_id)
        if job.get("state") in STAGE_STATES:
            end_with_job(self.client, by, service, job, run, stage, attempt)
        return {
            "service": service,
            "job_id": identifier(str(job_id), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }

    def _attempt(self, run: str, attempt: int) -> Dict[str, Any]:
        """What the runfolder service tells of the attempt.

        NB: no job is started for one that it does not tell of: it might only be observed.
        """
        rows = self.client.get("runfolder", path("runs", run)).get("attempts") or []
        row = next((row for row in rows if row.get("attempt") == attempt), None)
        if row is None:
            raise AnswerError(
                "expected attempt %d among the attempts of %s that the runfolder service tells of"
                % (attempt, run),
                hint="is the runfolder service of the same version as this pack?",
            )
        return row

    def _aborted(self, where: Tuple[Any, ...], by: str, service: str) -> Dict[str, Any]:
        """The run was aborted after the stage had begun: it ends without a job."""
        body = {
            "by": by,
            "state": "failed",
            "code": "run.aborted",
            "message": "the run was aborted before the job was started",
            "hint": "",
        }
        self.client.post("runfolder", path(*where, "end"), body)
        return {"service": service, "job_id": "", "state": "cancelled"}

    def _fail(self, where: Tuple[Any, ...], by: str, error: RefusedError) -> None:
        refusal = {"code": error.code, "message": str(error), "hint": error.hint}
        body = {"by": by, "state": "failed", **refusal}
        self.client.post("runfolder", path(*where, "end"), body)
