"""Every setting of arteriole.yaml and policy.yaml as the models have it: most of docs/settings.md.

What a setting does is the comment `#:` above it in its model; what a default is that is worked out
at the start, the docstring of its function.
"""

import inspect
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from arteriole.app import chat, name_pattern
from arteriole.app.config import Section
from arteriole.app.slips import alternatives
from arteriole.bcl2fastq import converters, tool_settings
from arteriole.bcl2fastq.pin_settings import ConverterName
from arteriole.jobs import ssh
from arteriole.jobs.executors.docker_settings import ImageName
from arteriole.policy import settings as policy
from arteriole.policy.settings import PolicySettings
from arteriole.runfolder.settings import InstrumentName
from arteriole.settings import Settings
from arteriole.transfer.access import DirectoryMode, FileMode
from arteriole.transfer.bandwidth import Clock

HEAD = """\
# Settings
Every setting of arteriole.yaml, policy.yaml, st2solo.yaml and of the configurations of the packs. \
`make settings` writes this page from the programs, so it is not edited by hand.

In a name NAME stands for a name of your own, N for a place in a list; 0 is the first. What is \
*required* is so only where the setting above it is given.

## arteriole.yaml
`arteriole --config FILE config check` tells what is wrong in a file, with its line. A variable \
sets a setting too: `ARTERIOLE_TRANSFER__PORT=8283` is `transfer.port`.
"""

#: Said of a setting that is a model.
_BELOW = "the keys below"
_NAME = "name of A-Z a-z 0-9 . _ -"
#: What to call types that are narrower than text.
_WORDS: tuple[tuple[Any, str], ...] = (
    (chat.Name, _NAME),
    (ssh.Identifier, _NAME),
    (policy.Identifier, _NAME),
    (ssh.HostName, "host name or IPv4 address"),
    (ImageName, "image with a tag or a digest"),
    (tool_settings.ProgramName, "name or absolute path of a program"),
    (name_pattern.Pattern, "regular expression of a whole name"),
    (ConverterName, " or ".join(f"`{name}`" for name in converters.names())),
    (InstrumentName, "families of instruments"),
    (policy.Country, "two letters of ISO 3166"),
    (FileMode, "octal mode"),
    (DirectoryMode, "octal mode"),
    (Clock, 'time of day in quotes, as "08:00"'),
)
_PLAIN: dict[type, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "absolute path",
}


class Setting(NamedTuple):
    """One setting; `does` is empty if its model does not say what it does."""

    name: str
    kind: str
    value: str
    default: str
    does: str


def page() -> Iterator[str]:
    """The lines of the page."""
    yield HEAD
    found = list(settings_of(Settings, {}))
    yield from _table(one for one in found if "." not in one.name)
    for section in Settings.model_fields:
        if below := [one for one in found if one.name.startswith(f"{section}.")]:
            yield f"\n### {section}"
            yield from _table(below)
    yield "\n## policy.yaml\n[policy.md](policy.md) says how the rules are read.\n"
    yield from _table(settings_of(PolicySettings, {}))


