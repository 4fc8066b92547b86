"""YAML files that people write, read with the line of every field, so that errors can name it."""

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from st2solo import json_text
from st2solo.errors import InvalidError

Keys = tuple[str | int, ...]

_LONGEST = 2**20
_MOST_NODES = 100_000


#: The code of what stops a file from being read at all; `pack_check.codes` has all codes.
UNREADABLE = "file.unreadable"

#: What a rule of a JSON schema is called when a field breaks it; the others are values.
_CODES = {
    "type": "field.type",
    "anyOf": "field.type",
    "required": "field.missing",
    "dependencies": "field.missing",
}


class Place(NamedTuple):
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One reason why a file is refused, by a code that stays."""

    file: Path
    line: int | None
    message: str
    column: int | None = None
    code: str = UNREADABLE

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{where}: {self.message}"


class MetadataError(InvalidError):
    """A file does not hold what is expected of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class MetadataFile:
    """The content of a file and the place at which each of its fields stands.

    A key that stands twice in a mapping is in `repeated`; as in StackStorm the last one counts.
    """

    path: Path
    content: dict[str, Any]
    places: dict[Keys, Place]
    repeated: dict[Keys, Place]

    def problem(
        self, message: str, at: Iterable[str | int] = (), code: str = "field.value"
    ) -> Problem:
        """A problem at the field with this path, or at the nearest one above it."""
        keys = tuple(at)
        while keys and keys not in self.places:
            keys = keys[:-1]
        place = self.places.get(keys)
        if place is None:
            return Problem(self.path, None, message, code=code)
        return Problem(self.path, place.line, message, place.column, code)

    def repetitions(self) -> Iterator[Problem]:
        """A problem for each key that stands twice, at its second place."""
        for at, place in self.repeated.items():
            message = f"{'.'.join(map(str, at))}: stands twice"
            yield Problem(self.path, place.line, message, place.column, "file.repeated_key")

    def without_nulls(self, schema: dict[str, Any]) -> "MetadataFile":
        """The file without the optional keys of a schema that have no value.

        They count as if they were not there, but for those whose schema says `nullable: false`.
        """
        return dataclasses.replace(self, content=_without_nulls(self.content, schema))

    def problems_with(self, schema: dict[str, Any]) -> list[Problem]:
        """How the content differs from a JSON schema (draft 4)."""
        validator = jsonschema.Draft4Validator(schema)
        try:
            errors = sorted(validator.iter_errors(self.content), key=lambda e: [*map(str, e.path)])
        except TypeError:  # patterns of names are only for text
            at = next(_no_texts(self.content, ()), ())
            return [self.problem("a name has to be text, in quotes", at, "field.name")]
        return [problem for error in errors for problem in self._told(error)]

    def _told(self, error: Any) -> Iterator[Problem]:
        """One problem for an error of a schema, or one for each of several unknown keys."""
        at = tuple(error.absolute_path)
        if error.validator != "additionalProperties":
            code = _CODES.get(error.validator, "field.value")
            yield self.problem(_message(error), at, code)
            return
        patterns = error.schema.get("patternProperties", {})
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key in known or any(re.search(pattern, str(key)) for pattern in patterns):
                continue
            field = ".".join(map(str, (*at, key)))
            if patterns:
                message = f"{field}: a name is letters, digits and underscores"
                yield self.problem(message, (*at, key), "field.name")
            else:
                message = f"{field}: is not known; known: {', '.join(sorted(known))}"
                yield self.problem(message, (*at, key), "field.unknown")


def read(path: Path) -> MetadataFile:
    """
    Raises:
        MetadataError: the file cannot be read, is no YAML, or is not a mapping.
    """
    try:
        text = path.read_text()
        require_small(text)
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            content = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
        json_text.require(content)
    except (OSError, UnicodeDecodeError) as err:
        raise MetadataError([Problem(path, None, f"cannot be read: {err}")]) from err
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        reason = getattr(err, "problem", None) or str(err)
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise MetadataError([Problem(path, line, f"not valid YAML: {reason}", column)]) from err
    except RecursionError as err:
        raise MetadataError([Problem(path, None, "is nested too deeply")]) from err
    except (TypeError, ValueError) as err:  # such as a date that does not exist
        raise MetadataError([Problem(path, None, f"not valid YAML: {err}")]) from err
    if not isinstance(content, dict):
        raise MetadataError(
            [Problem(path, 1, f"expected a mapping, found {type(content).__name__}")]
        )
    file = MetadataFile(path, content, {}, {})
    if node is not None:
        _note_places(node, (), file)
    return file


def require_small(text: str) -> None:
    """Refuse YAML that would take all memory, such as aliases of aliases of aliases.

    Raises:
        ValueError: it is too long, or has too many values once its aliases are replaced.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters")
    if "*" not in text:  # without an alias it cannot be larger than it is long
        return
    node = yaml.compose(text, yaml.SafeLoader)
    if node is not None and _size(node, {}) > _MOST_NODES:
        raise ValueError(f"it has more than {_MOST_NODES} values once its aliases are replaced")


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """How many values a node stands for, aliases replaced; infinite when it holds itself."""
    if id(node) not in known:
        known[id(node)] = math.inf  # what is met again below itself
        below = node.value if not isinstance(node, yaml.ScalarNode) else []
        parts = [p for one in below for p in (one if isinstance(one, tuple) else (one,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _note_places(node: yaml.Node, at: Keys, file: MetadataFile) -> None:
    file.places.setdefault(at, _place(node))
    if isinstance(node, yaml.MappingNode):
        own: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                below = (*at, key.value)
                file.places[below] = _place(key)
                if key.value in own:
                    file.repeated[below] = _place(key)
                if key.start_mark.index >= node.start_mark.index:  # else it was merged in
                    own.add(key.value)
                _note_places(value, below, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_places(value, (*at, index), file)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _without_nulls(content: Any, schema: dict[str, Any]) -> Any:
    items = schema.get("items", {})
    if isinstance(content, list) and isinstance(items, dict):
        return [_without_nulls(one, items) for one in content]
    if not isinstance(content, dict):
        return content
    known, required = schema.get("properties", {}), schema.get("required", ())
    optional = {k for k in known if k not in required and known[k].get("nullable", True)}
    return {
        key: _without_nulls(value, known.get(key, {}))
        for key, value in content.items()
        if value is not None or key not in optional
    }


def _no_texts(content: Any, at: Keys) -> Iterator[Keys]:
    """Where a key is a number or the like."""
    for key, below in content.items() if isinstance(content, dict) else ():
        if not isinstance(key, str):
            yield (*at, str(key))
        yield from _no_texts(below, (*at, str(key)))


def _message(error: Any) -> str:
    field, message = ".".join(str(part) for part in error.absolute_path), str(error.message)
    if error.validator == "pattern" and "title" in error.schema:
        message = f"expected {error.schema['title']}, found {error.instance!r}"
    return f"{field}: {message}" if field else message
