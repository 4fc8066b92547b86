"""Aliases as the bots call them (hubot-stackstorm and err-stackstorm of 2026), and what they hear.

Source of the cases: st2api/tests/unit/controllers/v1/test_alias_execution.py of StackStorm 3.9.
"""

import json
from contextlib import contextmanager

import pytest
import requests

_CHAT = {"user": "ann", "source_channel": "#lab"}


def execute(serve, command, status=201, **more):
    """As err-stackstorm does."""
    body = {**_CHAT, "command": command, "notification_channel": "#lab", **more}
    reply = serve.call("POST", "/aliasexecution/match_and_execute", json=body)
    assert reply.status_code == status, reply.text
    return reply.json()["results"] if status == 201 else reply.json()["faultstring"]


@contextmanager
def listening(serve, route):
    """Yields a function that waits for the next announcement on a route."""
    query = {"x-auth-token": serve.token, "events": f"st2.announcement__{route}"}
    url = serve.url("stream", "/v1/stream")
    with requests.get(url, params=query, stream=True, timeout=120) as stream:
        lines = stream.iter_lines(decode_unicode=True, chunk_size=1)
        next(lines)  # it listens

        def heard():
            text = next(line for line in lines if line.startswith("data:"))
            return json.loads(text.removeprefix("data:"))

        yield heard


def test_errbot_hears_how_it_ended(serve):
    with listening(serve, "errbot") as heard:
        (done,) = execute(serve, "greet world", notification_route="errbot")
        assert done["actionalias"]["ref"] == "demo.greet"
        assert (done["message"], done["extra"]) == ("saying world", {"colour": "requested"})
        told = heard()
    assert told.get("context") is None
    assert told["payload"] == {
        "user": "ann",
        "channel": "#lab",
        "context": None,
        "whisper": False,
        "message": "world greet",
        "extra": {"colour": "succeeded"},
    }


def test_hubot_hears_how_it_ended(serve):
    body = {**_CHAT, "name": "greet", "command": "greet moon",
            "format": "greet {{ message = you }}",
            "source_context": {"room": "lab", "id": "17"},
            "notification_route": "hubot"}  # fmt: skip
    with listening(serve, "chatops") as heard:
        reply = serve.call("POST", "/aliasexecution", json=body)
        assert reply.status_code == 201, reply.text
        context = reply.json()["execution"]["context"]
        payload = heard()["payload"]
    assert (payload["message"], payload["channel"]) == ("moon greet", "#lab")
    assert payload["context"] == {"room": "lab", "id": "17"}
    assert context["action_alias_ref"]["name"] == "greet"
    told = (context["api_user"], context["user"], context["source_channel"])
    assert told == ("ann", "alice", "#lab")


def test_the_end_of_an_alias_without_a_format(serve):
    with listening(serve, "errbot") as heard:
        execute(serve, "count to 3", notification_route="errbot")
        message = heard()["payload"]["message"]
    assert "Action demo.wf completed.\nstatus : succeeded\n" in message and "n : 3" in message


def test_an_alias_that_tells_no_result(serve, until):
    body = {**_CHAT, "name": "loudly", "format": "greet {{ message }} loudly"}
    body |= {"command": "greet x loudly", "notification_route": "errbot"}
    done = serve.call("POST", "/aliasexecution", json=body).json()
    assert done["message"] == (
        'Cannot render "format" in field "ack" for alias. \'nothing\' is undefined'
    )
    asked = done["execution"]["id"]
    posted = until(
        lambda: [
            one
            for one in serve.get("/executions?action=chatops.post_result&status=succeeded")
            if one["parameters"]["execution_id"] == asked
        ],
        "the rule ran",
    )
    assert posted[0]["result"]["result"] == {"enabled": False, "message": ""}


