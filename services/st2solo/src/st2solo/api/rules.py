"""Rules and what they did."""

from typing import Any

import jsonschema

from st2solo import pack_schemas, rule_secrets
from st2solo.api.calls import Answer, Call, Page, Route, chosen, listed, shown
from st2solo.enforcements import Enforcement
from st2solo.errors import InvalidError, NotFoundError
from st2solo.resources import Kind, Resource
from st2solo.room import Room
from st2solo.rule_files import RULE_TYPES, rule_content
from st2solo.services import Services

_ENFORCEMENT_FILTERS = {
    "id": "id IN (SELECT value FROM json_each(?))",
    "rule_ref": "rule_ref = ?",
    "rule_id": "rule_id = ?",
    "trigger_instance": "trigger_instance_id = ?",
    "execution": "execution_id = ?",
    "enforced_at_gt": "enforced_at > ?",
    "enforced_at_lt": "enforced_at < ?",
}


def list_rules(call: Call) -> Answer:
    documents = [_document(call, rule) for rule in call.services.resources.list(Kind.RULE)]
    return listed(call, documents, "name", "pack", "enabled", "action", "trigger")


def get_rule(call: Call, ref: str) -> dict[str, Any]:
    return shown(call, _document(call, call.services.resources.get(Kind.RULE, ref)))


def _document(call: Call, rule: Resource) -> dict[str, Any]:
    document = rule.document()
    if call.unmasks():
        return document
    return rule_secrets.masked(document, call.services.registry)


def _content(call: Call) -> dict[str, Any]:
    given = {name: value for name, value in call.object().items() if value is not None}
    given = {"pack": "default"} | given
    for name in ("name", "pack"):
        if given.get(name) == "":
            raise InvalidError(f"expected a {name}, found an empty text")
    errors = sorted(
        jsonschema.Draft4Validator(pack_schemas.RULE).iter_errors(given), key=lambda e: str(e.path)
    )
    if errors:
        where = ".".join(map(str, errors[0].absolute_path))
        raise InvalidError(f"{where}: {errors[0].message}" if where else str(errors[0].message))
    return rule_content(given, call.services.triggers)


def _owned(call: Call, content: dict[str, Any]) -> dict[str, Any]:
    """With who wrote it last in its context, as in StackStorm."""
    return {**content, "context": {**content["context"], "user": call.identity.user}}


def _rules_changed(services: Services) -> None:
    services.timers.refresh()
    services.sensors.triggers_changed()


def create_rule(call: Call) -> Answer:
    services = call.services
    with services.store.transaction():
        content = _owned(call, _content(call))
        rule_secrets.require_values(content)
        enabled = content.pop("enabled")
        ref = f"{content['pack']}.{content['name']}"
        rule = services.resources.create(Kind.RULE, ref, content["pack"], content, enabled=enabled)
    _rules_changed(services)
    return Answer(rule_secrets.masked(rule.document(), services.registry), 201)


def update_rule(call: Call, ref: str) -> dict[str, Any]:
    """Replace a rule; the file of a pack's rule has its say again at the next registration.

    A secret that comes back as it is shown stays what it is, as when a rule is only enabled.
    """
    services = call.services
    with services.store.transaction():
        old = services.resources.get(Kind.RULE, ref)
        administrator = call.identity.admin
        content = rule_secrets.kept(
            _content(call), old.content, services.registry, administrator=administrator
        )
        content = _owned(call, content)
        enabled = content.pop("enabled")
        if f"{content['pack']}.{content['name']}" != old.ref:
            raise InvalidError(f"the name and pack of the rule {old.ref} cannot be changed")
        rule = services.resources.update(old, content, enabled=enabled)
        services.triggers.forget_unused()
    _rules_changed(services)
    return rule_secrets.masked(rule.document(), services.registry)


def delete_rule(call: Call, ref: str) -> Answer:
    services = call.services
    with services.store.transaction():
        rule = services.resources.get(Kind.RULE, ref)
        services.resources.delete(rule)
        services.triggers.forget_unused()
    _rules_changed(services)
    return Answer(status=204, about=rule.ref)


def list_enforcements(call: Call) -> Answer:
    where, values = chosen(call, _ENFORCEMENT_FILTERS)
    page, execute = Page.of(call), call.services.store.execute
    total = execute(f"SELECT count(*) FROM rule_enforcements WHERE {where}", values)  # noqa: S608
    rows = execute(
        f"SELECT * FROM rule_enforcements WHERE {where}"  # noqa: S608 - fixed texts
        " ORDER BY enforced_at DESC, id DESC LIMIT ? OFFSET ?",
        (*values, -1 if page.limit is None else page.limit, page.offset),
    )
    found = [Enforcement.from_row(row).document() for row in rows]
    return page.answer(call, found, total.fetchone()[0])


def get_enforcement(call: Call, enforcement_id: str) -> dict[str, Any]:
    return shown(call, call.services.enforcements.get(enforcement_id).document())


def view_enforcements(call: Call) -> Answer:
    """Those whose executions and trigger instances do not fit show less of these."""
    answer, room = list_enforcements(call), Room()
    return Answer([_viewed(call, e, room) for e in answer.body], headers=answer.headers)


def view_enforcement(call: Call, enforcement_id: str) -> dict[str, Any]:
    return _viewed(call, get_enforcement(call, enforcement_id), Room())


def _viewed(call: Call, document: dict[str, Any], room: Room) -> dict[str, Any]:
    """With the trigger instance and the execution, in full where there is room."""
    services = call.services
    if execution_id := document.get("execution_id"):
        document = document | {"execution": services.executions.fitting(execution_id, room)}
    if instance_id := document.get("trigger_instance_id"):
        instance = services.triggers.fitting(instance_id, room)
        document = document | {"trigger_instance": instance}
    return document


def list_rule_types(call: Call) -> Answer:
    return listed(call, _RULE_TYPES, "name")


def get_rule_type(call: Call, name: str) -> dict[str, Any]:
    for document in _RULE_TYPES:
        if name in (document["name"], document["id"]):
            return document
    raise NotFoundError(f'there is no rule type "{name}"')


_RULE_TYPES: list[dict[str, Any]] = [
    {"id": f"{number:024x}", "name": name, "enabled": True, "parameters": {}}
    for number, name in enumerate(RULE_TYPES, start=1)
]

ROUTES = [
    Route("GET", "/rules", list_rules),
    Route("GET", "/rules/views", list_rules),
    Route("GET", "/rules/views/<ref>", get_rule),
    Route("POST", "/rules", create_rule),
    Route("GET", "/rules/<ref>", get_rule),
    Route("PUT", "/rules/<ref>", update_rule),
    Route("DELETE", "/rules/<ref>", delete_rule),
    Route("GET", "/ruletypes", list_rule_types),
    Route("GET", "/ruletypes/<name>", get_rule_type),
    Route("GET", "/ruleenforcements", list_enforcements),
    Route("GET", "/ruleenforcements/views", view_enforcements),
    Route("GET", "/ruleenforcements/views/<enforcement_id>", view_enforcement),
    Route("GET", "/ruleenforcements/<enforcement_id>", get_enforcement),
]
