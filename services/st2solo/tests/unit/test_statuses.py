"""Which status may follow which."""

import pytest

from st2solo.errors import ConflictError
from st2solo.statuses import COMPLETED, Status, require_transition


@pytest.mark.parametrize("old", sorted(COMPLETED))
@pytest.mark.parametrize("new", list(Status))
def test_nothing_follows_a_completed_status(old, new):
    with pytest.raises(ConflictError, match="it is over"):
        require_transition("x", old, new)


@pytest.mark.parametrize("old", [s for s in Status if s not in COMPLETED])
@pytest.mark.parametrize("new", sorted(COMPLETED))
def test_every_open_status_can_end(old, new):
    require_transition("x", old, new)


def test_a_canceling_execution_does_not_run_again():
    with pytest.raises(ConflictError, match="is canceling and cannot become running"):
        require_transition("x", Status.CANCELING, Status.RUNNING)
