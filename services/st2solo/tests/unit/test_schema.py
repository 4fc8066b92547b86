"""Validation, row by row as StackStorm 3.9's: draft 4 with draft 3's `required`."""

import pytest

from st2solo.errors import InvalidError
from st2solo.schema import MASK, masked, merged_parameters, parameters_schema, validate

#: The file of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/util/schema/__init__.py"

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
        {"name": "a", "count": 3},
        {"name": "a", "count": None},
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
        ({"name": "a", "color": None}, "None is not one of"),
        ({"name": "a", "deep": {}}, "'x' is a required property"),
        ({"name": "a", "other": 1}, "'other' was unexpected"),
    ],
)
def test_what_does_not_fit(given, message):
    with pytest.raises(InvalidError, match=message):
        validate(given, parameters_schema(PARAMETERS))


_NESTED = {"type": "object", "properties": {"b": {"type": "integer", "default": 5}}}
_ITEMS = {"type": "object", "properties": {"b": {"type": "integer", "default": 7}}}
_EITHER = [{"type": "string"}, {"type": "integer"}]

#: The schema of the property `a`, the instance, the instance with its defaults or what is told.
_ROWS = [
    ({}, {"a": "x"}, {"a": "x"}),
    ({}, {"a": 1}, "1 is not of type 'string'"),  # what names no type is a text
    ({"default": 1}, {"a": [1, None]}, {"a": [1, None]}),
    ({"type": "string"}, {}, {}),
    ({"type": "string"}, {"a": None}, {"a": None}),
    ({"type": "string", "required": True}, {}, "'a' is a required property"),
    ({"type": "string", "required": True}, {"a": None}, "None is not of type 'string'"),
    ({"type": "string", "required": True, "default": "x"}, {}, {"a": "x"}),
    ({"type": "string", "default": "x"}, {"a": None}, {"a": "x"}),
    ({"type": "string", "default": None}, {}, {"a": None}),
    ({"type": "integer", "default": "x"}, {}, "'x' is not of type 'integer'"),
    ({"type": "integer"}, {"a": "1"}, "'1' is not of type 'integer'"),
    ({"type": "integer"}, {"a": True}, "True is not of type 'integer'"),
    ({"type": "number"}, {"a": 1}, {"a": 1}),
    ({"type": "boolean"}, {"a": 1}, "1 is not of type 'boolean'"),
    ({"type": ["string", "integer"]}, {"a": None}, {"a": None}),
    ({"anyOf": _EITHER}, {"a": None}, {"a": None}),
    ({"anyOf": _EITHER}, {"a": []}, "is not valid under any of the given schemas"),
    ({"anyOf": _EITHER, "maximum": 6}, {"a": 7}, "7 is greater than the maximum of 6"),
    ({"anyOf": _EITHER, "maximum": 6}, {"a": "7"}, {"a": "7"}),
    ({"oneOf": _EITHER}, {"a": 1}, {"a": 1}),
    ({"enum": ["x", 1], "required": True}, {"a": 1}, {"a": 1}),
    ({"enum": ["x", 1], "required": True}, {"a": True}, "True is not one of"),
    ({"enum": ["x", 1], "default": None}, {}, "None is not one of"),
    ({"type": "string", "pattern": "^x"}, {"a": "yx"}, "does not match"),
    ({"type": "string", "minLength": 1}, {"a": ""}, ""),
    ({"type": "string", "format": "date-time"}, {"a": "soon"}, {"a": "soon"}),
    ({"type": "array", "items": {"type": "integer"}}, {"a": ["x"]}, "'x' is not of type"),
    ({"type": "array", "items": {"type": "integer", "default": 3}}, {"a": [None]}, {"a": [3]}),
    ({"type": "array", "items": _ITEMS}, {"a": [{}, {"b": 1}]}, {"a": [{"b": 7}, {"b": 1}]}),
    ({"type": "array", "uniqueItems": True}, {"a": [1, 1]}, "non-unique"),
    (_NESTED, {"a": {}}, {"a": {"b": 5}}),
    (_NESTED, {"a": {"b": None}}, {"a": {"b": 5}}),
    (_NESTED, {"a": None}, {"a": None}),
    (_NESTED, {}, {}),
    ({"properties": {"b": {"default": 4}}, "required": True}, {"a": {}}, {"a": {}}),
    ({"type": "object", "additionalProperties": False}, {"a": {"x": 1}}, "'x' was unexpected"),
    ({"type": "any"}, {"a": 1}, "any"),
    ({"type": "integer"}, {"z": 1}, "'z' was unexpected"),
]


