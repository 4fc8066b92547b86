"""A parameter's value as its declared type, from the text that a template gives.

Source: st2common/util/casts.py of StackStorm 3.9.
"""

import ast
from collections.abc import Callable
from typing import Any

from st2solo import json_text
from st2solo.filters import NONE_MAGIC


def _none(value: Any) -> Any:
    return None if value == NONE_MAGIC else value


def _structure(value: Any) -> Any:
    value = _none(value)
    if not isinstance(value, str):
        return value
    try:
        return json_text.parse(value)
    except ValueError:
        return ast.literal_eval(value)


def _boolean(value: Any) -> Any:
    value = _none(value)
    return ast.literal_eval(value.capitalize()) if isinstance(value, str) else value


def _string(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(
            f'Value "{value}" must either be a string or None. Got "{type(value).__name__}".'
        )
    return _none(value)


_CASTS: dict[str, Callable[[Any], Any]] = {
    "array": _structure,
    "boolean": _boolean,
    "integer": lambda value: int(_none(value)),
    "number": lambda value: float(_none(value)),
    "object": _structure,
    "string": _string,
}


def cast(value: Any, schema: dict[str, Any]) -> Any:
    """The value in the type that the schema names; None and unknown types pass.

    What `use_none` left becomes None, except as integer or number, which StackStorm refuses.

    Raises:
        ValueError, TypeError, SyntaxError: the value does not fit the type.
    """
    kind = schema.get("type")
    if value is None or not isinstance(kind, str) or kind not in _CASTS:
        return value
    return _CASTS[kind](value)
