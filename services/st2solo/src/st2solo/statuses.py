"""The statuses of an execution, and which may follow which.

Source: st2common/constants/action.py of StackStorm 3.9.
"""

from enum import StrEnum

from st2solo.errors import ConflictError


class Status(StrEnum):
    """Where an execution stands."""

    REQUESTED = "requested"
    SCHEDULED = "scheduled"
    DELAYED = "delayed"
    RUNNING = "running"
    PENDING = "pending"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELING = "canceling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELED = "canceled"
    ABANDONED = "abandoned"


COMPLETED = frozenset(
    {Status.SUCCEEDED, Status.FAILED, Status.TIMEOUT, Status.CANCELED, Status.ABANDONED}
)
WAITING = frozenset({Status.REQUESTED, Status.DELAYED, Status.SCHEDULED})

_NEXT: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: COMPLETED
    | {Status.DELAYED, Status.SCHEDULED, Status.RUNNING, Status.CANCELING},
    Status.DELAYED: COMPLETED
    | {Status.REQUESTED, Status.SCHEDULED, Status.RUNNING, Status.CANCELING},
    Status.SCHEDULED: COMPLETED | {Status.RUNNING, Status.CANCELING},
    Status.RUNNING: COMPLETED
    | {Status.PENDING, Status.PAUSING, Status.PAUSED, Status.CANCELING, Status.REQUESTED},
    Status.PENDING: COMPLETED | {Status.RUNNING, Status.CANCELING},
    Status.PAUSING: COMPLETED | {Status.PAUSED, Status.RESUMING, Status.RUNNING, Status.CANCELING},
    Status.PAUSED: COMPLETED | {Status.RESUMING, Status.RUNNING, Status.CANCELING},
    Status.RESUMING: COMPLETED | {Status.RUNNING, Status.PAUSING, Status.PAUSED, Status.CANCELING},
    Status.CANCELING: COMPLETED,
}


def require_transition(execution_id: str, old: Status, new: Status) -> None:
    """Refuse a change of status that is not in the table.

    Raises:
        ConflictError: the execution cannot go from `old` to `new`.
    """
    if new not in _NEXT.get(old, frozenset()):
        raise ConflictError(
            f"execution {execution_id} is {old} and cannot become {new}"
            + ("; it is over" if old in COMPLETED else "")
        )
