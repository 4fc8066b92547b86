"""Output schemas: what fits, and what is masked.

Source of the cases: st2common/util/output_schema.py of StackStorm 3.9.
"""

import pytest

from st2solo.output_schema import masked, misfit
from st2solo.schema import MASK

_PYTHON = {"stdout": "", "stderr": "", "exit_code": 0}
_NUMBER = {"type": "object", "properties": {"n": {"type": "integer", "required": True}}}

#: runner, the action's output schema, the result, words of what is wrong (None: it fits)
_CASES = {
    "fits": ("python-script", _NUMBER, {**_PYTHON, "result": {"n": 1}}, None),
    "another type": ("python-script", _NUMBER, {**_PYTHON, "result": {"n": "1"}}, "not of type"),
    "missing": ("python-script", _NUMBER, {**_PYTHON, "result": {}}, "required"),
    "more than declared": ("python-script", _NUMBER, {**_PYTHON, "result": {"n": 1, "m": 2}}, None),
    "no schema": ("python-script", {}, {**_PYTHON, "result": "x"}, None),
    "a schema of the old form": (
        "python-script",
        {"n": {"type": "integer"}},
        {**_PYTHON, "result": {"n": "x"}},
        None,
    ),
    "not as the runner declares": ("python-script", {}, {"result": 1}, "required"),
    "a workflow": ("orquesta", _NUMBER, {"output": {"n": 1}}, None),
    "a workflow without output": ("orquesta", _NUMBER, {"output": None}, "not of type"),
    "a runner that declares nothing": ("local-shell-cmd", _NUMBER, {"stdout": "x"}, None),
    "no result": ("python-script", _NUMBER, {}, None),
    "a schema that is none": (
        "python-script",
        {"type": "wish"},
        {**_PYTHON, "result": 1},
        "cannot be used",
    ),
    "a schema on another host": (
        "python-script",
        {"type": "object", "$ref": "http://127.0.0.1:9/x"},
        {**_PYTHON, "result": {}},
        "not within",
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_misfit(name):
    runner, declared, result, words = _CASES[name]
    found = misfit({"output_schema": declared}, runner, result)
    if words is None:
        assert found is None
    else:
        assert words in found["error"]
        assert found["message"].startswith("Error validating output")


_SECRET = {"type": "string", "secret": True}

#: the output schema, the output, what is shown
_MASKED = {
    "a property": (
        {"type": "object", "properties": {"p": _SECRET}},
        {"p": 1, "q": 2},
        {"p": MASK, "q": 2},
    ),
    "the whole": ({"type": "string", "secret": True}, "x", MASK),
    "the old form": ({"p": _SECRET}, {"p": "x", "q": 1}, {"p": MASK, "q": 1}),
    "by pattern": (
        {"type": "object", "patternProperties": {"^s_": _SECRET}},
        {"s_a": "x", "b": "y"},
        {"s_a": MASK, "b": "y"},
    ),
    "all others": (
        {"type": "object", "properties": {"a": {}}, "additionalProperties": _SECRET},
        {"a": "x", "b": "y"},
        {"a": "x", "b": MASK},
    ),
    "every item": ({"type": "array", "items": _SECRET}, ["a", "b"], [MASK, MASK]),
    "some items": (
        {"type": "array", "items": [{}, _SECRET], "additionalItems": _SECRET},
        ["a", "b", "c"],
        ["a", MASK, MASK],
    ),
    "deeper": (
        {
            "type": "object",
            "properties": {
                "a": {"type": "array", "items": {"type": "object", "properties": {"p": _SECRET}}}
            },
        },
        {"a": [{"p": "x"}]},
        {"a": [{"p": MASK}]},
    ),
    "another type than declared": (
        {"type": "object", "properties": {"p": _SECRET}},
        ["p"],
        ["p"],
    ),
    "nothing declared": ({}, {"p": "x"}, {"p": "x"}),
}


@pytest.mark.parametrize("name", _MASKED)
def test_masked(name):
    declared, output, shown = _MASKED[name]
    result = {**_PYTHON, "result": output}
    assert masked({"output_schema": declared}, "python-script", result)["result"] == shown
    assert result["result"] == output


#: the schema of an inquiry, the answer, what is shown
_ANSWERS = {
    "a property": (
        {"type": "object", "properties": {"p": _SECRET}},
        {"p": "x", "q": 2},
        {"p": MASK, "q": 2},
    ),
    "without a type": ({"properties": {"p": _SECRET}}, {"p": "x"}, {"p": MASK}),
    "deeper": (
        {"properties": {"a": {"type": "array", "items": {"properties": {"p": _SECRET}}}}},
        {"a": [{"p": "x"}]},
        {"a": [{"p": MASK}]},
    ),
    "the whole": (_SECRET, "x", MASK),
    "nothing": ({"properties": {"p": {"type": "string"}}}, {"p": "x"}, {"p": "x"}),
    "a schema that is none": (
        {"items": {"items": {"$ref": "#/x", "properties": {"p": 5}}}},
        [[{"p": "x"}]],
        [[{"p": "x"}]],
    ),
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_the_answer_to_an_inquiry_is_masked_by_its_schema(name):
    declared, answer, shown = _ANSWERS[name]
    result = {"schema": declared, "route": "r", "response": answer}
    assert masked({}, "inquirer", result) == {**result, "response": shown}
    assert masked({}, "inquirer", {"schema": declared}) == {"schema": declared}


@pytest.mark.parametrize("result", [None, "text", {}, {"stdout": "x"}])
def test_what_has_no_output_stays(result):
    assert masked({"output_schema": {"p": _SECRET}}, "python-script", result) == result
