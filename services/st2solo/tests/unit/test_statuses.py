"""The statuses of executions, and which may follow which."""

import pytest

from st2solo.errors import ConflictError
from st2solo.statuses import COMPLETED, WAITING, Status, require_transition

#: The file of StackStorm whose names and groups the rows give.
SOURCE = "st2common/st2common/constants/action.py"

#: Status, whether it is among LIVEACTION_COMPLETED_STATES, whether among
#: LIVEACTION_CANCELABLE_STATES.
_STATUSES = [
    ("requested", False, True),
    ("scheduled", False, True),
    ("delayed", False, True),
    ("running", False, True),
    ("succeeded", True, False),
    ("failed", True, False),
    ("timeout", True, False),
    ("abandoned", True, False),
    ("canceling", False, False),
    ("canceled", True, False),
    ("pending", False, False),
    ("pausing", False, True),
    ("paused", False, True),
    ("resuming", False, True),
]


@pytest.mark.parametrize(("name", "completed", "cancelable"), _STATUSES)
def test_status(name, completed, cancelable):
    status = Status(name)
    assert (status in COMPLETED) is completed
    if cancelable:
        require_transition("x", status, Status.CANCELING)


def test_there_is_no_other_status():
    assert {row[0] for row in _STATUSES} == {str(status) for status in Status}
    assert {"requested", "delayed", "scheduled"} == WAITING


@pytest.mark.parametrize("old", sorted(COMPLETED))
@pytest.mark.parametrize("new", list(Status))
def test_nothing_follows_a_completed_status(old, new):
    with pytest.raises(ConflictError, match="it is over"):
        require_transition("x", old, new)


@pytest.mark.parametrize("old", [s for s in Status if s not in COMPLETED])
@pytest.mark.parametrize("new", sorted(COMPLETED))
def test_every_open_status_can_end(old, new):
    require_transition("x", old, new)


#: The ways of st2common/services/action.py (request_cancellation, request_pause, request_resume)
#: and of the scheduler: old, new, whether it is a way.
_WAYS = [
    ("requested", "scheduled", True),
    ("requested", "delayed", True),
    ("requested", "running", True),
    ("requested", "paused", False),
    ("requested", "pending", False),
    ("delayed", "requested", True),
    ("delayed", "scheduled", True),
    ("scheduled", "running", True),
    ("scheduled", "requested", False),
    ("running", "pausing", True),
    ("running", "paused", True),
    ("running", "pending", True),
    ("running", "canceling", True),
    ("running", "resuming", False),
    ("pending", "running", True),
    ("pausing", "paused", True),
    ("pausing", "pending", False),
    ("paused", "resuming", True),
    ("paused", "running", True),
    ("resuming", "running", True),
    ("resuming", "pausing", True),
    ("canceling", "running", False),
    ("canceling", "paused", False),
    ("canceling", "requested", False),
]


@pytest.mark.parametrize(("old", "new", "allowed"), _WAYS)
def test_transition(old, new, allowed):
    if allowed:
        require_transition("x", Status(old), Status(new))
    else:
        with pytest.raises(ConflictError, match=f"is {old} and cannot become {new}"):
            require_transition("x", Status(old), Status(new))
