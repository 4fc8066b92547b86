"""The functions that StackStorm 3.9 adds to Jinja and workflows, with values that it gives."""

import pytest

from st2solo import filters

#: The files of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/expressions/functions/{data,path,regex,time,version}.py"

_TREE = {"a": [{"b": 1}, {"b": 2}, {"c": None}], "x": {"y": [1, 2, 3]}, "n": None, "f": False}

#: Function, arguments, result.
_ROWS = [
    ("from_json_string", ('{"a": [1]}',), {"a": [1]}),
    ("from_json_string", (5,), 5),
    ("from_json_string", ("null",), None),
    ("from_json_string", ("12345678901234567890123",), 1.2345678901234568e22),
    ("from_yaml_string", ("a: 1",), {"a": 1}),
    ("from_yaml_string", ("on",), True),
    ("from_yaml_string", ("017",), 15),
    ("from_yaml_string", ("1:30",), 90),
    ("from_yaml_string", ("~",), None),
    ("from_yaml_string", ("",), None),
    ("from_yaml_string", (None,), "None"),
    ("from_yaml_string", ("a: 1\na: 2",), {"a": 2}),
    ("from_yaml_string", ("a: &x [1]\nb: *x",), {"a": [1], "b": [1]}),
    ("from_yaml_string", ("é: ü",), {"é": "ü"}),
    ("to_json_string", ({"a": [1, 2]},), '{"a": [1,2]}'),
    ("to_json_string", ({"a": (1, 2)},), '{"a": [1,2]}'),
    ("to_json_string", ({"b": 1, "a": 2}, None, True), '{"a": 2,"b": 1}'),
    ("to_json_string", ({"b": 1, "a": 2}, None, None), '{"b": 1,"a": 2}'),
    ("to_json_string", ({"a": [1]}, 2), '{\n  "a": [\n    1\n  ]\n}'),
    ("to_json_string", ({"a": 1}, None, False, (",", ":")), '{"a":1}'),
    ("to_json_string", ({"a": [1, 2]}, None, False, None), '{"a": [1, 2]}'),
    ("to_json_string", ("äö",), '"\\u00e4\\u00f6"'),
    ("to_json_string", ({1: 2},), '{"1": 2}'),
    ("to_json_string", (None,), "null"),
    ("to_yaml_string", ({"a": 1},), "a: 1\n"),
    ("to_yaml_string", ({"b": [1, {"c": None}], "a": 1},), "a: 1\nb:\n- 1\n- c: null\n"),
    ("to_yaml_string", ({"a": {"b": 1}}, 4), "a:\n    b: 1\n"),
    ("to_yaml_string", (5,), "5\n"),
    ("to_yaml_string", ("abc",), "abc\n"),
    ("to_yaml_string", ("yes",), "'yes'\n"),
    ("to_yaml_string", ("äö",), "äö\n"),
    ("to_yaml_string", ("äö", None, False), '"\\xE4\\xF6"\n'),
    ("to_yaml_string", ([],), "[]\n"),
    ("to_yaml_string", (None,), "null\n"),
    ("json_escape", ('a"b',), 'a\\"b'),
    ("json_escape", ("tab\t",), "tab\\t"),
    ("json_escape", ('"quoted"',), '\\"quoted\\'),
    ("json_escape", ("é",), "\\u00e9"),
    ("json_escape", (5,), "5"),
    ("json_escape", ([1, "a"],), '[1, "a"]'),
    ("jsonpath_query", (_TREE, "a[*].b"), [1, 2]),
    ("jsonpath_query", (_TREE, "a[0].b"), [1]),
    ("jsonpath_query", (_TREE, "a[2].c"), [None]),
    ("jsonpath_query", (_TREE, "x.y[0:2]"), [1, 2]),
    ("jsonpath_query", (_TREE, "x.y"), [[1, 2, 3]]),
    ("jsonpath_query", (_TREE, "f"), [False]),
    ("jsonpath_query", (_TREE, "n"), [None]),
    ("jsonpath_query", (_TREE, "a[9]"), None),
    ("jsonpath_query", (_TREE, "q"), None),
    ("jsonpath_query", ({"é": 1}, "'é'"), [1]),
    ("jsonpath_query", ([1, 2], "[*]"), [1, 2]),
    ("jsonpath_query", ("text", "a"), None),
    ("jsonpath_query", (None, "a"), None),
    ("to_complex", ([1],), "[1]"),
    ("to_complex", ("a",), '"a"'),
    ("to_complex", ({"é": None},), '{"\\u00e9": null}'),
    ("use_none", (None,), filters.NONE_MAGIC),
    ("use_none", (0,), 0),
    ("use_none", ("",), ""),
    ("regex_match", ("xabc", "abc"), False),
    ("regex_match", ("abcx", "abc"), True),
    ("regex_match", ("ABC", "abc", True), True),
    ("regex_match", ("abc", ""), True),
    ("regex_match", (5, "5"), True),
    ("regex_match", (None, "None"), True),
    ("regex_match", ([1, "a"], r"\[1, 'a'\]"), True),
    ("regex_search", ("xabc", "abc"), True),
    ("regex_search", ("xABC", "abc", True), True),
    ("regex_search", ("xABC", "abc"), False),
    ("regex_search", ("a\nb", "a.b"), False),
    ("regex_replace", ("a-b", "-", "+"), "a+b"),
    ("regex_replace", ("ab", "(a)(b)", r"\2\1"), "ba"),
    ("regex_replace", ("aXb", "x", "-", True), "a-b"),
    ("regex_replace", ("abc", "", "-"), "-a-b-c-"),
    ("regex_replace", (5, "5", "6"), "6"),
    ("regex_substring", ("a1b22", r"\d+"), "1"),
    ("regex_substring", ("a1b22", r"\d+", 1), "22"),
    ("regex_substring", ("a1b22", r"\d+", -1), "22"),
    ("regex_substring", ("ABC", "b", 0, True), "B"),
    ("regex_substring", ("abc", "(a)(b)"), ("a", "b")),
    ("to_human_time_from_seconds", (0,), "0s"),
    ("to_human_time_from_seconds", (0.4,), "0.4μs"),
    ("to_human_time_from_seconds", (-3600,), "-3600μs"),
    ("to_human_time_from_seconds", (1.5,), "2s"),
    ("to_human_time_from_seconds", (59.5,), "1m0s"),
    ("to_human_time_from_seconds", (59,), "59s"),
    ("to_human_time_from_seconds", (60,), "1m0s"),
    ("to_human_time_from_seconds", (3725,), "1h2m5s"),
    ("to_human_time_from_seconds", (86400,), "1d0h0m0s"),
    ("to_human_time_from_seconds", (90061,), "1d1h1m1s"),
    ("to_human_time_from_seconds", (31536001,), "1y0d0h0m1s"),
    ("to_human_time_from_seconds", (True,), "1s"),
    ("version_compare", ("1.10.0", "1.9.0"), 1),
    ("version_compare", ("1.0.0-rc.1", "1.0.0"), -1),
    ("version_compare", ("1.0.0-rc.2", "1.0.0-rc.10"), -1),
    ("version_compare", ("1.0.0-alpha", "1.0.0-1"), 1),
    ("version_compare", ("1.0.0-alpha", "1.0.0-alpha.beta"), -1),
    ("version_compare", ("1.0.0+a", "1.0.0+b"), 0),
    ("version_equal", ("1.0.0", "1.0.0+build"), True),
    ("version_equal", ("1.0.0", "1.0.0-0"), False),
    ("version_more_than", ("2.0.0", "1.0.0"), True),
    ("version_more_than", ("1.0.0", "1.0.0"), False),
    ("version_less_than", ("2.0.0", "1.0.0"), False),
    ("version_less_than", ("1.0.0-rc.1", "1.0.0"), True),
    ("version_match", ("1.2.3", ">=1.2.0"), True),
    ("version_match", ("1.2.3", "!=1.2.3"), False),
    ("version_match", ("1.2.3", "<2.0.0"), True),
    ("version_match", ("1.2.3", "==1.2.3"), True),
    ("version_match", ("1.2.3", "1.2.3"), True),
    ("version_bump_major", ("1.2.3",), "2.0.0"),
    ("version_bump_minor", ("1.2.3",), "1.3.0"),
    ("version_bump_patch", ("1.2.3",), "1.2.4"),
    ("version_bump_patch", ("1.0.0-rc.1",), "1.0.1"),
    ("version_bump_patch", ("1.0.0+build",), "1.0.1"),
    ("version_strip_patch", ("1.2.3-rc.1+b",), "1.2"),
    ("basename", ("/a/b",), "b"),
    ("basename", ("/a/b/",), ""),
    ("basename", ("C:\\x",), "C:\\x"),
    ("basename", ("",), ""),
    ("dirname", ("/a/b",), "/a"),
    ("dirname", ("/a/b/",), "/a/b"),
    ("dirname", ("a",), ""),
]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    _ROWS,
    ids=[f"{n}-{name}" for n, (name, *_) in enumerate(_ROWS)],
)
def test_gives(name, arguments, expected):
    found = filters.FILTERS[name](*arguments)
    assert found == expected
    assert type(found) is type(expected)


