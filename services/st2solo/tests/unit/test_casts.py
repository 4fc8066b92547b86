"""A parameter's text in its declared type, row by row as StackStorm 3.9 casts it."""

import pytest

from st2solo.casts import cast
from st2solo.filters import NONE_MAGIC

#: The file of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/util/casts.py"


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("7", "integer", 7),
        (" 7 ", "integer", 7),
        ("1_000", "integer", 1000),
        (7.9, "integer", 7),
        (True, "integer", 1),
        (10**30, "integer", 10**30),
        ("1.5", "number", 1.5),
        ("1e5", "number", 100000.0),
        (1, "number", 1.0),
        ("inf", "number", float("inf")),
        (False, "number", 0.0),
        ("true", "boolean", True),
        ("TRUE", "boolean", True),
        ("FALSE", "boolean", False),
        ("none", "boolean", None),
        ("1", "boolean", 1),
        (True, "boolean", True),
        (0, "boolean", 0),
        ([], "boolean", []),
        ('{"a": 1}', "object", {"a": 1}),
        ("{'a': 1}", "object", {"a": 1}),
        ("5", "object", 5),
        ("null", "object", None),
        ("None", "object", None),
        ("True", "object", True),
        ({"a": 1}, "object", {"a": 1}),
        (5, "object", 5),
        ("[1, 2]", "array", [1, 2]),
        ("['a', None]", "array", ["a", None]),
        ("(1, 2)", "array", (1, 2)),
        ('{"a": 1}', "array", {"a": 1}),
        ([1], "array", [1]),
        ("x", "string", "x"),
        ("", "string", ""),
        ("5", "string", "5"),
        (None, "string", None),
        (None, "integer", None),
        (None, "array", None),
        (NONE_MAGIC, "string", None),
        (NONE_MAGIC, "object", None),
        (NONE_MAGIC, "array", None),
        (NONE_MAGIC, "boolean", None),
        (NONE_MAGIC, None, NONE_MAGIC),
        ("x", None, "x"),
        (5, None, 5),
        ("x", "unheard", "x"),
    ],
)
def test_cast(value, kind, expected):
    found = cast(value, {"type": kind} if kind else {})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind", "error"),
    [
        ("x", "integer", ValueError),
        ("7.9", "integer", ValueError),
        ("", "integer", ValueError),
        ([], "integer", TypeError),
        (NONE_MAGIC, "integer", TypeError),
        (NONE_MAGIC, "number", TypeError),
        ("x", "number", ValueError),
        ({}, "number", TypeError),
        (5, "string", ValueError),
        (True, "string", ValueError),
        (["a"], "string", ValueError),
        ("yes", "boolean", ValueError),
        ("", "boolean", SyntaxError),
        ("[", "array", SyntaxError),
        ("", "array", SyntaxError),
        ("a, b", "array", ValueError),
        ("abc", "object", ValueError),
        ("1+1", "object", ValueError),
        ("NaN", "object", ValueError),
        ("__import__('os')", "object", ValueError),
    ],
)
def test_what_does_not_fit_is_refused(value, kind, error):
    with pytest.raises(error):
        cast(value, {"type": kind})
