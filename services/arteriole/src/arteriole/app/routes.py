"""One table a service says what it answers; nothing outside the table can be served.

From it come the Tornado routes, the validation, `/api` (Arteria's help) and `/openapi.json`.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

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
    content_type: str = "application/json"
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
        return "multipart/form-data" if self.form else "application/json"

    async def answer(self, call: Call) -> Reply:
        reply = self.handle(call)
        return await reply if inspect.isawaitable(reply) else reply


def help_document(routes: list[Route]) -> dict[str, Any]:
    """Arteria's `/api`: `{"doc": [{"route", "methods"}]}`."""
    paths: dict[str, dict[str, str]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = route.summary
    return {"doc": [{"route": path, "methods": methods} for path, methods in paths.items()]}


def openapi_document(title: str, version: str, routes: list[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of the table."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}

    def reference(model: type[BaseModel]) -> dict[str, Any]:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
        return {"$ref": f"#/components/schemas/{model.__name__}"}

    for route in routes:
        operation: dict[str, Any] = {
            "summary": route.summary,
            "responses": {"200": {"description": "done"}, "default": {"description": "an error"}},
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in re.findall(r"\{([a-z_]+)", route.path)
            ],
        }
        if route.query is not None:
            properties = route.query.model_json_schema().get("properties", {})
            operation["parameters"] += [
                {"name": name, "in": "query", "required": False, "schema": schema}
                for name, schema in properties.items()
            ]
        if route.body is not None:
            operation["requestBody"] = {
                "content": {route.media_type: {"schema": reference(route.body)}}
            }
        if route.response is not None:
            operation["responses"]["200"]["content"] = {
                "application/json": {"schema": reference(route.response)}
            }
        if route.role is not None:
            operation["security"] = [{"bearer": []}]
        path = re.sub(r":rest\}", "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
