"""arteriole.yaml: read, merged with ARTERIOLE_... variables, checked; errors name file and line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from arteriole.app.errors import ArterioleError

Model = TypeVar("Model", bound=BaseModel)

_PREFIX = "ARTERIOLE_"
#: Variables of that prefix that are no settings.
_NOT_SETTINGS = {"ARTERIOLE_CONFIG", "ARTERIOLE_REAL_DATA", "ARTERIOLE_TOKEN", "ARTERIOLE_URL"}


class ConfigError(ArterioleError):
    """The configuration cannot be used."""

    code = "config.invalid"


class Section(BaseModel):
    """Base of every section: unknown keys are refused, relative paths are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load(path: Path, model: type[Model], environment: Mapping[str, str] = os.environ) -> Model:
    """Read `path` into `model`.

    `ARTERIOLE_TRANSFER__PORT=8283` overrides `port` in the section `transfer`: names are split at
    double underscores, values are YAML.

    Raises:
        ConfigError: names the file, the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: {err}", hint="name it with --config FILE") from err
    except (ValueError, RecursionError) as err:  # a date that is none, say
        raise ConfigError(f"{path}: a value cannot be read: {err}") from err
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(err, "problem", None) or err
        raise ConfigError(f"{path}:{line}: not YAML: {problem}") from err
    if (twice := _given_twice(node)) is not None:
        raise ConfigError(
            f"{path}:{twice.start_mark.line + 1}: {twice.value} is given twice",
            hint="keep the one that is meant",
        )
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: expected keys with values, found {type(values).__name__}")
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
        lines = [
            _problem(_place(path, node, variables, e["loc"]), e["loc"], e["msg"])
            for e in err.errors(include_url=False)
        ]
        raise ConfigError("\n".join(lines)) from err


def _given_twice(node: yaml.Node | None) -> yaml.ScalarNode | None:
    """The first key that stands twice in one mapping; YAML takes the last without a word."""
    if isinstance(node, yaml.SequenceNode):
        inner = node.value
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    return key
                seen.add(key.value)
        inner = [value for _, value in node.value]
    else:
        return None
    return next((found for one in inner if (found := _given_twice(one)) is not None), None)


def _override(values: dict[str, Any], keys: tuple[str, ...], name: str, value: str) -> None:
    for key in keys[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{name}: {key} has no keys below it")
        values = inner
    try:
        values[keys[-1]] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as err:
        raise ConfigError(f"{name}: not YAML: {err}") from err


def _problem(place: str, where: tuple[int | str, ...], text: str) -> str:
    return ": ".join(filter(None, (place, ".".join(map(str, where)), text)))


def _place(
    path: Path,
    node: yaml.Node | None,
    variables: Mapping[tuple[str, ...], str],
    where: tuple[int | str, ...],
) -> str:
    """The variable that set it, or file and line of the key or of the section that lacks it."""
    for keys, name in variables.items():
        if where[: len(keys)] == keys:
            return name
    line = 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return f"{path}:{line}"
