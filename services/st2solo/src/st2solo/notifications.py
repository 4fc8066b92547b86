"""Notifications: what an action's metadata says is to be told of when an execution ends.

Source: st2actions/notifier/notifier.py of StackStorm 3.9.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

from st2solo import jinja
from st2solo.ports import KeySource
from st2solo.statuses import Status

_LOG = logging.getLogger(__name__)

_ALWAYS = "on-complete"
_WHEN = {
    Status.SUCCEEDED.value: "on-success",
    Status.FAILED.value: "on-failure",
    Status.TIMEOUT.value: "on-failure",
    Status.ABANDONED.value: "on-failure",
}
_VERBS = {_ALWAYS: "completed", "on-success": "succeeded", "on-failure": "failed"}


def payloads(execution: dict[str, Any], keys: KeySource, user: str) -> Iterator[dict[str, Any]]:
    """The payloads for core.st2.generic.notifytrigger, one for each route.

    `execution` is the document of one that has ended. A message or data that cannot be rendered
    stays as it is written.
    """
    notify = (execution.get("liveaction") or {}).get("notify") or {}
    for moment in (_ALWAYS, _WHEN.get(str(execution["status"]))):
        part = notify.get(moment) if moment else None
        for route in (part or {}).get("routes") or (part or {}).get("channels") or []:
            assert part is not None and moment is not None
            yield _payload(execution, part, _VERBS[moment], str(route), keys, user)


def _payload(
    execution: dict[str, Any],
    part: dict[str, Any],
    verb: str,
    route: str,
    keys: KeySource,
    user: str,
) -> dict[str, Any]:
    ref = execution["action"]["ref"]
    context = {
        "st2kv": {"system": jinja.kv_context(keys, user)["st2kv"]["system"]},
        "action_parameters": execution.get("parameters") or {},
        "action_context": execution.get("context") or {},
        "action_results": execution.get("result"),
    }
    data = _rendered(part.get("data") or {}, context)
    return {
        "message": _rendered(part.get("message") or f"Action {ref} {verb}.", context),
        "data": {**data, "result": json.dumps(execution.get("result"))},
        "execution_id": execution["id"],
        "status": str(execution["status"]),
        "start_timestamp": execution.get("start_timestamp"),
        "end_timestamp": execution.get("end_timestamp"),
        "action_ref": ref,
        "runner_ref": execution["action"].get("runner_type"),
        "route": route,
        "channel": route,
    }


def _rendered(value: Any, context: dict[str, Any]) -> Any:
    try:
        return jinja.render_value(value, context)
    except Exception as error:  # whatever a filter or a lookup of the pack's template raises
        _LOG.warning("a notification is told as it is written: %s", error)
        return value
