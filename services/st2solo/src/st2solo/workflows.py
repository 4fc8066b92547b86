"""Drives Orquesta workflows: each step is made inside the transaction that gave rise to it.

The completion of a child, the conductor's new state and the rows of the next children are
written together; so after a crash every workflow stands exactly between two steps.

Source: st2common/services/workflows.py and the orquesta runner of StackStorm 3.9.
"""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orquesta import events, statuses
from orquesta.conducting import WorkflowConductor
from orquesta.exceptions import InvalidWorkflowStatusTransition
from orquesta.requests import TaskRerunRequest

from st2solo import workflow_tasks
from st2solo.errors import ConflictError, InvalidError, NotFoundError, WorkflowError
from st2solo.ids import new_id
from st2solo.lifecycle import Lifecycle
from st2solo.ports import ActionSource, KeySource
from st2solo.preparation import Preparation
from st2solo.records import Execution, Records
from st2solo.settings import EngineSettings
from st2solo.statuses import COMPLETED, Status
from st2solo.workflow_definitions import read, require_sound
from st2solo.workflow_functions import serving
from st2solo.workflow_records import Run, WorkflowRecords, require_size

_LOG = logging.getLogger(__name__)

#: How long tasks without action go on in one transaction; the rest is left to the next.
_SLICE_SECONDS = 0.1


