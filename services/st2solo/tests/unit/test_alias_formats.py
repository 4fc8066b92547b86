"""Formats of aliases.

Source of the cases: st2common/tests/unit/test_action_alias_utils.py, the class that a comment
names, and st2tests/fixtures/aliases of StackStorm 3.9.
"""

import time

import pytest

from st2solo.alias_formats import (
    LONGEST_COMMAND,
    MismatchError,
    extract,
    extract_all,
    require_format,
)
from st2solo.errors import InvalidError

#: format, command, parameters.
_PARSED = [
    # TestActionAliasParser
    ("", "", {}),
    ("", "a=foobar1", {"a": "foobar1"}),
    ("foo", 'foo a="foobar2 poonies bar"', {"a": "foobar2 poonies bar"}),
    ("foo", "foo a='foobar2 poonies bar'", {"a": "foobar2 poonies bar"}),
    ("foo", 'foo a={"foobar2": "poonies"}', {"a": '{"foobar2": "poonies"}'}),
    (
        "",
        'a=foobar1 b="boobar2 3 4" c=\'coobar3 4\' d={"a": "b"}',
        {"a": "foobar1", "b": "boobar2 3 4", "c": "coobar3 4", "d": '{"a": "b"}'},
    ),
    (
        "{{ captain }} is my captain",
        'Malcolm Reynolds is my captain weirdo="River Tam"',
        {"captain": "Malcolm Reynolds", "weirdo": "River Tam"},
    ),
    (
        "skip {{a}} more skip {{b}} and skip more.",
        "skip a1 more skip b1 and skip more.",
        {"a": "a1", "b": "b1"},
    ),
    ("skip {{a}} more skip {{b}}", "skip a1 more skip b1", {"a": "a1", "b": "b1"}),
    (
        "skip {{a}} more skip {{b}} and skip more.",
        'skip "a1 a2" more skip b1 and skip more.',
        {"a": "a1 a2", "b": "b1"},
    ),
    (
        "acl {{a}} {{b}} {{c}} {{d=1}}",
        'acl "a1 a2" "b1" "c1"',
        {"a": "a1 a2", "b": "b1", "c": "c1", "d": "1"},
    ),
    ("acl {{a=test}}", "acl", {"a": "test"}),
    (
        "skip {{a}} more skip.",
        'skip {"a": "b", "c": "d"} more skip.',
        {"a": '{"a": "b", "c": "d"}'},
    ),
    (
        "skip {{a}} more skip {{b}}.",
        'skip {"a": "b", "c": "d"} more skip x.',
        {"a": '{"a": "b", "c": "d"}', "b": "x"},
    ),
    (
        "s {{a}} more {{ b }} more {{ c=99 }} more {{ d = 99 }}",
        "s one more two more three more",
        {"a": "one", "b": "two", "c": "three", "d": "99"},
    ),
    ("skip {{ a = value }} more", "skip one more", {"a": "one"}),
    ("skip {{ a = value }} more", "skip more", {"a": "value"}),
    (
        "two by two hands of {{ color = {{ colors.default_color }} }}",
        "two by two hands of",
        {"color": "{{ colors.default_color }}"},
    ),
    ("testing {{ a }}", "testing value b=value2", {"a": "value", "b": "value2"}),
    ("testing {{ a=new }}", 'testing b="another value"', {"a": "new", "b": "another value"}),
    (
        "testing {{ b=abc }} {{ c=xyz }}",
        'testing newvalue d={"1": "2"} e="long value"',
        {"b": "newvalue", "c": "xyz", "d": '{"1": "2"}', "e": "long value"},
    ),
    ("skip {{d=test1}} more skip {{e=test1}}.", "skip more skip", {"d": "test1", "e": "test1"}),
    ("skip {{d=test}} more skip {{e=test}}", "skip ponies more skip", {"d": "ponies", "e": "test"}),
    (
        "{{ p0='http' }} g {{ p1=p }} a {{ url }} {{ p2={'a':'b'} }} {{ p3={{ e.i }} }}",
        "g a http://google.com {{ execution.id }} p4='testing' p5={'a':'c'}",
        {
            "p0": "http",
            "p1": "p",
            "url": "http://google.com",
            "p2": "{{ execution.id }}",
            "p3": "{{ e.i }}",
            "p4": "testing",
            "p5": "{'a':'c'}",
        },
    ),
    ("foo bar", "foo bar pony1=foo pony2=bar", {"pony1": "foo", "pony2": "bar"}),
    (r"^\s*foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+)", "foo ASDF-1234", {"key": "ASDF-1234"}),
    (r"foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+)\s*$", "foo ASDF-1234", {"key": "ASDF-1234"}),
    (r"^\s*foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+) b\s*$", "foo ASDF-1234 b", {"key": "ASDF-1234"}),
    # ours: what a person types besides
    ("hold {{ run }} {{ reason }}", "hold R1 it is wrong", {"run": "R1", "reason": "it is wrong"}),
    ("hold {{ run }}", "  hold   R1  ", None),
    ("hold {{ run }}", "  hold R1\n", {"run": "R1"}),
    ("hold {{ run }}", 'hold "R1"', {"run": "R1"}),
    ("hold {{ run }}", "hold R1 a=b=c d=", None),
    ("hold {{ run }}", "hold R1 a=b=c", {"run": "R1", "a": "b=c"}),
    ("hold {{ run }}", "hold R1 a=''", {"run": "R1", "a": ""}),
]


