"""YAML that would take all memory, or that is none."""

import pytest

from st2solo import metadata_file
from st2solo.errors import WorkflowError
from st2solo.filters import FILTERS
from st2solo.metadata_file import MetadataError
from st2solo.workflow_definitions import parse

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
#: Each merges the one before twice.
MERGES = "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "aliases"),
        ("a: &a {b: *a}\n", "aliases"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: 2026-13-45\n", "month"),
        ("# " + "x" * 2**20, "longer than"),
        ("a: &a0 {b: 1}\n" + MERGES, "aliases"),
        ("a: 0x" + "f" * 5000, "4300 digits"),
        ("a: .nan", "not JSON compliant"),
        ("a: {2026-01-01: b}", "keys must be"),
        (r'a: "\ud800"', "surrogates"),
    ],
)
def test_it_is_refused_by_name(tmp_path, text, reason):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(MetadataError, match=reason) as caught:
        metadata_file.read(path)
    assert str(caught.value).startswith(str(path))


def test_an_alias_is_replaced(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &a [1]\nb: *a\n")
    assert metadata_file.read(path).content == {"a": [1], "b": [1]}


@pytest.mark.parametrize(("text", "reason"), [(BOMB, "aliases"), ("vars: .nan", "not JSON")])
def test_such_a_workflow_is_refused(text, reason):
    with pytest.raises(WorkflowError, match=reason):
        parse(f"version: 1.0\ntasks: {{}}\n{text}")


def test_such_a_text_is_refused_in_a_template():
    with pytest.raises(ValueError, match="aliases"):
        FILTERS["from_yaml_string"](BOMB)
