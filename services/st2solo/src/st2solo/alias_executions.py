"""Executes what a person asked for in a chat.

Source: st2api/controllers/v1/aliasexecution.py of StackStorm 3.9. One difference: what was typed,
and who typed it where, is data. It is never evaluated, so what looks like a template is refused.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import TemplateError

from st2solo import jinja
from st2solo.alias_formats import Extracted, extract, extract_all
from st2solo.aliases import Aliases, Match
from st2solo.errors import InvalidError
from st2solo.inert import holds_template
from st2solo.ports import ActionSource, KeySource
from st2solo.resources import Resource
from st2solo.runner_types import runner_type


@dataclass(frozen=True)
class Command:
    """What somebody typed. `chat_user` is whom the chat names, `user` the one who calls the API."""

    text: str
    user: str
    chat_user: str | None
    source_channel: str
    source_context: dict[str, Any] | None = None
    #: The route of the notification that tells the chat of the end; none tells nobody.
    route: str | None = None


class ExecutionRequests(Protocol):
    """What this needs of the executions."""

    def request(
        self,
        action_ref: str,
        parameters: dict[str, Any],
        *,
        user: str,
        context: dict[str, Any] | None = None,
        notify: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...

    def get(self, execution_id: str, *, show_secrets: bool = False) -> dict[str, Any]: ...


class AliasExecutions:
    def __init__(
        self,
        aliases: Aliases,
        executions: ExecutionRequests,
        actions: ActionSource,
        keys: KeySource,
    ) -> None:
        self._aliases = aliases
        self._executions = executions
        self._actions = actions
        self._keys = keys

    def match_and_execute(
        self, command: Command, *, show_secrets: bool = False
    ) -> list[dict[str, Any]]:
        """Execute what the one alias that fits stands for; once, or once for each match.

        Gives `{execution, actionalias}`, with `message` and `extra` where the alias has an ack.

        Raises:
            AmbiguityError: no alias fits, or several do.
            InvalidError: a text holds a template, or a parameter does not fit.
        """
        found = self._aliases.match(command.text)
        if not found.format.multiple:
            return [self._execute(found, command, show_secrets=show_secrets)]
        _require_inert(command)
        given = extract_all(found.format.representation, command.text)
        each = [self._parameters(found.alias, one, command) for one in given]
        return [self._request(found.alias, one, command, show_secrets) for one in each]

    def execute(
        self, name: str, representation: str, command: Command, *, show_secrets: bool = False
    ) -> dict[str, Any]:
        """Execute an alias of which the client knows that it fits, and by which format.

        Raises:
            NotFoundError, InvalidError: as `Aliases.named`, and as `match_and_execute`.
        """
        found = self._aliases.named(name, representation)
        return self._execute(found, command, show_secrets=show_secrets)

    def _execute(self, found: Match, command: Command, *, show_secrets: bool) -> dict[str, Any]:
        _require_inert(command)
        given = extract(found.format.representation, command.text)
        parameters = self._parameters(found.alias, given, command)
        return self._request(found.alias, parameters, command, show_secrets)

    def _parameters(self, alias: Resource, given: Extracted, command: Command) -> dict[str, Any]:
        for name in sorted(given.typed):
            if holds_template(given.values[name]):
                raise _template(f"the value of {name}")
        fixed = self._fixed(alias, command)
        overridden = [name for name in fixed if name in given.values]
        if overridden:
            names = ",".join(overridden)
            raise InvalidError(f"Immutable arguments cannot be overriden: {names}")
        return self._split_lists(alias, {**given.values, **fixed})

    def _fixed(self, alias: Resource, command: Command) -> dict[str, Any]:
        """The alias's immutable parameters; they may name the datastore and the context."""
        context = {**jinja.kv_context(self._keys, command.user), **_context(alias, command)}
        fixed: dict[str, Any] = {}
        for name, value in (alias.content.get("immutable_parameters") or {}).items():
            try:
                fixed[name] = jinja.render_value(value, context)
            except Exception as err:  # whatever a filter or a lookup raises
                raise InvalidError(f"immutable parameter {name}: {err}") from err
            if holds_template(fixed[name]):
                raise _template(f"the immutable parameter {name}")
        return fixed

    def _split_lists(self, alias: Resource, given: dict[str, Any]) -> dict[str, Any]:
        """Texts for lists, split at their commas; all other types are cast with the request."""
        action = self._actions.action(alias.content["action_ref"])
        schemas = {**runner_type(action.runner_type).parameters, **action.parameters}
        return {
            name: [part.strip() for part in value.split(",")]
            if isinstance(value, str) and (schemas.get(name) or {}).get("type") == "array"
            else value
            for name, value in given.items()
        }

    def _request(
        self, alias: Resource, parameters: dict[str, Any], command: Command, show_secrets: bool
    ) -> dict[str, Any]:
        execution = self._executions.request(
            alias.content["action_ref"],
            parameters,
            user=command.user,
            context=_context(alias, command),
            notify=_notify(command),
        )
        if show_secrets:
            execution = self._executions.get(execution["id"], show_secrets=True)
        told = {"execution": execution, "actionalias": alias.document()}
        return {**told, **_acknowledged(alias, told)}


def _require_inert(command: Command) -> None:
    for what, value in (
        ("user", command.chat_user),
        ("source_channel", command.source_channel),
        ("source_context", command.source_context),
        ("the route", command.route),
    ):
        if holds_template(value):
            raise _template(what)


def _template(where: str) -> InvalidError:
    return InvalidError(
        f"{where} holds a template ({{{{, {{% or <%); what comes from a chat is not evaluated, and"
        " not passed on"
    )


def _context(alias: Resource, command: Command) -> dict[str, Any]:
    return {
        "action_alias_ref": {"id": alias.id, "name": alias.content["name"]},
        "api_user": command.chat_user,
        "user": command.user,
        "source_channel": command.source_channel,
    }


def _notify(command: Command) -> dict[str, Any] | None:
    if not command.route:
        return None
    data = {
        "user": command.chat_user,
        "source_channel": command.source_channel,
        "source_context": command.source_context,
    }
    return {"on-complete": {"routes": [command.route], "data": data}}


def _acknowledged(alias: Resource, told: dict[str, Any]) -> dict[str, Any]:
    """`message` and `extra` of the alias's ack; a template that fails is told as such."""
    ack = alias.content.get("ack") or {}
    done: dict[str, Any] = {}
    for field, name in (("format", "message"), ("extra", "extra")):
        if field not in ack:
            continue
        try:
            done[name] = jinja.render_value(ack[field], {**told, **done})
        except (TemplateError, ValueError, TypeError) as err:
            done[name] = f'Cannot render "{field}" in field "ack" for alias. {err}'
    return done