@pytest.mark.parametrize(("prop", "instance", "expected"), _ROWS, ids=range(len(_ROWS)))
def test_row(prop, instance, expected):
    whole = {"type": "object", "properties": {"a": prop}, "additionalProperties": False}
    if isinstance(expected, str):
        with pytest.raises(InvalidError) as caught:
            validate(instance, whole)
        assert expected in str(caught.value)
    else:
        assert validate(instance, whole) == expected


def test_a_default_waits_for_what_it_depends_on():
    whole = {
        "type": "object",
        "properties": {"a": {"default": 1}, "b": {"type": "integer"}},
        "dependencies": {"a": ["b"]},
    }
    assert validate({}, whole) == {}
    assert validate({"b": 2}, whole) == {"a": 1, "b": 2}


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


_PIN = {"type": "string", "maxLength": 3, "secret": True}
_HOLDS = {"type": "object", "properties": {"user": {"type": "integer"}, "pin": _PIN}}

#: The schema of the property `a`, an instance that does not fit, what is told.
_SECRETS = [
    (_PIN, "s3cret", "a secret does not fit its maxLength (parameter a)"),
    (_PIN, {"s3cret": 1}, "a secret does not fit its type (parameter a)"),
    ({"type": "any", "secret": True}, "s3cret", "there is no type 'any'"),
    ({**_NESTED, "secret": True}, {"b": "s3cret"}, "a secret does not fit its type (parameter a)"),
    (
        {**_NESTED, "secret": True, "additionalProperties": False},
        {"s3cret": 1},
        "a secret does not fit its additionalProperties (parameter a)",
    ),
    (_HOLDS, "s3cret", "a secret does not fit its type (parameter a)"),
    (_HOLDS, {"pin": "s3cret"}, "a secret does not fit its maxLength (parameter a.pin)"),
    (_HOLDS, {"pin": "s3cret", "user": "me"}, "(parameter a.user)"),
    ({"type": "array", "items": _PIN}, ["s3cret"], "fit its maxLength (parameter a.0)"),
    ({"type": "array", "items": [_PIN]}, ["s3cret"], "a secret does not fit"),
    (
        {"type": "array", "items": _PIN, "uniqueItems": True},
        ["s3c", "s3c"],
        "a secret does not fit its uniqueItems (parameter a)",
    ),
    (
        {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"pin": _PIN}}]},
        {"pin": "s3cret"},
        "a secret does not fit its anyOf (parameter a)",
    ),
    ({"type": "object", "additionalProperties": _PIN}, {"x": "s3cret"}, "a secret does not fit"),
]


@pytest.mark.parametrize(("prop", "value", "told"), _SECRETS, ids=range(len(_SECRETS)))
def test_no_error_tells_a_secret(prop, value, told):
    with pytest.raises(InvalidError) as caught:
        validate({"a": value}, {"type": "object", "properties": {"a": prop}})
    error = caught.value
    assert told in str(error)
    assert "s3c" not in str(error)
    assert error.__suppress_context__


def test_what_is_missing_beside_a_secret_is_named():
    schema = parameters_schema({"pin": _PIN, "name": {"type": "string", "required": True}})
    for given, told in (({}, "'name' is a required property"), ({"name": "a", "x": 1}, "'x' was")):
        with pytest.raises(InvalidError, match=told):
            validate(given, schema)
