"""Identifiers."""

from st2solo.ids import is_id, new_id


def test_identifiers_differ_and_are_in_order():
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(is_id(one) for one in made)
    assert not is_id("../../etc/passwd")
    assert not is_id(made[0] + "\n")