class Workflows:
    """All workflows. Every method is called inside a transaction."""

    def __init__(
        self,
        records: Records,
        rows: WorkflowRecords,
        lifecycle: Lifecycle,
        preparation: Preparation,
        actions: ActionSource,
        keys: KeySource,
        settings: EngineSettings,
    ) -> None:
        self._records = records
        self._rows = rows
        self._lifecycle = lifecycle
        self._preparation = preparation
        self._actions = actions
        self._keys = keys
        self._settings = settings
        self.unfinished: set[str] = set()
        lifecycle.after_completion.append(self._child_moved)
        lifecycle.after_pending.append(self._child_moved)

    @contextmanager
    def _step(self, run: Run) -> Iterator[None]:
        """One step: expressions are served, and at its end all is written that it changed."""
        with serving(self._keys, self._rows.latest_task):
            yield
            run.more = False
            self._advance(run)
            if run.status in statuses.COMPLETED_STATUSES:
                run.conductor.render_workflow_output()
            self._settle(run)

    def begin(self, execution: Execution) -> None:
        """Start a workflow execution, or go on with that of an earlier one from given tasks.

        A workflow with errors fails the execution, with the errors in its result.
        """
        running = self._lifecycle.move(execution, Status.SCHEDULED)
        running = self._lifecycle.move(running, Status.RUNNING)
        again = execution.context.get("re-run") or {}
        try:
            if again.get("tasks"):
                run = self._rerun(running, again)
            else:
                run = self._new(running)
        except WorkflowError as error:
            self._fail(running, error.errors)
        except Exception as error:  # orquesta has no base of its errors
            self._fail(running, [{"message": str(error)}])
        else:
            if run.status in statuses.COMPLETED_STATUSES:  # its input or variables are wrong
                self._settle(run)
                return
            with self._step(run):
                pass

    def _fail(self, execution: Execution, errors: list[dict[str, Any]]) -> None:
        self._lifecycle.move(execution, Status.FAILED, result={"errors": errors, "output": None})

    def _st2_context(self, execution: Execution) -> dict[str, Any]:
        st2 = {
            "action_execution_id": execution.id,
            "api_url": self._settings.api_url,
            "user": execution.user,
            "pack": execution.context.get("pack"),
            "action": execution.action_ref,
            "runner": execution.runner,
        }
        for name in ("api_user", "source_channel"):
            if execution.context.get(name):
                st2[name] = execution.context[name]
        return {"st2": st2, "parent": execution.context}

    def _new(self, execution: Execution) -> Run:
        action = self._actions.action(execution.action_ref)
        if action.entry_point is None:
            raise InvalidError(f'Action "{action.name}" is missing entry_point attribute')
        context = self._st2_context(execution)
        spec = read(action.entry_point)
        require_sound(spec, self._actions, context)
        runner, inputs = self._preparation.final(execution)
        unknown = sorted(set(runner.get("notify") or []) - set(spec.tasks.keys()))
        if unknown:
            raise InvalidError(
                "The following tasks in the notify parameter do not exist in the workflow"
                f" definition: {', '.join(unknown)}."
            )
        workflow_id = new_id()
        context["st2"]["workflow_execution_id"] = workflow_id
        with serving(self._keys, self._rows.latest_task):
            conductor = WorkflowConductor(spec, inputs=inputs, context=context)
            notify = workflow_tasks.task_notify(execution, runner.get("notify") or [])
            run = self._rows.insert(workflow_id, execution.id, conductor, notify)
            if run.status not in statuses.COMPLETED_STATUSES:
                conductor.request_workflow_status(statuses.REQUESTED)
                conductor.request_workflow_status(statuses.RUNNING)
        self._remember(execution, workflow_id)
        return run

    def _remember(self, execution: Execution, workflow_id: str) -> None:
        context = {**execution.context, "workflow_execution": workflow_id}
        self._records.save_context(execution.id, context)

    def _rerun(self, execution: Execution, again: dict[str, Any]) -> Run:
        earlier = self._records.get(again["ref"])
        workflow_id = earlier.context.get("workflow_execution")
        if workflow_id is None:
            raise InvalidError(
                "Unable to rerun workflow execution because workflow_execution_id is not provided."
            )
        run = self._rows.get(workflow_id)
        if run.status not in statuses.COMPLETED_STATUSES:
            raise ConflictError(
                f'Unable to rerun workflow execution "{workflow_id}" because it is not in a'
                " completed state."
            )
        state = run.conductor.workflow_state
        unknown = [name for name in again["tasks"] if not state.get_tasks(task_id=name)]
        if unknown:
            raise NotFoundError(
                "Unable to rerun workflow because one or more tasks is not found:"
                f" {','.join(unknown)}"
            )
        resets = again.get("reset") or []
        requests = [
            TaskRerunRequest(name, entry["route"], reset_items=name in resets)
            for name in again["tasks"]
            for _, entry in state.get_tasks(task_id=name)
        ]
        run.conductor.request_workflow_rerun(task_requests=requests)
        run = self._rows.hand_over(run, execution.id, self._st2_context(execution))
        self._remember(execution, workflow_id)
        return run

    def _advance(self, run: Run) -> None:
        """Start every task that can start, until nothing more can."""
        conductor, end = run.conductor, time.monotonic() + _SLICE_SECONDS
        while time.monotonic() < end:
            tasks = conductor.get_next_tasks()
            if not tasks:
                return
            for task in tasks:
                workflow_tasks.mark_running(conductor, task)
            for task in tasks:
                try:
                    self._start_task(run, task)
                except Exception as error:  # also what expressions of the pack raise
                    _LOG.info(
                        "task %s fails: %s",
                        task["id"],
                        error,
                        extra={"execution_id": run.execution_id},
                    )
                    _request(conductor, statuses.FAILED)
                    conductor.log_error(error, task_id=task["id"], route=task["route"])
                    return
            if not any(workflow_tasks.is_instant(task) for task in tasks):
                return  # nothing else can start before one of them is over
        run.more = True

    def _start_task(self, run: Run, task: dict[str, Any]) -> None:
        itemized = task["spec"].has_items()
        count = task["items_count"] if itemized else None
        record = self._rows.open_task(run, task["id"], task["route"], count)
        if workflow_tasks.is_instant(task):
            self._rows.close_task(record.id, statuses.SUCCEEDED, record.result, over=True)
            event = events.ActionExecutionEvent(statuses.SUCCEEDED)
            run.conductor.update_task_state(task["id"], task["route"], event)
            return
        for action in task["actions"]:
            self._request_child(run, task, record.id, action)

    def _request_child(
        self, run: Run, task: dict[str, Any], record_id: str, action: dict[str, Any]
    ) -> None:
        item_id = action.get("item_id")
        place = {
            "workflow_execution_id": run.id,
            "task_execution_id": record_id,
            "task_name": task["spec"].name or task["id"],
            "task_id": task["id"],
            "task_route": task["route"],
        }
        if item_id is not None:
            place["item_id"] = item_id
        context = self._child_context(run, str(action["action"])) | {"orquesta": place}
        prepared = self._preparation.live(str(action["action"]), action["input"] or {}, context)
        delay = workflow_tasks.delay(task, item_id)
        self._lifecycle.create(
            prepared.action,
            prepared.parameters,
            user=run.user,
            context={**context, "pack": prepared.action.pack},
            parent=run.execution_id,
            delay_ms=int(delay * 1000) if delay else None,
            notify=workflow_tasks.child_notify(run, place["task_name"], prepared.action),
        )

    def _child_context(self, run: Run, action_ref: str) -> dict[str, Any]:
        st2 = run.context["st2"]
        parent = {"execution_id": run.execution_id, "user": st2["user"], "pack": st2["pack"]}
        passed = {n: st2[n] for n in ("api_user", "source_channel") if st2.get(n)}
        context = {
            "pack": action_ref.split(".")[0],
            "user": st2["user"],
            "parent": {**parent, **passed},
            **passed,
        }
        trace = run.context["parent"].get("trace_context")
        return context | ({"trace_context": trace} if trace else {})

    def _above(self, child: Execution) -> Run | None:
        """The workflow of an execution, unless that was left over when it was run again."""
        place = child.context.get("orquesta")
        if place is None:
            return None
        run = self._rows.get(place["workflow_execution_id"])
        return run if run.execution_id == child.parent else None

    def _child_moved(self, child: Execution) -> None:
        """An execution that has ended, or waits for an answer, moves its workflow."""
        run = self._above(child)
        if run is None:
            return
        place = child.context["orquesta"]
        with self._step(run):
            try:
                self._tell(run, place, child.status.value, child.result)
            except Exception as error:  # orquesta has no base of its errors
                _LOG.exception(
                    "the workflow cannot take %s of %s",
                    child.status,
                    child.id,
                    extra={"execution_id": run.execution_id},
                )
                _request(run.conductor, statuses.FAILED)
                run.conductor.log_error(error, place["task_id"], place["task_route"])

    def _tell(self, run: Run, place: dict[str, Any], status: str, result: Any) -> None:
        record = self._rows.task(place["task_execution_id"])
        item_id = place.get("item_id")
        if item_id is None:
            over = status in statuses.COMPLETED_STATUSES
            self._rows.close_task(record.id, status, result or record.result, over=over)
            event = events.ActionExecutionEvent(status, result=result)
        else:
            items = record.result["items"]
            items[item_id] = {"status": status, "result": result}
            task_status = workflow_tasks.items_status(items)
            over = task_status != statuses.RUNNING
            most = self._settings.max_result_size
            self._rows.close_item(record.id, task_status, items, over, most)
            gathered = [item.get("result") if item else None for item in items]
            event = events.TaskItemActionExecutionEvent(
                item_id, status, result=result, accumulated_result=gathered
            )
        run.conductor.update_task_state(place["task_id"], place["task_route"], event)

    def _settle(self, run: Run) -> None:
        """Write the state, and let the execution follow the workflow's status."""
        conductor = run.conductor
        self._rows.save(run)
        (self.unfinished.add if run.more else self.unfinished.discard)(run.id)
        execution = self._records.get(run.execution_id)
        if execution.completed or run.status not in {s.value for s in Status}:
            return
        status = Status(run.status)
        if execution.status is Status.PAUSED and status in (Status.SUCCEEDED, Status.FAILED):
            # it was resumed and nothing was left to do: a task above takes no end while paused
            self._child_changed(self._lifecycle.move(execution, Status.RUNNING))
        if status in COMPLETED:
            result = {"output": conductor.get_workflow_output() or None}
            if run.status in statuses.ABENDED_STATUSES:
                result["errors"] = conductor.errors
            try:
                most = self._settings.max_result_size
                require_size("the workflow has returned", json.dumps(result), most)
            except InvalidError as error:
                self._fail(execution, [{"message": str(error)}])
            else:
                self._lifecycle.move(execution, status, result=result)
        elif status is not execution.status and execution.status is not Status.CANCELING:
            moved = self._lifecycle.move(execution, status)
            if status is Status.PAUSED:
                self._child_changed(moved)

    def _child_changed(self, child: Execution) -> None:
        """A workflow inside a workflow was paused, or goes on."""
        run = self._above(child)
        if run is None:
            return
        goes_on = child.status is Status.RUNNING
        with self._step(run):
            if goes_on and run.status in statuses.PAUSE_STATUSES:
                _request(run.conductor, statuses.RESUMING)
            self._tell(run, child.context["orquesta"], child.status.value, None)
        if goes_on:
            self._resumed(run.execution_id)

    def _resumed(self, execution_id: str) -> None:
        """A workflow goes on, and so does every one that it is in, up to the outermost."""
        execution = self._records.get(execution_id)
        if execution.status is Status.RESUMING:
            run = self._rows.of_execution(execution_id)
            with self._step(run):
                _request(run.conductor, statuses.RUNNING)
            execution = self._records.get(execution_id)
        if execution.status is Status.RUNNING:
            self._child_changed(execution)

    def go_on(self, execution_id: str) -> None:
        """Make the steps that are due, after a restart or a long chain of tasks without action."""
        run = self._rows.of_execution(execution_id)
        with self._step(run):
            pass

    def go_on_unfinished(self) -> None:
        for workflow_id in list(self.unfinished):
            run = self._rows.get(workflow_id)
            with self._step(run):
                pass

    def cancel(self, execution: Execution, cancel_child: Callable[[Execution], None]) -> None:
        """Stop a workflow: nothing new starts, and every child is told."""
        try:
            run = self._rows.of_execution(execution.id)
        except NotFoundError:
            self._lifecycle.move(execution, Status.CANCELED)
            return
        with self._step(run):
            _request(run.conductor, statuses.CANCELED)
        for child in self._records.children(execution.id):
            current = self._records.get(child.id)
            if not current.completed:
                cancel_child(current)

    def pause(self, execution: Execution) -> None:
        """Start nothing new; paused when what runs is over."""
        run = self._rows.of_execution(execution.id)
        with self._step(run):
            _request(run.conductor, statuses.PAUSED)
        for child in self._records.children(execution.id):
            if child.runner == execution.runner and child.status is Status.RUNNING:
                self.pause(child)

    def resume(self, execution: Execution) -> None:
        """Go on with a paused workflow, the workflows in it, and those that it is in."""
        for child in self._records.children(execution.id):
            if child.runner == execution.runner and child.status in (
                Status.PAUSED,
                Status.PAUSING,
            ):
                self.resume(child)
        run = self._rows.of_execution(execution.id)
        if run.status in statuses.PAUSE_STATUSES:
            with self._step(run):
                _request(run.conductor, statuses.RESUMING)
        self._resumed(execution.id)


def _request(conductor: Any, status: str) -> None:
    """Ask the conductor for a status; it stays as it is where that is not possible."""
    try:
        conductor.request_workflow_status(status)
    except InvalidWorkflowStatusTransition as error:
        _LOG.info("a workflow stays %s: %s", conductor.get_workflow_status(), error)
