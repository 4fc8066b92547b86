"""Each operator under each of its spellings: the names and rules of st2common/operators.py."""

from datetime import UTC, datetime, timedelta

import pytest

from st2solo import operators
from st2solo.criteria import CriteriaError, Payload, matches

_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

#: st2common/operators.py function, spellings, value, pattern that is met, pattern that is not.
_TABLE = [
    ("match_wildcard", ["matchwildcard"], "run_A1", "run_*", "run_?"),
    ("match_regex", ["matchregex"], "a\nb", "a.b", "b"),
    ("regex", ["regex"], "xxabc", "ab+c", "^ab"),
    ("iregex", ["iregex"], "xxABC", "ab+c", "^ab"),
    ("equals", ["eq", "equals"], 5, 5, "5"),
    ("nequals", ["neq", "nequals"], "a", "b", "a"),
    ("iequals", ["ieq", "iequals"], "Ab", "aB", "b"),
    ("contains", ["contains"], "hello", "ell", "ELL"),
    ("icontains", ["icontains"], "hello", "ELL", "x"),
    ("ncontains", ["ncontains"], "hello", "ELL", "ell"),
    ("incontains", ["incontains"], "hello", "x", "ELL"),
    ("startswith", ["startswith"], "hello", "he", "HE"),
    ("istartswith", ["istartswith"], "hello", "HE", "lo"),
    ("endswith", ["endswith"], "hello", "lo", "LO"),
    ("iendswith", ["iendswith"], "hello", "LO", "he"),
    ("less_than", ["lt", "lessthan"], 3, 4, 3),
    ("greater_than", ["gt", "greaterthan"], 3, 2, 3),
    ("timediff_lt", ["td_lt", "timediff_lt"], _HOUR_AGO, 4000, 3000),
    ("timediff_gt", ["td_gt", "timediff_gt"], _HOUR_AGO, 3000, 4000),
    ("inside", ["in", "inside"], "b", ["a", "b"], ["a"]),
    ("ninside", ["nin", "ninside"], "b", ["a"], ["a", "b"]),
]
_ROWS = [(name, *row[2:]) for row in _TABLE for name in row[1]]


@pytest.mark.parametrize(
    ("name", "value", "met", "unmet"), _ROWS, ids=[str(row[0]) for row in _ROWS]
)
def test_each_spelling_compares(name, value, met, unmet):
    assert operators.OPERATORS[name](value, met) is True
    assert operators.OPERATORS[name](value, unmet) is False


@pytest.mark.parametrize("name", sorted({row[0] for row in _ROWS} - {"neq", "nequals"}))
def test_no_pattern_is_never_met(name):
    assert operators.OPERATORS[name]("anything", None) is False


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [("exists", 0, True), ("exists", None, False), ("nexists", None, True), ("nexists", 0, False)],
)
def test_existence_looks_at_the_value_only(name, value, met):
    assert operators.OPERATORS[name](value, True) is met


def test_there_are_24_operators_in_33_spellings():
    functions = {row[0] for row in _TABLE} | {"exists", "nexists", "search"}
    assert len(functions) == 24
    spellings = {name for row in _TABLE for name in row[1]} | {"exists", "nexists", "search"}
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


@pytest.mark.parametrize(
    ("condition", "pattern", "met"),
    [
        ("any", _BOTH, True),
        ("all", _BOTH, False),
        ("all2any", _BOTH, True),
        ("any2any", _BOTH, True),
        ("any2any", _NEITHER, False),
        ("all2any", _NEITHER, False),
    ],
)
def test_search_joins_items_and_criteria(condition, pattern, met):
    criteria = {"trigger.fields": {"type": "search", "condition": condition, "pattern": pattern}}
    assert matches(criteria, Payload.of_trigger({"fields": _FIELDS}, {})) is met


def test_search_with_an_unknown_condition_is_an_error():
    criteria = {"trigger.fields": {"type": "search", "condition": "some", "pattern": _BOTH}}
    with pytest.raises(CriteriaError, match="must be one of"):
        matches(criteria, Payload.of_trigger({"fields": _FIELDS}, {}))
