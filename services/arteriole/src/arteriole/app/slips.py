"""What is wrong with a value that pydantic refused: what was expected, and what was found."""

import difflib
import typing
from collections.abc import Iterator, Sized
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

#: Longest value that is repeated.
SHOWN = 60

#: What was expected, by pydantic's type of error; `{...}` is from its context.
_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of a usual size",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "enum": "{expected}",
    "literal_error": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a length of at least {min_length}",
    "string_too_long": "a length of at most {max_length}",
}
_OF_LENGTH = {
    "too_short": "one of ",
    "too_long": "one of ",
    "string_too_short": "",
    "string_too_long": "",
}
_WORDS: dict[type, str] = {dict: "keys with values", NoneType: "nothing"}


def slip(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One sentence about `error`, which is of values for `model`.

    >>> class Server(BaseModel):
    ...     port: int
    >>> try:
    ...     Server.model_validate({"port": "x"})
    ... except ValueError as err:
    ...     slip(err.errors()[0], Server)
    "expected a whole number, found 'x'"
    """
    kind, context, value = error["type"], error.get("ctx") or {}, error["input"]
    if kind == "missing":
        return "expected a value, found none: this key is required"
    if kind == "extra_forbidden":
        return _unknown_key(str(error["loc"][-1]), known_keys(model, error["loc"][:-1]))
    expected = _EXPECTED.get(kind)
    if expected is None:
        return error["msg"].removeprefix("Value error, ")
    return f"expected {expected.format_map(context)}, found {_found(value, kind)}"


def place(error: ErrorDetails) -> str:
    """Where `error` is, such as `plan.stages`; keys are the sender's, and of any length."""
    return ".".join(str(part)[:SHOWN] for part in error["loc"])[: 4 * SHOWN]


def known_keys(model: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at `where` in values for `model`; none if that is not known.

    An alias stands for its field.
    """
    found: Any = model
    for part in where:
        found = next(_below(found, part), None)
    models = [one for one in alternatives(found) if _is_model(one)]
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _below(annotation: Any, part: int | str) -> Iterator[Any]:
    """What the values at `part` of such a value are."""
    for one in alternatives(annotation):
        if _is_model(one):
            yield from (
                field.annotation
                for name, field in one.model_fields.items()
                if part in (name, field.alias)
            )
        elif get_origin(one) in (list, tuple, dict):
            yield get_args(one)[-1]


def alternatives(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from alternatives(one)
    else:
        yield annotation


def _is_model(annotation: Any) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unknown_key(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    if near:
        return f"there is no such key; is {near[0]} meant?"
    return (
        f"there is no such key; known are {', '.join(known)}" if known else "there is no such key"
    )


def _found(value: object, kind: str) -> str:
    if isinstance(value, Sized) and kind in _OF_LENGTH:
        return f"{_OF_LENGTH[kind]}{len(value)}"
    if (word := _WORDS.get(type(value))) is not None:
        return word
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]} ..."
