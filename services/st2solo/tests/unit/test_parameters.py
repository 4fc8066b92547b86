"""st2common/util/param.py of StackStorm 3.9."""

import pytest

from st2solo.errors import ParameterError
from st2solo.parameters import Surroundings, render_final, render_live
from st2solo.testing import MemoryKeys

RUNNER = {"cmd": {"type": "string"}, "timeout": {"type": "integer", "default": 60}}


def _around(**config):
    keys = MemoryKeys(site="lund", port="80")
    return Surroundings(keys, "ann", {"user": "ann", "n": 3}, lambda: config)


@pytest.mark.parametrize(
    ("action", "given", "live"),
    [
        ({}, {"cmd": "x"}, {"cmd": "x"}),
        ({}, {"cmd": "{{ timeout }}"}, {"cmd": "60"}),
        ({}, {"timeout": "7"}, {"timeout": 7}),
        ({}, {"timeout": "{{ st2kv.system.port }}"}, {"timeout": 80}),
        ({}, {"cmd": "{{ action_context.n }}"}, {"cmd": "3"}),
        ({}, {"cmd": "{{ config_context.color }}"}, {"cmd": "red"}),
        ({}, {"cmd": "{{ not a template"}, {"cmd": "{{ not a template"}),
        (
            {"a": {"type": "string"}, "b": {"type": "string"}},
            {"a": "{{ b }}!", "b": "{{ cmd }}?", "cmd": "x"},
            {"a": "x?!", "b": "x?", "cmd": "x"},
        ),
        ({"l": {"type": "array"}}, {"l": ["{{timeout}}", "a"]}, {"l": [60, "a"]}),
        ({"l": {"type": "array"}}, {"l": "[1]"}, {"l": [1]}),
        # a default that is a template becomes live; one that is not stays a default
        ({"d": {"default": "{{ st2kv.system.site }}"}, "e": {"default": 1}}, {}, {"d": "lund"}),
        ({"d": {"default": "{{ st2kv.system.site }}"}}, {"d": "here"}, {"d": "here"}),
    ],
)
def test_live(action, given, live):
    assert render_live(RUNNER, action, given, _around(color="red")) == live


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cmd": "{{ x }}"}, 'Dependency unsatisfied in variable "x"'),
        ({"cmd": "{{ cmd }}"}, "Cyclic dependency found in the following variables: cmd"),
        ({"cmd": "{{ ''.__class__ }}"}, 'Failed to render parameter "cmd"'),
        ({"cmd": "{{ config_context.none.x }}"}, 'Failed to render parameter "cmd"'),
        ({"timeout": "soon"}, 'parameter "timeout" does not fit its type integer'),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        render_live(RUNNER, {}, given, _around())


def test_final_takes_live_values_as_they_are():
    runner, action = render_final(
        RUNNER,
        {
            "cmd": {"default": "echo {{ a }}"},
            "a": {"type": "string"},
            "fixed": {"immutable": True, "default": "{{ a }}"},
        },
        {"a": "{{ st2kv.system.site }}"},
        _around(),
    )
    text = "{{ st2kv.system.site }}"
    assert runner == {"cmd": f"echo {text}", "timeout": 60}
    assert action == {"a": text, "fixed": text}


def test_the_configuration_is_read_only_when_it_is_used():
    def fail():
        raise AssertionError("it was read")

    around = Surroundings(MemoryKeys(), "ann", {}, fail)
    assert render_live(RUNNER, {}, {"cmd": "{{ timeout }}"}, around) == {"cmd": "60"}
