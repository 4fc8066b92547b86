"""GA4GH WES 1.1 over the jobs: https://github.com/ga4gh/workflow-execution-service-schemas.

A WES run is a job. `workflow_url` is the name of a pipeline of the site; no other workflow is run,
and a file that a client attaches must be the site's own. `workflow_params` is what
`POST /api/1.0/start/<run>` takes, with `run`.
"""

import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from arteriole.app.application import VERSION
from arteriole.app.auth import Role
from arteriole.app.errors import ArterioleError, InvalidError, NotFoundError
from arteriole.app.routes import (
    TEXT,
    Call,
    NoBody,
    Reply,
    Request,
    Route,
    Upload,
    UploadField,
)
from arteriole.app.slips import place, slip
from arteriole.jobs.jobs import Job, JobState
from arteriole.wes.request import AnalysisRequest, Tags
from arteriole.wes.settings import WesSettings
from arteriole.wes.tasks import TaskRecord, tasks_of

if TYPE_CHECKING:
    from arteriole.wes.service import WesService

BASE = "/ga4gh/wes/v1"
WES_VERSION = "1.1.0"
#: The largest file that a client may attach, in bytes.
ATTACHMENT_LIMIT = 1024 * 1024
#: Most runs or tasks of a page, whatever is asked for.
PAGE_LIMIT = 1000


class RunRequest(Request):
    """The form of `POST /runs`; fields of WES that mean nothing here are passed over."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    workflow_url: str = Field(max_length=500)
    workflow_type: str = Field(default="", max_length=100)
    workflow_type_version: str = Field(default="", max_length=100)
    workflow_params: str = "{}"
    workflow_engine_parameters: str = "{}"
    tags: str = "{}"
    workflow_attachment: list[UploadField] = Field(default_factory=list, max_length=10)


class WorkflowParams(AnalysisRequest):
    run: str


_TAGS: TypeAdapter[dict[str, str]] = TypeAdapter(Tags)


class PageQuery(Request):
    page_size: int = Field(default=100, ge=1)
    page_token: str = Field(default="", pattern=r"^[0-9]{0,15}$")

    @property
    def size(self) -> int:
        """WES lets a page have less than what was asked for."""
        return min(self.page_size, PAGE_LIMIT)


#: What a client is told of a job's state.
_STATES = {
    JobState.PENDING: "QUEUED",
    JobState.STARTED: "RUNNING",
    JobState.DONE: "COMPLETE",
    JobState.CANCELLED: "CANCELED",
}
#: Codes of jobs that failed because a step did.
_OF_EXECUTOR = ("analysis.step", "analysis.inputs", "analysis.no_results")


def failure(err: ArterioleError) -> dict[str, Any]:
    """WES's ErrorResponse, and ours beside it."""
    return {"msg": str(err), "status_code": err.status, **err.document()}


