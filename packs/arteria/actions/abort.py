from typing import Any, Dict, Optional

from arteria_action import ServiceAction
from arteria_client import path
from arteria_errors import ArteriaError
from arteria_jobs import OtherJobError, job_path, job_status
from arteria_names import identifier


class Abort(ServiceAction):
    """Begin no further stage of a run, and stop the jobs that do one.

    A job that cannot be stopped now is stopped by `arteria.reconcile`; one that is of another run,
    since its service's store was made anew, is left alone.
    """

    def act(self, run: str, reason: str) -> Dict[str, Any]:
        where = path("runs", identifier(run, "run"), "abort")
        jobs = self.client.post("runfolder", where, {"reason": reason}).get("jobs") or []
        trouble: Optional[ArteriaError] = None
        stopped = 0
        for job in jobs:
            service = job.get("service")
            try:
                self._stop(run, service, job.get("job_id"))
                stopped += 1
            except ArteriaError as error:
                self.logger.error("%s: %s", error.code, error)
                trouble = trouble or error
        counts = {"jobs": len(jobs), "stopped": stopped}
        if trouble is not None:
            raise ArteriaError(
                "the run is aborted, but not every job of it was stopped: %s" % (trouble,),
                hint="nothing has to be done: arteria.reconcile stops them",
                code=trouble.code,
                status=trouble.status,
                counts=counts,
            )
        return {"aborted": True, **counts}

    def _stop(self, run: str, service: Any, job_id: Any) -> None:
        if job_status(self.client, service, job_id).get("run") != run:
            raise OtherJobError("job %s of %s is of another run than %s" % (job_id, service, run))
        self.client.post(service, job_path("stop", service, job_id))
