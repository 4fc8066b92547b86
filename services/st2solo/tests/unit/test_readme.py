"""README.md says what is so."""

import re
from pathlib import Path

import pytest

from st2solo.cli import commands
from st2solo.trial import Trial

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_its_example_is_one_that_is_run():
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert example in (ROOT / "examples" / "greeter" / "tests" / "test_rules.py").read_text()


def test_the_commands_are_there():
    assert set(re.findall(r"^    st2solo (\w+)", README, re.MULTILINE)) <= set(commands.commands)


def test_what_the_fixture_offers_is_told():
    told = set(re.findall(r"^\| `(\w+)\(", README, re.MULTILINE))
    assert told == {"packs", "run", "dispatch", "wait_for", "executions", "call"}
    assert all(hasattr(Trial, name) for name in told)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
