"""Files and keys that StackStorm passes over, such as a misspelt one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from st2solo import metadata_file
from st2solo.metadata_file import Keys, MetadataError, MetadataFile, Problem
from st2solo.pack_schemas import (
    ACTION,
    ALIAS,
    INSIDE_KEYS,
    POLICY,
    RULE,
    SENSOR,
    TRIGGER_TYPE,
)

_SEVERAL = ("properties", "patternProperties", "definitions")
_LISTS = ("allOf", "anyOf", "oneOf")
_ROOMS = {
    "actions": ACTION,
    "aliases": ALIAS,
    "policies": POLICY,
    "rules": RULE,
    "sensors": SENSOR,
    "triggers": TRIGGER_TYPE,
}


def in_folders(pack: Path) -> Iterator[Problem]:
    """JSON that would describe something, were it called YAML; other data is nobody's fault."""
    for room, schema in _ROOMS.items():
        for path in sorted((pack / room).glob("[!.]*.json")):
            try:
                file = metadata_file.read(path)
            except MetadataError:
                continue
            if file.content.keys() >= set(schema["required"]):
                yield Problem(path, 1, f"{path.name}: is passed over", 1, "file.ignored")


def in_sensor(file: MetadataFile) -> Iterator[Problem]:
    yield from unknown(file, (), file.content, SENSOR["properties"])
    for index, declared in enumerate(file.content.get("trigger_types") or []):
        at = ("trigger_types", index)
        yield from unknown(file, at, declared, TRIGGER_TYPE["properties"])


def in_trigger_type(file: MetadataFile) -> Iterator[Problem]:
    yield from unknown(file, (), file.content, TRIGGER_TYPE["properties"])


def in_parameters(file: MetadataFile, at: Keys, parameters: dict[str, Any]) -> Iterator[Problem]:
    """Within parameters; what stands in a parameter itself is known, or it was refused."""
    for name, definition in parameters.items():
        for where, inside in _inside((*at, name), definition):
            yield from unknown(file, where, inside, INSIDE_KEYS)


def in_output(file: MetadataFile) -> Iterator[Problem]:
    """In an output schema; without a type it is a list of properties, of any name."""
    at, declared = ("output_schema",), file.content.get("output_schema") or {}
    if "type" in declared:
        for where, inside in ((at, declared), *_inside(at, declared)):
            yield from unknown(file, where, inside, INSIDE_KEYS)


def _inside(at: Keys, definition: Any) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """The schemas within a schema, at every depth."""
    for where, below in _next(at, definition or {}):
        if isinstance(below, dict):
            yield where, below
            yield from _inside(where, below)


def _next(at: Keys, definition: dict[str, Any]) -> Iterator[tuple[Keys, Any]]:
    for key in ("items", "additionalProperties", "not"):
        yield (*at, key), definition.get(key)
    for key in _SEVERAL:
        for name, below in (definition.get(key) or {}).items():
            yield (*at, key, name), below
    for key in _LISTS:
        for index, below in enumerate(definition.get(key) or []):
            yield (*at, key, index), below


def unknown(
    file: MetadataFile, at: Keys, content: dict[str, Any], known: Iterable[str]
) -> Iterator[Problem]:
    for key in content:
        if key not in known:
            field = ".".join(map(str, (*at, key)))
            yield file.problem(f"{field}: is passed over", (*at, key), "field.ignored")
