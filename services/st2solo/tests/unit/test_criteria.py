"""Keys and patterns of criteria, row by row as StackStorm 3.9 reads them."""

import pytest

from st2solo import jinja
from st2solo.criteria import CriteriaError, Payload, matches
from st2solo.testing import MemoryKeys

#: The files of StackStorm whose behaviour the rows give.
SOURCE = "st2reactor/st2reactor/rules/filter.py, st2common/st2common/util/payload.py"

_PAYLOAD = {
    "run": {"name": "A1", "lanes": [{"n": 4}, {"n": 5}], "none": []},
    "count": 3,
    "wanted": 3,
    "digits": "3",
    "null": None,
    "flag": True,
    "text": "abc",
    "list": [1, "a"],
    "map": {"k": "v"},
    "a b": 1,
    "é": "ü",
    "template": "{{ x }}",
}


@pytest.fixture
def payload():
    keys = MemoryKeys(site="lund", port="80")
    return Payload.of_trigger(_PAYLOAD, jinja.kv_context(keys, "stanley"))


def _equal(pattern):
    return {"type": "eq", "pattern": pattern}


@pytest.mark.parametrize(
    ("key", "criterion", "met"),
    [
        # keys
        ("trigger.run.name", _equal("A1"), True),
        ("trigger.run.lanes[0].n", {"type": "gt", "pattern": 3}, True),
        ("trigger.run.lanes[*].n", _equal(4), True),  # the first of several
        ("trigger.run.lanes[1].n", _equal(5), True),
        ("trigger.run.none", _equal([]), True),
        ("trigger.*", {"type": "exists", "pattern": True}, True),
        ("trigger..n", {"type": "exists", "pattern": True}, True),
        ("$.trigger.count", _equal(3), True),
        ("trigger.'a b'", _equal(1), True),
        ("trigger.'é'", _equal("ü"), True),
        ("trigger.count#again", {"type": "lt", "pattern": 4}, True),
        ("trigger.count#a.b#c", _equal(3), True),
        ("trigger.missing", {"type": "exists", "pattern": True}, False),
        ("trigger.missing", {"type": "nexists", "pattern": True}, True),
        ("trigger.missing", {"type": "neq", "pattern": 1}, True),
        ("trigger.run.missing.x", {"type": "nexists", "pattern": True}, True),
        ("trigger.list[9]", {"type": "nexists", "pattern": True}, True),
        ("trigger.null", {"type": "exists", "pattern": True}, False),
        ("count", {"type": "exists", "pattern": True}, False),
        # patterns
        ("trigger.count", _equal("{{trigger.wanted}}"), True),
        ("trigger.count", _equal("{{  trigger.wanted  }}"), True),
        ("trigger.count", _equal("{{trigger.digits}}"), False),
        ("trigger.digits", _equal("{{trigger.digits}}"), True),
        ("trigger.digits", _equal("{{trigger.count}}"), False),
        ("trigger.flag", _equal("{{trigger.flag}}"), True),
        ("trigger.list", _equal("{{trigger.list}}"), True),
        ("trigger.map", _equal("{{ {'k': 'v'} }}"), True),
        ("trigger.null", _equal("{{trigger.null}}"), False),
        ("trigger.count", {"type": "in", "pattern": "{{ [1, 3] }}"}, True),
        ("trigger.count", _equal("3"), False),
        ("trigger.digits", _equal("{% if trigger.flag %}3{% endif %}"), True),
        ("trigger.run.name", _equal("A{{1}}"), True),
        ("trigger.text", _equal("{{ trigger.text }}{{ trigger.digits }}"), False),
        ("trigger.count", _equal("{% if true %}{{ 1 }}{% endif %}{{ 2 }}"), False),
        ("trigger.wanted", {"type": "lt", "pattern": "{{ 1 }}{{ 2 }}"}, True),  # 12, not a text
        ("trigger.text", _equal("{{ trigger.text }}"), True),
        ("trigger.template", _equal("{{trigger.template}}"), True),
        ("trigger.text", _equal("{# no #}abc"), True),
        ("trigger.text", _equal("ab{{ 'c' }}"), True),
        ("trigger.run.name", {"type": "neq", "pattern": "{{st2kv.system.site | string}}"}, True),
        ("trigger.text", {"type": "neq", "pattern": "in {{st2kv.system.site | string}}"}, True),
        ("trigger.count", {"type": "lt", "pattern": "{{ st2kv.system.port | int }}"}, True),
        ("trigger.text", _equal(""), False),
        ("trigger.map", _equal({"k": "v"}), True),
        ("trigger.map", _equal({"k": "{{trigger.map.k}}"}), False),  # only texts are rendered
        ("trigger.count", {"type": "EQ", "pattern": 3}, True),
        ("trigger.run.name", {"pattern": "A1"}, False),
        ("trigger.count", {"type": "eq"}, False),
        ("trigger.count", {"type": "neq"}, True),
    ],
)
def test_criterion(key, criterion, met, payload):
    assert matches({key: criterion}, payload) is met


@pytest.mark.parametrize(
    ("key", "criterion", "told"),
    [
        ("trigger.count", _equal("{{trigger.nothing.at.all}}"), "render"),
        ("trigger.count", _equal("{{trigger.nothing}}"), "render"),
        ("trigger.count", _equal("{{''.__class__.__mro__}}"), "render"),
        ("trigger.count", _equal("{{ 'x'"), "render"),
        ("trigger.count", _equal("{{config_context}}"), "render"),
        # the filter `to_complex` binds closer than `+`, and takes no datastore reference
        ("trigger.count", _equal("{{ trigger.wanted + 1 }}"), "render"),
        ("trigger.run.name", _equal("A{{trigger.count - 2}}"), "render"),
        ("trigger.run.name", _equal("{{st2kv.system.site}}"), "render"),
        ("trigger.count", _equal("{{st2kv.user.x}}"), "render"),
        ("trigger..[", _equal(1), "criteria key"),
        ("trigger.é", _equal("ü"), "criteria key"),
        ("", _equal(1), "criteria key"),
        ("#1", _equal(1), "criteria key"),
        ("trigger.count", {"type": "startswith", "pattern": "x"}, "startswith"),
        ("trigger.run.name", {"type": "lt", "pattern": 4}, "instances|str"),
        ("trigger.missing", {"type": "gt", "pattern": 4}, "instances|str"),
        ("trigger.run.name", {"type": "td_lt", "pattern": 4}, "A1"),
        ("trigger.run.name", {"type": "regex", "pattern": "("}, "missing"),
    ],
)
def test_what_cannot_be_evaluated_is_told(key, criterion, told, payload):
    with pytest.raises(CriteriaError, match=told):
        matches({key: criterion}, payload)


def test_the_first_criterion_that_is_not_met_ends_it(payload):
    broken = {"type": "regex", "pattern": "("}
    unmet = _equal(4)
    assert matches({"trigger.count": unmet, "trigger.text": broken}, payload) is False
    with pytest.raises(CriteriaError):
        matches({"trigger.text": broken, "trigger.count": unmet}, payload)
    assert matches({}, payload) is True
