"""Starts the job that does a stage, and tells the runfolder service which one it is."""

from typing import Any, Dict, Optional

from arteria_action import stage_path
from arteria_attempt import attempt_row, waived_rules
from arteria_client import Client, path
from arteria_errors import RefusedError
from arteria_jobs import STAGE_STATES, end_with_job, job_path, job_status
from arteria_names import identifier, number
from arteria_sheet import sheet_of


class Start:
    """The start of a job of `service` for a stage, by the execution `by`.

    The runfolder service says whether the attempt is only observed, what bcl2fastq may ignore, and
    which rules of the sheet are waived.
    A start that is refused for good fails the stage: another try would not mend it.
    A job may end before it is attached, and its end is then refused; so a job that has ended by
    now ends its stage here.
    """

    def __init__(
        self, client: Client, by: str, run: str, stage: str, attempt: int, service: str
    ) -> None:
        job_path("status", service, "0")
        self._client = client
        self._by = by
        self._service = service
        self._where = stage_path(run, stage, attempt)
        self._stage = {"run": run, "stage": stage, "attempt": self._where[-1]}
        self.row = attempt_row(client, run, self._where[-1])

    def job(self, try_number: int, fields: Dict[str, Any]) -> Dict[str, Any]:
        """Start it, with `fields` beside what every job is told; `{service, job_id, state}`."""
        run, stage, attempt = self._where[1], self._where[3], self._where[4]
        if self.row.get("aborted"):
            return self._aborted()
        body = {"attempt": attempt, "stage": stage, **fields}
        if self.row.get("observed"):
            body["observe"] = True
        if self.row.get("ignore") and self._service == "bcl2fastq":
            body["ignore"] = [identifier(word, "ignore") for word in self.row["ignore"]]
        if self._service == "bcl2fastq":
            body.update(waived_rules(self.row))
            body.update(sheet_of(self._client, run))
        key = {"Idempotency-Key": self._key(try_number)}
        return self.attach(
            self.refused_for_good("POST", self._service, path("start", run), body, key)
        )

    def earlier(self, try_number: int) -> Optional[Dict[str, Any]]:
        """The job that an execution which died has started for this very try, if one has."""
        run, stage, attempt = self._where[1], self._where[3], self._where[4]
        found = self._client.get(
            self._service, path("status"), run=run, stage=stage, attempt=attempt, limit=1000
        )
        key = self._key(try_number)
        return next((job for job in found.get("jobs") or [] if job.get("key") == key), None)

    def attach(self, job: Dict[str, Any]) -> Dict[str, Any]:
        """Tell the runfolder service that `job` does the stage; `{service, job_id, state}`."""
        job_id = job["job_id"]
        attached = {"by": self._by, "service": self._service, "job_id": job_id}
        self._client.post("runfolder", path(*self._where, "attach"), attached)
        job = job_status(self._client, self._service, job_id)
        if job.get("state") in STAGE_STATES:
            end_with_job(self._client, self._by, self._service, job, **self._stage)
        return {
            "service": self._service,
            "job_id": identifier(str(job_id), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }

    def _key(self, try_number: int) -> str:
        run, stage, attempt = self._where[1], self._where[3], self._where[4]
        return "%s.%s.%d.%d" % (run, stage, attempt, number(try_number, "try_number"))

    def refused_for_good(
        self, method: str, service: str, where: str, body: Any = None, headers: Any = None
    ) -> Dict[str, Any]:
        """What `service` answers; a refusal that would come again fails the stage."""
        try:
            if method == "GET":
                return self._client.get(service, where)
            return self._client.post(service, where, body, headers)
        except RefusedError as error:
            if error.final:
                self._fail(error)
            raise

    def _aborted(self) -> Dict[str, Any]:
        """The run was aborted after the stage had begun: it ends without a job."""
        self._end("run.aborted", "the run was aborted before the job was started", "")
        return {"service": self._service, "job_id": "", "state": "cancelled"}

    def _fail(self, error: RefusedError) -> None:
        self._end(error.code, str(error), error.hint)

    def _end(self, code: str, message: str, hint: str) -> None:
        body = {"by": self._by, "state": "failed", "code": code, "message": message, "hint": hint}
        self._client.post("runfolder", path(*self._where, "end"), body)
