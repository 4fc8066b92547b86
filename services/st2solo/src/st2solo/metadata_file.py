"""YAML files that people write, read with the line of every field, so that errors can name it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from st2solo.errors import InvalidError

Keys = tuple[str | int, ...]

_LONGEST = 2**20
_MOST_NODES = 100_000


@dataclass(frozen=True)
class Problem:
    """One reason why a file is refused."""

    file: Path
    line: int | None
    message: str

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
    """The content of a file and the line on which each of its fields stands."""

    path: Path
    content: dict[str, Any]
    lines: dict[Keys, int]

    def problem(self, message: str, at: Iterable[str | int] = ()) -> Problem:
        """A problem at the field with this path, or at the nearest one above it."""
        keys = tuple(at)
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return Problem(self.path, self.lines.get(keys), message)

    def problems_with(self, schema: dict[str, Any]) -> list[Problem]:
        """How the content differs from a JSON schema (draft 4)."""
        validator = jsonschema.Draft4Validator(schema)
        errors = sorted(validator.iter_errors(self.content), key=lambda e: [*map(str, e.path)])
        return [self.problem(_message(error), error.absolute_path) for error in errors]


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
    except (OSError, UnicodeDecodeError) as err:
        raise MetadataError([Problem(path, None, f"cannot be read: {err}")]) from err
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        reason = getattr(err, "problem", None) or str(err)
        line = mark.line + 1 if mark else None
        raise MetadataError([Problem(path, line, f"not valid YAML: {reason}")]) from err
    except RecursionError as err:
        raise MetadataError([Problem(path, None, "is nested too deeply")]) from err
    except ValueError as err:  # such as a date that does not exist, or too many values
        raise MetadataError([Problem(path, None, f"not valid YAML: {err}")]) from err
    if not isinstance(content, dict):
        raise MetadataError(
            [Problem(path, 1, f"expected a mapping, found {type(content).__name__}")]
        )
    lines: dict[Keys, int] = {}
    if node is not None:
        _note_lines(node, (), lines)
    return MetadataFile(path, content, lines)


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


def _note_lines(node: yaml.Node, at: Keys, lines: dict[Keys, int]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                below = (*at, key.value)
                lines[below] = key.start_mark.line + 1
                _note_lines(value, below, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*at, index), lines)


def _message(error: Any) -> str:
    field = ".".join(str(part) for part in error.absolute_path)
    return f"{field}: {error.message}" if field else str(error.message)
