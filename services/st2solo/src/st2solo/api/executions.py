"""Executions."""

from typing import Any

from st2solo import json_text
from st2solo.api.calls import Answer, Call, Page, Route, ids_of, object_of, shown, text_of, wants
from st2solo.errors import InvalidError, NotFoundError
from st2solo.pack_schemas import NOTIFY
from st2solo.records import LARGE, SORTS
from st2solo.schema import require
from st2solo.statuses import COMPLETED, Status

_FILTERS = (
    "action",
    "status",
    "user",
    "parent",
    "rule",
    "runner",
    "liveaction",
    "trigger",
    "trigger_type",
    "trigger_instance",
    "timestamp",
    "timestamp_gt",
    "timestamp_lt",
)
#: What may be asked with, as in LiveActionCreateAPI of st2common/models/api/action.py.
_FIELDS = (
    "id",
    "action",
    "parameters",
    "user",
    "context",
    "delay",
    "notify",
    "status",
    "result",
    "start_timestamp",
    "end_timestamp",
    "callback",
    "runner_info",
)
#: As in StackStorm, where no document may be larger.
_LARGEST_RESULT = 14 * 2**20
_LONGEST_DELAY_MS = 365 * 24 * 3600 * 1000
#: One that is canceled is answered with its document, however often it is canceled.
_NOT_CANCELABLE = COMPLETED - {Status.CANCELED} | {Status.CANCELING}
#: What st2solo itself keeps in an execution's context; nobody else may say where one belongs.
_OWN_CONTEXT = frozenset(
    {
        "trace_context",
        "orquesta",
        "re-run",
        "workflow_execution",
        "parent",
        "rule",
        "rules",
        "trigger_instance",
        "user",
        "api_user",
        "pack",
        "policies",
    }
)


def _unwanted(call: Call) -> list[str]:
    return [name for name in LARGE if not wants(call, name)]


def list_executions(call: Call) -> Answer:
    """Those whose large attributes do not fit into one answer come without them."""
    if call.query.get("filter"):
        raise InvalidError(
            "st2solo does not offer filter; there is a parameter for each of "
            f"id, {', '.join(_FILTERS)}"
        )
    page = Page.of(call)
    filters: dict[str, Any] = {n: call.query[n] for n in _FILTERS if call.query.get(n)}
    if ids := ids_of(call):
        filters["id"] = ids
    found, total = call.services.executions.list(
        limit=-1 if page.limit is None else page.limit,
        offset=page.offset,
        sort_asc=_oldest_first(call),
        sort=_sort(call),
        filters=filters,
        show_secrets=call.unmasks(),
        unwanted=_unwanted(call),
    )
    return page.answer(call, found, total)


def _oldest_first(call: Call) -> bool:
    """Who asks for what is younger than something wants to read on from there."""
    if call.query.get("timestamp_lt") or call.flag("sort_desc"):
        return False
    return bool(call.query.get("timestamp_gt")) or call.flag("sort_asc")


def _sort(call: Call) -> list[str]:
    """What the list is sorted by; as in StackStorm, other names are passed over."""
    names = [name.strip().lstrip("+") for name in call.query.get("sort", "").split(",")]
    return [name for name in names if name.removeprefix("-") in SORTS]


def get_execution(call: Call, execution_id: str) -> dict[str, Any]:
    """One whose result is larger than `max_result_size` bytes comes without it."""
    document = call.services.executions.get(execution_id, show_secrets=call.unmasks())
    most = call.number("max_result_size", 0)
    if most < 0 or most > _LARGEST_RESULT:
        raise InvalidError(f"expected max_result_size up to {_LARGEST_RESULT}, found {most}")
    if most and document["result_size"] > most:
        del document["result"]
    return shown(call, document)


def create_execution(call: Call) -> Answer:
    content = call.object(*_FIELDS)
    action, parameters = content.get("action"), object_of(content, "parameters")
    context, unmasked = object_of(content, "context"), call.unmasks()
    if not isinstance(action, str):
        raise InvalidError(f"expected the ref of an action, found {action!r}")
    execution = call.services.executions.request(
        action,
        parameters,
        user=_user(call, content),
        context={k: v for k, v in context.items() if k not in _OWN_CONTEXT},
        trace_tag=_trace_tag(call, object_of(context, "trace_context")),
        delay_ms=_delay(content),
        notify=_notify(content),
        administrator=call.identity.changes_packs,
    )
    if unmasked:
        execution = call.services.executions.get(execution["id"], show_secrets=True)
    return Answer(execution, 201)


