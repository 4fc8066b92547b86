"""The formats of aliases: what a person types in a chat, against the text that describes it.

`seq hold {{ run }} {{ reason = none }}`: each pair of braces takes what stands in its place, in
quotes or not; what has a default may be left out. Everything else of a format is a regular
expression. Behind the command may follow `key=value` of parameters that the format lacks.

Source: st2common/models/utils/action_alias_utils.py and st2common/util/actionalias_matching.py of
StackStorm 3.9. One difference: pairs at the end are found without backtracking, whose time has no
bound; a value ends where a quote, a brace or a word first ends at a space.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

# NB: there is no public way to ask whether an expression has an anchor.
from re import _parser as syntax  # type: ignore[attr-defined]
from typing import Any

from st2solo.errors import InvalidError

#: Characters of a command; matching takes time that grows faster than the text.
LONGEST_COMMAND = 1000

_KEY = r"\s*(\S+?)\s*"
_ENCLOSED = r"""""|''|"(.+?)"|'(.+?)'|({.+?})"""
_PAIR = rf"(?:^\s*+|\s++)(\S+?)\s*+=(?:{_ENCLOSED}|(\S+))"
_PAIRS = re.compile(_PAIR, re.DOTALL)
_ENDING = re.compile(rf".*?((?>{_PAIR}(?=\s|\Z))*+\s*)\Z", re.DOTALL)

_OPTIONAL = rf"{{{{{_KEY}\s*=\s*(?:{_ENCLOSED}|(.+?))\s*}}}}"
_REQUIRED = rf"{{{{{_KEY}}}}}"
#: What takes the place of a parameter: its space, then a text that quotes may enclose.
_TEXT = r"""\1["']?(?P<\2>(?:(?<=').+?(?=')|(?<=").+?(?=")|{.+?}|.+?))["']?"""

_BEGINS = frozenset({syntax.AT_BEGINNING, syntax.AT_BEGINNING_STRING})
_ENDS = frozenset({syntax.AT_END, syntax.AT_END_STRING})


class MismatchError(InvalidError):
    """The command does not match the format."""


@dataclass(frozen=True)
class Extracted:
    """Parameters of a command. Those in `typed` come from its text, the others from the format."""

    values: dict[str, str | None]
    typed: frozenset[str]


@dataclass(frozen=True)
class Format:
    """One format of an alias: `display` for people, `representation` for what they type.

    `index` is the place in the alias's list; one in it may have several representations.
    """

    display: str | None
    representation: str
    multiple: bool = False
    index: int = 0


def formats_of(content: dict[str, Any]) -> list[Format]:
    """The formats of an alias's document, one for each representation."""
    found: list[Format] = []
    for index, given in enumerate(content["formats"]):
        if isinstance(given, str):
            found.append(Format(given, given, index=index))
            continue
        display, multiple = given.get("display"), bool(given.get("match_multiple"))
        texts = given.get("representation") or []
        texts = [texts] if isinstance(texts, str) else texts
        if display and not texts:
            found.append(Format(display, "", index=index))
        found += [Format(display, text, multiple, index) for text in texts]
    return found


def displays(content: dict[str, Any]) -> Iterator[str]:
    """What help shows of an alias."""
    for given in content["formats"]:
        shown = given if isinstance(given, str) else given.get("display")
        if shown:
            yield shown


@functools.lru_cache(maxsize=1024)
def _expression(representation: str) -> re.Pattern[str]:
    text = re.sub(rf"(\s*){_OPTIONAL}", f"(?:{_TEXT})?", representation)
    text = re.sub(rf"(\s*){_REQUIRED}", _TEXT, text)
    parts = list(syntax.parse(text, flags=re.DOTALL))
    if not _anchored(parts, _BEGINS):
        text = rf"^\s*{text}"
    if not _anchored(parts[::-1], _ENDS):
        text = rf"{text}\s*$"
    return re.compile(text, re.DOTALL)


def _anchored(parts: Any, anchors: frozenset[Any]) -> bool:
    for kind, value in parts:
        if kind is syntax.AT:
            if value in anchors:
                return True
        elif kind is syntax.SUBPATTERN:
            if _anchored(value[3], anchors):
                return True
        elif kind is syntax.BRANCH and _anchored(value[1][1], anchors):
            return True  # NB: of the second branch, as StackStorm looks
    return False


@functools.lru_cache(maxsize=1024)
def _defaults(representation: str) -> dict[str, str]:
    found = re.findall(_OPTIONAL, representation, re.DOTALL)
    return {name: "".join(values) for name, *values in found}


def parameters_of(representation: str) -> list[str]:
    """The names that a format has in braces.

    >>> parameters_of("seq hold {{ run }} {{ reason = none }}")
    ['run', 'reason']
    """
    return list(_expression(representation).groupindex)


def require_format(representation: str) -> None:
    """
    Raises:
        InvalidError: the format is no regular expression.
    """
    try:
        _expression(representation)
    except (re.error, IndexError, OverflowError, RecursionError) as err:
        raise InvalidError(
            f'the format "{representation}" is no regular expression: {err}'
        ) from err


def extract(representation: str, command: str) -> Extracted:
    """The parameters that a command gives.

    Raises:
        MismatchError: it does not match.
        InvalidError: it is too long.

    >>> extract("seq redo {{ run }} from {{ stage = check }}", "seq redo R1 from").values
    {'run': 'R1', 'stage': 'check'}
    """
    text, pairs = _split(command)
    return _extracted(
        representation, command, _expression(representation).search(text), text, pairs
    )


def extract_all(representation: str, command: str) -> list[Extracted]:
    """The parameters of each place in which a command matches; none if it does nowhere."""
    text, pairs = _split(command)
    return [
        _extracted(representation, command, found, text, pairs)
        for found in _expression(representation).finditer(text)
    ]


def _split(command: str) -> tuple[str, dict[str, str]]:
    """The command without the pairs at its end, and those."""
    if len(command) > LONGEST_COMMAND:
        raise InvalidError(
            f"a command has at most {LONGEST_COMMAND} characters, found {len(command)}"
        )
    ending = _ENDING.match(command)
    behind = ending[1] if ending else ""
    pairs = {key: "".join(values) for key, *values in _PAIRS.findall(behind)}
    return f" {command.replace(behind, '') if pairs else command} ", pairs


def _extracted(
    representation: str,
    command: str,
    found: re.Match[str] | None,
    text: str,
    pairs: dict[str, str],
) -> Extracted:
    if found is None:
        raise MismatchError(f'Command "{command}" doesn\'t match format string "{representation}"')
    values: dict[str, str | None] = found.groupdict()
    typed = {name for name, value in values.items() if value} | set(pairs)
    for name, default in _defaults(representation).items():
        values[name] = values.get(name) or default
    values |= pairs
    if representation and not (text.strip() or any(values.values())):
        raise MismatchError("No value supplied and no default value found.")
    return Extracted(values, frozenset(typed))
