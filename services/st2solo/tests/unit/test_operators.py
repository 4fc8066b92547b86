"""Each operator under each of its spellings, row by row as StackStorm 3.9 answers."""

from datetime import UTC, datetime, timedelta

import pytest

from st2solo import operators
from st2solo.criteria import CriteriaError, Payload, matches

#: The file of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/operators.py"

_SPELLINGS = {
    "match_wildcard": ["matchwildcard"],
    "match_regex": ["matchregex"],
    "regex": ["regex"],
    "iregex": ["iregex"],
    "equals": ["eq", "equals"],
    "nequals": ["neq", "nequals"],
    "iequals": ["ieq", "iequals"],
    "contains": ["contains"],
    "icontains": ["icontains"],
    "ncontains": ["ncontains"],
    "incontains": ["incontains"],
    "startswith": ["startswith"],
    "istartswith": ["istartswith"],
    "endswith": ["endswith"],
    "iendswith": ["iendswith"],
    "less_than": ["lt", "lessthan"],
    "greater_than": ["gt", "greaterthan"],
    "timediff_lt": ["td_lt", "timediff_lt"],
    "timediff_gt": ["td_gt", "timediff_gt"],
    "exists": ["exists"],
    "nexists": ["nexists"],
    "inside": ["in", "inside"],
    "ninside": ["nin", "ninside"],
    "search": ["search"],
}
_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
_HOUR_AHEAD = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

#: Function, value, pattern, whether it is met, or the kind of error.
_ROWS = [
    ("match_wildcard", "run_A1", "run_*", True),
    ("match_wildcard", "run_A1", "run_?", False),
    ("match_wildcard", "run_A1", "run_[AB]1", True),
    ("match_wildcard", "run_A1", "RUN_*", False),
    ("match_wildcard", "a\nb", "a*b", True),
    ("match_wildcard", b"run_A1", "run_*", True),
    ("match_wildcard", "", "", True),
    ("match_wildcard", "", "*", True),
    ("match_wildcard", 5, "*", TypeError),
    ("match_wildcard", None, "*", TypeError),
    ("match_regex", "a\nb", "a.b", True),
    ("match_regex", "a\nb", "b", False),
    ("match_regex", "abc", "ab", True),
    ("match_regex", "abc", "", True),
    ("match_regex", b"abc", "abc", True),
    ("match_regex", "abc", "(", Exception),
    ("match_regex", 5, "5", TypeError),
    ("match_regex", None, "", TypeError),
    ("regex", "xxabc", "ab+c", True),
    ("regex", "xxabc", "^ab", False),
    ("regex", "a\nb", "a.b", False),
    ("regex", "ÄÖ", "Ä", True),
    ("regex", "abc", "(?i)ABC", True),
    ("regex", 5, "5", TypeError),
    ("iregex", "xxABC", "ab+c", True),
    ("iregex", "xxABC", "^ab", False),
    ("iregex", "ÄÖ", "ä", True),
    ("iregex", None, "a", TypeError),
    ("equals", 5, 5, True),
    ("equals", 5, "5", False),
    ("equals", 1, True, True),
    ("equals", 0, False, True),
    ("equals", 5, 5.0, True),
    ("equals", "", "", True),
    ("equals", b"abc", "abc", True),
    ("equals", "abc", b"abc", True),
    ("equals", [1, 2], [1, 2], True),
    ("equals", [1, 2], [2, 1], False),
    ("equals", {"a": {"b": 1}}, {"a": {"b": 1}}, True),
    ("equals", None, 0, False),
    ("nequals", "a", "b", True),
    ("nequals", "a", "a", False),
    ("nequals", "a", None, True),
    ("nequals", None, None, False),
    ("nequals", b"a", "a", False),
    ("nequals", 5, "5", True),
    ("iequals", "Ab", "aB", True),
    ("iequals", "Ab", "b", False),
    ("iequals", "ÄÖÜ", "äöü", True),
    ("iequals", "STRASSE", "straße", False),
    ("iequals", b"AB", "ab", True),
    ("iequals", 5, 5, AttributeError),
    ("iequals", None, "a", AttributeError),
    ("contains", "hello", "ell", True),
    ("contains", "hello", "ELL", False),
    ("contains", "hello", "", True),
    ("contains", [1, "a"], "a", True),
    ("contains", [1, "a"], "1", False),
    ("contains", {"a": 1}, "a", True),
    ("contains", {"a": 1}, 1, False),
    ("contains", b"hello", "ell", True),
    ("contains", "5", 5, TypeError),
    ("contains", None, "a", TypeError),
    ("icontains", "hello", "ELL", True),
    ("icontains", "hello", "x", False),
    ("icontains", ["A"], "a", AttributeError),
    ("ncontains", "hello", "ELL", True),
    ("ncontains", "hello", "ell", False),
    ("ncontains", [1, 2], 3, True),
    ("ncontains", None, "a", TypeError),
    ("incontains", "hello", "x", True),
    ("incontains", "hello", "ELL", False),
    ("startswith", "hello", "he", True),
    ("startswith", "hello", "HE", False),
    ("startswith", "hello", "", True),
    ("startswith", "hello", ("x", "he"), True),
    ("startswith", "hello", 5, TypeError),
    ("startswith", 5, "5", AttributeError),
    ("istartswith", "hello", "HE", True),
    ("istartswith", "hello", "lo", False),
    ("endswith", "hello", "lo", True),
    ("endswith", "hello", "LO", False),
    ("endswith", None, "o", AttributeError),
    ("iendswith", "hello", "LO", True),
    ("iendswith", "hello", "he", False),
    ("less_than", 3, 4, True),
    ("less_than", 3, 3, False),
    ("less_than", 3, 3.5, True),
    ("less_than", "10", "9", True),
    ("less_than", False, 1, True),
    ("less_than", [1], [1, 2], True),
    ("less_than", "3", 4, TypeError),
    ("less_than", None, 4, TypeError),
    ("greater_than", 3, 2, True),
    ("greater_than", 3, 3, False),
    ("greater_than", "b", "a", True),
    ("greater_than", {}, 1, TypeError),
    ("timediff_lt", _HOUR_AGO, 4000, True),
    ("timediff_lt", _HOUR_AGO, 3000, False),
    ("timediff_lt", _HOUR_AGO, "4000", True),
    ("timediff_lt", _HOUR_AHEAD, 0, True),
    ("timediff_lt", _HOUR_AGO, "soon", ValueError),
    ("timediff_lt", _HOUR_AGO, [], TypeError),
    ("timediff_gt", _HOUR_AGO, 3000, True),
    ("timediff_gt", _HOUR_AGO, 4000, False),
    ("timediff_gt", "2014-07-30 05:04:24.578325", 0, True),
    ("timediff_gt", "2014-07-30T05:04:24+02:00", 0, True),
    ("timediff_gt", "2014-07-30", 0, True),
    ("timediff_gt", "20140730T050424Z", 0, True),
    ("timediff_gt", "soon", 0, Exception),
    ("timediff_gt", None, 0, Exception),
    ("exists", 0, True, True),
    ("exists", "", False, True),
    ("exists", [], None, True),
    ("exists", None, True, False),
    ("nexists", None, True, True),
    ("nexists", None, None, True),
    ("nexists", 0, True, False),
    ("inside", "b", ["a", "b"], True),
    ("inside", "b", ["a"], False),
    ("inside", "b", "abc", True),
    ("inside", "b", {"b": 1}, True),
    ("inside", None, [None], True),
    ("inside", b"b", ["b"], True),
    ("inside", 5, "5", TypeError),
    ("inside", [1], {"a": 1}, TypeError),
    ("inside", 5, 5, TypeError),
    ("ninside", "b", ["a"], True),
    ("ninside", "b", ["a", "b"], False),
    ("ninside", None, [], True),
    ("ninside", 5, 5, TypeError),
]
_EACH = [(name, *row) for row in _ROWS for name in _SPELLINGS[row[0]]]


