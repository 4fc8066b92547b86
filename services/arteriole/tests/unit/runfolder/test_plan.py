"""Plans: what is refused, and the order of their stages."""

import pytest
from pydantic import ValidationError

from arteriole.app.errors import InvalidError
from arteriole.runfolder.plan import Plan

from .conftest import PLAN


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ({}, "at least 1"),
        ({"a": {"after": ["b"]}}, "a is after b, which is no stage of the plan"),
        ({"a": {"after": ["b"]}, "b": {"after": ["a"]}}, "wait for each other"),
        ({"a": {"after": ["a"]}}, "wait for each other"),
        ({"a": {"time_limit": 0}}, "greater than or equal to 1"),
        ({"a": {"before": []}}, "Extra inputs"),
        ({f"s{n}": {} for n in range(51)}, "at most 50"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(stages, says):
    with pytest.raises(ValidationError, match=says):
        Plan(stages=stages)


@pytest.mark.parametrize("name", ["<% x %>", "a/b", "", ".."])
@pytest.mark.parametrize("place", ["stage", "after"])
def test_the_name_of_a_stage_is_an_identifier(name, place):
    stages = {name: {}} if place == "stage" else {"a": {"after": [name]}}
    with pytest.raises(InvalidError):
        Plan(stages=stages)


def test_each_stage_comes_behind_those_it_is_after():
    order = Plan(stages=PLAN).order()
    assert sorted(order) == sorted(PLAN)
    for name, stage in PLAN.items():
        assert all(order.index(name) > order.index(before) for before in stage.get("after", []))


@pytest.mark.parametrize(
    ("first", "stages"),
    [
        ("tell", {"tell"}),
        ("transfer", {"transfer", "tell"}),
        ("checksum", {"checksum", "transfer", "archive", "tell"}),
        ("receive", set(PLAN)),
    ],
)
def test_what_comes_after_a_stage(first, stages):
    assert Plan(stages=PLAN).from_stage(first) == stages
