"""Parameters of executions, row by row as StackStorm 3.9 renders them."""

import pytest

from st2solo.errors import ParameterError
from st2solo.filters import NONE_MAGIC
from st2solo.parameters import Surroundings, render_final, render_live
from st2solo.testing import MemoryKeys

#: The file of StackStorm whose behaviour the rows give.
SOURCE = "st2common/st2common/util/param.py"

RUNNER = {"cmd": {"type": "string"}, "timeout": {"type": "integer", "default": 60}}
_CONFIG = {"color": "red", "n": 5, "deep": {"x": [1, 2]}}


def _around(config=None, **names):
    keys = MemoryKeys(site="lund", port="80", **{"a.b": "nested"})
    keys.user["ann", "mine"] = "yes"
    context = {"user": "ann", "pack": "demo", "n": 3, "parent": {"x": 1}}
    return Surroundings(keys, "ann", context, lambda: _CONFIG if config is None else config, names)


#: The action's parameters, the given ones, the live ones.
_LIVE = [
    ({}, {"cmd": "x"}, {"cmd": "x"}),
    ({}, {"other": 5}, {"other": 5}),
    # what templates can name
    ({}, {"cmd": "{{ timeout }}"}, {"cmd": "60"}),
    ({}, {"cmd": "{{ st2kv.system.site }}"}, {"cmd": "lund"}),
    ({}, {"cmd": "{{ st2kv.system.a.b }}"}, {"cmd": "nested"}),
    ({}, {"cmd": "{{ st2kv.system.absent }}"}, {"cmd": ""}),
    ({}, {"cmd": "{{ st2kv.user.mine }}"}, {"cmd": "yes"}),
    ({}, {"cmd": "{{ action_context.n }}"}, {"cmd": "3"}),
    ({}, {"cmd": "{{ action_context.parent.x }}"}, {"cmd": "1"}),
    ({}, {"cmd": "{{ config_context.color }}"}, {"cmd": "red"}),
    ({}, {"cmd": "{{ config_context['n'] }}"}, {"cmd": "5"}),
    ({}, {"cmd": "{{ config_context | length }}"}, {"cmd": "3"}),
    ({}, {"cmd": "{{ 'color' in config_context }}"}, {"cmd": "True"}),
    ({}, {"cmd": "{{ config_context.deep }}"}, {"cmd": "{'x': [1, 2]}"}),
    ({}, {"cmd": "{{ config_context }}"}, {"cmd": str(_CONFIG)}),
    ({"o": {"type": "object"}}, {"o": "{{ config_context }}"}, {"o": _CONFIG}),
    (
        {"a": {"type": "string"}, "b": {"type": "string"}},
        {"a": "{{ b }}!", "b": "{{ cmd }}?", "cmd": "x"},
        {"a": "x?!", "b": "x?", "cmd": "x"},
    ),
    ({"a": {}}, {"cmd": "{{ a }}"}, {"cmd": "None"}),
    ({}, {"cmd": "{{ '{{ timeout }}' }}"}, {"cmd": "{{ timeout }}"}),
    ({}, {"cmd": "{% raw %}{{ x }}{% endraw %}"}, {"cmd": "{{ x }}"}),
    ({}, {"cmd": "{# c #}"}, {"cmd": "{# c #}"}),
    # what is no template
    ({}, {"cmd": "{{ not a template"}, {"cmd": "{{ not a template"}),
    ({}, {"cmd": "{% x"}, {"cmd": "{% x"}),
    # types
    ({}, {"timeout": "7"}, {"timeout": 7}),
    ({}, {"timeout": "{{ st2kv.system.port }}"}, {"timeout": 80}),
    ({"b": {"type": "boolean"}}, {"b": "{{ 'color' in config_context }}"}, {"b": True}),
    ({"l": {"type": "array"}}, {"l": "{{ config_context.deep.x }}"}, {"l": [1, 2]}),
    ({"l": {"type": "array"}}, {"l": "[1]"}, {"l": [1]}),
    ({"s": {"type": "string"}}, {"s": "{{ none | use_none }}"}, {"s": None}),
    ({"x": {}}, {"x": "{{ timeout }}"}, {"x": "60"}),
    ({"x": {}}, {"x": NONE_MAGIC}, {"x": NONE_MAGIC}),
    ({"s": {"type": "string"}}, {"s": None}, {"s": None}),
    # lists and objects: a text that is one bare name keeps the name's type
    ({"l": {"type": "array"}}, {"l": ["{{timeout}}", "a"]}, {"l": [60, "a"]}),
    ({"l": {"type": "array"}}, {"l": ["{{ timeout }}"]}, {"l": ["60"]}),
    ({"l": {}}, {"l": ["{{timeout}}!"]}, {"l": ["60!"]}),
    ({"o": {}}, {"o": {"k": {"d": ["{{timeout}}"]}}}, {"o": {"k": {"d": [60]}}}),
    ({"o": {}}, {"o": {"{{ cmd }}": 1}, "cmd": "k"}, {"o": {"k": 1}, "cmd": "k"}),
    ({"o": {}}, {"o": ["{{config_context}}"]}, {"o": [_CONFIG]}),
    ({"l": {}, "m": {"default": [7]}}, {"l": ["{{m[0]}}"]}, {"l": [7]}),
    ({"o": {}}, {"o": {"a": "{{ not"}}, {"o": {"a": "{{ not"}}),
    # a default that is a template becomes live; one that is not stays a default
    ({"d": {"default": "{{ st2kv.system.site }}"}, "e": {"default": 1}}, {}, {"d": "lund"}),
    ({"d": {"default": "{{ st2kv.system.site }}"}}, {"d": "here"}, {"d": "here"}),
    ({"d": {"default": "{{ timeout }}", "type": "integer"}}, {}, {"d": 60}),
    ({"d": {"default": "{{ timeout }}", "immutable": True}}, {}, {}),
    ({"d": {"default": ["{{ timeout }}"]}}, {}, {}),
    ({"d": {"default": "{{ no template", "type": "integer"}}, {}, {}),
    ({"d": {"default": "{{ timeout }}"}}, {"d": None}, {"d": "60"}),
    ({"cmd": {"default": "{{ timeout }}"}}, {}, {"cmd": "60"}),
]


