"""arteriole.yaml: read, merged with ARTERIOLE_... variables, checked; errors name file and line."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from arteriole.app.errors import ArterioleError
from arteriole.app.slips import slip

Model = TypeVar("Model", bound=BaseModel)

_PREFIX = "ARTERIOLE_"
#: Variables of that prefix that are no settings.
_NOT_SETTINGS = {"ARTERIOLE_CONFIG", "ARTERIOLE_REAL_DATA", "ARTERIOLE_TOKEN", "ARTERIOLE_URL"}
_DECIMAL = re.compile("[-+]?(0|[1-9][0-9_]*)", re.ASCII)


class ConfigError(ArterioleError):
    """The configuration cannot be used."""

    code = "config.invalid"


class Clash(PydanticCustomError):
    """Two settings that do not go together; `text` tells of the first, then names the other."""

    TYPE = "clash"

    def __new__(cls, one: tuple[str, ...], other: tuple[str, ...], text: str) -> Self:
        return super().__new__(cls, cls.TYPE, "{text}", {"text": text, "keys": (one, other)})


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"expected an absolute path without '..', found {str(path)!r}")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class Section(BaseModel):
    """Base of every section: unknown keys are refused, relative paths are refused."""

    # Built when it is first used: a worker needs few of the sections that it imports.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Reader(yaml.SafeLoader):
    """YAML 1.1, but that its other numbers are text: 0640 is not 416, and 18:00 is not 1080."""

    def decimal(self, node: yaml.ScalarNode) -> Any:
        is_decimal = _DECIMAL.fullmatch(node.value)
        return self.construct_yaml_int(node) if is_decimal else node.value


Reader.add_constructor("tag:yaml.org,2002:int", Reader.decimal)


def load(path: Path, model: type[Model], environment: Mapping[str, str] = os.environ) -> Model:
    """Read `path` into `model`.

    `ARTERIOLE_TRANSFER__PORT=8283` overrides `port` in the section `transfer`: names are split at
    double underscores, values are YAML.

    Raises:
        ConfigError: names the file, the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=Reader)
        misused = _misused(node, set(), {})
        values = {} if misused else yaml.load(text, Loader=Reader) or {}
    except OSError as err:
        raise ConfigError(
            f"{path}: expected a file that can be read, found: {err.strerror or err}",
            hint="name it with --config FILE",
        ) from err
    except UnicodeDecodeError as err:
        raise ConfigError(f"{path}: expected text in UTF-8, found: {err.reason}") from err
    except (ValueError, RecursionError) as err:  # a date that is none, say
        raise ConfigError(f"{path}: a value cannot be read: {err}") from err
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(err, "problem", None) or err
        raise ConfigError(f"{path}:{line}: not YAML: {problem}") from err
    if misused is not None:
        raise ConfigError(
            f"{path}:{misused.line}: {misused.told}", hint="keep what is meant, and write it out"
        )
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: expected keys with values, found {_kind(values)}")
    variables = {
        tuple(name.removeprefix(_PREFIX).lower().split("__")): name
        for name in environment
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS
    }
    for keys, name in variables.items():
        _override(values, keys, name, environment[name])
    try:
        return model.model_validate(values)
    except ValidationError as err:
        places = _Places(path, node, variables)
        lines = [
            places.problem(error, model)
            for error in err.errors(include_url=False, include_context=True)
        ]
        raise ConfigError("\n".join(lines)) from err


@dataclass(frozen=True)
class _Misused:
    line: int
    told: str


def _misused(
    node: yaml.Node | None, above: set[yaml.Node], found: dict[yaml.Node, _Misused | None]
) -> _Misused | None:
    """The first key that stands twice in one mapping, as YAML takes the last without a word.

    Or what holds itself, by an alias. Each node is looked at once, and then is among `found`.
    """
    if not isinstance(node, yaml.CollectionNode):
        return None
    if node in above:
        return _Misused(node.start_mark.line + 1, "expected a value, found one that holds itself")
    if node not in found:
        above.add(node)
        found[node] = _twice(node) or next(
            (one for inner in _inner(node) if (one := _misused(inner, above, found))), None
        )
        above.remove(node)
    return found[node]


def _inner(node: yaml.CollectionNode) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value)


def _twice(node: yaml.CollectionNode) -> _Misused | None:
    seen: set[str] = set()
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                return _Misused(key.start_mark.line + 1, f"{key.value} is given twice")
            seen.add(key.value)
    return None


def _override(values: dict[str, Any], keys: tuple[str, ...], name: str, value: str) -> None:
    for key in keys[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{name}: {key} has no keys below it")
        values = inner
    try:
        values[keys[-1]] = yaml.load(value, Loader=Reader)
    except (yaml.YAMLError, ValueError) as err:
        raise ConfigError(f"{name}: not YAML: {err}") from err


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else repr(value)[:60]


@dataclass(frozen=True)
class _Places:
    path: Path
    node: yaml.Node | None
    variables: Mapping[tuple[str, ...], str]

    def problem(self, error: ErrorDetails, model: type[BaseModel]) -> str:
        """Where it is, the key, and what is wrong there."""
        if error["type"] == Clash.TYPE:
            one, other = (error.get("ctx") or {})["keys"]
            return self._clash(one, other, error["msg"])
        where = tuple(part for part in error["loc"] if part != "[key]")
        told = (self.of(where), _dotted(where), slip(error, model))
        return ": ".join(filter(None, told))

    def _clash(self, one: tuple[str, ...], other: tuple[str, ...], text: str) -> str:
        return f"{self.of(one)}: {_dotted(one)}: {text} ({_dotted(other)}: {self.of(other)})"

    def of(self, where: tuple[int | str, ...]) -> str:
        """The variable that set it, or file and line of the key or of what lacks it."""
        for keys, name in self.variables.items():
            if where[: len(keys)] == keys:
                return name
        line, node = 1, self.node
        for part in where:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == part:
                        line, node = key.start_mark.line + 1, value
                        break
                else:
                    break
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                if part >= len(node.value):  # one is missing there
                    break
                node = node.value[part]
                line = node.start_mark.line + 1
        return f"{self.path}:{line}"


def _dotted(where: tuple[int | str, ...]) -> str:
    return ".".join(map(str, where))