def _trace_tag(call: Call, trace: dict[str, Any]) -> str | None:
    """The given tag, or that of the trace that is given by its identifier."""
    trace_id = text_of(trace, "id_", "")
    if not trace_id:
        return text_of(trace, "trace_tag", "") or None
    try:
        return str(call.services.traces.get(trace_id)["trace_tag"])
    except NotFoundError as err:
        raise InvalidError(f'Unable to find Trace with id="{trace_id}"') from err


def _notify(content: dict[str, Any]) -> dict[str, Any] | None:
    notify = object_of(content, "notify")
    require(notify, NOTIFY)
    return notify or None


def _delay(content: dict[str, Any]) -> int | None:
    """Milliseconds."""
    delay = content.get("delay")
    whole = isinstance(delay, int) and not isinstance(delay, bool)
    if delay is not None and not (whole and 0 <= delay <= _LONGEST_DELAY_MS):
        raise InvalidError(f"expected delay in milliseconds, up to 365 days, found {delay!r}")
    return delay


def _user(call: Call, content: dict[str, Any]) -> str:
    user = text_of(content, "user", call.identity.user)
    if user != call.identity.user:
        call.identity.require_admin(f"Running an action as the user {user}")
    return user


def rerun(call: Call, execution_id: str) -> Answer:
    content = call.object("parameters", "tasks", "reset", "user", "delay")
    execution = call.services.executions.rerun(
        execution_id,
        parameters=object_of(content, "parameters"),
        tasks=_names(content, "tasks"),
        reset=_names(content, "reset"),
        user=_user(call, content),
        delay_ms=_delay(content),
        administrator=call.identity.changes_packs,
    )
    return Answer(execution, 201)


def _names(content: dict[str, Any], name: str) -> list[str]:
    names = content.get(name) or []
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise InvalidError(f"expected {name} as a list of names of tasks")
    return names


def cancel(call: Call, execution_id: str) -> dict[str, Any]:
    """One that ends already is refused in words with the status 200, as `st2` expects it."""
    executions = call.services.executions
    status = executions.get(execution_id)["status"]
    if status in _NOT_CANCELABLE:
        return {"faultstring": f"Action cannot be canceled. State = {status}."}
    return executions.cancel(execution_id, call.identity.user)


def put_execution(call: Call, execution_id: str) -> dict[str, Any]:
    status = call.object().get("status")
    executions, user = call.services.executions, call.identity.user
    if executions.get(execution_id)["status"] in COMPLETED:
        raise InvalidError("Execution is already in completed state.")
    if status in ("canceling", "canceled"):
        return executions.cancel(execution_id, user)
    if status in ("pausing", "paused"):
        return executions.pause(execution_id, user)
    if status == "resuming":
        return executions.resume(execution_id, user)
    raise InvalidError(f"st2solo does not offer to set the status of an execution to {status!r}")


def children(call: Call, execution_id: str) -> list[dict[str, Any]]:
    found = call.services.executions.children(
        execution_id,
        call.number("depth", -1),
        show_secrets=call.unmasks(),
        unwanted=_unwanted(call),
    )
    return [shown(call, child) for child in found]


def output(call: Call, execution_id: str) -> Answer:
    """What the action has written so far."""
    stdout, stderr = call.services.executions.output(execution_id)
    texts = {"stdout": stdout, "stderr": stderr, "all": stdout + stderr}
    wanted = call.query.get("output_type", "all")
    if wanted not in texts:
        raise InvalidError(f"expected output_type as one of {', '.join(texts)}, found {wanted!r}")
    return Answer(texts[wanted], plain=True)


def result(call: Call, execution_id: str) -> Answer:
    """The result alone, as a text of JSON; `pretty_format` indents it, `download` names a file."""
    document = call.services.executions.get(execution_id)
    text = json_text.written(document["result"], 2 if call.flag("pretty_format") else None)
    headers = {}
    if call.flag("download"):
        name = f"execution_{document['id']}_result.json"
        headers["Content-Disposition"] = f"attachment; filename={name}"
    return Answer(text, headers=headers, plain=True)


def attribute(call: Call, execution_id: str, name: str) -> Any:
    document = call.services.executions.get(execution_id)
    if name not in document:
        raise NotFoundError(f"execution {execution_id} has no attribute {name}")
    return document[name]


ROUTES = [
    Route("GET", "/executions", list_executions),
    Route("POST", "/executions", create_execution, recorded=True),
    Route("GET", "/executions/<execution_id>", get_execution),
    Route("PUT", "/executions/<execution_id>", put_execution),
    Route("DELETE", "/executions/<execution_id>", cancel),
    Route("POST", "/executions/<execution_id>/re_run", rerun, recorded=True),
    Route("GET", "/executions/<execution_id>/children", children),
    Route("GET", "/executions/<execution_id>/output", output),
    Route("GET", "/executions/<execution_id>/result", result),
    Route("GET", "/executions/<execution_id>/attribute/<name>", attribute),
]
