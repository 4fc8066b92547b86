"""Every pair of states: which change of a stage is allowed."""

import itertools

import pytest

from arteriole.app.errors import ConflictError
from arteriole.runfolder.states import TRANSITIONS, RunState, StageState, claimed_state

ALLOWED = {
    ("waiting", "running"),
    ("waiting", "failed"),
    ("running", "waiting"),
    ("running", "done"),
    ("running", "failed"),
    ("running", "skipped"),
    ("running", "held"),
    ("held", "waiting"),
    ("held", "done"),
    ("done", "waiting"),
    ("skipped", "waiting"),
    ("failed", "waiting"),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(StageState, repeat=2)))
def test_only_these_changes_are_allowed(claimed, old, new):
    assert (new in TRANSITIONS[old]) is ((old.value, new.value) in ALLOWED)
    run, stage = claimed.run, claimed.stage("convert")
    claimed.stages.write(run, stage, state=old.value)
    stage = claimed.stage("convert")
    if (old.value, new.value) in ALLOWED:
        claimed.stages._move(run, stage, new)
        assert claimed.stage("convert").state is new
        return
    with pytest.raises(ConflictError, match=f"convert of .* is {old.value}"):
        claimed.stages._move(run, stage, new)
    assert claimed.stage("convert").state is old


@pytest.mark.parametrize(
    ("stages", "held", "state"),
    [
        ("waiting", False, "pending"),
        ("done waiting", False, "started"),
        ("running waiting", False, "started"),
        ("skipped waiting", False, "started"),
        ("done done", False, "done"),
        ("done skipped", True, "done"),
        ("done failed", False, "error"),
        ("running failed", True, "error"),
        ("done waiting", True, "pending"),
        ("done held", False, "pending"),
        ("running held", False, "started"),
        ("failed held", False, "error"),
        ("running waiting", True, "pending"),
    ],
)
def test_the_state_of_a_run_follows_from_its_stages(stages, held, state):
    assert claimed_state([StageState(s) for s in stages.split()], held) is RunState(state)
