"""The functions of StackStorm 3.9, with values that it gives."""

import pytest

from st2solo import filters


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("from_json_string", ('{"a": [1]}',), {"a": [1]}),
        ("from_yaml_string", ("a: 1",), {"a": 1}),
        ("to_json_string", ({"a": (1, 2)},), '{"a": [1,2]}'),
        ("to_yaml_string", ({"a": 1},), "a: 1\n"),
        ("json_escape", ('a"b',), 'a\\"b'),
        ("jsonpath_query", ({"a": [{"b": 1}, {"b": 2}]}, "a[*].b"), [1, 2]),
        ("jsonpath_query", ({"a": 1}, "x"), None),
        ("to_complex", ([1],), "[1]"),
        ("use_none", (None,), filters.NONE_MAGIC),
        ("use_none", (0,), 0),
        ("regex_match", ("xabc", "abc"), False),
        ("regex_search", ("xABC", "abc", True), True),
        ("regex_replace", ("a-b", "-", "+"), "a+b"),
        ("regex_substring", ("a1b22", r"\d+", 1), "22"),
        ("to_human_time_from_seconds", (0,), "0s"),
        ("to_human_time_from_seconds", (59,), "59s"),
        ("to_human_time_from_seconds", (3725,), "1h2m5s"),
        ("to_human_time_from_seconds", (90061,), "1d1h1m1s"),
        ("version_compare", ("1.10.0", "1.9.0"), 1),
        ("version_compare", ("1.0.0-rc.1", "1.0.0"), -1),
        ("version_compare", ("1.0.0-rc.2", "1.0.0-rc.10"), -1),
        ("version_equal", ("1.0.0", "1.0.0+build"), True),
        ("version_more_than", ("2.0.0", "1.0.0"), True),
        ("version_less_than", ("2.0.0", "1.0.0"), False),
        ("version_match", ("1.2.3", ">=1.2.0"), True),
        ("version_match", ("1.2.3", "!=1.2.3"), False),
        ("version_bump_major", ("1.2.3",), "2.0.0"),
        ("version_bump_minor", ("1.2.3",), "1.3.0"),
        ("version_bump_patch", ("1.2.3",), "1.2.4"),
        ("version_strip_patch", ("1.2.3",), "1.2"),
        ("basename", ("/a/b",), "b"),
        ("dirname", ("/a/b",), "/a"),
    ],
)
def test_filter(name, arguments, expected):
    assert filters.FILTERS[name](*arguments) == expected


@pytest.mark.parametrize("text", ["1.2", "v1.2.3", "", "01.2.3"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="not valid SemVer"):
        filters.version_compare(text, "1.0.0")
