"""Which alias a command means, and help.

Source of the cases: st2common/tests/unit/test_util_actionalias_matching.py and
test_util_actionalias_helpstrings.py, st2api/tests/unit/controllers/v1/test_alias_execution.py of
StackStorm 3.9.
"""

import pytest
import yaml

from st2solo.aliases import Aliases, AmbiguityError
from st2solo.errors import InvalidError, NotFoundError

_MULTIPLE = {"match_multiple": True}
_ALIASES = {
    "plain": ["Come with me if you want to live"],
    "items": ["I need your {{item}}, your {{item2}} and your {{vehicle}}"],
    "shown": [
        {"display": "Number 5 is {{status}}", "representation": ["Number 5 is {{status=alive}}"]},
        "Hey, laser lips",
    ],
    "only_shown": [{"display": "Watch this."}],
    "hidden": [{"representation": "You can't hug a {{object}}."}],
    "streams": ["{{choice}} cross the {{target}}"],
    "more_streams": ["do cross the {{target}}"],
    "copies": [
        {"display": "copies", "representation": [r"(?:\b|^)copy of (?P<k>\w+)"], **_MULTIPLE}
    ],
    "off": ["Bueller? {{x}}"],
}


@pytest.fixture
def aliases(site):
    site.write("actions/act.yaml", "name: act\nrunner_type: noop\n")
    for name, formats in _ALIASES.items():
        content = {"name": name, "action_ref": "demo.act", "formats": formats}
        content |= {"description": f"d {name}", "enabled": name != "off"}
        site.write(f"aliases/{name}.yaml", yaml.safe_dump(content))
    site.registry.register(fail_on_failure=True)
    return Aliases(site.resources)


@pytest.mark.parametrize(
    ("command", "name", "representation"),
    [
        ("Come with me if you want to live", "plain", "Come with me if you want to live"),
        ("Number 5 is", "shown", "Number 5 is {{status=alive}}"),
        ("Number 5 is dead", "shown", "Number 5 is {{status=alive}}"),
        ("You can't hug a bear.", "hidden", "You can't hug a {{object}}."),
        ("Don't cross the streams", "streams", "{{choice}} cross the {{target}}"),
        ("a copy of X is a copy of Y", "copies", r"(?:\b|^)copy of (?P<k>\w+)"),
        ("", "only_shown", ""),
    ],
)
def test_match(aliases, command, name, representation):
    found = aliases.match(command)
    assert (found.alias.content["name"], found.format.representation) == (name, representation)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("hello donny", "Command 'hello donny' matched no patterns"),
        ("Bueller? yes", "Command 'Bueller? yes' matched no patterns"),
        ("do cross the sea", "Command 'do cross the sea' matched more than 1 pattern"),
    ],
)
def test_no_match_and_several(aliases, command, told):
    with pytest.raises(AmbiguityError) as caught:
        aliases.match(command)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("name", "representation", "error", "told"),
    [
        ("nobody", "x", NotFoundError, 'Unable to identify action alias with name "nobody".'),
        ("off", "Bueller? {{x}}", InvalidError, 'Action alias with name "off" is disabled.'),
        (
            "plain",
            "some invalid not supported string",
            InvalidError,
            'Format string "some invalid not supported string" is not available on the alias'
            ' "plain"',
        ),
    ],
)
def test_a_name_and_a_format_that_do_not_go_together(aliases, name, representation, error, told):
    with pytest.raises(error) as caught:
        aliases.named(name, representation)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("arguments", "available", "shown"),
    [
        (("", "", 0, 0), 8, 8),
        (("you_will_not_find_this_string", "", 0, 0), 0, 0),
        (("YOU", "", 0, 0), 2, 2),
        (("", "demo", 0, 0), 8, 8),
        (("", "other", 0, 0), 0, 0),
        (("", "demo", -3, 0), 8, 8),
        (("", "demo", 30, 0), 8, 8),
        (("", "demo", 3, 0), 8, 3),
        (("", "demo", 0, -1), 8, 8),
        (("", "demo", 0, 30), 8, 0),
        (("", "demo", 0, 6), 8, 2),
        (("", "demo", 1, 6), 8, 1),
        (("(.+)+x", "", 0, 0), 0, 0),
    ],
)
def test_help(aliases, arguments, available, shown):
    found = aliases.help(*arguments)
    assert (found["available"], len(found["helpstrings"])) == (available, shown)


def test_a_line_of_help(aliases):
    line = {"pack": "demo", "display": "Number 5 is {{status}}", "description": "d shown"}
    assert line in aliases.help("number", "", 0, 0)["helpstrings"]


def test_a_format_that_is_no_expression_is_not_registered(site):
    site.write("aliases/a.yaml", "name: a\naction_ref: core.noop\nformats:\n- 'what ('\n")
    (problem,) = site.registry.register(fail_on_failure=False).problems
    assert "no regular expression" in str(problem) and "a.yaml:4" in str(problem)
