"""Whether a rule applies to a payload: StackStorm's st2reactor/rules/filter.py."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jsonpath_rw import parse  # type: ignore[import-untyped]

from st2solo import jinja, json_text, operators

_EXPRESSION = re.compile(r"(\{\{)\s*(.*)\s*(\}\})")


class CriteriaError(Exception):
    """A criterion cannot be evaluated; the text says which and why."""


@dataclass(frozen=True)
class Payload:
    """What keys and patterns of criteria can name: `trigger`, or `item` within a search."""

    context: dict[str, Any]
    keys: dict[str, Any]

    @classmethod
    def of_trigger(cls, payload: dict[str, Any], keys: dict[str, Any]) -> "Payload":
        return cls({"trigger": payload}, keys)

    def item(self, value: Any) -> "Payload":
        return Payload({"item": value}, self.keys)

    def value(self, key: str) -> Any:
        """The first value at a key such as `trigger.fields[0].name#2`; None if there is none.

        What follows a `#` is ignored: it lets one rule test a field twice.
        """
        matches = _path(key.split("#", 1)[0]).find(self.context)
        return matches[0].value if matches else None

    def rendered(self, pattern: Any) -> Any:
        """The pattern; only a text is rendered.

        As in StackStorm an expression is first tried with the filter `to_complex` behind its last
        word, so that it keeps its type where the whole is JSON then.
        """
        if not isinstance(pattern, str):
            return pattern
        names = self.context | self.keys
        typed, found = _EXPRESSION.subn(r"\1\2 | to_complex\3", pattern)
        if found:
            try:
                return json_text.parse(jinja.render(typed, names))
            except ValueError:
                pass
        return jinja.render(pattern, names)


Told = Callable[[CriteriaError], None]


def matches(
    criteria: dict[str, dict[str, Any]], payload: Payload, told: Told = lambda _: None
) -> bool:
    """Whether every criterion is met.

    Args:
        told: called with each criterion within a search that fails; it only counts as not met.

    Raises:
        CriteriaError: a pattern, key or comparison fails; the rule then does not apply.
    """
    return all(_met(key, criterion, payload, told) for key, criterion in criteria.items())


def _met(key: str, criterion: dict[str, Any], payload: Payload, told: Told) -> bool:
    if "type" not in criterion:
        return False
    pattern = criterion.get("pattern")
    try:
        pattern = payload.rendered(pattern)
    except Exception as err:
        raise CriteriaError(
            f'Failed to render pattern value "{pattern}" for key "{key}": {err}'
        ) from err
    try:
        value = payload.value(key)
    except Exception as err:
        raise CriteriaError(f"Failed transforming criteria key {key}: {err}") from err
    operator = criterion["type"].lower()
    try:
        if operator == operators.SEARCH:
            return _search(value, pattern, criterion.get("condition"), payload, told)
        return operators.OPERATORS[operator](value, pattern)
    except Exception as err:
        raise CriteriaError(f'Criterion "{key}" ({operator}) cannot be compared: {err}') from err


def _search(value: Any, pattern: Any, condition: str | None, payload: Payload, told: Told) -> bool:
    def met(key: str, criterion: dict[str, Any], item: Any) -> bool:
        try:
            return _met(key, criterion, payload.item(item), told)
        except CriteriaError as err:
            told(err)
            return False

    items = [value] if isinstance(value, dict) else value
    results = [[met(key, kid, item) for key, kid in pattern.items()] for item in items]
    return operators.combine_search(condition, results)


def key_fault(key: str) -> str | None:
    """Why a key is no path to a value; None if it is one."""
    try:
        _path(key.split("#", 1)[0])
    except Exception as error:  # jsonpath-rw raises plain ones
        return str(error)
    return None


@functools.lru_cache(maxsize=1024)
def _path(key: str) -> Any:
    return parse(key)
