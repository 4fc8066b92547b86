"""The operators of rule criteria: StackStorm's, by its spellings.

Each class of comparison follows the function of the same purpose in st2common/operators.py.
`search` needs the rules engine's own criterion check; see `rules.py`.
"""

import fnmatch
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from st2solo import moments
from st2solo.errors import InvalidError

Operator = Callable[[Any, Any], bool]

SEARCH = "search"
#: Those whose pattern is a regular expression.
EXPRESSIONS = ("matchregex", "regex", "iregex")
SEARCH_CONDITIONS = ("all", "any", "all2any", "any2any")


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _exact(test: Callable[[Any, Any], Any], value: Any, pattern: Any) -> bool:
    return bool(test(_text(value), _text(pattern)))


def _folded(test: Callable[[Any, Any], Any], value: Any, pattern: Any) -> bool:
    return bool(test(_text(value).lower(), _text(pattern).lower()))


def _never_without_pattern(operator: Operator) -> Operator:
    return lambda value, pattern: pattern is not None and operator(value, pattern)


def _regex(value: Any, pattern: Any, *, flags: int, whole_start: bool = False) -> bool:
    compiled = re.compile(_text(pattern), flags)
    found = compiled.match(_text(value)) if whole_start else compiled.search(_text(value))
    return found is not None


def _age_seconds(moment: Any) -> float:
    if not isinstance(moment, str):
        raise InvalidError(f"expected a time as text, found {moment!r}")
    return (moments.now() - moments.parse(moment)).total_seconds()


def _pairs() -> dict[tuple[str, ...], Operator]:
    always: dict[tuple[str, ...], Operator] = {
        ("neq", "nequals"): partial(_exact, lambda value, pattern: value != pattern),
        ("exists",): lambda value, _: value is not None,
        ("nexists",): lambda value, _: value is None,
    }
    with_pattern: dict[tuple[str, ...], Operator] = {
        ("matchwildcard",): partial(_exact, fnmatch.fnmatch),
        ("matchregex",): partial(_regex, flags=re.DOTALL, whole_start=True),
        ("regex",): partial(_regex, flags=0),
        ("iregex",): partial(_regex, flags=re.IGNORECASE),
        ("eq", "equals"): partial(_exact, lambda value, pattern: value == pattern),
        ("ieq", "iequals"): partial(_folded, lambda value, pattern: value == pattern),
        ("contains",): partial(_exact, lambda value, pattern: pattern in value),
        ("icontains",): partial(_folded, lambda value, pattern: pattern in value),
        ("ncontains",): partial(_exact, lambda value, pattern: pattern not in value),
        ("incontains",): partial(_folded, lambda value, pattern: pattern not in value),
        ("startswith",): partial(_exact, lambda value, pattern: value.startswith(pattern)),
        ("istartswith",): partial(_folded, lambda value, pattern: value.startswith(pattern)),
        ("endswith",): partial(_exact, lambda value, pattern: value.endswith(pattern)),
        ("iendswith",): partial(_folded, lambda value, pattern: value.endswith(pattern)),
        ("lt", "lessthan"): lambda value, pattern: bool(value < pattern),
        ("gt", "greaterthan"): lambda value, pattern: bool(value > pattern),
        ("td_lt", "timediff_lt"): lambda value, pattern: _age_seconds(value) < float(pattern),
        ("td_gt", "timediff_gt"): lambda value, pattern: _age_seconds(value) > float(pattern),
        ("in", "inside"): partial(_exact, lambda value, pattern: value in pattern),
        ("nin", "ninside"): partial(_exact, lambda value, pattern: value not in pattern),
    }
    return always | {
        names: _never_without_pattern(operator) for names, operator in with_pattern.items()
    }


OPERATORS: dict[str, Operator] = {
    name: operator for names, operator in _pairs().items() for name in names
}
NAMES = frozenset(OPERATORS) | {SEARCH}


def combine_search(condition: str | None, matches: list[list[bool]]) -> bool:
    """Join the results of `search`: `matches` has a list of criteria results for each item.

    `all` is every item by every criterion, `any` one item by every criterion, `all2any` every
    item by one, `any2any` one item by one.

    Raises:
        InvalidError: the condition is none of the four.
    """
    if condition not in SEARCH_CONDITIONS:
        raise InvalidError(
            f"the condition of a search must be one of {', '.join(SEARCH_CONDITIONS)},"
            f" found {condition!r}"
        )
    over_criteria = any if condition.endswith("2any") else all
    over_items = any if condition.startswith("any") else all
    return over_items(over_criteria(results) for results in matches)
