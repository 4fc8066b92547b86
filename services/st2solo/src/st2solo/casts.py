"""A parameter's value as its declared type, from the text that a template gives.

Source: st2common/util/casts.py of StackStorm 3.9.
"""

import ast
import json
from collections.abc import Callable
from typing import Any

from st2solo.filters import NONE_MAGIC


def _structure(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return ast.literal_eval(value)


def _boolean(value: Any) -> Any:
    return ast.literal_eval(value.capitalize()) if isinstance(value, str) else value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(
            f'Value "{value}" must either be a string or None. Got "{type(value).__name__}".'
        )
    return value


_CASTS: dict[str, Callable[[Any], Any]] = {
    "array": _structure,
    "boolean": _boolean,
    "integer": int,
    "number": float,
    "object": _structure,
    "string": _string,
}


def cast(value: Any, schema: dict[str, Any]) -> Any:
    """The value in the type that the schema names; None and unknown types pass.

    Raises:
        ValueError, TypeError, SyntaxError: the value does not fit the type.
    """
    if value is None or value == NONE_MAGIC:
        return None
    kind = schema.get("type")
    return _CASTS[kind](value) if isinstance(kind, str) and kind in _CASTS else value
