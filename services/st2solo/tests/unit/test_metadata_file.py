"""YAML that would take all memory, or that is none."""

import pytest

from st2solo import metadata_file
from st2solo.errors import WorkflowError
from st2solo.metadata_file import MetadataError
from st2solo.workflow_definitions import parse

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "aliases"),
        ("a: &a {b: *a}\n", "aliases"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: 2026-13-45\n", "month"),
        ("# " + "x" * 2**20, "longer than"),
    ],
)
def test_it_is_refused_by_name(tmp_path, text, reason):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(MetadataError, match=reason):
        metadata_file.read(path)


def test_an_alias_is_replaced(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &a [1]\nb: *a\n")
    assert metadata_file.read(path).content == {"a": [1], "b": [1]}


def test_a_workflow_of_aliases_is_refused():
    with pytest.raises(WorkflowError, match="aliases"):
        parse(f"version: 1.0\ntasks: {{}}\n{BOMB}")
