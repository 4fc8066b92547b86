"""Validation as StackStorm's: draft 4 with draft 3's `required`."""

import pytest

from st2solo.errors import InvalidError
from st2solo.schema import MASK, masked, merged_parameters, parameters_schema, validate

PARAMETERS = {
    "name": {"type": "string", "required": True},
    "count": {"type": "integer", "default": 1, "minimum": 1},
    "color": {"type": "string", "enum": ["red", "blue"]},
    "deep": {"type": "object", "properties": {"x": {"type": "string", "required": True}}},
    "any": {},
}


@pytest.mark.parametrize(
    "given",
    [
        {"name": "a"},
        {"name": "a", "count": 3, "color": None},
        {"name": "a", "color": "red", "any": [1]},
        {"name": "a", "deep": {"x": "y"}},
        {"name": "a", "deep": None},
    ],
)
def test_what_fits(given):
    assert validate(given, parameters_schema(PARAMETERS))["count"] in (1, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'name' is a required property"),
        ({"name": None}, "None is not of type 'string'"),
        ({"name": 5}, "5 is not of type 'string'"),
        ({"name": "a", "count": 0}, "less than the minimum"),
        ({"name": "a", "color": "green"}, "is not one of"),
        ({"name": "a", "deep": {}}, "'x' is a required property"),
        ({"name": "a", "other": 1}, "'other' was unexpected"),
    ],
)
def test_what_does_not_fit(given, message):
    with pytest.raises(InvalidError, match=message):
        validate(given, parameters_schema(PARAMETERS))


def test_an_action_without_parameters_takes_all():
    assert validate({"x": 1}, parameters_schema({})) == {"x": 1}


def test_the_action_overrides_parts_of_its_runner():
    merged = merged_parameters({"cmd": {"type": "string", "x": 1}}, {"cmd": {"immutable": True}})
    assert merged == {"cmd": {"type": "string", "x": 1, "immutable": True}}


def test_secrets_are_masked_at_every_depth():
    schema = {
        "a": {"secret": True},
        "b": {"properties": {"c": {"secret": True}}},
        "d": {"items": {"secret": True}},
    }
    given = {"a": "s", "b": {"c": "s", "e": 1}, "d": ["s"], "f": 1}
    assert masked(given, schema) == {"a": MASK, "b": {"c": MASK, "e": 1}, "d": [MASK], "f": 1}
