"""The tasks of a workflow, as orquesta describes those that are to start."""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

from typing import Any

from orquesta import events, statuses

from st2solo.ports import ActionDefinition
from st2solo.records import Execution
from st2solo.workflow_records import Run


def task_notify(execution: Execution, tasks: list[str]) -> dict[str, Any] | None:
    """What the tasks of a workflow notify, if some are to: as the workflow itself does."""
    return {"config": execution.notify, "tasks": tasks} if execution.notify and tasks else None


def child_notify(run: Run, task_name: str, action: ActionDefinition) -> dict[str, Any] | None:
    """A task that its workflow does not name never notifies; one that it names may say how."""
    if run.notify is None or task_name not in run.notify["tasks"]:
        return None
    return action.notify or run.notify["config"]


def is_instant(task: dict[str, Any]) -> bool:
    """Whether a task is over at once: it has no action, or no items."""
    return task["spec"].action is None or (task["spec"].has_items() and task["items_count"] == 0)


def mark_running(conductor: Any, task: dict[str, Any]) -> None:
    if task["spec"].has_items() and task["items_count"] == 0:
        event = events.ActionExecutionEvent(statuses.RUNNING)
        conductor.update_task_state(task["id"], task["route"], event)
    for action in task["actions"]:
        item_id = action.get("item_id")
        event = events.ActionExecutionEvent(statuses.RUNNING)
        if item_id is not None:
            event = events.TaskItemActionExecutionEvent(item_id, statuses.RUNNING)
        conductor.update_task_state(task["id"], task["route"], event)


def delay(task: dict[str, Any], item_id: int | None) -> float | None:
    """The delay of a child: of all, or with concurrency of the first items only."""
    delay, concurrency = task.get("delay"), task.get("concurrency")
    if item_id is not None and concurrency and item_id >= concurrency:
        return None
    return delay


def items_status(items: list[dict[str, Any] | None]) -> str:
    found = [item["status"] if item else statuses.UNSET for item in items]
    if any(status not in statuses.COMPLETED_STATUSES for status in found):
        return str(statuses.RUNNING)
    succeeded = all(status == statuses.SUCCEEDED for status in found)
    return str(statuses.SUCCEEDED if succeeded else statuses.FAILED)