@pytest.mark.parametrize(
    ("name", "function", "value", "pattern", "expected"),
    _EACH,
    ids=[f"{n}-{name}" for n, (name, *_) in enumerate(_EACH)],
)
def test_compared_as_by(name, function, value, pattern, expected):
    compare = operators.OPERATORS[name]
    if isinstance(expected, bool):
        assert compare(value, pattern) is expected
    else:
        with pytest.raises(expected):
            compare(value, pattern)


@pytest.mark.parametrize(
    "name", sorted(operators.NAMES - {"neq", "nequals", "exists", "nexists", "search"})
)
def test_no_pattern_is_never_met(name):
    assert operators.OPERATORS[name]("anything", None) is False
    assert operators.OPERATORS[name](None, None) is False


def test_there_are_24_operators_in_33_spellings():
    assert len(_SPELLINGS) == 24
    assert {row[0] for row in _ROWS} | {"search"} == set(_SPELLINGS)
    spellings = {name for names in _SPELLINGS.values() for name in names}
    assert spellings == operators.NAMES
    assert len(spellings) == 33


_FIELDS = [{"name": "Status", "to": "Approved"}, {"name": "Lane", "to": "Approved"}]
_BOTH = {
    "item.name": {"type": "equals", "pattern": "Status"},
    "item.to": {"type": "equals", "pattern": "Approved"},
}
_NEITHER = {
    "item.name": {"type": "equals", "pattern": "x"},
    "item.to": {"type": "equals", "pattern": "y"},
}
_TWICE = {
    "item.name#1": {"type": "startswith", "pattern": "S"},
    "item.name#2": {"type": "endswith", "pattern": "s"},
}


@pytest.mark.parametrize(
    ("fields", "condition", "pattern", "met"),
    [
        (_FIELDS, "any", _BOTH, True),
        (_FIELDS, "all", _BOTH, False),
        (_FIELDS, "all2any", _BOTH, True),
        (_FIELDS, "any2any", _BOTH, True),
        (_FIELDS, "any2any", _NEITHER, False),
        (_FIELDS, "all2any", _NEITHER, False),
        (_FIELDS, "any", _TWICE, True),
        (_FIELDS[0], "all", _BOTH, True),  # an object is a list of one
        ([], "all", _BOTH, True),
        ([], "any", _BOTH, False),
        (_FIELDS, "all", {}, True),
        (_FIELDS, "any2any", {}, False),
    ],
)
def test_search_joins_items_and_criteria(fields, condition, pattern, met):
    criteria = {"trigger.fields": {"type": "search", "condition": condition, "pattern": pattern}}
    assert matches(criteria, Payload.of_trigger({"fields": fields}, {})) is met


@pytest.mark.parametrize("condition", ["some", None, "ANY", ""])
def test_search_with_an_unknown_condition_is_an_error(condition):
    criteria = {"trigger.fields": {"type": "search", "condition": condition, "pattern": _BOTH}}
    with pytest.raises(CriteriaError):
        matches(criteria, Payload.of_trigger({"fields": _FIELDS}, {}))


def test_a_criterion_within_a_search_that_fails_is_told_and_not_met():
    kid = {"item.n": {"type": "gt", "pattern": 3}}
    criteria = {"trigger.fields": {"type": "search", "condition": "any", "pattern": kid}}
    told = []
    payload = Payload.of_trigger({"fields": [{"name": "no n"}, {"n": 5}]}, {})
    assert matches(criteria, payload, told.append) is True
    assert len(told) == 1
