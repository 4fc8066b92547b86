"""A call to the API and its answer, free of the web framework."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from st2solo import moments
from st2solo.auth import Identity
from st2solo.errors import ForbiddenError, InvalidError
from st2solo.services import Services

_DEFAULT_LIMIT = 100
#: For those who are no administrators.
_LARGEST_LIMIT = 100
_MOST_IDS = 100
_LARGEST_NUMBER = 2**31 - 1
_DEEPEST = 100
_SURROGATES = re.compile("[\\ud800-\\udfff]")
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})


@dataclass(frozen=True)
class Call:
    """One request; `query` holds the last value of each name.

    `granted` has those of its wishes for secrets that were met.
    """

    services: Services
    caller: Identity | None
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    granted: set[str] = field(default_factory=set)

    @property
    def identity(self) -> Identity:
        assert self.caller is not None, "only public routes are called without an identity"
        return self.caller

    def json(self) -> Any:
        """The body, or None if there is none."""
        if not self.body.strip():
            return None
        try:
            content = json.loads(self.body, parse_constant=_no_number)
        except (ValueError, RecursionError) as err:
            raise InvalidError(f"expected the body as JSON: {err}") from err
        _check(content, _DEEPEST)
        return content

    def object(self, *known: str) -> dict[str, Any]:
        """The body, which has to be an object, of no other fields than the known ones if any are.

        No body is an empty one.
        """
        content = self.json()
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise InvalidError(f"expected the body as an object, found {type(content).__name__}")
        unknown = [name for name in content if known and name not in known]
        if unknown:
            raise InvalidError(
                f"unknown field {unknown[0][:40]!r}; known: {', '.join(sorted(known))}"
            )
        return content

    def flag(self, name: str) -> bool:
        """A query parameter that is `true`, `True`, `1` ..."""
        return _truth(name, self.query.get(name, ""))

    def unmasks(self) -> bool:
        """Whether secrets are to be shown.

        Raises:
            ForbiddenError: it takes an administrator.
        """
        wanted = self.flag("show_secrets")
        if wanted:
            self.identity.require_admin("show_secrets")
            self.granted.add("show_secrets")
        return wanted

    def number(self, name: str, default: int) -> int:
        value = self.query.get(name, str(default))
        try:
            number = int(value)
        except ValueError as err:
            raise InvalidError(f"expected {name} to be a number, found {value[:40]!r}") from err
        if abs(number) > _LARGEST_NUMBER:
            raise InvalidError(f"expected {name} to be at most {_LARGEST_NUMBER}")
        return number


def _truth(name: str, text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise InvalidError(f"expected {name} to be true or false, found {text[:40]!r}")
    return text.lower() in _TRUE


def text_of(content: dict[str, Any], name: str, default: str) -> str:
    """A text of a body.

    Raises:
        InvalidError: it is something else.
    """
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidError(f"expected {name} as a text, found {type(value).__name__}")
    return value or default


def object_of(content: dict[str, Any], name: str) -> dict[str, Any]:
    """An object of a body, empty when there is none.

    Raises:
        InvalidError: it is something else.
    """
    value = content.get(name)
    if value is not None and not isinstance(value, dict):
        raise InvalidError(f"expected {name} as an object, found {type(value).__name__}")
    return value or {}


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _check(value: Any, deep: int) -> None:
    """Refuse what could not be stored or shown again: deep nesting, lone surrogates, infinity."""
    if isinstance(value, dict | list):
        if deep == 0:
            raise InvalidError(f"the body is nested deeper than {_DEEPEST} levels")
        for below in value:
            _check(below, deep - 1)
        if isinstance(value, dict):
            for below in value.values():
                _check(below, deep - 1)
    elif isinstance(value, str):
        if not value.isascii() and _SURROGATES.search(value):
            raise InvalidError("a text of the body holds half of a character (a lone surrogate)")
    elif isinstance(value, float) and math.isinf(value):
        raise InvalidError("a number of the body is too large")


@dataclass(frozen=True)
class Answer:
    """`body` is sent as JSON, a text as plain text; `about` tells the log what was deleted."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    plain: bool = False
    about: str | None = None


