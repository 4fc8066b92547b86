"""How the settings of st2solo and of packs are told."""

import pytest
import yaml
from click.testing import CliRunner

from st2solo.cli import commands
from st2solo.config import SCHEMA, load

PACK = """\
greeting:
  description: What is said|written
  type: string
  required: true
tone:
  type: object
  properties:
    loud: {description: How loud, type: number, maximum: 9, default: 2}
    names: {description: To whom, type: array, items: {type: string}}
password: {description: A secret, type: string, secret: true}
level: {description: One of two, enum: [1, 2], default: 1}
many: {description: Long, type: array, default: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb]}
"""


@pytest.fixture
def printed(tmp_path):
    (tmp_path / "pack.yaml").write_text("name: greeter\n")
    (tmp_path / "config.schema.yaml").write_text(PACK)
    return CliRunner().invoke(commands, ["settings", str(tmp_path)]).output


@pytest.mark.parametrize(
    "row",
    [
        "## greeter.yaml, of the pack greeter",
        r"| `greeting` | text | *required* | What is said\|written |",
        "| `tone` | the keys below | as below |  |",
        "| `tone.loud` | number of at most 9 | `2` | How loud |",
        "| `tone.names` | list, each: text | none | To whom |",
        "| `password` | text, secret | none | A secret |",
        "| `level` | `1` or `2` | `1` | One of two |",
        "| `many` | list | as in config.schema.yaml | Long |",
        "| `ports.auth` | whole number from 0 to 65535 | `9100` |",
        "| `keep.executions_days` | number above 0, or null | `90` |",
    ],
)
def test_each_property_of_a_schema_has_a_row(printed, row):
    assert any(line.startswith(row) for line in printed.splitlines())


def _defaults(schema):
    """Those of a JSON schema, as a value of it."""
    found = {}
    for name, item in schema["properties"].items():
        if "properties" in item:
            found[name] = _defaults(item)
        elif "default" in item:
            found[name] = item["default"]
    return found


def test_the_defaults_that_are_told_are_those_that_count(tmp_path):
    (tmp_path / "packs").mkdir()
    path = tmp_path / "st2solo.yaml"
    least = {"packs": ["packs"], "state": "state"}
    path.write_text(yaml.safe_dump(least))
    by_itself = load(path)
    told = _defaults(SCHEMA)
    assert len(told) > 10
    path.write_text(yaml.safe_dump(least | told))
    assert load(path) == by_itself
