"""What the command says of itself."""

import pytest
from click.testing import CliRunner

from st2solo.cli import commands


@pytest.mark.parametrize("words", [[], ["user"], ["key"]], ids=" ".join)
def test_what_each_command_is_for_is_told_to_its_end_in_80_columns(words):
    output = CliRunner(env={"COLUMNS": "80"}).invoke(commands, [*words, "--help"]).output
    listed = output.partition("\nCommands:\n")[2]
    assert listed and "...\n" not in listed
