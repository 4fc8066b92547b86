"""A service whose work is jobs: Arteria's verbs over a queue and a runner."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from pydantic import Field

from arteriole.app.application import VERSION
from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import is_identifier, require_identifier
from arteriole.app.routes import JSON, TEXT, Call, NoBody, Reply, Request, Route
from arteriole.app.store import Store
from arteriole.jobs.jobs import Job, JobState, Outcome
from arteriole.jobs.machine import Machine
from arteriole.jobs.needs import Needs
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.runner import Runner

#: Most of a log that is sent, in bytes.
LOG_LIMIT = 1024 * 1024
#: Of a route that starts a job.
STARTS: dict[str, Any] = {
    "answers": {202: JSON},
    "headers": {"Idempotency-Key": "a repeat with the same one returns the same job"},
}


class StartRequest(Request):
    """Body of `POST /api/1.0/start/<runfolder>`; each kind adds its own fields."""

    attempt: int = Field(default=1, ge=1, le=9999)
    stage: str | None = None
    #: Work out what would be done, and do nothing; a service in mode observe always does so.
    observe: bool = False

    def asked(self) -> dict[str, Any]:
        """What makes one request another; a field that is off or empty is as if not there.

        So a key of an older version, which did not know the field, still means the same job.
        """
        document: dict[str, Any] = self.model_dump(mode="json")
        return {name: value for name, value in document.items() if value not in (False, [])}


class StatusQuery(Request):
    state: JobState | None = None
    run: str | None = None
    stage: str | None = None
    attempt: int | None = Field(default=None, ge=0, le=9999)
    limit: int = Field(default=100, ge=1, le=1000)


class LetPassRequest(Request):
    reason: str = Field(min_length=1, max_length=500)


class LogQuery(Request):
    #: Of this job instead of the newest.
    job_id: int | None = Field(default=None, ge=1, lt=10**15)
    #: From this byte on, whole lines; the header X-Log-Offset says where to go on.
    offset: int | None = Field(default=None, ge=0, lt=10**15)


class JobKind(Protocol):
    """What differs between the services that run jobs."""

    name: str  # of the service
    stage: str  # the stage it serves unless the request says otherwise
    worker: str  # module whose `main` does the work
    request: type[StartRequest]
    rerun: bool  # may a job whose process died be started again?

    def parameters(self, run: str, request: Any) -> dict[str, Any]:
        """What the worker is given (JSON); InvalidError if the request cannot be met.

        `needs` says what it needs of this machine (needs.py); `light` that this is nothing;
        `disk` how much it will write, if it is to wait for as much space.

        NB: on another thread, since it looks at file systems that may hang.

        With `request.observe` what only real stages leave (FASTQs, manifests) need not be there.
        """
        ...

    def versions(self) -> dict[str, str]:
        """The tools used, by name."""
        ...

    def routes(self) -> list[Route]:
        """Routes beside the common ones."""
        ...


@runtime_checkable
class RenewsAtStart(Protocol):
    """A kind whose worker is not always given what the job was made with."""

    def at_start(self, job: Job) -> dict[str, Any]:
        """What the worker is given, now that the job starts. NB: nothing that may hang.

        Raises:
            ArterioleError: it is not to start, and ends with this.
        """
        ...


@runtime_checkable
class TellsAtEnd(Protocol):
    """A kind that knows more of the end of a job than its worker may have lived to tell."""

    def at_end(self, job: Job, outcome: Outcome) -> Outcome:
        """`outcome` with that in its result: `events` there are told with the end."""
        ...


class JobService:
    """Serves one kind of job from the store and the folders below `state_dir/<name>`."""

    def __init__(
        self,
        kind: JobKind,
        state_dir: Path,
        parallel: int,
        mode: Mode = Mode.OBSERVE,
        *,
        far: bool = False,
        machine: Machine | None = None,
    ) -> None:
        self.name = kind.name
        self.mode = mode
        self.kind = kind
        home = state_dir / kind.name
        self.store = Store(home / "jobs.sqlite", "arteriole.jobs.sql")
        self.queue = JobQueue(self.store, kind.name)
        self.events = self.queue.events
        self.runner = Runner(
            self.queue,
            home / "jobs",
            kind.worker,
            parallel=parallel,
            rerun=kind.rerun,
            observe_only=mode is Mode.OBSERVE,
            far=far,
            machine=machine,
            at_start=kind.at_start if isinstance(kind, RenewsAtStart) else None,
            at_end=kind.at_end if isinstance(kind, TellsAtEnd) else None,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self.runner.run())

    async def stop(self) -> None:
        """Leave the jobs running: they are adopted at the next start."""
        if self._task is not None:
            self._task.cancel()
        self.store.close()

    def health(self) -> dict[str, Any]:
        """Degraded while the jobs cannot be looked after, because the disk is full, say."""
        document: dict[str, Any] = {
            "running": len(self.queue.in_state(JobState.STARTED)),
            "waiting": len(self.queue.in_state(JobState.PENDING)),
            "lacking_space": self.runner.lacking,
        }
        if self.runner.trouble is not None:
            document |= {"status": "degraded", "trouble": self.runner.trouble}
        return document

    def figures(self) -> Iterable[Metric]:
        """How many jobs run, wait, and wait for space on a volume."""
        figure = GaugeMetricFamily("arteriole_jobs", "Jobs by what they do.", labels=["state"])
        health = self.health()
        for state in ("running", "waiting", "lacking_space"):
            figure.add_metric([state], health[state])
        return [figure]

    def routes(self) -> list[Route]:
        v1 = "/api/1.0"
        read, act = Role.READER, Role.OPERATOR
        return [
            Route(
                "POST",
                f"{v1}/start/{{runfolder}}",
                self._start,
                act,
                "start a job; Idempotency-Key makes a repeat return the same one",
                body=self.kind.request,
                **STARTS,
            ),
            Route("GET", f"{v1}/status", self._list, read, "the jobs", query=StatusQuery),
            Route("GET", f"{v1}/status/{{job_id}}", self._status, read, "one job"),
            Route("POST", f"{v1}/stop/{{job_id}}", self._stop, act, "stop one or all", body=NoBody),
            Route(
                "POST",
                f"{v1}/let-pass/{{job_id}}",
                self._let_pass,
                act,
                "let a job begin whatever is free on its volume",
                body=LetPassRequest,
            ),
            Route(
                "GET",
                f"{v1}/logs/{{runfolder}}",
                self._logs,
                read,
                "its newest job's log, or that of job_id; the last MiB, or the one after offset",
                query=LogQuery,
                answers={200: TEXT},
            ),
            Route("GET", f"{v1}/versions", self._versions, read, "the tools and their versions"),
            *self.kind.routes(),
        ]

    async def _start(self, call: Call) -> Reply:
        return await self.submit(call, self.kind.stage)

    async def submit(self, call: Call, default_stage: str) -> Reply:
        """Start the job that the body of `call` asks for, or find the one that was started."""
        job = await self.job_for(call.path["runfolder"], call.body, call, default_stage)
        return Reply(self._document(job, call), status=202)

    async def job_for(self, run: str, request: StartRequest, call: Call, default_stage: str) -> Job:
        """The job for `request`, which is that of an earlier one with the same Idempotency-Key."""
        require_identifier(run, "runfolder")
        stage = require_identifier(request.stage or default_stage, "stage")
        key = call.headers.get("idempotency-key") or f"{run}.{stage}.{request.attempt}"
        if not is_identifier(key.replace("/", ".")):
            raise InvalidError(
                "Idempotency-Key must be of A-Z a-z 0-9 . _ - and /", field="Idempotency-Key"
            )
        asked = {"run": run, **request.asked()}
        observed = request.observe or self.mode is Mode.OBSERVE
        # NB: a repeat is the same job even if the request could no longer be met
        if (earlier := self.queue.earlier(key, asked)) is not None:
            return earlier
        request = request.model_copy(update={"observe": observed})
        parameters = await answered(self.kind.parameters, run, request)
        self.runner.machine.require(Needs.of(parameters, observed))
        return self.queue.submit(
            key,
            asked,
            run=run,
            stage=stage,
            attempt=request.attempt,
            parameters=parameters,
            who=call.identity.name,
            observed=observed,
        )

    def _document(self, job: Job, call: Call) -> dict[str, Any]:
        return {
            **job.document(),
            "link": f"{call.base_url}/api/1.0/status/{job.job_id}",
            "service": self.name,
            "service_version": VERSION,
            "progress": self.runner.folder(job.job_id).progress(),
            "waits_for": self.runner.waits_for(job),
            "lacks_space": self.runner.lacks_space(job),
        }

    def _list(self, call: Call) -> Reply:
        query: StatusQuery = call.query
        jobs = self.queue.find(
            state=query.state.value if query.state else None,
            run=query.run,
            stage=query.stage,
            attempt=query.attempt,
            limit=query.limit,
        )
        return Reply({"jobs": [self._document(job, call) for job in jobs]})

    def find_job(self, call: Call) -> Job:
        """The job that `job_id` in the path names."""
        text = call.path["job_id"]
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise NotFoundError(f"{text[:40]!r} is not a job id", code="job.not_found")
        return self.queue.get(int(text))

    def _status(self, call: Call) -> Reply:
        return Reply(self._document(self.find_job(call), call))

    async def _stop(self, call: Call) -> Reply:
        if call.path["job_id"] == "all":
            jobs = [*self.queue.in_state(JobState.PENDING), *self.queue.in_state(JobState.STARTED)]
        else:
            jobs = [self.find_job(call)]
        for job in jobs:
            await self.runner.stop(job)
        return Reply({"stopped": [job.job_id for job in jobs]})

    def _let_pass(self, call: Call) -> Reply:
        job = self.find_job(call)
        passed = self.queue.let_pass(job, call.identity.name, call.body.reason)
        return Reply({"passed": passed})

    def _logs(self, call: Call) -> Reply:
        run = require_identifier(call.path["runfolder"], "runfolder")
        query: LogQuery = call.query
        if query.job_id is None:
            jobs = self.queue.find(run=run, limit=1)
        else:
            jobs = [job for job in (self.queue.get(query.job_id),) if job.run == run]
        log = self.runner.folder(jobs[0].job_id).log if jobs else None
        if log is None or (query.job_id is None and not log.exists()):
            raise NotFoundError(f"{self.name} has no log for {run}", code="job.not_found")
        text, end = _piece(log, query.offset)
        return Reply(text, content_type=TEXT, headers={"X-Log-Offset": str(end)})

    async def _versions(self, call: Call) -> Reply:
        tools = await asyncio.to_thread(self.kind.versions)
        return Reply({"arteriole": VERSION, **tools})


def _piece(log: Path, offset: int | None) -> tuple[str, int]:
    """The last of a log, or whole lines from `offset` on, and where they end."""
    try:
        with open(log, "rb") as file:
            size = file.seek(0, 2)
            if offset is not None and offset >= size:  # beyond what a file may have, too
                return "", offset
            file.seek(max(0, size - LOG_LIMIT) if offset is None else offset)
            data = file.read(LOG_LIMIT)
            if offset is not None and b"\n" in data:
                data = data[: data.rindex(b"\n") + 1]
            end = file.tell() if offset is None else offset + len(data)
    except FileNotFoundError:  # it has not begun
        return "", 0
    return data.decode("utf-8", "replace"), end
