"""JSON as StackStorm reads and writes it, which is by orjson.

Source: st2common/util/jsonify.py of StackStorm 3.9.
"""

import json
import math
from typing import Any

#: So many lists and objects within each other can be stored, shown and taken into others.
DEEPEST = 100

_CONTAINERS = (dict, list)
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def _integer(digits: str) -> int | float:
    value = int(digits)
    return value if _SMALLEST <= value <= _LARGEST else _number(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"the number {digits} is too large")
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def is_deeper(value: Any, levels: int = DEEPEST) -> bool:
    """Whether more than so many lists and objects are within each other."""
    if not isinstance(value, _CONTAINERS):
        return False
    below = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(
        isinstance(one, _CONTAINERS) and is_deeper(one, levels - 1) for one in below
    )


def parse(text: str) -> Any:
    """The value; an integer that does not fit 64 bits becomes a float.

    Raises:
        ValueError: it is no JSON (NaN and Infinity are none), a number is too large, or a text
            holds half a character.
    """
    value = json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=_refuse)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates
    return value


def require(value: Any) -> None:
    """Refuse what could not be stored or shown again.

    Raises:
        TypeError: a key is something like a date.
        ValueError: a number is none of JSON or too long, or a text holds half a character.
    """
    json.dumps(value, default=str, ensure_ascii=False, allow_nan=False).encode()


def written(value: Any, indent: int | None = None) -> str:
    """The value as a text; NaN and infinity, which a workflow may have returned, are null."""
    try:
        return json.dumps(value, default=str, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(value, default=str)
        return json.dumps(json.loads(text, parse_constant=lambda _: None), indent=indent)
