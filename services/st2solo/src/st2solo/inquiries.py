"""Inquiries: executions that wait for the answer of a person.

Source: st2common/services/inquiry.py, st2common/garbage_collection/inquiries.py and
st2api/controllers/v1/inquiries.py of StackStorm 3.9.
"""

from collections.abc import Callable
from typing import Any

from st2solo import clock, schema
from st2solo.errors import ForbiddenError, InvalidError
from st2solo.lifecycle import Lifecycle
from st2solo.records import Execution, Records
from st2solo.runners.inquirer import ASKED
from st2solo.statuses import Status
from st2solo.store import Store
from st2solo.workflows import Workflows

RUNNER = "inquirer"


class Inquiries:
    """All inquiries. `on_opened` is called with each new one, in the transaction that opens it."""

    def __init__(
        self, store: Store, records: Records, lifecycle: Lifecycle, workflows: Workflows
    ) -> None:
        self._store = store
        self._records = records
        self._lifecycle = lifecycle
        self._workflows = workflows
        self.on_opened: list[Callable[[dict[str, Any]], None]] = []

    def open(self, execution: Execution, asked: dict[str, Any]) -> None:
        """Let a running execution wait. Call in a transaction."""
        ttl = int(asked["ttl"])
        due = clock.parse(execution.start_timestamp).timestamp() + ttl * 60 if ttl > 0 else None
        waiting = self._lifecycle.move(execution, Status.PENDING, result=asked, due=due)
        for listener in self.on_opened:
            listener(self._records.document(waiting))

    def list(self, *, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """A page of those that wait, newest first, and how many there are."""
        page, total = self._records.find(
            limit=limit,
            offset=offset,
            sort_asc=False,
            filters={"status": Status.PENDING.value, "runner": RUNNER},
        )
        return [_document(execution) for execution in page], total

    def get(self, inquiry_id: str) -> dict[str, Any]:
        """
        Raises:
            NotFoundError: there is no such execution.
            InvalidError: it is no inquiry, or waits no more.
        """
        return _document(self._waiting(inquiry_id))

    def _waiting(self, inquiry_id: str) -> Execution:
        execution = self._records.get(inquiry_id)
        if execution.runner != RUNNER:
            raise InvalidError(f'Execution "{inquiry_id}" is not an inquiry.')
        if execution.status is Status.TIMEOUT:
            raise InvalidError(f'Inquiry "{inquiry_id}" timed out and cannot be responded to.')
        if execution.status is not Status.PENDING:
            raise InvalidError(f'Inquiry "{inquiry_id}" has already been responded to.')
        return execution

    def respond(self, inquiry_id: str, response: Any, *, user: str, roles: set[str]) -> None:
        """Take an answer, and let what waited for it go on.

        Raises:
            NotFoundError, InvalidError: as `get`, or the answer does not fit the schema.
            ForbiddenError: the inquiry names users or roles, and this user is none of them.
        """
        execution = self._waiting(inquiry_id)
        asked = execution.result
        if (asked["users"] and user not in asked["users"]) or (
            asked["roles"] and not roles & set(asked["roles"])
        ):
            raise ForbiddenError(
                f'User "{user}" does not have permission to respond to inquiry "{inquiry_id}".'
            )
        try:
            schema.validate(response, asked["schema"])
        except InvalidError as error:
            raise InvalidError(
                f'Response for inquiry "{inquiry_id}" did not pass schema validation. {error}'
            ) from error
        with self._store.transaction():
            self._close(execution, Status.SUCCEEDED, {**asked, "response": response})

    def expire(self, execution: Execution) -> None:
        """Close one whose time to answer is over. Call in a transaction."""
        self._close(execution, Status.TIMEOUT, execution.result)

    def _close(self, execution: Execution, status: Status, result: dict[str, Any]) -> None:
        """The workflow goes on first: a paused one would take the end for one more pause."""
        if execution.parent is not None:
            parent = self._records.get(execution.parent)
            if parent.status in (Status.PAUSING, Status.PAUSED):
                self._workflows.resume(parent)
        self._lifecycle.move(execution, status, result=result)


def _document(execution: Execution) -> dict[str, Any]:
    return {"id": execution.id, **{name: execution.result.get(name) for name in ASKED}}
