"""docs/operate.md has a row for each command of `arteriole`, and for no other."""

import re
from collections.abc import Iterator

import click

from arteriole.cli import COMMANDS, main
from demo.machine import ROOT
from tests.test_runbook import wrong_command

ROW = re.compile(r"\| `(arteriole ([a-z-]+(?: [a-z]+)*)[^`]*)` \| [^|]{10,} \|")


def rows() -> dict[str, str]:
    """What each row begins with, by the names of its command."""
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    found = [match for line in text.splitlines() if (match := ROW.fullmatch(line))]
    assert len({match[2] for match in found}) == len(found)
    return {match[2]: match[1] for match in found}


def names(command: click.Command, path: str = "") -> Iterator[str]:
    """Of the command, or of each below it if it is a group."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from names(below, f"{path} {name}".strip())


def test_each_command_has_a_row_and_each_row_a_command():
    assert {name.split()[0] for name in rows()} == COMMANDS.keys()
    assert sorted(rows()) == sorted(names(main))


def test_what_a_row_says_is_taken_by_the_command_line():
    assert [wrong for text in rows().values() if (wrong := wrong_command(text))] == []
