"""Aliases: the words with which people in a chat call actions."""

from typing import Any

from st2solo.alias_executions import Command
from st2solo.api.calls import Answer, Call, Route, listed, object_of, shown, text_of
from st2solo.api.registered import switched
from st2solo.errors import InvalidError
from st2solo.resources import Kind

_HELP_LIMIT = 100


def list_aliases(call: Call) -> Answer:
    documents = [alias.document() for alias in call.services.resources.list(Kind.ALIAS)]
    return listed(call, documents, "pack", "name")


def get_alias(call: Call, ref: str) -> dict[str, Any]:
    return shown(call, call.services.resources.get(Kind.ALIAS, ref).document())


def put_alias(call: Call, ref: str) -> dict[str, Any]:
    return switched(call, Kind.ALIAS, ref).document()


def match(call: Call) -> dict[str, Any]:
    found = call.services.aliases.match(_required(call.object(), "command"))
    return {
        "actionalias": found.alias.document(),
        "display": found.format.display,
        "representation": found.format.representation,
    }


def help_strings(call: Call) -> dict[str, Any]:
    query = call.query
    limit, offset = call.number("limit", _HELP_LIMIT), call.number("offset", 0)
    return call.services.aliases.help(query.get("filter", ""), query.get("pack", ""), limit, offset)


def execute(call: Call) -> Answer:
    content = call.object()
    name, representation = text_of(content, "name", ""), text_of(content, "format", "")
    if not name:
        raise InvalidError('Alias execution "name" is required')
    done = call.services.alias_executions.execute(
        name, representation, _command(call, content), show_secrets=call.unmasks()
    )
    return Answer(done, 201)


def match_and_execute(call: Call) -> Answer:
    done = call.services.alias_executions.match_and_execute(
        _command(call, call.object()), show_secrets=call.unmasks()
    )
    return Answer({"results": done}, 201)


def _command(call: Call, content: dict[str, Any]) -> Command:
    route = text_of(content, "notification_route", "")
    return Command(
        text=_required(content, "command"),
        user=call.identity.user,
        chat_user=text_of(content, "user", "") or None,
        source_channel=_required(content, "source_channel"),
        source_context=object_of(content, "source_context") or None,
        route=route or text_of(content, "notification_channel", "") or None,
    )


def _required(content: dict[str, Any], name: str) -> str:
    if not isinstance(content.get(name), str):
        raise InvalidError(f"expected {name} as a text, found {type(content.get(name)).__name__}")
    return text_of(content, name, "")


ROUTES = [
    Route("GET", "/actionalias", list_aliases),
    Route("GET", "/actionalias/help", help_strings),
    Route("POST", "/actionalias/match", match, recorded=True),
    Route("GET", "/actionalias/<ref>", get_alias),
    Route("PUT", "/actionalias/<ref>", put_alias),
    Route("POST", "/aliasexecution", execute, recorded=True),
    Route("POST", "/aliasexecution/match_and_execute", match_and_execute, recorded=True),
]
