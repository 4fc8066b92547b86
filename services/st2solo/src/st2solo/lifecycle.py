"""Changes of executions, and who is told of them."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from st2solo import clock, output_schema
from st2solo.ids import new_id
from st2solo.ports import ActionDefinition
from st2solo.records import Execution, Origin, Records
from st2solo.statuses import COMPLETED, Status
from st2solo.store import Store

_LOG = logging.getLogger(__name__)

_NO_ORIGIN = Origin()

Listener = Callable[[dict[str, Any]], None]


class Lifecycle:
    """Writes every change of an execution, in the open transaction, and remembers to tell of it.

    `on_completed` and `after_completion` are called inside the transaction that completes an
    execution, `after_pending` inside that in which one begins to wait for an answer; `on_change`
    after it has been committed.
    """

    def __init__(
        self, store: Store, records: Records, *, validate_output_schema: bool = False
    ) -> None:
        self._store = store
        self._records = records
        self._validate = validate_output_schema
        self.on_change: list[Listener] = []
        self.on_completed: list[Listener] = []
        self.after_completion: list[Callable[[Execution], None]] = []
        self.after_pending: list[Callable[[Execution], None]] = []
        self._changed: dict[str, None] = {}
        self._wakers: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """The loop that runs what follows from changes; None when there is none any more."""
        self._loop = loop
        self._scheduled = False
        self._wake()

    def when_changed(self, waker: Callable[[], None]) -> None:
        """Call this soon after every transaction that changed an execution."""
        self._wakers.append(waker)

    def create(
        self,
        action: ActionDefinition,
        parameters: dict[str, Any],
        *,
        user: str,
        context: dict[str, Any],
        parent: str | None = None,
        delay_ms: int | None = None,
        origin: Origin = _NO_ORIGIN,
        notify: dict[str, Any] | None = None,
    ) -> Execution:
        """A new row: requested, or delayed when there is a delay. Call in a transaction."""
        moment = clock.now()
        status = Status.DELAYED if delay_ms else Status.REQUESTED
        steps = [Status.REQUESTED, Status.DELAYED] if delay_ms else [Status.REQUESTED]
        execution = Execution(
            id=new_id(),
            action=action.document(),
            runner=action.runner_type,
            status=status,
            user=user,
            parameters=parameters,
            context=context,
            start_timestamp=moment,
            log=[{"timestamp": moment, "status": step.value} for step in steps],
            parent=parent,
            delay_ms=delay_ms,
            due=time.time() + delay_ms / 1000 if delay_ms else None,
            origin=origin,
            notify=notify,
        )
        self._records.insert(execution)
        self._touch(execution.id)
        return execution

    def move(
        self,
        execution: Execution,
        status: Status,
        *,
        result: Any = None,
        context: dict[str, Any] | None = None,
        due: float | None = None,
    ) -> Execution:
        """Change the status; a completed one is told of and followed up. Call in a transaction.

        Where the site asks for it, one whose output does not fit its schema has failed.
        """
        if self._validate and status is Status.SUCCEEDED:
            misfit = output_schema.misfit(execution.action, execution.runner, result)
            if misfit is not None:
                status, result = Status.FAILED, misfit
        moved = self._records.move(execution, status, result=result, context=context, due=due)
        self._touch(moved.id)
        if status in COMPLETED:
            document = self._records.document(moved)
            for listener in self.on_completed:
                listener(document)
            for follow in self.after_completion:
                follow(moved)
        if status is Status.PENDING:
            for follow in self.after_pending:
                follow(moved)
        return moved

    def _touch(self, execution_id: str) -> None:
        self._changed[execution_id] = None
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._after_commit)

    def _after_commit(self) -> None:
        """Runs from the loop, where no transaction is open."""
        self._scheduled = False
        if self._loop is None:  # st2solo has stopped meanwhile
            return
        self.tell()
        for waker in self._wakers:
            waker()

    def tell(self) -> None:
        """Hand out what has changed; rows that a rollback took away are left out."""
        changed, self._changed = self._changed, {}
        for execution_id in changed:
            rows, _ = self._records.find(
                limit=1, offset=0, sort_asc=True, filters={"id": execution_id}
            )
            for row in rows:
                document = self._records.document(row)
                for listener in self.on_change:
                    try:
                        listener(document)
                    except Exception:  # a listener of others must not stop the engine
                        _LOG.exception("a listener failed", extra={"execution_id": execution_id})
