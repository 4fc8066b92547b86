"""The configuration of a pack: `configs/<pack>.yaml`, its schema, and values of the datastore."""

import os
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError

from st2solo import metadata_file, schema
from st2solo.errors import ConflictError, InvalidError
from st2solo.jinja import is_template, kv_context, render_value
from st2solo.keys import Keys
from st2solo.metadata_file import MetadataFile, Problem

Schema = dict[str, dict[str, Any]]


def path_of(configs: Path, pack: str) -> Path:
    return configs / f"{pack}.yaml"


def read(configs: Path, pack: str) -> dict[str, Any]:
    """What the file says; nothing if there is none."""
    path = path_of(configs, pack)
    return metadata_file.read(path).content if path.is_file() else {}


def write(configs: Path, pack: str, values: dict[str, Any], config_schema: Schema) -> None:
    """Replace the file, at once; only the user of st2solo can read one that is new.

    Raises:
        InvalidError: the values do not fit the pack's config.schema.yaml.
        ConflictError: the file cannot be written.
    """
    schema.validate(values, {"type": "object", "properties": config_schema})
    text = yaml.safe_dump(values, default_flow_style=False, allow_unicode=True)
    try:
        metadata_file.require_small(text)
    except ValueError as err:
        raise InvalidError(f"the configuration of {pack}: {err}") from err
    path = path_of(configs, pack)
    draft = path.with_suffix(".new")
    try:
        configs.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as err:
        raise ConflictError(f"the configuration of {pack} cannot be written: {err}") from err


def problems(file: MetadataFile, config_schema: Schema) -> list[Problem]:
    """How the file differs from the pack's config.schema.yaml; unknown names are accepted.

    As in StackStorm a template is a text, so it does not fit where an integer is expected.
    """
    try:
        schema.validate(file.content, {"type": "object", "properties": config_schema})
    except InvalidError as err:
        return [
            file.problem(str(err), str(err).rpartition("(parameter ")[2].rstrip(")").split("."))
        ]
    return []


def rendered(
    values: dict[str, Any], config_schema: Schema, keys: Keys, user: str
) -> dict[str, Any]:
    """The values with templates evaluated against the datastore and defaults filled in.

    Raises:
        InvalidError: a value cannot be rendered, or a secret one is not stored encrypted.
    """
    context = kv_context(keys, user)
    done = _rendered_object(values, config_schema, keys, context, ())
    full: dict[str, Any] = schema.with_defaults(
        done, {"type": "object", "properties": config_schema}
    )
    return full


def _rendered_object(
    values: dict[str, Any],
    properties: Schema,
    keys: Keys,
    context: dict[str, Any],
    at: tuple[str, ...],
) -> dict[str, Any]:
    return {
        name: _rendered(value, properties.get(name) or {}, keys, context, (*at, name))
        for name, value in values.items()
    }


def _rendered(
    value: Any, item: dict[str, Any], keys: Keys, context: dict[str, Any], at: tuple[str, ...]
) -> Any:
    if isinstance(value, dict):
        return _rendered_object(value, item.get("properties") or {}, keys, context, at)
    if isinstance(value, list):
        below = item.get("items") or {}
        below = below if isinstance(below, dict) else {}
        return [_rendered(v, below, keys, context, (*at, str(i))) for i, v in enumerate(value)]
    if not is_template(value):
        return value
    try:
        found = render_value(value, context)
        return keys.decrypt(found) if item.get("secret") and found else found
    except (TemplateError, InvalidError, ValueError) as err:
        raise InvalidError(f'configuration value "{".".join(at)}" ({value}): {err}') from err
