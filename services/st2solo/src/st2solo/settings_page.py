"""Every setting of st2solo.yaml and of packs, as schemas have it: a part of docs/settings.md."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from st2solo import metadata_file
from st2solo.config import SCHEMA

#: Characters of the longest default that is shown.
_SHOWN = 100
_WORDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "keys with values",
    "string": "text",
}
_HEAD = "| setting | value | default | what it does |\n|---|---|---|---|"


def page(packs: Iterable[Path]) -> Iterator[str]:
    """The lines of the part; `packs` are their folders.

    Raises:
        MetadataError: a file of a pack cannot be read.
    """
    yield f"\n## st2solo.yaml\nPaths are absolute, or relative to the file's folder.\n\n{_HEAD}"
    yield from _rows(SCHEMA)
    for folder in packs:
        name = metadata_file.read(folder / "pack.yaml").content["name"]
        schema = metadata_file.read(folder / "config.schema.yaml").content
        yield f"\n## {name}.yaml, of the pack {name}\n{_HEAD}"
        yield from _rows({"properties": schema})


def _rows(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """A row for each property of a JSON schema (draft 4, or `required: true` of draft 3)."""
    needed = schema.get("required", ())
    for name, item in schema["properties"].items():
        required = item.get("required") is True or (needed and name in needed)
        default = "*required*" if required else _default(item)
        cells = (f"`{above}{name}`", _value(item), default, item.get("description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        if "properties" in item:
            yield from _rows(item, f"{above}{name}.")


def _value(item: dict[str, Any]) -> str:
    """What may stand there, in plain words."""
    if "enum" in item:
        return " or ".join(f"`{value}`" for value in item["enum"])
    if "properties" in item:
        return "the keys below"
    kind = item.get("type", "string")
    kinds = [kind] if isinstance(kind, str) else kind
    words = " or ".join(_WORDS[one] for one in kinds if one != "null") + _range(item)
    if "items" in item:
        words += f", each: {_value(item['items'])}"
    return (
        words + (", or null" if "null" in kinds else "") + (", secret" * bool(item.get("secret")))
    )


def _range(item: dict[str, Any]) -> str:
    least, most = item.get("minimum"), item.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" above {least}" if item.get("exclusiveMinimum") else f" of at least {least}"
    if most is not None:
        return f" of at most {most}"
    return f" of at least {item['minItems']}" if "minItems" in item else ""


def _default(item: dict[str, Any]) -> str:
    if "properties" in item:
        return "as below"
    if item.get("default") is None:
        return "none"
    text = yaml.safe_dump(item["default"], default_flow_style=True, width=10**6)
    text = text.removesuffix("\n").removesuffix("\n...")
    return f"`{text}`" if len(text) <= _SHOWN else "as in config.schema.yaml"
