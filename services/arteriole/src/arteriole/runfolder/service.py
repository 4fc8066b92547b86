"""The runfolder service: every run, its evidence, stages and history."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from arteriole.app import times
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.names import require_identifier
from arteriole.app.routes import Call, NoBody, Reply, Request, Route
from arteriole.app.store import Store
from arteriole.runfolder.arteria import ArteriaApi
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.runs import Run, Runs
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.stages import Stages
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.why import why

#: Signed 64 bits, as SQLite has.
JOB_ID_LIMIT = 2**63


def _identifier(text: str) -> str:
    return require_identifier(text, "by")


By = Annotated[str, AfterValidator(_identifier)]


class ClaimRequest(Request):
    by: By
    plan: Plan


class BeginRequest(Request):
    by: By


class AttachRequest(Request):
    by: By
    service: str = Field(max_length=100)
    job_id: int = Field(ge=0, lt=JOB_ID_LIMIT)


class EndRequest(Request):
    by: By
    state: Literal[StageState.DONE, StageState.FAILED, StageState.SKIPPED]
    code: str = Field(default="", max_length=100, pattern=r"^[a-z0-9._]*$")
    message: str = ""
    hint: str = ""
    service: str | None = None
    job_id: int | None = Field(default=None, ge=0, lt=JOB_ID_LIMIT)


class ReleaseRequest(Request):
    by: By
    reason: str = Field(default="", max_length=1000)


class RedoRequest(Request):
    from_: str = Field(alias="from", max_length=200)
    reason: str = Field(default="", max_length=500)


class HoldRequest(Request):
    reason: str = Field(min_length=1, max_length=500)


class Heartbeat(Request):
    sensor: str = Field(max_length=100)


class RunsQuery(Request):
    state: RunState | None = None


class OverdueQuery(Request):
    grace: float = Field(default=15.0, ge=0, le=10 * 365 * 86400)


class RunfolderService:
    name = "runfolder"

    def __init__(self, settings: RunfolderSettings, state_dir: Path) -> None:
        self._settings = settings
        self._store = Store(state_dir / self.name / "runs.sqlite", "arteriole.runfolder.sql")
        self._runs = Runs(self._store)
        self._stages = Stages(self._runs, settings.begin_lease)
        self._detector = Detector(self._runs, settings)
        self._arteria = ArteriaApi(self._runs, self._detector, settings)
        self._heartbeat: str | None = None
        self._task: asyncio.Task[None] | None = None
        self.events = self._runs.events

    async def start(self) -> None:
        self._task = asyncio.create_task(self._detector.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._store.close()

    def health(self) -> dict[str, Any]:
        """Degraded when a monitored directory cannot be read, a scan failed, or the packs' sensor
        is silent.
        """
        silent = (
            None
            if self._heartbeat is None
            else times.seconds_since(self._heartbeat) > self._settings.heartbeat_limit
        )
        unreachable = {str(path): why_ for path, why_ in self._detector.unreachable.items()}
        document: dict[str, Any] = {
            "unreachable_directories": unreachable,
            "sensor_heartbeat": self._heartbeat,
            "sensor_silent": silent,
        }
        if self._detector.trouble is not None:
            document["trouble"] = self._detector.trouble
        if unreachable or silent or self._detector.trouble is not None:
            document["status"] = "degraded"
        return document

    def routes(self) -> list[Route]:
        run = "/api/1.0/runs/{run}"
        stage = f"{run}/stages/{{stage}}/{{attempt}}"
        read, act = Role.READER, Role.OPERATOR
        return [
            *self._arteria.routes(),
            Route("GET", "/api/1.0/runs", self._list, read, "every run", query=RunsQuery),
            Route("GET", run, self._get, read, "one run, with its stages"),
            Route("GET", f"{run}/evidence", self._evidence, read, "what its verdict rests on"),
            Route("GET", f"{run}/history", self._history, read, "what happened to it"),
            Route("POST", f"{run}/claim", self._claim, act, "give it its plan", body=ClaimRequest),
            Route("POST", f"{stage}/begin", self._begin, act, "begin a stage", body=BeginRequest),
            Route("POST", f"{stage}/attach", self._attach, act, "name the job that does it",
                  body=AttachRequest),
            Route("POST", f"{stage}/end", self._end, act, "end a stage", body=EndRequest),
            Route("POST", f"{stage}/release", self._release, act,
                  "its workflow ended and left no job", body=ReleaseRequest),
            Route("POST", f"{run}/retry", self._retry, act, "try its failed stages again",
                  body=NoBody),
            Route("POST", f"{run}/redo", self._redo, act, "do it again from a stage on",
                  body=RedoRequest),
            Route("POST", f"{run}/adopt", self._adopt, act, "let it be worked on", body=NoBody),
            Route("POST", f"{run}/hold", self._hold, act, "let no stage begin", body=HoldRequest),
            Route("POST", f"{run}/unhold", self._unhold, act, "end the hold", body=NoBody),
            Route("GET", "/api/1.0/overdue", self._overdue, read,
                  "what should have moved and has not", query=OverdueQuery),
            Route("POST", "/api/1.0/heartbeat", self._beat, act, "the packs' sensor is alive",
                  body=Heartbeat),
        ]  # fmt: skip

    def _document(self, run: Run) -> dict[str, Any]:
        return {
            "name": run.name,
            "path": str(run.path),
            "state": run.state.value,
            "why": why(run),
            "verdict": run.verdict.value,
            "adopted": run.adopted,
            "attempt": run.attempt,
            "claimed_by": run.claimed_by,
            "held": run.held,
            "first_seen": run.first_seen,
            "metadata": run.metadata,
            "stages": [stage.document() for stage in run.stages],
        }

    def _run(self, call: Call) -> Run:
        return self._runs.get(call.path["run"])

    def _list(self, call: Call) -> Reply:
        state = call.query.state
        runs = [self._document(run) for run in self._runs.all() if state in (None, run.state)]
        return Reply({"runs": runs})

    def _get(self, call: Call) -> Reply:
        return Reply(self._document(self._run(call)))

    def _evidence(self, call: Call) -> Reply:
        run = self._run(call)
        return Reply(
            {
                "run": run.name,
                "verdict": run.verdict.value,
                "since": run.verdict_since,
                "message": run.message,
                "evidence": run.evidence,
            }
        )

    def _history(self, call: Call) -> Reply:
        page = self.events.read(None, limit=1000, run=self._run(call).name)
        return Reply({"events": [event.document() for event in page.events]})

    def _claim(self, call: Call) -> Reply:
        request: ClaimRequest = call.body
        return Reply(
            self._stages.claim(call.path["run"], request.plan, request.by, call.identity.name)
        )

    def _stage(self, call: Call) -> tuple[str, str, int]:
        attempt = call.path["attempt"]
        if not (attempt.isascii() and attempt.isdigit() and len(attempt) < 6):
            raise NotFoundError(f"{attempt[:40]!r} is no attempt", code="stage.not_found")
        return call.path["run"], call.path["stage"], int(attempt)

    def _begin(self, call: Call) -> Reply:
        return Reply(
            self._stages.begin(*self._stage(call), by=call.body.by, who=call.identity.name)
        )

    def _attach(self, call: Call) -> Reply:
        body: AttachRequest = call.body
        self._stages.attach(
            *self._stage(call),
            by=body.by,
            service=body.service,
            job_id=body.job_id,
            who=call.identity.name,
        )
        return Reply({"attached": True})

    def _end(self, call: Call) -> Reply:
        body: EndRequest = call.body
        if (body.service is None) != (body.job_id is None):
            raise InvalidError("service and job_id go together", field="job_id")
        job = None
        if body.service is not None and body.job_id is not None:
            job = (body.service, body.job_id)
        return Reply(
            self._stages.end(
                *self._stage(call),
                StageState(body.state),
                by=body.by,
                code=body.code,
                message=body.message,
                hint=body.hint,
                job=job,
                who=call.identity.name,
            )
        )

    def _release(self, call: Call) -> Reply:
        body: ReleaseRequest = call.body
        return Reply(
            self._stages.release(
                *self._stage(call), by=body.by, reason=body.reason, who=call.identity.name
            )
        )

    def _retry(self, call: Call) -> Reply:
        return Reply({"retried": self._stages.retry(call.path["run"], call.identity.name)})

    def _redo(self, call: Call) -> Reply:
        body: RedoRequest = call.body
        attempt = self._stages.redo(call.path["run"], body.from_, body.reason, call.identity.name)
        return Reply({"attempt": attempt})

    def _adopt(self, call: Call) -> Reply:
        self._runs.adopt(call.path["run"], call.identity.name)
        return Reply({"adopted": True})

    def _hold(self, call: Call) -> Reply:
        self._stages.hold(call.path["run"], call.body.reason, call.identity.name)
        return Reply({"held": True})

    def _unhold(self, call: Call) -> Reply:
        self._stages.unhold(call.path["run"], call.identity.name)
        return Reply({"held": False})

    def _overdue(self, call: Call) -> Reply:
        return Reply({"overdue": overdue(self._runs.all(), call.query.grace)})

    def _beat(self, call: Call) -> Reply:
        self._heartbeat = times.now()
        return Reply({"time": self._heartbeat})
