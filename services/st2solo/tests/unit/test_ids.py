"""Identifiers."""

from st2solo.ids import is_id, new_id
from st2solo.policy_types import POLICY_TYPES
from st2solo.runner_types import RUNNER_TYPES


def test_identifiers_differ_and_are_in_order():
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(is_id(one) for one in made)
    assert not is_id("../../etc/passwd")
    assert not is_id(made[0] + "\n")


def test_what_has_no_row_has_an_identifier_of_its_own():
    kinds = [*RUNNER_TYPES.values(), *POLICY_TYPES.values()]
    ids = {kind.document()["id"] for kind in kinds}
    assert len(ids) == len(kinds) and all(map(is_id, ids))