def test_nobody_is_told_where_no_route_is(serve, until):
    (done,) = execute(serve, "greet nobody", notification_channel="")
    assert not done["execution"]["liveaction"].get("notify")


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("tag one, two", [{"names": ["one", "two"]}]),
        ('tag "one"', [{"names": ["one"]}]),
        ("a t-one and t-two,three", [{"names": ["one"]}, {"names": ["two", "three"]}]),
        ("greet me", [{"message": "you are ann of #lab"}]),
        ("greet", [{"message": "you"}]),
        ("hail", [{"message": "#lab"}]),
        ("count to 4", [{"n": 4}]),
        ("count to 4 pin=1", [{"n": 4, "pin": "1"}]),
    ],
)
def test_parameters_of_a_command(serve, command, parameters):
    if command == "greet me":  # fits `greet {{ message }}` too
        body = {**_CHAT, "name": "me", "format": command, "command": command}
        results = [serve.call("POST", "/aliasexecution", json=body).json()]
    else:
        results = execute(serve, command, notification_channel="")
    ids = [one["execution"]["id"] for one in results]
    shown = [serve.get(f"/executions/{one}?show_secrets=true")["parameters"] for one in ids]
    assert [{n: p[n] for n in wanted} for p, wanted in zip(shown, parameters, strict=True)] == (
        parameters
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("hello donny", "Command 'hello donny' matched no patterns"),
        ("off", "matched no patterns"),
        ("greet x loudly", "matched more than 1 pattern"),
        ("greet me", "matched more than 1 pattern"),
        ("i x message=mine", "Immutable arguments cannot be overriden: message"),
        ("count to x", "n"),
        ("greet x cmd=id", "immutable"),
        ("greet " + "x" * 1000, "1000 characters"),
    ],
)
def test_what_is_refused(serve, command, told):
    assert told in execute(serve, command, status=400)


@pytest.mark.parametrize("template", ["{{ st2kv.system.pin }}", "{% raw %}", "<% st2kv(x) %>"])
@pytest.mark.parametrize(
    "where", ["command", "user", "source_channel", "notification_route", "source_context"]
)
def test_what_comes_from_a_chat_is_never_evaluated(serve, template, where):
    body = {**_CHAT, "name": "count", "format": "count to {{ n }}", "command": "count to 1 pin=x"}
    given = {"command": f"count to 1 pin='{template}'", "source_context": {"a": [template]}}
    body[where] = given.get(where, template)
    reply = serve.call("POST", "/aliasexecution", json=body)
    assert reply.status_code == 400 and "holds a template" in reply.json()["faultstring"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/aliasexecution", {"command": "greet", "source_channel": "x"}, 400),
        ("/aliasexecution", {**_CHAT, "name": "nobody", "command": "x"}, 404),
        ("/aliasexecution", {**_CHAT, "name": "off", "format": "off", "command": "off"}, 400),
        ("/aliasexecution/match_and_execute", {"command": "greet x"}, 400),
        ("/aliasexecution/match_and_execute", {**_CHAT}, 400),
        ("/actionalias/match", {}, 400),
        ("/actionalias/match", {"command": 3}, 400),
        ("/aliasexecution?show_secrets=maybe", {**_CHAT, "name": "greet", "command": "greet"}, 400),
    ],
)
def test_what_is_no_call(serve, path, body, status):
    assert serve.call("POST", path, json=body).status_code == status


def test_who_may_call(serve):
    call = ("POST", "/aliasexecution/match_and_execute")
    body = {**_CHAT, "command": "greet x"}
    assert serve.call(*call, token="wrong", json=body).status_code == 401


def test_help(serve):
    """As err-stackstorm asks for it."""
    found = serve.get("/actionalias/help?pack=demo&filter=COUNT")
    line = {"pack": "demo", "display": "count to {{ n }}", "description": None}
    assert found == {"available": 1, "helpstrings": [line]}
    assert serve.get("/actionalias/help?limit=2")["available"] > 2


def test_hubot_lists_all(serve):
    names = [alias["name"] for alias in serve.get("/actionalias?limit=-1")]
    assert {"greet", "off"} <= set(names)
    assert serve.get("/actionalias?name=greet")[0]["formats"]


def test_a_user_whose_name_is_markup_is_told_as_text(serve):
    with listening(serve, "errbot") as heard:
        execute(serve, "greet you", user="<b>{%", status=400, notification_route="errbot")
        execute(serve, "greet you", user="<b>{x}", notification_route="errbot")
        assert heard()["payload"]["user"] == "<b>{x}"


def test_put_switches_an_alias(serve):
    for enabled in (False, True):
        reply = serve.call("PUT", "/actionalias/demo.tags", json={"enabled": enabled})
        assert reply.json()["enabled"] is enabled
    assert serve.call("PUT", "/actionalias/demo.tags", json={"formats": ["x"]}).status_code == 400
