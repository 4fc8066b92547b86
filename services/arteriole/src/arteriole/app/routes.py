"""One table a service says what it answers; nothing outside the table can be served.

From it come the Tornado routes, the validation, `/api` (Arteria's help) and `/openapi.json`.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from arteriole.app.auth import Identity, Role
from arteriole.app.errors import ArterioleError


class Request(BaseModel):
    """Base of request models: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class NoBody(BaseModel):
    """Clients of Arteria send any or no body where none is needed; it is not read."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True)
class Upload:
    """A file of a form."""

    name: str
    content: bytes


#: How OpenAPI tells of a file.
UploadField = Annotated[Upload, WithJsonSchema({"type": "string", "format": "binary"})]
JSON = "application/json"
TEXT = "text/plain"


@dataclass(frozen=True)
class Call:
    """A request after authentication and validation."""

    identity: Identity
    path: dict[str, str]
    query: Any
    body: Any
    headers: dict[str, str]  # names in lower case
    base_url: str


@dataclass(frozen=True)
class Reply:
    """`body` is sent as JSON (None: empty); a `str` as it is, with `content_type`."""

    body: Any = None
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply | Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """`path` holds `{name}` for one segment and `{name:rest}` for all that follows."""

    method: str
    path: str
    handle: Handler
    role: Role | None  # None: open to everyone
    summary: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    #: The media type of each status that is no error; "" where nothing is sent.
    answers: Mapping[int, str] = field(default_factory=lambda: {200: JSON})
    #: What it reads of the request's headers, beside those that say who asks: name -> meaning.
    headers: Mapping[str, str] = field(default_factory=dict)
    streams: bool = False  # the application writes it as server-sent events
    form: bool = False  # the body is multipart/form-data; files come as lists of `Upload`
    failure: Callable[[ArterioleError], Any] | None = None  # the body of an error, if another

    @property
    def pattern(self) -> str:
        parts = re.split(r"(\{[a-z_]+(?::rest)?\})", self.path)
        out = ""
        for part in parts:
            if part.startswith("{"):
                name, _, kind = part[1:-1].partition(":")
                out += f"(?P<{name}>.+)" if kind else f"(?P<{name}>[^/]+)"
            else:
                out += re.escape(part)
        return f"{out}/?" if not self.path.endswith(":rest}") else out

    @property
    def media_type(self) -> str:
        """Of the body that it takes."""
        return "multipart/form-data" if self.form else JSON

    async def answer(self, call: Call) -> Reply:
        reply = self.handle(call)
        return await reply if inspect.isawaitable(reply) else reply


def help_document(routes: list[Route]) -> dict[str, Any]:
    """Arteria's `/api`: `{"doc": [{"route", "methods"}]}`."""
    paths: dict[str, dict[str, str]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = route.summary
    return {"doc": [{"route": path, "methods": methods} for path, methods in paths.items()]}


#: The body of an error; some routes add to it what their own clients look for.
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                name: {"type": "string"} for name in ("code", "message", "hint", "field")
            },
            "additionalProperties": False,
        }
    },
}


class _Schemas:
    """The schemas of a document, by the names under which it refers to them."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {"Error": _ERROR}

    def of(self, model: type[BaseModel]) -> dict[str, Any]:
        """The model's own schema; those that it refers to are kept."""
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        self.named.update(schema.pop("$defs", {}))
        return schema

    def reference(self, model: type[BaseModel]) -> dict[str, Any]:
        self.named[model.__name__] = self.of(model)
        return {"$ref": f"#/components/schemas/{model.__name__}"}


def _parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{([a-z_]+)", route.path)
    ]
    if route.query is not None:
        schema = schemas.of(route.query)
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": one}
            for name, one in schema.get("properties", {}).items()
        ]
    found += [
        {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in route.headers.items()
    ]
    return found


def _request_body(route: Route, schemas: _Schemas) -> dict[str, Any] | None:
    if route.body is None:
        return None
    if route.body is NoBody:
        return {"description": "not read", "content": {route.media_type: {"schema": {}}}}
    reference = schemas.reference(route.body)
    required = "required" in schemas.named[route.body.__name__]
    return {"required": required, "content": {route.media_type: {"schema": reference}}}


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    error = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: dict[str, Any] = {
        "4XX": {"description": "refused", "content": error},
        "5XX": {"description": "cannot be answered now", "content": error},
    }
    for status, media_type in route.answers.items():
        if media_type == JSON:
            schema = (
                {"type": "object"} if route.response is None else schemas.reference(route.response)
            )
        else:
            schema = {"type": "string"}
        content = {"content": {media_type: {"schema": schema}}} if media_type else {}
        found[str(status)] = {"description": HTTPStatus(status).phrase.lower(), **content}
    return found


def openapi_document(title: str, version: str, routes: list[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of the table."""
    paths: dict[str, dict[str, Any]] = {}
    schemas = _Schemas()
    for route in routes:
        operation: dict[str, Any] = {
            "summary": route.summary,
            "parameters": _parameters(route, schemas),
            "responses": _responses(route, schemas),
        }
        if (body := _request_body(route, schemas)) is not None:
            operation["requestBody"] = body
        if route.role is not None:
            operation["security"] = [{"bearer": []}]
        path = re.sub(r":rest\}", "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