@pytest.mark.parametrize(
    ("action", "given", "live"), _LIVE, ids=[f"{n}-{row[1]}" for n, row in enumerate(_LIVE)]
)
def test_live(action, given, live):
    found = render_live(RUNNER, action, given, _around())
    assert found == live
    assert {n: type(v) for n, v in found.items()} == {n: type(v) for n, v in live.items()}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cmd": "{{ x }}"}, 'Dependency unsatisfied in variable "x"'),
        ({"cmd": "{{ x | default('d') }}"}, 'Dependency unsatisfied in variable "x"'),
        ({"cmd": "{{ trigger.x }}"}, 'Dependency unsatisfied in variable "trigger"'),
        ({"cmd": ["{{ x }}"]}, 'Dependency unsatisfied in variable "x"'),
        ({"cmd": "{{ cmd }}"}, "Cyclic dependency found in the following variables: cmd"),
        ({"cmd": "{{ other }}", "other": "{{ cmd }}"}, "Cyclic dependency found"),
        ({"cmd": "{{ ''.__class__ }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ config_context.none.x }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ config_context.none }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ action_context.none }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ 1 / 0 }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ timeout | decrypt_kv }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ st2kv.system.absent | decrypt_kv }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ st2kv.system.site | decrypt_kv }}"}, 'Failed to render parameter "cmd"'),
        ({"any": ["{{ config_context | to_json_string }}"]}, 'Failed to render parameter "any"'),
        ({"any": {"{{timeout}}": 1}}, 'Failed to render parameter "any"'),
        ({"cmd": "{{ " * 5000}, 'Failed to render parameter "cmd": maximum recursion'),
        ({"cmd": "{{ " + "9" * 5000 + " }}"}, 'Failed to render parameter "cmd": Exceeds'),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        render_live(RUNNER, {}, given, _around())


@pytest.mark.parametrize(
    "given",
    [
        {"timeout": "soon"},
        {"timeout": "{{ none | use_none }}"},
        {"cmd": 5},
        {"share": "nan"},
        {"share": "{{ 1e999 }}"},
        {"any": r"{{ '\ud800' }}"},
    ],
)
def test_what_does_not_fit_its_type_is_refused(given):
    # docs/differences.md: StackStorm lets the error of the cast itself through
    with pytest.raises((ParameterError, ValueError, TypeError)):
        render_live(RUNNER, {"share": {"type": "number"}}, given, _around())


def test_a_rule_s_parameters_name_the_trigger_and_each_other():
    around = _around(trigger={"run": "A1", "n": 3, "lanes": [1, 2]})
    action = {"lanes": {"type": "array"}, "n": {"type": "integer"}}
    given = {
        "cmd": "{{ trigger.run }} on {{ site }} for {{ action_context.user }}",
        "site": "{{ st2kv.system.site }}",
        "lanes": "{{ trigger.lanes }}",
        "n": "{{ trigger.n }}",
    }
    assert render_live(RUNNER, action, given, around) == {
        "cmd": "A1 on lund for ann",
        "site": "lund",
        "lanes": [1, 2],
        "n": 3,
    }


