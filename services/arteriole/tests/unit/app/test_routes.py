"""The table of routes: what it matches, and the documents made of it."""

import enum
import json
import re

import pytest

from arteriole.app.auth import Role
from arteriole.app.routes import NoBody, Reply, Request, Route, help_document, openapi_document


class Body(Request):
    by: str


class Query(Request):
    limit: int = 3


def route(path, method="GET", **more):
    return Route(method, path, lambda call: Reply(), Role.READER, f"{method} it", **more)


@pytest.mark.parametrize(
    ("path", "address", "found"),
    [
        ("/api/1.0/runs", "/api/1.0/runs", {}),
        ("/api/1.0/runs", "/api/1.0/runs/", {}),
        ("/api/1.0/runs", "/api/1x0/runs", None),
        ("/api/1.0/runs", "/api/1.0/runs/x", None),
        ("/runs/{run}", "/runs/x", {"run": "x"}),
        ("/runs/{run}", "/runs/x/y", None),
        ("/runs/{run}", "/runs/", None),
        ("/runs/{run}/stages/{stage}/{attempt}/begin", "/runs/r/stages/s/1/begin",
         {"run": "r", "stage": "s", "attempt": "1"}),
        ("/path{path:rest}", "/path/a/b/c", {"path": "/a/b/c"}),
        ("/path{path:rest}", "/path/a/", {"path": "/a/"}),
        ("/path{path:rest}", "/path", None),
    ],
)  # fmt: skip
def test_a_pattern_matches_whole_addresses_only(path, address, found):
    match = re.fullmatch(route(path).pattern, address)
    assert (match.groupdict() if match else None) == found


def test_help_is_arterias():
    table = [route("/a"), route("/a", "POST"), route("/b/{x}", "PUT")]
    assert help_document(table) == {
        "doc": [
            {"route": "/a", "methods": {"get": "GET it", "post": "POST it"}},
            {"route": "/b/{x}", "methods": {"put": "PUT it"}},
        ]
    }


class Colour(enum.Enum):
    RED = "red"


class Choice(Request):
    colour: Colour
    shade: Colour | None = None


def test_openapi_refers_to_nothing_that_it_lacks_and_tells_what_is_needed():
    table = [
        route(
            "/a", query=Choice, headers={"X-Y": "why"}, answers={200: "application/json", 204: ""}
        ),
        route("/a", "PUT", body=NoBody, answers={201: ""}),
        route("/b", "POST", body=Choice, answers={202: "text/plain"}),
        route("/c", "POST", body=Query),
    ]
    document = openapi_document("t", "1", table)
    named = document["components"]["schemas"]
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert reference.removeprefix("#/components/schemas/") in named
    get, put = document["paths"]["/a"]["get"], document["paths"]["/a"]["put"]
    assert [(one["name"], one["in"], one.get("required")) for one in get["parameters"]] == [
        ("colour", "query", True),
        ("shade", "query", False),
        ("X-Y", "header", None),
    ]
    assert set(get["responses"]) == {"200", "204", "4XX", "5XX"}
    assert "content" not in get["responses"]["204"] and set(put["responses"]) >= {"201"}
    assert put["requestBody"]["content"]["application/json"]["schema"] == {}
    post = document["paths"]["/b"]["post"]
    assert list(post["responses"]["202"]["content"]) == ["text/plain"]
    assert post["requestBody"]["required"] is True
    assert document["paths"]["/c"]["post"]["requestBody"]["required"] is False


def test_openapi_tells_parameters_bodies_and_who_may():
    table = [
        route("/a/{x}", "POST", body=Body),
        route("/p{rest_of:rest}", query=Query),
        Route("GET", "/open", lambda call: Reply(), None, "open to all"),
    ]
    document = json.loads(json.dumps(openapi_document("t", "1", table)))
    assert document["openapi"].startswith("3.1")
    assert list(document["paths"]) == ["/a/{x}", "/p{rest_of}", "/open"]
    post = document["paths"]["/a/{x}"]["post"]
    assert post["parameters"] == [
        {"name": "x", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["required"] == ["by"]
    assert schema["additionalProperties"] is False
    assert post["security"] == [{"bearer": []}]
    get = document["paths"]["/p{rest_of}"]["get"]
    assert [(p["name"], p["in"]) for p in get["parameters"]] == [
        ("rest_of", "path"),
        ("limit", "query"),
    ]
    assert "security" not in document["paths"]["/open"]["get"]
