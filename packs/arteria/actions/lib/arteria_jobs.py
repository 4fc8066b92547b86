"""Jobs, and how the end of one ends the stage that it did."""

from datetime import datetime, timezone
from typing import Any, Dict, Optional

from arteria_action import stage_path
from arteria_client import JOB_SERVICES, Client, path
from arteria_errors import ArteriaError, RefusedError
from arteria_names import BadNameError, code_of, identifier, inert, is_identifier, number

#: A job's state, and what becomes of the stage that it did; in other states it has not ended.
STAGE_STATES = {"done": "done", "error": "failed", "cancelled": "failed"}
#: The code of a stage whose job only worked out what it would do.
OBSERVED = "run.observed"


class OtherJobError(ArteriaError):
    """A job is not of the stage that it is said to have done."""

    code = "job.other_stage"


class NotAnalysedError(ArteriaError):
    """The stage whose samples are to be accounted for has no job that tells of them."""

    code = "stage.not_ready"


def job_path(verb: str, service: str, job_id: Any) -> str:
    """The path of `status` or `stop` of a job, checked."""
    if service not in JOB_SERVICES:
        raise ArteriaError(
            "expected a service that runs jobs (%s); found %s"
            % (", ".join(JOB_SERVICES), inert(str(service))[:80]),
            code="job.service",
        )
    return path(verb, identifier(str(job_id), "job_id"))


def job_status(client: Client, service: str, job_id: Any) -> Dict[str, Any]:
    return client.get(service, job_path("status", service, job_id))


def job_progress(job: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """The inert `{done, total, unit}` of a job; None if it tells of none, or of nothing to do."""
    told = job.get("progress")
    if not isinstance(told, dict):
        return None
    try:
        done, total = number(told.get("done"), "done"), number(told.get("total"), "total")
        progress = {"done": done, "total": total, "unit": identifier(told.get("unit"), "unit")}
    except BadNameError:
        return None
    return progress if total else None


def seconds_since(moment: Any) -> Optional[float]:
    """Of a time as services tell it (UTC); None if it is none."""
    try:
        then = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ")
    except (TypeError, ValueError):
        return None
    return (datetime.now(timezone.utc) - then.replace(tzinfo=timezone.utc)).total_seconds()


def require_of_stage(service: str, job: Dict[str, Any], run: str, stage: str, attempt: int) -> None:
    """Raise OtherJobError unless `job` does this stage: a store made anew gives ids again."""
    found = (job.get("run"), job.get("stage"), job.get("attempt"))
    if found != (run, stage, attempt):
        raise OtherJobError(
            "job %s of %s is of another stage than %s %s attempt %s: %s"
            % (job.get("job_id"), service, run, stage, attempt, inert(repr(found))[:200])
        )


def end_with_job(
    client: Client, by: str, service: str, job: Dict[str, Any], run: str, stage: str, attempt: int
) -> Dict[str, Any]:
    """End a stage as its `job` ended; the job's message goes from service to service.

    A job that only observed has done nothing, so its stage is skipped; one whose verdict is `hold`
    holds its stage.

    Returns:
        {ended, state, code}: `ended` is False if the job still runs, if the stage has ended
        already, or if another job does it now.

    Raises:
        OtherJobError: the job is of another run, stage or attempt.
    """
    where = stage_path(run, stage, attempt)
    require_of_stage(service, job, run, stage, where[-1])
    state = job.get("state")
    if state not in STAGE_STATES:
        return {"ended": False, "state": state if is_identifier(state) else "", "code": ""}
    code = code_of(job) or ("" if state == "done" else "job." + state)
    ends = STAGE_STATES[state]
    if state == "done" and job.get("observed") is True:
        ends, code = "skipped", OBSERVED
    elif state == "done" and (job.get("result") or {}).get("verdict") == "hold":
        ends = "held"
    body = {
        "by": by,
        "state": ends,
        "code": code,
        "message": job.get("message") or "",
        "hint": job.get("hint") or "",
        "service": service,
        "job_id": job["job_id"],
    }
    try:
        ended = client.post("runfolder", path(*where, "end"), body).get("ended") is True
    except RefusedError as error:
        if error.status != 409:
            raise
        ended = False
    return {"ended": ended, "state": state, "code": code}
