"""The engine: runs actions and workflows, and knows every execution."""

import asyncio
from collections.abc import Collection
from typing import Any

from st2solo.dispatcher import Dispatcher
from st2solo.errors import ForbiddenError, InvalidError, ParameterError
from st2solo.inquiries import Inquiries
from st2solo.installed_packs import PACKS
from st2solo.lifecycle import Lifecycle, Listener
from st2solo.outputs import Outputs
from st2solo.policies import Policies
from st2solo.ports import ActionSource, KeySource, PackChanges, TokenSource
from st2solo.preparation import Preparation
from st2solo.records import Execution, Origin, Records
from st2solo.room import Room
from st2solo.runners import WORKFLOW_RUNNER
from st2solo.settings import EngineSettings
from st2solo.statuses import WAITING, Status
from st2solo.store import Store
from st2solo.workflow_definitions import inspect, parse
from st2solo.workflow_records import WorkflowRecords
from st2solo.workflows import Workflows

# NB: inside the class, `list` is the method.
Documents = list[dict[str, Any]]
Names = list[str]

__all__ = ["EngineSettings", "Executions"]


class Executions:
    """All executions. Methods are called in the event loop's thread.

    A request is a row first; the work starts after the transaction in which it was written has
    been committed, once `start` has been called.
    """

    def __init__(
        self,
        store: Store,
        registry: ActionSource,
        keys: KeySource,
        tokens: TokenSource,
        settings: EngineSettings,
        packs: PackChanges | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._settings = settings
        self._records = Records(store)
        self._lifecycle = Lifecycle(
            store, self._records, validate_output_schema=settings.validate_output_schema
        )
        self._preparation = Preparation(registry, keys, settings.system_user)
        self._workflows = Workflows(
            self._records,
            WorkflowRecords(store),
            self._lifecycle,
            self._preparation,
            registry,
            keys,
            settings,
        )
        self.inquiries = Inquiries(store, self._records, self._lifecycle, self._workflows)
        self._dispatcher = Dispatcher(
            store,
            self._records,
            self._lifecycle,
            self._preparation,
            self._workflows,
            self.inquiries,
            Policies(self._records, self._lifecycle, registry),
            registry,
            tokens,
            settings,
            packs,
        )
        self.outputs = Outputs(self._records, self._dispatcher.processes, settings.max_result_size)
        self._lifecycle.when_changed(self._dispatcher.pump_soon)
        self.on_change: list[Listener] = self._lifecycle.on_change
        self.on_completed: list[Listener] = self._lifecycle.on_completed
        self.on_announcement = self._dispatcher.on_announcement

    async def start(self) -> None:
        """Pick up what an earlier st2solo left, then run what is requested from now on."""
        self._dispatcher.start()
        self._lifecycle.attach(asyncio.get_running_loop())

    async def stop(self) -> None:
        """Start nothing more. Processes that run go on and are adopted at the next start."""
        self._lifecycle.attach(None)
        self._dispatcher.close()

    def request(
        self,
        action_ref: str,
        parameters: dict[str, Any],
        *,
        user: str,
        names: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        trace_tag: str | None = None,
        rule: dict[str, Any] | None = None,
        trigger: dict[str, Any] | None = None,
        trigger_instance: dict[str, Any] | None = None,
        parent: str | None = None,
        delay_ms: int | None = None,
        notify: dict[str, Any] | None = None,
        administrator: bool = False,
    ) -> dict[str, Any]:
        """Ask for an execution and give back its document, in status requested.

        Templates in the parameters may use `names`, beside what they always may.
        `trace_tag` names the event that this belongs to; it goes down into workflows. `rule`,
        `trigger` and `trigger_instance` are the documents of what asked. `parent` is the
        execution on whose behalf this runs. `notify` says whom to notify where the action's own
        metadata does not. Only an `administrator` may change packs.

        Raises:
            NotFoundError: there is no such action.
            ForbiddenError: it is for administrators.
            InvalidError: it is disabled, or the parameters do not fit its schema.
            ParameterError: a template in the parameters cannot be rendered; the execution is
                recorded as failed under the error's `execution_id`.
        """
        action, _ = self._preparation.action(action_ref)
        if action.pack == PACKS and not administrator:
            raise ForbiddenError(f"{action_ref} requires administrator access")
        full = {**(context or {}), "user": user, "pack": action.pack}
        if parent is not None:
            full["parent"] = {**full.get("parent", {}), **self._as_parent(parent)}
        if (full.get("parent") or {}).get("user"):
            full["user"] = full["parent"]["user"]
        if trace_tag is not None:
            full["trace_context"] = {**full.get("trace_context", {}), "trace_tag": trace_tag}
        for name, document in (("rule", rule), ("trigger_instance", trigger_instance)):
            if document is not None:
                full[name] = {k: document[k] for k in ("id", "name", "ref") if k in document}
        origin = Origin(rule, trigger, trigger_instance)
        try:
            prepared = self._preparation.live(action_ref, parameters, full, names)
        except ParameterError as error:
            error.execution_id = self._record_failure(
                action_ref, parameters, full, origin, parent, error
            )
            raise
        with self._store.transaction():
            execution = self._lifecycle.create(
                prepared.action,
                prepared.parameters,
                user=full["user"],
                context=full,
                parent=parent,
                delay_ms=delay_ms,
                origin=origin,
                notify=prepared.action.notify or notify,
            )
        return self._records.document(execution)

    def _as_parent(self, execution_id: str) -> dict[str, Any]:
        execution = self._records.get(execution_id)
        return {
            "execution_id": execution.id,
            "user": execution.user,
            "pack": execution.context.get("pack"),
        }

    def _record_failure(
        self,
        action_ref: str,
        parameters: dict[str, Any],
        context: dict[str, Any],
        origin: Origin,
        parent: str | None,
        error: ParameterError,
    ) -> str:
        action, _ = self._preparation.action(action_ref)
        with self._store.transaction():
            execution = self._lifecycle.create(
                action,
                parameters,
                user=context["user"],
                context=context,
                parent=parent,
                origin=origin,
            )
            result = {"error": str(error), "traceback": ""}
            self._lifecycle.move(execution, Status.FAILED, result=result)
        return execution.id

    def get(self, execution_id: str, *, show_secrets: bool = False) -> dict[str, Any]:
        """One execution; `last` is the newest.

        Raises:
            NotFoundError: there is none.
        """
        return self._records.document(self._records.get(execution_id), show_secrets=show_secrets)

    def fitting(self, execution_id: str, room: Room) -> dict[str, Any]:
        """One execution without what of `records.LARGE` does not fit into the room.

        Raises:
            NotFoundError: there is none.
        """
        [execution] = self._records.fitting([execution_id], room)
        return self._records.document(execution)

    def list(
        self,
        *,
        limit: int = 100,
        offset: int = 0,
        sort_asc: bool = False,
        sort: Names | None = None,
        filters: dict[str, Any] | None = None,
        show_secrets: bool = False,
        unwanted: Collection[str] = (),
    ) -> tuple[Documents, int]:
        """A page of executions, newest first, and how many there are in all.

        They come without what of `records.LARGE` is unwanted, or does not fit into one answer.

        `filters` may hold what `Records.find_ids` knows: id (one or several), action, status,
        user, runner, parent, rule, trigger, trigger_type, trigger_instance, timestamp_gt and the
        like. A limit of -1 gives all.

        Raises:
            InvalidError: there is no such filter, or a time is none.
        """
        ids, total = self._records.find_ids(
            limit=limit, offset=offset, sort_asc=sort_asc, filters=filters or {}, sort=sort or ()
        )
        page = self._records.fitting(ids, Room(), unwanted=unwanted)
        return [self._records.document(e, show_secrets=show_secrets) for e in page], total

    def children(
        self,
        execution_id: str,
        depth: int = -1,
        *,
        show_secrets: bool = False,
        unwanted: Collection[str] = (),
    ) -> Documents:
        """All descendants down to a depth (1: children only; -1: all), parents before children.

        They come without what of `records.LARGE` is unwanted, or does not fit into one answer.

        Raises:
            NotFoundError: there is no such execution.
        """
        found: Documents = []
        level, room = [self._records.get(execution_id).id], Room()
        while level and depth != 0:
            level = [child for each in level for child in self._records.child_ids(each)]
            children = self._records.fitting(level, room, unwanted=unwanted)
            found += [self._records.document(e, show_secrets=show_secrets) for e in children]
            depth -= 1
        return found

    def cancel(self, execution_id: str, user: str) -> dict[str, Any]:
        """Cancel an execution; one that is over stays as it is.

        As in StackStorm, what already runs for a workflow is let finish, workflows inside of it are
        canceled too, and one inside of another takes the outermost with it.

        Raises:
            NotFoundError: there is no such execution.
        """
        execution = self._records.get(execution_id)
        with self._store.transaction():
            if not execution.completed:
                self._cancel(self._root(execution), user)
        return self.get(execution.id)

    def _root(self, execution: Execution) -> Execution:
        """The outermost workflow of a workflow in a workflow; any other execution itself."""
        if execution.runner != WORKFLOW_RUNNER:
            return execution
        while execution.parent is not None:
            above = self._records.get(execution.parent)
            if above.completed:
                break
            execution = above
        return execution

    def _cancel(self, execution: Execution, user: str) -> None:
        if execution.status in WAITING or execution.status is Status.PENDING:
            result = {"message": "Action canceled by user.", "user": user}
            self._lifecycle.move(execution, Status.CANCELED, result=result)
        elif execution.status is not Status.CANCELING:
            canceling = self._lifecycle.move(execution, Status.CANCELING)
            if execution.runner == WORKFLOW_RUNNER:
                self._workflows.cancel(canceling, lambda child: self._cancel_child(child, user))

    def _cancel_child(self, child: Execution, user: str) -> None:
        if child.runner == WORKFLOW_RUNNER or child.status is not Status.RUNNING:
            self._cancel(child, user)

    def pause(self, execution_id: str, user: str) -> dict[str, Any]:
        """Pause a workflow; one that is paused already stays as it is.

        Raises:
            NotFoundError: there is no such execution.
            InvalidError: it is no workflow, or not running.
        """
        execution = self._workflow(execution_id, "paused")
        if execution.status in (Status.PAUSING, Status.PAUSED):
            return self.get(execution_id)
        if execution.status is not Status.RUNNING:
            raise InvalidError(f"execution {execution_id} is {execution.status}, not running")
        with self._store.transaction():
            self._workflows.pause(execution)
        return self.get(execution_id)

    def resume(self, execution_id: str, user: str) -> dict[str, Any]:
        """Go on with a paused workflow; one that runs already stays as it is.

        Raises:
            NotFoundError, InvalidError: as `pause`, for one that is not paused.
        """
        execution = self._workflow(execution_id, "resumed")
        if execution.status is Status.RUNNING:
            return self.get(execution_id)
        if execution.status not in (Status.PAUSED, Status.PAUSING):
            raise InvalidError(f"execution {execution_id} is {execution.status}, not paused")
        with self._store.transaction():
            self._workflows.resume(execution)
        return self.get(execution_id)

    def _workflow(self, execution_id: str, what: str) -> Execution:
        execution = self._records.get(execution_id)
        if execution.runner != WORKFLOW_RUNNER:
            raise InvalidError(
                f'The "{execution.runner}" runner of execution {execution_id} cannot be {what};'
                " only workflows can"
            )
        return execution

    def rerun(
        self,
        execution_id: str,
        *,
        parameters: dict[str, Any],
        tasks: Names,
        reset: Names,
        user: str,
        delay_ms: int | None = None,
        administrator: bool = False,
    ) -> dict[str, Any]:
        """Run an action again as a new execution; of a workflow, from given tasks.

        `parameters` replace the old ones; `reset` names the tasks of `tasks` whose items all run
        again.

        Raises:
            NotFoundError: there is no such execution.
            InvalidError: tasks of something that is no workflow, or together with parameters.
            others: as `request`.
        """
        earlier = self._records.get(execution_id)
        if (tasks or reset) and parameters:
            raise InvalidError(
                "Parameters override is not supported when re-running task(s) for a workflow."
            )
        if set(reset) - set(tasks):
            raise InvalidError("List of tasks to reset does not match the tasks to rerun.")
        if tasks and earlier.runner != WORKFLOW_RUNNER:
            raise InvalidError("Task option is only supported for Orquesta workflows.")
        again: dict[str, Any] = {"ref": earlier.id}
        again |= {k: v for k, v in (("tasks", tasks), ("reset", reset)) if v}
        context: dict[str, Any] = {"re-run": again}
        if earlier.context.get("trace_context"):
            context["trace_context"] = earlier.context["trace_context"]
        return self.request(
            earlier.action_ref,
            {**earlier.parameters, **parameters},
            user=user,
            context=context,
            delay_ms=delay_ms,
            administrator=administrator,
        )

    def output(self, execution_id: str) -> tuple[str, str]:
        """Standard output and error of an execution, also of one that still runs.

        Raises:
            NotFoundError: there is no such execution.
        """
        execution = self._records.get(execution_id)
        if not execution.completed:
            return self._dispatcher.processes.output_so_far(execution.id)
        result = execution.result if isinstance(execution.result, dict) else {}
        return str(result.get("stdout") or ""), str(result.get("stderr") or "")

    def inspect(self, text: str) -> Documents:
        """What is wrong with a workflow definition, as `POST /v1/workflows/inspect` answers.

        Raises:
            WorkflowError: it cannot be read as a workflow at all.
        """
        return inspect(parse(text), self._registry, {"st2": {}, "parent": {}})