def _known(**values: Any) -> dict[str, Any]:
    """What is not known yet is left out: WES has no empty times."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def _tags(text: str) -> dict[str, str]:
    try:
        return _TAGS.validate_json(text or "{}")
    except ValidationError as err:
        raise InvalidError(
            "expected a JSON object of at most 50 texts, each of at most 500 characters",
            field="tags",
        ) from err


class Ga4ghApi:
    def __init__(self, service: "WesService", settings: WesSettings) -> None:
        self._service = service
        self._settings = settings

    def routes(self) -> list[Route]:
        run, read, act = f"{BASE}/runs/{{run_id}}", Role.READER, Role.OPERATOR
        table: list[tuple[str, str, Any, Role, str, dict[str, Any]]] = [
            ("GET", f"{BASE}/service-info", self._info, read, "what this service offers", {}),
            ("GET", f"{BASE}/runs", self._list, read, "the runs", {"query": PageQuery}),
            ("POST", f"{BASE}/runs", self._run, act, "run a pipeline",
             {"body": RunRequest, "form": True}),
            ("GET", run, self._log, read, "one run", {}),
            ("GET", f"{run}/status", self._status, read, "its state", {}),
            ("POST", f"{run}/cancel", self._cancel, act, "cancel it", {"body": NoBody}),
            ("GET", f"{run}/tasks", self._tasks, read, "its steps", {"query": PageQuery}),
            ("GET", f"{run}/tasks/{{task_id}}", self._task, read, "one step", {}),
            ("GET", f"{run}/tasks/{{task_id}}/{{stream}}", self._printed, read,
             "the last 16 KiB that it printed to stdout or stderr",
             {"answers": {200: TEXT}}),
        ]  # fmt: skip
        return [
            Route(method, path, handle, role, summary, failure=failure, **more)
            for method, path, handle, role, summary, more in table
        ]

    def _info(self, call: Call) -> Reply:
        types: dict[str, set[str]] = {}
        for entry in self._settings.pipelines.values():
            types.setdefault(entry.type, set()).add(entry.workflow_type_version)
        counts = Counter(self._state(job) for job in self._service.queue.find(limit=10_000))
        return Reply(
            {
                "id": "arteriole.wes",
                "name": "Arteriole",
                "type": {"group": "org.ga4gh", "artifact": "wes", "version": WES_VERSION},
                "organization": {
                    "name": self._settings.organization,
                    "url": self._settings.organization_url,
                },
                "version": VERSION,
                "workflow_type_versions": {
                    name: {"workflow_type_version": sorted(versions)}
                    for name, versions in sorted(types.items())
                },
                "supported_wes_versions": [WES_VERSION],
                "supported_filesystem_protocols": ["file"],
                "workflow_engine_versions": {
                    name: {"workflow_engine_version": [entry.version]}
                    for name, entry in self._settings.pipelines.items()
                },
                "default_workflow_engine_parameters": [],
                "system_state_counts": dict(counts),
                "auth_instructions_url": f"{call.base_url}/api",
                "tags": {"pipelines": ",".join(self._settings.pipelines)},
            }
        )

    def _list(self, call: Call) -> Reply:
        query: PageQuery = call.query
        before = int(query.page_token) if query.page_token else None
        jobs = self._service.queue.find(limit=query.size + 1, before=before)
        page = jobs[: query.size]
        return Reply(
            {
                "runs": [self._summary(job) for job in page],
                "next_page_token": str(page[-1].job_id) if len(jobs) > len(page) else "",
            }
        )

    async def _run(self, call: Call) -> Reply:
        form: RunRequest = call.body
        name = form.workflow_url.rstrip("/").rpartition("/")[2]
        entry = self._settings.pipelines.get(name)
        if entry is None:
            raise InvalidError(
                f"expected the name of a pipeline of this site, found {form.workflow_url[:100]!r}",
                code="pipeline.unknown",
                hint=f"{BASE}/service-info lists them under tags",
                field="workflow_url",
            )
        if form.workflow_type and form.workflow_type != entry.type:
            raise InvalidError(
                f"expected {entry.type}, found {form.workflow_type!r}", field="workflow_type"
            )
        version = entry.workflow_type_version
        if form.workflow_type_version and form.workflow_type_version != version:
            raise InvalidError(
                f"expected {version}, found {form.workflow_type_version!r}",
                field="workflow_type_version",
            )
        self._require_own(name, entry.workflow_file, form.workflow_attachment)
        params = self._params(form.workflow_params)
        if params.pipeline not in ("", name):
            raise InvalidError(
                f"expected the pipeline of workflow_url, {name}; found {params.pipeline!r}",
                field="workflow_params.pipeline",
            )
        request = AnalysisRequest.model_validate(params.model_dump(exclude={"run"}))
        request = request.model_copy(update={"pipeline": name, "tags": _tags(form.tags)})
        headers = {"idempotency-key": f"ga4gh/{uuid.uuid4()}", **call.headers}
        job = await self._service.job_for(
            params.run,
            request,
            Call(call.identity, call.path, None, None, headers, call.base_url),
            self._service.kind.stage,
        )
        return Reply({"run_id": str(job.job_id)})

    @staticmethod
    def _params(text: str) -> WorkflowParams:
        try:
            return WorkflowParams.model_validate(json.loads(text))
        except ValidationError as err:
            first = err.errors(include_url=False)[0]
            field = f"workflow_params.{place(first)}".removesuffix(".")
            raise InvalidError(f"{field}: {slip(first, WorkflowParams)}", field=field) from err
        except (ValueError, RecursionError) as err:
            raise InvalidError(
                f"workflow_params is not JSON: {err}", field="workflow_params"
            ) from err

    @staticmethod
    def _require_own(name: str, own: Any, attached: list[Upload]) -> None:
        """Only the site's own workflows are run."""
        for upload in attached:
            if own is None or len(upload.content) > ATTACHMENT_LIMIT:
                break
            if upload.content != own.read_bytes():
                break
        else:
            return
        raise InvalidError(
            f"the file attached for {name} is not the one that this site has for it",
            code="pipeline.attachment",
            hint="leave it out, or ask the administrators to change the pipeline",
            field="workflow_attachment",
        )

    def _job(self, call: Call) -> Job:
        text = call.path["run_id"]
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise NotFoundError(f"{text[:40]!r} is not a run", code="job.not_found")
        return self._service.queue.get(int(text))

    def _state(self, job: Job) -> str:
        if job.state is JobState.ERROR:
            return "EXECUTOR_ERROR" if job.code in _OF_EXECUTOR else "SYSTEM_ERROR"
        if job.state is JobState.STARTED and self._folder(job).asked_to_stop():
            return "CANCELING"
        return _STATES[job.state]

    def _folder(self, job: Job) -> Any:
        return self._service.runner.folder(job.job_id)

    def _summary(self, job: Job) -> dict[str, Any]:
        return {
            "run_id": str(job.job_id),
            "state": self._state(job),
            **_known(start_time=job.started, end_time=job.ended),
            "tags": self._tags(job),
        }

    @staticmethod
    def _tags(job: Job) -> dict[str, str]:
        """Those that the client gave, and ours."""
        ours = {"run": job.run, "stage": job.stage, "attempt": str(job.attempt)}
        return {**job.parameters.get("tags", {}), **ours}

    def _status(self, call: Call) -> Reply:
        job = self._job(call)
        return Reply({"run_id": str(job.job_id), "state": self._state(job)})

    async def _cancel(self, call: Call) -> Reply:
        job = self._job(call)
        await self._service.runner.stop(job)
        return Reply({"run_id": str(job.job_id)})

    def _log(self, call: Call) -> Reply:
        job = self._job(call)
        here = f"{call.base_url}{BASE}/runs/{job.job_id}"
        tasks = tasks_of(job, self._folder(job))
        pipelines = sorted(job.parameters.get("pipelines", {}))
        return Reply(
            {
                "run_id": str(job.job_id),
                "request": {
                    "workflow_url": ",".join(pipelines),
                    **self._type(pipelines),
                    "workflow_params": {"run": job.run, "attempt": job.attempt},
                    "tags": self._tags(job),
                },
                "state": self._state(job),
                "run_log": {
                    "name": f"{job.run}.{job.stage}.{job.attempt}",
                    "cmd": [],
                    **_known(start_time=job.started, end_time=job.ended, exit_code=job.exit_code),
                    "stdout": f"{call.base_url}/api/1.0/logs/{job.run}?job_id={job.job_id}",
                    "stderr": f"{call.base_url}/api/1.0/logs/{job.run}?job_id={job.job_id}",
                    "system_logs": [job.message] if job.message else [],
                },
                "task_logs_url": f"{here}/tasks",
                "task_logs": [self._task_log(one, here) for one in tasks],
                "outputs": job.result,
            }
        )

    def _type(self, pipelines: list[str]) -> dict[str, str]:
        for name in pipelines:
            if (entry := self._settings.pipelines.get(name)) is not None:
                return {
                    "workflow_type": entry.type,
                    "workflow_type_version": entry.workflow_type_version,
                }
        return {"workflow_type": "", "workflow_type_version": ""}

    def _task_log(self, one: TaskRecord, here: str) -> dict[str, Any]:
        return {
            "id": one.id,
            "name": f"{one.unit} {one.step}",
            "cmd": one.command,
            **_known(start_time=one.begun, end_time=one.ended, exit_code=one.exit_code),
            "stdout": f"{here}/tasks/{one.id}/stdout",
            "stderr": f"{here}/tasks/{one.id}/stderr",
            "system_logs": [one.message] if one.message else [],
        }

    def _tasks(self, call: Call) -> Reply:
        job = self._job(call)
        here = f"{call.base_url}{BASE}/runs/{job.job_id}"
        query: PageQuery = call.query
        first = int(query.page_token or 0)
        tasks = tasks_of(job, self._folder(job))
        end = first + query.size
        return Reply(
            {
                "task_logs": [self._task_log(one, here) for one in tasks[first:end]],
                "next_page_token": str(end) if end < len(tasks) else "",
            }
        )

    def _one(self, call: Call) -> tuple[TaskRecord, str]:
        job = self._job(call)
        for one in tasks_of(job, self._folder(job)):
            if one.id == call.path["task_id"]:
                return one, f"{call.base_url}{BASE}/runs/{job.job_id}"
        raise NotFoundError(f"run {job.job_id} has no such task", code="job.not_found")

    def _task(self, call: Call) -> Reply:
        return Reply(self._task_log(*self._one(call)))

    def _printed(self, call: Call) -> Reply:
        one, _ = self._one(call)
        streams = {"stdout": one.stdout, "stderr": one.stderr}
        stream = call.path["stream"]
        if stream not in streams:
            raise NotFoundError("expected stdout or stderr", code="job.not_found")
        return Reply(streams[stream], content_type="text/plain; charset=utf-8")
