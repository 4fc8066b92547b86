"""Keys and patterns of criteria, as st2reactor/rules/filter.py reads them."""

import pytest

from st2solo.criteria import CriteriaError, Payload, matches

_PAYLOAD = {"run": {"name": "A1", "lanes": [{"n": 4}]}, "count": 3, "wanted": 3, "null": None}


@pytest.mark.parametrize(
    ("key", "criterion", "met"),
    [
        ("trigger.run.name", {"type": "eq", "pattern": "A1"}, True),
        ("trigger.run.lanes[0].n", {"type": "gt", "pattern": 3}, True),
        ("trigger.count#again", {"type": "lt", "pattern": 4}, True),
        ("trigger.count", {"type": "eq", "pattern": "{{trigger.wanted}}"}, True),
        ("trigger.count", {"type": "eq", "pattern": "{{ trigger.wanted + 1 }}"}, False),
        ("trigger.run.name", {"type": "eq", "pattern": "A{{trigger.count - 2}}"}, True),
        ("trigger.missing", {"type": "exists", "pattern": True}, False),
        ("trigger.missing", {"type": "nexists", "pattern": True}, True),
        ("trigger.null", {"type": "exists", "pattern": True}, False),
        ("trigger.run.name", {"pattern": "A1"}, False),
    ],
)
def test_criterion(key, criterion, met):
    assert matches({key: criterion}, Payload.of_trigger(_PAYLOAD, {})) is met


@pytest.mark.parametrize(
    ("key", "criterion", "told"),
    [
        ("trigger.count", {"type": "eq", "pattern": "{{trigger.nothing.at.all}}"}, "render"),
        ("trigger.count", {"type": "eq", "pattern": "{{''.__class__.__mro__}}"}, "render"),
        ("trigger..[", {"type": "eq", "pattern": 1}, "criteria key"),
        ("trigger.count", {"type": "startswith", "pattern": "x"}, "cannot be compared"),
        ("trigger.run.name", {"type": "lt", "pattern": 4}, "cannot be compared"),
        ("trigger.run.name", {"type": "td_lt", "pattern": 4}, "ISO 8601"),
        ("trigger.run.name", {"type": "regex", "pattern": "("}, "cannot be compared"),
    ],
)
def test_what_cannot_be_evaluated_is_told(key, criterion, told):
    with pytest.raises(CriteriaError, match=told):
        matches({key: criterion}, Payload.of_trigger(_PAYLOAD, {}))