@pytest.mark.parametrize(("format_", "command", "values"), [row for row in _PARSED if row[2]])
def test_parameters(format_, command, values):
    assert extract(format_, command).values == values


@pytest.mark.parametrize(
    ("format_", "command"),
    [
        # TestActionAliasParser
        ("skip {{d}} more skip {{e}}.", ""),
        ("foo bar ponies", "foo lulz ponies"),
        (r"^\s*foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+)", "bar foo ASDF-1234"),
        (r"foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+)\s*$", "foo ASDF-1234 bar"),
        (r"^\s*foo (?P<key>[A-Z][A-Z0-9]+-[0-9]+)\s*$", "bar ASDF-1234"),
        ("seq run {{ run }}", "seq runs"),
        ("seq why {{ run }}", "please seq why R1"),
    ],
)
def test_what_does_not_match(format_, command):
    told = f'Command "{command}" doesn\'t match format string "{format_}"'
    with pytest.raises(MismatchError) as caught:
        extract(format_, command)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("acl", set()),
        ("acl x", {"a"}),
        ("acl b=1", {"b"}),
        ("acl x b=1 a=2", {"a", "b"}),
    ],
)
def test_what_was_typed_is_told_from_defaults(command, typed):
    assert extract("acl {{ a = {{ st2kv.system.x }} }}", command).typed == typed


def test_several_matches():
    """st2tests/fixtures/aliases/aliases/alias_match_multiple.yaml, test_alias_execution.py."""
    format_ = r"(?:\b|^)duplicate of (?P<issue_key>[A-Z][A-Z0-9]+-[0-9]+)(?:\b|$)"
    command = "JK-4 is a duplicate of JRRT-24 which is a duplicate of DRS-12"
    found = extract_all(format_, command)
    assert [one.values for one in found] == [{"issue_key": "JRRT-24"}, {"issue_key": "DRS-12"}]
    assert extract_all(format_, "of nothing") == []


@pytest.mark.parametrize(
    "command",
    [
        "a=b=c " * 160 + "!",
        'a="x ' * 190 + "!",
        "a={x " * 190 + "!",
        "\"'" * 490,
        "=" * 990,
        " " * 990,
        "seq hold " + "x " * 490,
    ],
)
def test_hostile_text_is_soon_done(command):
    begun = time.process_time()
    with pytest.raises(MismatchError):
        extract("seq hold {{ run }} because {{ reason }}", command)
    assert time.process_time() - begun < 1


def test_a_text_too_long_is_refused():
    with pytest.raises(InvalidError, match="1000 characters"):
        extract("x", "x" * (LONGEST_COMMAND + 1))


@pytest.mark.parametrize("format_", ["(", "{{ a-b }}", "{{ a }} {{ a }}", "[z-a]", "*"])
def test_a_format_that_is_none(format_):
    with pytest.raises(InvalidError, match="no regular expression"):
        require_format(format_)