#: Function, arguments, kind of error.
_ERRORS = [
    ("from_json_string", ("x",), ValueError),
    ("from_json_string", (None,), ValueError),
    ("from_json_string", ("NaN",), ValueError),
    ("from_json_string", ('{"a": 1e400}',), ValueError),
    ("from_yaml_string", ("a: b: c",), Exception),
    ("from_yaml_string", ("a: !!python/object:os.system x",), Exception),
    ("from_yaml_string", ("*a",), Exception),
    ("to_json_string", ({"a": {1}},), TypeError),
    ("to_json_string", (b"a",), TypeError),
    ("to_json_string", ({(1, 2): 3},), TypeError),
    ("json_escape", ({1},), TypeError),
    ("to_complex", ({1},), TypeError),
    ("jsonpath_query", (_TREE, "["), Exception),
    ("jsonpath_query", (_TREE, ""), Exception),
    ("jsonpath_query", (_TREE, None), Exception),
    ("jsonpath_query", ({"é": 1}, "é"), Exception),
    ("regex_match", ("a", "("), Exception),
    ("regex_match", ("a", None), TypeError),
    ("regex_replace", ("a", "a", r"\9"), Exception),
    ("regex_replace", ("a", "a", None), TypeError),
    ("regex_substring", ("abc", "z"), IndexError),
    ("regex_substring", ("abc", "a", 9), IndexError),
    ("to_human_time_from_seconds", ("5",), Exception),
    ("to_human_time_from_seconds", (None,), Exception),
    ("to_human_time_from_seconds", (10**12,), OverflowError),
    ("version_match", ("1.2.3", "~1.2.3"), ValueError),
    ("version_match", ("1.2.3", ">= 1.2.0"), ValueError),
    ("version_match", ("1.2.3", ""), ValueError),
    ("version_bump_major", (None,), TypeError),
    ("version_compare", ("1.2.3", None), TypeError),
    ("basename", (None,), TypeError),
    ("dirname", (5,), TypeError),
]


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    _ERRORS,
    ids=[f"{n}-{name}" for n, (name, *_) in enumerate(_ERRORS)],
)
def test_refuses(name, arguments, error):
    with pytest.raises(error):
        filters.FILTERS[name](*arguments)


@pytest.mark.parametrize(
    "text",
    ["1.2", "v1.2.3", "", "01.2.3", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.0.0-01", " 1.2.3"],
)
def test_what_is_no_version_is_refused(text):
    for compare in (filters.FILTERS["version_compare"], filters.FILTERS["version_match"]):
        with pytest.raises(ValueError, match="not valid SemVer"):
            compare(text, "1.0.0")


def test_there_are_24_functions_beside_decrypt_kv():
    assert len(filters.FILTERS) == 24
    assert {row[0] for row in _ROWS} == set(filters.FILTERS)
