"""Tells a chat how an execution ended, in the words of the alias that asked for it.

No process and no workflow: the message is never part of a template, a parameter or a context.

Source: contrib/chatops of StackStorm 3.9.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from jinja2 import Undefined

from st2solo import jinja
from st2solo.runners.protocol import Announcement, Command, Ended, Job, Outcome
from st2solo.statuses import Status

#: Of a result, what a chat is shown where the alias has no format of its own.
_SHOWN = {
    "python-script": ("result", "stdout", "stderr", "exit_code"),
    "local-shell-cmd": ("stdout", "stderr", "return_code", "error"),
    "local-shell-script": ("stdout", "stderr", "return_code", "error"),
}
#: As in StackStorm, a name that a format needs and that is not there is nothing.
_LENIENT = jinja.environment(undefined=Undefined)
_SIX = SimpleNamespace(iteritems=lambda mapping: mapping.items())


class ChatResult:
    def prepare(self, job: Job) -> Command | Outcome:
        execution = job.document(str(job.parameters["execution_id"]))
        told = _told(execution, job.alias(_alias_id(execution)))
        done = {"result": told, "exit_code": 0, "stdout": "", "stderr": ""}
        if not job.runner["post"] or not told["enabled"]:
            return Outcome(Status.SUCCEEDED, done)
        payload = {"whisper": False, **_asked_from(execution), **_given(job.parameters)}
        payload |= {name: told[name] for name in ("message", "extra") if name in told}
        announcement = Announcement(str(job.parameters.get("route") or "chatops"), payload)
        return Outcome(Status.SUCCEEDED, done, announcement)

    def outcome(self, ended: Ended) -> Outcome:
        raise AssertionError("a message to a chat has no process")


def _alias_id(execution: dict[str, Any]) -> str:
    of = (execution.get("context") or {}).get("action_alias_ref")
    return str(of.get("id") or "") if isinstance(of, dict) else ""


def _asked_from(execution: dict[str, Any]) -> dict[str, Any]:
    """Who asked, where, as the execution's own notification has it."""
    notify = (execution.get("liveaction") or {}).get("notify") or {}
    data = (notify.get("on-complete") or {}).get("data") or {}
    return {
        "user": data.get("user"),
        "channel": data.get("source_channel"),
        "context": data.get("source_context"),
    }


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    names = ("user", "channel", "context", "whisper")
    return {name: parameters[name] for name in names if parameters.get(name) is not None}


def _told(execution: dict[str, Any], alias: dict[str, Any] | None) -> dict[str, Any]:
    """`{enabled, message, extra?}`."""
    wanted = (alias or {}).get("result") or {}
    if not wanted.get("enabled", True):
        return {"enabled": False, "message": ""}
    context = {"execution": execution, "alias": alias, "six": _SIX}
    told: dict[str, Any] = {"enabled": True}
    if "extra" in wanted:
        told["extra"] = jinja.render_value(wanted["extra"], context)
    if "format" in wanted:
        told["message"] = _LENIENT.from_string(wanted["format"]).render(context)
    else:
        told["message"] = "\n".join(_plain(execution))
    return told


def _plain(execution: dict[str, Any]) -> Iterator[str]:
    yield f"Action {execution['action']['ref']} completed."
    yield f"status : {execution['status']}"
    yield f"execution: {execution['id']}"
    result = execution.get("result")
    if not result:
        return
    yield "result :"
    yield "--------"
    if not isinstance(result, dict):
        yield str(result)
        return
    names = _SHOWN.get(str(execution["action"].get("runner_type")))
    shown = result if names is None else {n: result[n] for n in names if result.get(n)}
    yield from _lines(shown, "")


def _lines(values: dict[str, Any], indent: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name} :"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, str) and "\n" in value.strip():
            yield f"{indent}{name} :"
            yield from (f"{indent}  {line}" for line in value.strip().splitlines())
        else:
            yield f"{indent}{name} : {str(value).strip()}"