_TEXT = "{{ st2kv.system.site }}"

#: The action's parameters, the live ones, the runner's and the action's for the run.
_FINAL = [
    ({}, {"cmd": "x"}, {"cmd": "x", "timeout": 60}, {}),
    ({}, {"timeout": 5, "other": 1}, {"cmd": None, "timeout": 5}, {}),
    ({"a": {}}, {}, {"cmd": None, "timeout": 60}, {"a": None}),
    # live values are taken as they are, defaults are rendered
    ({"a": {"type": "string"}}, {"a": _TEXT}, {"cmd": None, "timeout": 60}, {"a": _TEXT}),
    (
        {"cmd": {"default": "echo {{ a }}"}, "a": {"type": "string"}},
        {"a": _TEXT},
        {"cmd": f"echo {_TEXT}", "timeout": 60},
        {"a": _TEXT},
    ),
    ({"a": {"default": _TEXT}}, {}, {"cmd": None, "timeout": 60}, {"a": "lund"}),
    ({"a": {"default": _TEXT}}, {"a": None}, {"cmd": None, "timeout": 60}, {"a": "lund"}),
    ({"a": {"default": ["{{timeout}}"]}}, {}, {"cmd": None, "timeout": 60}, {"a": [60]}),
    # an immutable default counts whatever is given; the action's default before the runner's
    ({"a": {"default": 1, "immutable": True}}, {"a": 2}, {"cmd": None, "timeout": 60}, {"a": 1}),
    ({"timeout": {"default": 5}}, {}, {"cmd": None, "timeout": 5}, {}),
    ({"timeout": {"default": None}}, {}, {"cmd": None, "timeout": 60}, {}),
    # casts
    ({"a": {"type": "integer"}}, {"a": "7"}, {"cmd": None, "timeout": 60}, {"a": 7}),
    ({"a": {"type": "array", "default": "[1]"}}, {}, {"cmd": None, "timeout": 60}, {"a": [1]}),
]


@pytest.mark.parametrize(("action", "live", "runner_s", "action_s"), _FINAL)
def test_final(action, live, runner_s, action_s):
    assert render_final(RUNNER, action, live, _around()) == (runner_s, action_s)


def test_without_any_parameters_there_are_none():
    assert render_final({}, {}, {"x": 1}, _around()) == ({}, {})


def test_the_configuration_is_read_only_when_it_is_used():
    def fail():
        raise AssertionError("it was read")

    around = Surroundings(MemoryKeys(), "ann", {}, fail)
    assert render_live(RUNNER, {}, {"cmd": "{{ timeout }}"}, around) == {"cmd": "60"}


# docs/differences.md: in StackStorm it is replaced
def test_a_given_template_is_not_replaced_by_a_default_that_is_one():
    action = {"cmd": {"default": "{{ timeout }}"}}
    given = {"cmd": "{{ st2kv.system.site }}"}
    assert render_live(RUNNER, action, given, _around()) == {"cmd": "lund"}


_HOLDS = {"type": "object", "properties": {"pin": {"secret": True}}}


@pytest.mark.parametrize(
    ("attributes", "given", "told"),
    [
        ({"type": "object", "secret": True}, "s3cret", "does not fit its type object"),
        ({"type": "integer", "secret": True}, "s3cret", "does not fit its type integer"),
        ({"type": "string", "secret": True}, ["s3cret"], "does not fit its type string"),
        (_HOLDS, "pin: s3cret", "does not fit its type object"),
        ({"secret": True}, "{{ pin | from_json_string | attr('x') }}", "Failed to render"),
        ({"secret": True}, "{{ pin | version_bump_major }}", "Failed to render"),
        ({"secret": True}, "{{ pin.nothing }}", "has no attribute 'nothing'"),
    ],
)
def test_no_error_tells_a_secret(attributes, given, told):
    with pytest.raises(ParameterError) as caught:
        render_live({}, {"a": attributes}, {"a": given}, _around(pin="s3cret"))
    error = caught.value
    assert told in str(error)
    assert '"a"' in str(error)
    assert "s3cret" not in str(error)
    assert error.__suppress_context__


@pytest.mark.parametrize("levels", [101, 900, 100_000])
def test_a_value_that_is_nested_too_deep_is_refused(levels):
    given = {"l": "[" * levels + "]" * levels}
    with pytest.raises(ParameterError, match='parameter "l"'):
        render_live({}, {"l": {"type": "array"}}, given, _around())
