"""The functions which StackStorm adds to Jinja and to Orquesta's expressions.

Source: st2common/expressions/functions of StackStorm 3.9; the versions follow semver 2.
"""

import datetime
import json
import os.path
import re
from collections.abc import Callable, Mapping
from functools import total_ordering
from typing import Any

import jsonpath_rw  # type: ignore[import-untyped]
import yaml

#: What `use_none` leaves in a template for None; casts turn it back.
NONE_MAGIC = "%*****__%NONE%__*****%"


def plain(value: Any) -> Any:
    """YAQL hands over tuples and frozen mappings: make lists and dictionaries of them."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value


def from_json_string(value: Any) -> Any:
    return json.loads(str(value))


def from_yaml_string(value: Any) -> Any:
    return yaml.safe_load(str(value))


def to_json_string(
    value: Any,
    indent: int | None = None,
    sort_keys: bool = False,
    separators: tuple[str, str] = (",", ": "),
) -> str:
    return json.dumps(
        plain(value), indent=indent, sort_keys=sort_keys, separators=(separators[0], separators[1])
    )


def to_yaml_string(value: Any, indent: int | None = None, allow_unicode: bool = True) -> str:
    text: str = yaml.safe_dump(
        plain(value), default_flow_style=False, indent=indent, allow_unicode=allow_unicode
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


_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)


@total_ordering
class _Version:
    """A semantic version; build metadata does not count."""

    def __init__(self, text: str) -> None:
        match = _SEMVER.fullmatch(str(text))
        if match is None:
            raise ValueError(f"{text} is not valid SemVer string")
        self.numbers = (int(match[1]), int(match[2]), int(match[3]))
        self.pre = match[4]

    def _key(self) -> tuple[Any, ...]:
        if self.pre is None:
            return (*self.numbers, 1)
        parts = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split(".")
        )
        return (*self.numbers, 0, parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and self._key() == other._key()

    def __lt__(self, other: "_Version") -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def version_compare(value: str, pattern: str) -> int:
    mine, other = _Version(value), _Version(pattern)
    return (mine > other) - (mine < other)


def version_more_than(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == 1


def version_less_than(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == -1


def version_equal(value: str, pattern: str) -> bool:
    return version_compare(value, pattern) == 0


_EXPECTED: dict[str, tuple[int, ...]] = {
    ">": (1,),
    "<": (-1,),
    "==": (0,),
    "!=": (-1, 1),
    ">=": (0, 1),
    "<=": (-1, 0),
}


def version_match(value: str, pattern: str) -> bool:
    """Whether the version satisfies an expression such as `>=1.2.0`; bare means equal."""
    match = re.fullmatch(r"(>=|<=|==|>|<|!=)?(\d.*)", pattern)
    if match is None:
        raise ValueError(
            f"match_expr parameter should be in format <op><ver>, where <op> is one of"
            f" {sorted(_EXPECTED)}. You provided: {pattern!r}"
        )
    return version_compare(value, match[2]) in _EXPECTED[match[1] or "=="]


def version_bump_major(value: str) -> str:
    return f"{_Version(value).numbers[0] + 1}.0.0"


def version_bump_minor(value: str) -> str:
    major, minor, _ = _Version(value).numbers
    return f"{major}.{minor + 1}.0"


def version_bump_patch(value: str) -> str:
    version = _Version(value)
    major, minor, patch = version.numbers
    return f"{major}.{minor}.{patch if version.pre else patch + 1}"


def version_strip_patch(value: str) -> str:
    major, minor, _ = _Version(value).numbers
    return f"{major}.{minor}"


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