Handler = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    """`pattern` names the parts of the path that the handler gets: `/rules/<ref>`, `/x/<*rest>`.

    What a `recorded` one does has a record of its own, or it changes nothing.
    """

    method: str
    pattern: str
    handler: Handler
    public: bool = False
    recorded: bool = False

    def match(self, path: str) -> dict[str, str] | None:
        one_part = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", self.pattern)
        found = re.fullmatch(re.sub(r"<\*(\w+)>", r"(?P<\1>.+)", one_part), path)
        return found.groupdict() if found else None


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted; `limit` None is all of it."""

    limit: int | None
    offset: int

    @classmethod
    def of(cls, call: Call) -> "Page":
        """
        Raises:
            ForbiddenError: it takes an administrator to ask for so many.
            InvalidError: the limit is no number of documents.
        """
        limit = call.number("limit", _DEFAULT_LIMIT)
        if limit == -1:
            call.identity.require_admin("limit -1")
            return cls(None, max(call.number("offset", 0), 0))
        if limit < 1:
            raise InvalidError(f'Limit, "{limit}" specified, must be a positive number.')
        if limit > _LARGEST_LIMIT and not call.identity.admin:
            raise ForbiddenError(f'Limit "{limit}" specified, maximum value is "{_LARGEST_LIMIT}"')
        return cls(limit, max(call.number("offset", 0), 0))

    def answer(self, call: Call, documents: list[dict[str, Any]], total: int) -> Answer:
        """The documents of this page, with the attributes that were asked for."""
        headers = {"X-Total-Count": str(total)}
        if self.limit is not None:
            headers["X-Limit"] = str(self.limit)
        return Answer([shown(call, document) for document in documents], headers=headers)


def ids_of(call: Call) -> list[str]:
    """The identifiers to which a list is restricted; empty for all.

    Source: `split_id_value` of st2api/controllers/resource.py of StackStorm 3.9.
    """
    ids = [part for part in call.query.get("id", "").split(",") if part]
    if len(ids) > _MOST_IDS:
        raise InvalidError(f"expected at most {_MOST_IDS} identifiers, found {len(ids)}")
    return ids


def listed(call: Call, documents: list[dict[str, Any]], *filters: str, **fields: str) -> Answer:
    """A page of the documents whose fields equal the query parameters of the same names.

    `id` may always be asked for; `fields` names the field of a parameter of another name.
    """
    if ids := ids_of(call):
        documents = [d for d in documents if d["id"] in ids]
    for name, field_name in {**{name: name for name in filters}, **fields}.items():
        if wanted := call.query.get(name):
            documents = [d for d in documents if _same(name, _field(d, field_name), wanted)]
    sort = call.query.get("sort")
    if sort:
        field_name = sort.lstrip("+-")
        documents = sorted(
            documents, key=lambda d: str(_field(d, field_name)), reverse=sort.startswith("-")
        )
    page = Page.of(call)
    end = None if page.limit is None else page.offset + page.limit
    return page.answer(call, documents[page.offset : end], len(documents))


def chosen(call: Call, filters: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The condition of those filters, in SQL, that are asked for, and its values."""
    asked = [name for name in filters if call.query.get(name)]
    where = " AND ".join(filters[name] for name in asked) or "1"
    return where, tuple(_value(call, name) for name in asked)


def _value(call: Call, name: str) -> str:
    if name == "id":
        return json.dumps(ids_of(call))
    if name.endswith(("_gt", "_lt")):
        return moments.normal(call.query[name])
    return call.query[name]


def wants(call: Call, attribute: str) -> bool:
    """Whether something of this attribute is to be shown."""
    include, exclude = _attributes(call)
    if include:
        return any(name.split(".")[0] == attribute for name in include)
    return attribute not in exclude


def _attributes(call: Call) -> tuple[list[str], list[str]]:
    include, exclude = (
        [part.strip() for part in call.query.get(name, "").split(",") if part.strip()]
        for name in ("include_attributes", "exclude_attributes")
    )
    if include and exclude:
        raise InvalidError("exclude_attributes and include_attributes are mutually exclusive")
    return include, exclude


def shown(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    """The document with just `include_attributes`, or without `exclude_attributes`."""
    include, exclude = _attributes(call)
    if include:
        return _only(document, [name.split(".") for name in ["id", *include]])
    for name in exclude:
        document = _without(document, name.split("."))
    return document


def _only(document: dict[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in {path[0] for path in paths} & set(document):
        below = [path[1:] for path in paths if path[0] == name]
        value = document[name]
        whole = any(not path for path in below) or not isinstance(value, dict)
        kept[name] = value if whole else _only(value, below)
    return kept


def _without(document: dict[str, Any], path: list[str]) -> dict[str, Any]:
    name, below = path[0], path[1:]
    if name not in document:
        return document
    rest = {key: value for key, value in document.items() if key != name}
    if below and isinstance(document[name], dict):
        rest[name] = _without(document[name], below)
    return rest


def _field(value: Any, name: str) -> Any:
    """The value at a path; of a list those of all that is in it."""
    for part in name.split("."):
        if isinstance(value, list):
            value = [_field(one, part) for one in value]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _same(name: str, value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return value is _truth(name, wanted)
    if isinstance(value, list):
        return wanted in value
    if isinstance(value, dict):
        return wanted in (value.get("ref"), value.get("type"))
    return str(value) == wanted
