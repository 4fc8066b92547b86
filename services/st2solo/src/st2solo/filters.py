"""The functions which StackStorm adds to Jinja and to Orquesta's expressions.

Source: st2common/expressions/functions of StackStorm 3.9, which leaves versions to `semver`, and
YAML to libyaml; here only its writing, since libyaml's reader dies of deeply nested text.
"""

import datetime
import json
import os.path
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsonpath_rw  # type: ignore[import-untyped]
import yaml
from semver import Version

from st2solo import json_text
from st2solo.metadata_file import require_small

#: What `use_none` leaves in a template for None; casts turn it back.
NONE_MAGIC = "%*****__%NONE%__*****%"


def plain(value: Any) -> Any:
    """YAQL hands over tuples and frozen mappings: make lists and dictionaries of them."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def from_json_string(value: Any) -> Any:
    return json_text.parse(str(value))


def from_yaml_string(value: Any) -> Any:
    text = str(value)
    require_small(text)
    return yaml.safe_load(text)


def to_json_string(
    value: Any,
    indent: int | None = None,
    sort_keys: bool | None = False,
    separators: Any = (",", ": "),
) -> str:
    return json.dumps(plain(value), indent=indent, sort_keys=bool(sort_keys), separators=separators)


def to_yaml_string(value: Any, indent: int | None = None, allow_unicode: bool | None = True) -> str:
    text: str = yaml.dump(
        plain(value),
        Dumper=yaml.CSafeDumper,
        default_flow_style=False,
        indent=indent,
        allow_unicode=bool(allow_unicode),
    )
    return text


def json_escape(value: Any) -> str:
    return json.dumps(plain(value)).strip('"')


def jsonpath_query(value: Any, query: str) -> Any:
    """All matches, or None when there is none."""
    matches = [match.value for match in jsonpath_rw.parse(query).find(plain(value))]
    return matches or None


def to_complex(value: Any) -> str:
    """JSON, so that a bare variable in a list or object keeps its type."""
    return json.dumps(plain(value))


def use_none(value: Any) -> Any:
    return NONE_MAGIC if value is None else value


def _flags(ignorecase: bool) -> re.RegexFlag:
    return re.IGNORECASE if ignorecase else re.NOFLAG


def regex_match(value: Any, pattern: str, ignorecase: bool = False) -> bool:
    return re.match(pattern, str(value), _flags(ignorecase)) is not None


def regex_search(value: Any, pattern: str, ignorecase: bool = False) -> bool:
    return re.search(pattern, str(value), _flags(ignorecase)) is not None


def regex_replace(value: Any, pattern: str, replacement: str, ignorecase: bool = False) -> str:
    return re.sub(pattern, replacement, str(value), flags=_flags(ignorecase))


def regex_substring(
    value: Any, pattern: str, result_index: int = 0, ignorecase: bool = False
) -> Any:
    return re.findall(pattern, str(value), _flags(ignorecase))[result_index]


def to_human_time_from_seconds(seconds: int | float) -> str:
    """`3725` as `1h2m5s`; below a second in microseconds' clothes, as StackStorm writes it."""
    if not isinstance(seconds, int | float):
        raise TypeError(f"seconds must be a number, not {type(seconds).__name__}")
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds}\u03bcs"
    moment = datetime.datetime(1, 1, 1) + datetime.timedelta(seconds=round(seconds))
    parts = [moment.year - 1, moment.day - 1, moment.hour, moment.minute, moment.second]
    first = next((n for n, part in enumerate(parts) if part), len(parts) - 1)
    return "".join(
        f"{part}{unit}" for part, unit in zip(parts[first:], "ydhms"[first:], strict=True)
    )


def version_compare(value: str, pattern: str) -> int:
    return Version.parse(value).compare(pattern)


def version_more_than(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == 1


def version_less_than(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == -1


def version_equal(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == 0


def version_match(value: str, pattern: str) -> bool:
    """Whether the version satisfies an expression such as `>=1.2.0`; bare means equal."""
    return Version.parse(value).match(pattern)


def version_bump_major(value: str) -> str:
    return str(Version.parse(value).bump_major())


def version_bump_minor(value: str) -> str:
    return str(Version.parse(value).bump_minor())


def version_bump_patch(value: str) -> str:
    return str(Version.parse(value).bump_patch())


def version_strip_patch(value: str) -> str:
    version = Version.parse(value)
    return f"{version.major}.{version.minor}"


def basename(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119 - StackStorm's semantics on any string


def dirname(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120


FILTERS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        from_json_string,
        from_yaml_string,
        to_json_string,
        to_yaml_string,
        json_escape,
        jsonpath_query,
        to_complex,
        use_none,
        regex_match,
        regex_replace,
        regex_search,
        regex_substring,
        to_human_time_from_seconds,
        version_compare,
        version_more_than,
        version_less_than,
        version_equal,
        version_match,
        version_bump_major,
        version_bump_minor,
        version_bump_patch,
        version_strip_patch,
        basename,
        dirname,
    )
}
