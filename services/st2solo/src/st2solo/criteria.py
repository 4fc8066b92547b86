"""Whether a rule applies to a payload: StackStorm's st2reactor/rules/filter.py."""

import functools
import json
import re
from dataclasses import dataclass
from typing import Any

from jsonpath_rw import parse  # type: ignore[import-untyped]

from st2solo import jinja, operators

_ONE_EXPRESSION = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)


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
        """The pattern; a text that is one expression keeps the expression's type."""
        if not jinja.is_template(pattern):
            return pattern
        names = self.context | self.keys
        if whole := _ONE_EXPRESSION.fullmatch(pattern):
            try:
                return json.loads(jinja.render(f"{{{{ ({whole[1]}) | to_complex }}}}", names))
            except ValueError:
                pass
        return jinja.render(pattern, names)


def matches(criteria: dict[str, dict[str, Any]], payload: Payload) -> bool:
    """Whether every criterion is met.

    Raises:
        CriteriaError: a pattern, key or comparison fails; the rule then does not apply.
    """
    return all(_met(key, criterion, payload) for key, criterion in criteria.items())


def _met(key: str, criterion: dict[str, Any], payload: Payload) -> bool:
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
            return _search(value, pattern, criterion.get("condition"), payload)
        return operators.OPERATORS[operator](value, pattern)
    except CriteriaError:
        raise
    except Exception as err:
        raise CriteriaError(f'Criterion "{key}" ({operator}) cannot be compared: {err}') from err


def _search(value: Any, pattern: Any, condition: str | None, payload: Payload) -> bool:
    items = [value] if isinstance(value, dict) else value
    results = [
        [_met(key, criterion, payload.item(item)) for key, criterion in pattern.items()]
        for item in items
    ]
    return operators.combine_search(condition, results)


@functools.lru_cache(maxsize=1024)
def _path(key: str) -> Any:
    return parse(key)
