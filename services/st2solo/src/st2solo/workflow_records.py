"""Workflows and their tasks as rows, and the conductors that are kept between two steps."""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

import json
from dataclasses import dataclass
from typing import Any

from orquesta import statuses
from orquesta.conducting import WorkflowConductor

from st2solo import clock
from st2solo.errors import InvalidError, NotFoundError
from st2solo.ids import new_id
from st2solo.store import Store

_FIXED = ("spec", "graph", "input", "context")


@dataclass
class Run:
    """A workflow while a step is made: its conductor, and the version of the row it came from."""

    id: str
    execution_id: str
    conductor: Any
    context: dict[str, Any]
    version: int
    #: The tasks that notify, and how: {config, tasks}.
    notify: dict[str, Any] | None = None
    more: bool = False

    @property
    def status(self) -> str:
        return str(self.conductor.get_workflow_status())

    @property
    def user(self) -> str:
        return str(self.context["st2"]["user"])


@dataclass(frozen=True)
class TaskRecord:
    """One run of a task. With items the result is {items: [{status, result} or None]}."""

    id: str
    status: str
    items_count: int | None
    result: Any


def require_size(what: str, text: str, most: int) -> None:
    """Let a result pass that has not more than `most` bytes of JSON.

    Raises:
        InvalidError: it has more.
    """
    if len(text) > most:
        raise InvalidError(
            f"{what} {len(text):,} bytes, more than the {most:,} bytes that max_result_size of"
            " st2solo.yaml allows"
        )


