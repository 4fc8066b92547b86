"""Secret parameters of rules: what is shown, and what comes back.

Source of the rule: `RuleDB.mask_secrets` in st2common/models/db/rule.py of StackStorm 3.9.
"""

import pytest

from st2solo import rule_secrets
from st2solo.errors import InvalidError
from st2solo.schema import MASK

_ACTION = """
name: act
runner_type: remote-shell-cmd
parameters:
  pin: {type: string, secret: true}
  open: {type: string}
  deep: {type: object, properties: {pin: {type: string, secret: true}}}
  many: {type: array, items: {type: object, properties: {pin: {type: string, secret: true}}}}
"""
_STORED = {
    "pin": "4711",
    "open": "x",
    "password": "of the runner",
    "deep": {"pin": "1", "n": 2},
    "many": [{"pin": "a"}, {"pin": "b"}],
}
_SHOWN = {
    "pin": MASK,
    "open": "x",
    "password": MASK,
    "deep": {"pin": MASK, "n": 2},
    "many": [{"pin": MASK}, {"pin": MASK}],
}


@pytest.fixture
def actions(site):
    site.write("actions/act.yaml", _ACTION)
    site.write("actions/other.yaml", "name: other\nrunner_type: noop\n")
    site.registry.register(fail_on_failure=True)
    return site.registry


def _rule(parameters, ref="demo.act"):
    return {"name": "r", "action": {"ref": ref, "parameters": parameters}}


def test_what_the_action_calls_secret_is_hidden(actions):
    rule = _rule(_STORED)
    assert rule_secrets.masked(rule, actions) == _rule(_SHOWN)
    assert rule == _rule(_STORED)
    unknown = _rule({"pin": "4711"}, "demo.nothing")
    assert rule_secrets.masked(unknown, actions) == unknown


#: What comes back, and what is stored then.
_KEPT = {
    "all as it was shown": (_SHOWN, _STORED),
    "in the clear": (_STORED, _STORED),
    "another secret": ({"pin": "0815"}, {"pin": "0815"}),
    "another value beside it": (
        {**_SHOWN, "open": "y", "deep": {"pin": MASK, "n": 3}},
        {**_STORED, "open": "y", "deep": {"pin": "1", "n": 3}},
    ),
    "one of several": (
        {"many": [{"pin": "c"}, {"pin": MASK}]},
        {"many": [{"pin": "c"}, {"pin": "b"}]},
    ),
    "without it": ({"open": "x"}, {"open": "x"}),
}


@pytest.mark.parametrize("name", _KEPT)
def test_what_comes_back_as_it_was_shown_stays(actions, name):
    given, stored = _KEPT[name]
    kept = rule_secrets.kept(_rule(given), _rule(_STORED), actions, administrator=True)
    assert kept == _rule(stored)


def test_who_is_no_administrator_changes_nothing_beside_a_secret(actions):
    def kept(given):
        return rule_secrets.kept(_rule(given), _rule(_STORED), actions, administrator=False)

    assert kept(_SHOWN) == _rule(_STORED)
    assert kept({"pin": "0815"}) == _rule({"pin": "0815"})
    with pytest.raises(InvalidError, match="give the value itself"):
        kept({**_SHOWN, "open": "{{ pin }}"})


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ({"pin": MASK}, "demo.other"),  # which would show it
        ({"open": MASK}, "demo.act"),
        ({"new": MASK}, "demo.act"),
        ({"many": [{"pin": MASK}]}, "demo.act"),  # of which of the two?
        ({"deep": MASK}, "demo.act"),
    ],
)
def test_a_mask_in_another_place_is_refused(actions, given, ref):
    with pytest.raises(InvalidError, match="give the value itself"):
        rule_secrets.kept(_rule(given, ref), _rule(_STORED), actions, administrator=True)
