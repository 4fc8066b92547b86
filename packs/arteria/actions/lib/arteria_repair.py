"""What should have moved and has not: find it, and move it again."""

import time
from collections import Counter
from typing import Any, Dict, Optional, Set, Tuple

from arteria_action import stage_path
from arteria_alerts import ALERTS, DISK_PRESSURE, SENSOR_SILENT
from arteria_client import Client, path
from arteria_errors import AnswerError, ArteriaError, RefusedError, UnreachableError
from arteria_indexes import STAGE as INDEXES
from arteria_jobs import (
    STAGE_STATES,
    OtherJobError,
    job_path,
    job_progress,
    job_status,
    require_of_stage,
    seconds_since,
)
from arteria_names import code_of, identifier, number
from arteria_orchestrator import Orchestrator

COUNTS = (
    "looks", "found", "dispatched", "alerts", "over_limit", "stopped", "lost", "waiting", "errors"
)  # fmt: skip
#: A service's answer for a job that it does not have.
NO_JOB = "job.not_found"


class Repair:
    """One reconciliation: some looks at what is overdue, `grace` seconds of patience with each.

    Attributes:
        counts: what was done, by the names of COUNTS.
        error: the first error; the others are only logged.
    """

    def __init__(
        self, client: Client, orchestrator: Orchestrator, logger: Any, by: str, grace: int
    ) -> None:
        self._client = client
        self._orchestrator = orchestrator
        self._logger = logger
        self._by = by
        self._grace = grace
        self._down: Set[str] = set()
        self._sent: Dict[Tuple[Any, ...], float] = {}
        self.counts = Counter(dict.fromkeys(COUNTS, 0))
        self.error: Optional[ArteriaError] = None

    def run(self, seconds: float, pause: float) -> None:
        """Look once; if something had to be moved, look every `pause` seconds for `seconds`.

        What follows from it becomes overdue in its turn if nobody follows the events.
        """
        end = time.monotonic() + seconds
        self.look()
        while self._acted() and time.monotonic() + pause <= end:
            time.sleep(pause)
            self.look()

    def _acted(self) -> bool:
        return any(self.counts[name] for name in ("dispatched", "over_limit", "stopped", "lost"))

    def look(self) -> None:
        """Repair what is overdue now."""
        self.counts["looks"] += 1
        self._down.clear()
        items = self._client.get("runfolder", path("overdue"), grace=self._grace).get("overdue")
        if not isinstance(items, list):
            raise AnswerError("expected a list named overdue from the runfolder service")
        for item in items:
            self.counts["found"] += 1
            try:
                self._repair(item)
            except ArteriaError as error:
                self.counts["errors"] += 1
                self.error = self.error or error
                self._logger.error("%s: %s", error.code, error)

    def _repair(self, item: Dict[str, Any]) -> None:
        what = item.get("what")
        if what in ALERTS:
            self._alert(item, what)
            return
        run = identifier(item.get("run"), "run")
        if what == "run_ready":
            self._dispatch(item, "arteria.run_ready", {"run": run})
            return
        if what == "indexes_read":
            self._dispatch(item, "arteria.indexes_read", {"run": run})
            return
        if what == "comparison_running":
            self._comparison(item, run)
            return
        stage = identifier(item.get("stage"), "stage")
        attempt = number(item.get("attempt"), "attempt")
        of_stage = {"run": run, "stage": stage, "attempt": attempt}
        if what == "stage_ready":
            self._dispatch(item, "arteria.stage_ready", of_stage)
        elif what == "stage_running":
            self._running(item, of_stage)
        elif what == "stage_held":
            self._held(item, of_stage)
        elif what == "job_unwanted":
            self._unwanted(item, of_stage)
        else:
            raise AnswerError(
                "expected run_ready, stage_ready, stage_running, stage_held, job_unwanted,"
                " indexes_read, comparison_running or an alert in overdue"
            )

    def _alert(self, item: Dict[str, Any], what: str) -> None:
        """Tell rules again of what nobody has told people; once a reconciliation, since nothing
        follows from it.

        NB: the sensor's own silence comes from here only.
        """
        payload = {"code": identifier(item.get("code"), "code")}
        tag = payload["code"]
        if what == DISK_PRESSURE:
            payload["volume"] = tag = identifier(item.get("volume"), "volume")
        elif what != SENSOR_SILENT:
            payload["run"] = tag = identifier(item.get("run"), "run")
        key = (what, item.get("since"), *sorted(payload.items()))
        if key in self._sent:
            return
        self._orchestrator.dispatch("arteria." + what, payload, tag)
        self._sent[key] = time.monotonic()
        self.counts["alerts"] += 1

    def _dispatch(self, item: Dict[str, Any], trigger: str, payload: Dict[str, Any]) -> None:
        key = (trigger, item.get("since"), *sorted(payload.items()))
        if self._just_now(key):
            return
        self._orchestrator.dispatch(trigger, payload, payload["run"])
        self._sent[key] = time.monotonic()
        self.counts["dispatched"] += 1

    def _just_now(self, key: Tuple[Any, ...]) -> bool:
        """True, and counted as waiting, if that was done less than `grace` seconds ago."""
        just_now = time.monotonic() - self._sent.get(key, float("-inf")) < self._grace
        self.counts["waiting"] += just_now
        return just_now

    def _running(self, item: Dict[str, Any], of_stage: Dict[str, Any]) -> None:
        service, job_id = item.get("service"), item.get("job_id")
        if service in self._down:
            self.counts["waiting"] += 1
            return
        job = None
        if service and job_id:
            job = self._unless_ended(item, of_stage)
            if job is None:
                return
        if item.get("past_limit") and not self._may_go_on(job, **of_stage):
            self._over_limit(service, job_id, **of_stage)
            return
        self.counts["waiting"] += 1
        if job is not None:
            self._tell_progress(service, job_id, job, of_stage)
            self._tell_waiting(service, job_id, job, of_stage)

    def _may_go_on(self, job: Optional[Dict[str, Any]], run: str, stage: str, attempt: int) -> bool:
        """A job that waits for space uses up none of its stage's time; nor has one that did."""
        if job is None:
            return False
        if job.get("state") == "pending":
            return job.get("lacks_space") is True
        limit, begun = self._time_limit(run, stage, attempt), seconds_since(job.get("started"))
        return limit is not None and begun is not None and begun <= limit

    def _tell_waiting(
        self, service: Any, job_id: Any, job: Dict[str, Any], of_stage: Dict[str, Any]
    ) -> None:
        """Hand on what the job waits for, in its service's words, for people to see."""
        waits = job.get("waits_for")
        if job.get("state") != "pending" or not isinstance(waits, str) or not waits:
            return
        body = {
            "service": service,
            "job_id": job_id,
            "lacks_space": job.get("lacks_space") is True,
            "message": waits[:1000],
        }
        self._tell(path(*stage_path(**of_stage), "waiting"), body)

    def _tell(self, where: str, body: Dict[str, Any]) -> None:
        """Nothing depends on it: a service that cannot take it need not."""
        try:
            self._client.post("runfolder", where, body)
        except RefusedError as error:
            if error.status != 404:
                raise

    def _tell_progress(
        self, service: Any, job_id: Any, job: Dict[str, Any], of_stage: Dict[str, Any]
    ) -> None:
        """Hand the job's progress on for people to see."""
        progress = job_progress(job)
        if progress is None:
            return
        body = {"service": service, "job_id": job_id, **progress}
        self._tell(path(*stage_path(**of_stage), "progress"), body)

    def _held(self, item: Dict[str, Any], of_stage: Dict[str, Any]) -> None:
        """Tell again that the metadata is there that a stage has waited for, if it is."""
        run, attempt = of_stage["run"], of_stage["attempt"]
        if not self._client.has("metadata"):
            return
        for row in self._client.get("metadata", path("waiting")).get("waiting") or []:
            if (row.get("run"), row.get("attempt")) == (run, attempt) and row.get("known") is True:
                self._dispatch(item, "arteria.metadata_ready", {"run": run, "attempt": attempt})

    def _unwanted(self, item: Dict[str, Any], of_stage: Dict[str, Any]) -> None:
        """Stop the job of an attempt that was aborted; its end then ends its stage."""
        service, job_id = item.get("service"), item.get("job_id")
        if service in self._down:
            self.counts["waiting"] += 1
            return
        key = ("stop", service, job_id)
        if self._unless_ended(item, of_stage) is None or self._just_now(key):
            return
        self._client.post(service, job_path("stop", service, job_id))
        self._sent[key] = time.monotonic()
        self.counts["stopped"] += 1

    def _unless_ended(
        self, item: Dict[str, Any], of_stage: Dict[str, Any]
    ) -> Optional[Dict[str, Any]]:
        """The item's job, or None if it has ended; then that is told again.

        One that its service does not know, or knows as another stage's, will tell of no end: its
        stage is ended here, as failed. Nothing is stopped then.
        """
        service, job_id = item.get("service"), item.get("job_id")
        try:
            job = self._job(service, job_id)
            require_of_stage(service, job, **of_stage)
        except (RefusedError, OtherJobError) as error:
            if error.code not in (NO_JOB, OtherJobError.code):
                raise
            self._lost(service, job_id, error, of_stage)
            return None
        if job.get("state") not in STAGE_STATES:
            return job
        self._tell_ended(item, job, of_stage)
        return None

    def _tell_ended(
        self, item: Dict[str, Any], job: Dict[str, Any], of_stage: Dict[str, Any]
    ) -> None:
        service, job_id = item.get("service"), item.get("job_id")
        ended = {"service": service, "job_id": str(job_id), "state": job["state"]}
        if code_of(job):
            ended["code"] = code_of(job)
        self._dispatch(item, "arteria.job_finished", {**of_stage, **ended})

    def _comparison(self, item: Dict[str, Any], run: str) -> None:
        """Tell again that the job has ended which compares a run's indexes with its sheet, if it
        has; of one that is lost another is started.
        """
        service = item.get("service")
        if service in self._down:
            self.counts["waiting"] += 1
            return
        try:
            job = self._job(service, item.get("job_id"))
            attempt = number(job.get("attempt"), "attempt")
            require_of_stage(service, job, run, INDEXES, attempt)
        except (RefusedError, OtherJobError) as error:
            if error.code not in (NO_JOB, OtherJobError.code):
                raise
            self._dispatch(item, "arteria.indexes_read", {"run": run})
            return
        if job.get("state") in STAGE_STATES:
            self._tell_ended(item, job, {"run": run, "stage": INDEXES, "attempt": attempt})
        else:
            self.counts["waiting"] += 1

    def _lost(
        self, service: Any, job_id: Any, error: ArteriaError, of_stage: Dict[str, Any]
    ) -> None:
        body = {
            "by": self._by,
            "state": "failed",
            "code": error.code,
            "message": "the job of this stage is lost: %s" % (error,),
            "hint": "was the state of the %s service removed or restored? make sure that no process"
            " of the job runs, then: st2 run arteria.retry run=%s" % (service, of_stage["run"]),
            "service": service,
            "job_id": job_id,
        }
        self._client.post("runfolder", path(*stage_path(**of_stage), "end"), body)
        self.counts["lost"] += 1

    def _job(self, service: Any, job_id: Any) -> Dict[str, Any]:
        try:
            return job_status(self._client, service, job_id)
        except UnreachableError:
            self._down.add(service)
            raise

    def _over_limit(self, service: Any, job_id: Any, run: str, stage: str, attempt: int) -> None:
        limit = self._limit(run, stage, attempt)
        body = {
            "by": self._by,
            "state": "failed",
            "code": "stage.time_limit",
            "message": "%s of attempt %d has run for more than its limit of %s; it was stopped"
            % (stage, attempt, limit),
            "hint": "read the log of its job, then: st2 run arteria.retry run=%s" % run,
        }
        if service and job_id:
            self._client.post(service, job_path("stop", service, job_id))
            body.update(service=service, job_id=job_id)
        try:
            self._client.post("runfolder", path(*stage_path(run, stage, attempt), "end"), body)
        except RefusedError as error:
            if error.status != 409:
                raise
        self.counts["over_limit"] += 1

    def _limit(self, run: str, stage: str, attempt: int) -> str:
        limit = self._time_limit(run, stage, attempt)
        return "the plan" if limit is None else "%d s" % (limit,)

    def _time_limit(self, run: str, stage: str, attempt: int) -> Optional[int]:
        for row in self._client.get("runfolder", path("runs", run)).get("stages") or []:
            if (row.get("stage"), row.get("attempt")) == (stage, attempt) and row.get("time_limit"):
                return number(row["time_limit"], "time_limit")
        return None
