"""What StackStorm's expressions in workflows add to orquesta's: `st2kv`, `task`.

orquesta loads them (and those of `st2solo.filters`) through entry points when it is imported. They
reach the datastore and the task records through `serving`, which is open while an expression is
evaluated.

Source: contrib/runners/orquesta_runner/orquesta_functions of StackStorm 3.9.
"""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from orquesta.exceptions import ExpressionEvaluationException

from st2solo.errors import InvalidError
from st2solo.ports import KeySource


@dataclass(frozen=True)
class _Backing:
    keys: KeySource
    task: Callable[[str, str, int], dict[str, Any] | None]


_backing: ContextVar[_Backing] = ContextVar("st2solo_expression_backing")


@contextmanager
def serving(
    keys: KeySource, task: Callable[[str, str, int], dict[str, Any] | None]
) -> Iterator[None]:
    """Let expressions read the datastore, and the latest run of a task by workflow, task, route."""
    token = _backing.set(_Backing(keys, task))
    try:
        yield
    finally:
        _backing.reset(token)


def st2kv_(context: Any, key: str, **kwargs: Any) -> Any:
    """A key of the datastore: `system.<name>`, or a name of the user's own.

    Raises:
        ExpressionEvaluationException: it is not there and has no `default`, or cannot be decrypted.
    """
    decrypt = kwargs.get("decrypt", False)
    if not isinstance(key, str):
        raise TypeError("Given key is not typeof string.")
    if not isinstance(decrypt, bool):
        raise TypeError("Decrypt parameter is not typeof bool.")
    user = context["__vars"]["st2"]["user"]
    scope, name = ("system", key[7:]) if key.startswith("system.") else ("user", key)
    try:
        value = _backing.get().keys.value(name, scope=scope, user=user, decrypt=decrypt)
    except InvalidError as err:
        raise ExpressionEvaluationException(str(err)) from err
    if value is not None:
        return value
    if "default" in kwargs:
        return kwargs["default"]
    message = f'The key "{name}" does not exist in the StackStorm datastore.'
    raise ExpressionEvaluationException(message)


def task(context: Any, task_id: str | None = None, route: int | None = None) -> dict[str, Any]:
    """The record of a task of this workflow: id, result, status, times."""
    current = _part(context, "__current_task")
    task_id = task_id or current.get("id")
    route = current.get("route", 0) if route is None else route
    state = _part(context, "__state")
    found = _reached(state, str(task_id), int(route or 0))
    record = None
    if found is not None:
        workflow_id = context["__vars"]["st2"]["workflow_execution_id"]
        record = _backing.get().task(workflow_id, str(task_id), found)
    if record is None:
        raise ExpressionEvaluationException(f'Unable to find task execution for "{task_id}".')
    return record


def _part(context: Any, name: str) -> dict[str, Any]:
    try:
        return context[name] or {}
    except KeyError:
        return {}


def _reached(state: dict[str, Any], task_id: str, route: int) -> int | None:
    """The route on which the task ran: this one or one that it branched from."""
    pointers = state.get("tasks") or {}
    if f"{task_id}__r{route}" in pointers:
        return route
    routes = state.get("routes") or []
    here = set(routes[route]) if route < len(routes) else set()
    for earlier in range(route - 1, -1, -1):
        if set(routes[earlier]) <= here and f"{task_id}__r{earlier}" in pointers:
            return earlier
    return None