def settings_of(
    model: type[BaseModel], seen: dict[type[BaseModel], str], above: str = "", kind: str = ""
) -> Iterator[Setting]:
    """Those of a model, and of the models in it.

    Args:
        seen: by model the setting whose keys it was; such a model is not told again.
        above: stands before each name.
        kind: of the settings, where those of several kinds have one name.
    """
    told = _comments(model)
    types = get_type_hints(model, include_extras=True)
    for field, info in model.model_fields.items():
        name = above + (info.alias or field)
        inner = list(_inner(types[field], name))
        value = _value(types[field], info.metadata)
        if same := [seen[one] for one, *_ in inner if one in seen]:
            value = value.replace(_BELOW, f"the keys of `{same[0]}`")
        if NoneType in get_args(types[field]) and info.default is not None:
            value += ", or null"
        yield Setting(name, kind, value, _default(info), told.get(field, ""))
        for one, place, its_kind in inner:
            if one not in seen:
                seen[one] = place
                yield from settings_of(one, seen, f"{place}.", its_kind or kind)


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """By field the text of the lines `#:` above it."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, Section):
            continue
        lines: list[str] = []
        for line in inspect.getsource(one).splitlines():
            if comment := re.match(r"    #: (.+)", line):
                lines.append(comment[1])
                continue
            if lines and (field := re.match(r"    (\w+):", line)):
                found[field[1]] = " ".join(lines)
            lines = []
    return found


def _inner(annotation: Any, place: str) -> Iterator[tuple[type[BaseModel], str, str]]:
    """The models in a type, the place of each, and its `type` where there are several."""
    several = [one for one in alternatives(annotation) if one is not NoneType]
    for one in several:
        below = get_args(one)
        if get_origin(one) is list:
            yield from _inner(below[0], f"{place}.N")
        elif get_origin(one) is dict:
            yield from _inner(below[1], f"{place}.NAME")
        elif isinstance(one, type) and issubclass(one, BaseModel):
            by_type = one.model_fields.get("type") if len(several) > 1 else None
            yield one, place, "" if by_type is None else get_args(by_type.annotation)[0]


def _value(annotation: Any, limits: Sequence[Any] = ()) -> str:
    """What may stand there, in plain words."""
    known = next((words for one, words in _WORDS if one == annotation), None)
    if known is not None:
        return known
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        own = [limit for one in inner[1:] for limit in getattr(one, "metadata", (one,))]
        return _value(inner[0], [*own, *limits])
    if origin is Literal:
        return _either(inner)
    if origin is list:
        return f"list{_length(limits)}, each: {_value(inner[0])}"
    if origin is tuple:
        many = "" if Ellipsis in inner else f" of {len(inner)}"
        return f"list{many}, each: {_value(inner[0])}"
    if origin is dict:
        names = _value(inner[0])
        known = "" if names in ("text", _NAME) else f" ({names})"
        return f"keys of your own{known}, each: {_value(inner[1])}"
    if origin is not None:
        words = (_value(one, limits) for one in inner if one is not NoneType)
        return "; or ".join(dict.fromkeys(words))
    return _plain(annotation, limits)


def _plain(kind: type, limits: Sequence[Any]) -> str:
    if issubclass(kind, BaseModel):
        return _BELOW
    if issubclass(kind, Enum):
        return _either([one.value for one in kind])
    if kind is str and (length := _length(limits)):
        return f"text{length} characters"
    return _PLAIN[kind] + _range(limits)


def _either(values: Iterable[object]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _range(limits: Sequence[Any]) -> str:
    found = {type(one): one for one in limits}
    least, more = found.get(Ge), found.get(Gt)
    most, less = found.get(Le), found.get(Lt)
    if least and most:
        return f" from {_number(least.ge)} to {_number(most.le)}"
    words = [
        f"of at least {_number(least.ge)}" if least else "",
        f"above {_number(more.gt)}" if more else "",
        f"at most {_number(most.le)}" if most else "",
        f"below {_number(less.lt)}" if less else "",
    ]
    return " " + ", ".join(filter(None, words)) if any(words) else ""


def _length(limits: Sequence[Any]) -> str:
    found = {type(one): one for one in limits}
    least, most = found.get(MinLen), found.get(MaxLen)
    if least and most:
        return f" of {least.min_length} to {most.max_length}"
    if least:
        return f" of at least {least.min_length}"
    return f" of at most {most.max_length}" if most else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    made = info.default_factory
    if made is not None and made not in (dict, list):
        return inspect.getdoc(made) or ""
    value = info.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
        if not value:
            return "as below"
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    plain = to_jsonable_python(value)
    text = yaml.safe_dump(plain, default_flow_style=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _table(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| setting | value | default | what it does |"
    yield "|---|---|---|---|"
    for one in settings:
        name = f"`{one.name}`" + (f" of `type: {one.kind}`" if one.kind else "")
        cells = (name, one.value, one.default, one.does)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
