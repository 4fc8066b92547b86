"""st2common/util/casts.py of StackStorm 3.9, row by row."""

import pytest

from st2solo.casts import cast
from st2solo.filters import NONE_MAGIC


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("7", "integer", 7),
        (7.9, "integer", 7),
        ("1.5", "number", 1.5),
        ("true", "boolean", True),
        ("FALSE", "boolean", False),
        (True, "boolean", True),
        ('{"a": 1}', "object", {"a": 1}),
        ("{'a': 1}", "object", {"a": 1}),
        ("[1, 2]", "array", [1, 2]),
        ([1], "array", [1]),
        ("x", "string", "x"),
        (None, "string", None),
        (NONE_MAGIC, "integer", None),
        (NONE_MAGIC, "string", None),
        ("x", None, "x"),
        ("x", "unheard", "x"),
    ],
)
def test_cast(value, kind, expected):
    assert cast(value, {"type": kind} if kind else {}) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x", "integer"), (5, "string"), ("yes", "boolean"), ("[", "array"), ("abc", "object")],
)
def test_what_does_not_fit_is_refused(value, kind):
    with pytest.raises((ValueError, SyntaxError)):
        cast(value, {"type": kind})
