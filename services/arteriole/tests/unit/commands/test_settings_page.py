"""How a setting of a model is told."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from click.testing import CliRunner
from pydantic import Field

from arteriole.app.config import AbsolutePath, Section
from arteriole.cli import main
from arteriole.commands.settings_page import settings_of
from arteriole.jobs.ssh import Identifier


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _own() -> int:
    """as many as it has"""
    return 7


class Lamp(Section):
    #: How bright.
    watts: float = Field(default=40.0, gt=0, le=100)


class Candle(Section):
    type: Literal["candle"]


class Torch(Section):
    type: Literal["torch"]


class House(Section):
    #: What it is,
    #: in two lines.
    colour: Colour = Colour.RED

    #: Not this one's.

    nothing: str
    path: AbsolutePath | None = None
    least: int = Field(default=3, ge=1)
    both: Annotated[int, Field(ge=0, le=2)] = 0
    words: list[Identifier] = Field(default=[], max_length=9)
    text: str = Field(default="a|b", min_length=1, max_length=4)
    pair: tuple[int, int] = (1, 2)
    own: int = Field(default_factory=_own)
    lamp: Lamp = Lamp()
    other: Lamp | None = Lamp(watts=60)
    by_name: dict[Identifier, Candle | Torch] = Field(default_factory=dict)
    also: Literal["here"] | list[Lamp] = Field(default="here", alias="as")


class Villa(House):
    #: Anew.
    pair: tuple[int, int] = (3, 4)


@pytest.mark.parametrize(
    ("name", "value", "default", "does"),
    [
        ("colour", "`red` or `blue`", "`red`", "What it is, in two lines."),
        ("nothing", "text", "*required*", ""),
        ("path", "absolute path", "none", ""),
        ("least", "whole number of at least 1", "`3`", ""),
        ("both", "whole number from 0 to 2", "`0`", ""),
        ("words", "list of at most 9, each: name of A-Z a-z 0-9 . _ -", "`[]`", ""),
        ("text", "text of 1 to 4 characters", "`a|b`", ""),
        ("pair", "list of 2, each: whole number", "`[3, 4]`", "Anew."),
        ("own", "whole number", "as many as it has", ""),
        ("lamp", "the keys below", "as below", ""),
        ("lamp.watts", "number above 0, at most 100", "`40`", "How bright."),
        ("other", "the keys of `lamp`, or null", "`{watts: 60.0}`", ""),
        ("by_name", "keys of your own, each: the keys below", "`{}`", ""),
        ("by_name.NAME.type of candle", "`candle`", "*required*", ""),
        ("by_name.NAME.type of torch", "`torch`", "*required*", ""),
        ("as", "`here`; or list, each: the keys of `lamp`", "`here`", ""),
    ],
)
def test_a_setting_is_told_as_its_model_has_it(name, value, default, does):
    found = {
        one.name + (f" of {one.kind}" if one.kind else ""): one for one in settings_of(Villa, {})
    }
    assert len(found) == 16
    assert found[name][2:] == (value, default, does)


def test_the_command_prints_the_settings_at_a_terminal():
    printed = CliRunner().invoke(main, ["config", "reference"]).output.splitlines()
    told = next(line for line in printed if "runfolder.adopt_existing" in line)
    assert told.startswith("| `runfolder.adopt_existing` | true or false | `false` | Runs ")
    assert printed[0] == "# Settings"