class WorkflowRecords:
    """The tables of workflows and tasks.

    NB: a cached conductor counts only while its version is the row's. A transaction that is
    rolled back leaves the row behind the conductor, which is then read again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: dict[str, Run] = {}

    def insert(
        self, workflow_id: str, execution_id: str, conductor: Any, notify: dict[str, Any] | None
    ) -> Run:
        data = conductor.serialize()
        run = Run(workflow_id, execution_id, conductor, data["context"], 1, notify)
        self._store.execute(
            "INSERT INTO workflows (id, execution_id, status, definition, progress, version,"
            " notify) VALUES (?, ?, ?, ?, ?, 1, ?)",
            (
                workflow_id,
                execution_id,
                run.status,
                json.dumps({name: data[name] for name in _FIXED}),
                _progress(conductor),
                json.dumps(notify) if notify else None,
            ),
        )
        return run

    def get(self, workflow_id: str) -> Run:
        """The workflow with its conductor.

        Raises:
            NotFoundError: there is none of that identifier.
        """
        cached = self._cache.pop(workflow_id, None)
        if cached is not None:
            sql = "SELECT version FROM workflows WHERE id = ?"
            if self._store.execute(sql, (workflow_id,)).fetchone()["version"] == cached.version:
                return cached
        row = self._store.execute("SELECT * FROM workflows WHERE id = ?", (workflow_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no workflow execution {workflow_id}")
        definition = json.loads(row["definition"])
        conductor = WorkflowConductor.deserialize({**definition, **json.loads(row["progress"])})
        context = definition["context"]
        notify = json.loads(row["notify"]) if row["notify"] else None
        return Run(row["id"], row["execution_id"], conductor, context, row["version"], notify)

    def of_execution(self, execution_id: str) -> Run:
        """The workflow which that execution drives.

        Raises:
            NotFoundError: it drives none (yet).
        """
        sql = "SELECT id FROM workflows WHERE execution_id = ?"
        row = self._store.execute(sql, (execution_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"execution {execution_id} has no workflow")
        return self.get(row["id"])

    def save(self, run: Run) -> None:
        """Write what a step has changed, and keep the conductor if there will be another."""
        run.version += 1
        self._store.execute(
            "UPDATE workflows SET status = ?, progress = ?, version = ? WHERE id = ?",
            (run.status, _progress(run.conductor), run.version, run.id),
        )
        if run.status not in statuses.COMPLETED_STATUSES:
            self._cache[run.id] = run

    def hand_over(self, run: Run, execution_id: str, context: dict[str, Any]) -> Run:
        """Let another execution drive the workflow from now on."""
        row = self._store.execute(
            "SELECT definition FROM workflows WHERE id = ?", (run.id,)
        ).fetchone()
        definition = json.loads(row["definition"])
        definition["context"] = {**definition["context"], **context}
        definition["context"]["st2"]["workflow_execution_id"] = run.id
        self._store.execute(
            "UPDATE workflows SET execution_id = ?, definition = ? WHERE id = ?",
            (execution_id, json.dumps(definition), run.id),
        )
        return Run(
            run.id, execution_id, run.conductor, definition["context"], run.version, run.notify
        )

    def open_task(self, run: Run, task_id: str, route: int, items_count: int | None) -> TaskRecord:
        """A record for a task that starts; the running one when more of its items start."""
        if items_count:
            running = self._latest(run.id, task_id, route)
            if running is not None and running["status"] == "running":
                return _task_record(running)
        result = None if items_count is None else {"items": [None] * items_count}
        record = TaskRecord(new_id(), "running", items_count, result)
        self._store.execute(
            "INSERT INTO workflow_tasks (id, workflow_id, task_id, route, status, items_count,"
            " result, start_timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.id,
                run.id,
                task_id,
                route,
                record.status,
                items_count,
                json.dumps(result),
                clock.now(),
            ),
        )
        return record

    def task(self, record_id: str) -> TaskRecord:
        sql = "SELECT * FROM workflow_tasks WHERE id = ?"
        return _task_record(self._store.execute(sql, (record_id,)).fetchone())

    def close_task(self, record_id: str, status: str, result: Any, over: bool) -> None:
        self._write_task(record_id, status, json.dumps(result), over)

    def close_item(
        self, record_id: str, status: str, items: list[Any], over: bool, most: int
    ) -> None:
        """Write how a task with items stands after one of them.

        Raises:
            InvalidError: they have more than `most` bytes together.
        """
        text = json.dumps({"items": items})
        require_size("the items of the task have returned", text, most)
        self._write_task(record_id, status, text, over)

    def _write_task(self, record_id: str, status: str, result: str, over: bool) -> None:
        self._store.execute(
            "UPDATE workflow_tasks SET status = ?, result = ?, end_timestamp = ? WHERE id = ?",
            (status, result, clock.now() if over else None, record_id),
        )

    def _latest(self, workflow_id: str, task_id: str, route: int) -> Any:
        return self._store.execute(
            "SELECT * FROM workflow_tasks WHERE workflow_id = ? AND task_id = ? AND route = ?"
            " ORDER BY start_timestamp DESC, id DESC LIMIT 1",
            (workflow_id, task_id, route),
        ).fetchone()

    def latest_task(self, workflow_id: str, task_id: str, route: int) -> dict[str, Any] | None:
        """The newest run of a task as the expression function `task` gives it."""
        row = self._latest(workflow_id, task_id, route)
        if row is None:
            return None
        return {
            "task_execution_id": row["id"],
            "workflow_execution_id": workflow_id,
            "task_name": task_id,
            "task_id": task_id,
            "route": route,
            "result": json.loads(row["result"]),
            "status": row["status"],
            "start_timestamp": row["start_timestamp"],
            "end_timestamp": str(row["end_timestamp"]),
        }


def _progress(conductor: Any) -> str:
    return json.dumps(
        {
            "state": conductor.workflow_state.serialize(),
            "log": conductor.log,
            "errors": conductor.errors,
            "output": conductor.get_workflow_output(),
        },
        default=str,
    )


def _task_record(row: Any) -> TaskRecord:
    result = json.loads(row["result"]) if row["result"] is not None else None
    return TaskRecord(row["id"], row["status"], row["items_count"], result)
