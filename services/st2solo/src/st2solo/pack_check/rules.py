"""Rules: their trigger, criteria and templates, and the action with its parameters."""

import re
from collections.abc import Iterator
from typing import Any

from st2solo import criteria, operators, triggers
from st2solo.errors import InvalidError
from st2solo.jinja import is_template
from st2solo.metadata_file import Keys, MetadataFile, Problem
from st2solo.pack_check import calls, templates
from st2solo.pack_check.catalogue import Catalogue
from st2solo.rule_files import criterion_fault

_ACTION: Keys = ("action", "ref")
_PARAMETERS: Keys = ("action", "parameters")
_TRIGGER = "trigger"


def problems(file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    payload: dict[str, Any] = {}
    wanted = file.content["trigger"]
    trigger_type = catalogue.trigger_types.get(wanted["type"])
    if trigger_type is None:
        yield from calls.absence(catalogue, "trigger", wanted["type"], file, ("trigger", "type"))
    else:
        payload = trigger_type.get("payload_schema") or {}
        yield from _trigger(file, wanted, trigger_type)
    yield from _criteria(file, payload)
    yield from _action(file, catalogue)
    yield from _fields(file, payload)


def _trigger(
    file: MetadataFile, wanted: dict[str, Any], trigger_type: dict[str, Any]
) -> Iterator[Problem]:
    expected = trigger_type.get("parameters_schema") or {}
    try:
        triggers.checked(wanted["type"], expected, wanted.get("parameters") or {})
    except InvalidError as error:
        yield file.problem(f"trigger: {error}", ("trigger", "parameters"), "trigger.parameters")


def _criteria(file: MetadataFile, payload: dict[str, Any]) -> Iterator[Problem]:
    for key, criterion in (file.content.get("criteria") or {}).items():
        at = ("criteria", key)
        yield from _criterion(file, at, criterion, frozenset({_TRIGGER, "st2kv"}))
        if key.startswith("trigger."):
            yield from _field(file, at, key.partition("#")[0].split(".")[1:], payload)


def _criterion(
    file: MetadataFile, at: Keys, criterion: Any, names: frozenset[str]
) -> Iterator[Problem]:
    key = str(at[-1])
    unreadable = criteria.key_fault(key)
    if unreadable:
        yield file.problem(f"criteria: {key}: {unreadable}", at, "criteria.key")
    fault = criterion_fault(criterion if isinstance(criterion, dict) else {})
    if fault:
        yield file.problem(f"criteria: {key}: {fault}", (*at, "type"), "criteria.operator")
        return
    pattern = criterion["pattern"]
    if criterion["type"] == operators.SEARCH:
        yield from _search(file, at, criterion, names)
        return
    if criterion["type"] in operators.EXPRESSIONS and not is_template(pattern):
        yield from _expression(file, (*at, "pattern"), pattern)
    yield from templates.problems(file, (*at, "pattern"), pattern, names)


def _search(
    file: MetadataFile, at: Keys, criterion: dict[str, Any], names: frozenset[str]
) -> Iterator[Problem]:
    """The criteria for the items of a list, which are the pattern of a search."""
    condition, pattern = criterion.get("condition"), criterion["pattern"]
    if condition not in operators.SEARCH_CONDITIONS:
        expected = ", ".join(operators.SEARCH_CONDITIONS)
        message = f"criteria: {at[-1]}: condition: expected one of {expected}, found {condition!r}"
        yield file.problem(message, (*at, "condition"), "criteria.operator")
    if not isinstance(pattern, dict):
        message = f"criteria: {at[-1]}: a search needs criteria as its pattern"
        yield file.problem(message, (*at, "pattern"), "criteria.operator")
        return
    for key, below in pattern.items():
        yield from _criterion(file, (*at, "pattern", key), below, names - {_TRIGGER} | {"item"})


def _expression(file: MetadataFile, at: Keys, pattern: Any) -> Iterator[Problem]:
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        message = f"{pattern!r} is no regular expression: {error}"
        yield file.problem(message, at, "criteria.pattern")


def _action(file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    ref = file.content["action"]["ref"]
    given = file.content["action"].get("parameters") or {}
    action = catalogue.actions.get(ref)
    names = None
    if action is None:
        yield from calls.absence(catalogue, "action", ref, file, _ACTION)
    else:
        if action.parameters and (action.own or given):
            yield from calls.problems(file, _PARAMETERS, _ACTION, given, action)
        if file.content.get("enabled") and not action.enabled:
            message = f"action.ref: the rule is enabled, and {ref} is not"
            yield file.problem(message, _ACTION, "action.disabled")
        names = templates.ALWAYS | {_TRIGGER} | frozenset(map(str, given)) | set(action.parameters)
    yield from templates.problems(file, _PARAMETERS, given, names)


def _fields(file: MetadataFile, payload: dict[str, Any]) -> Iterator[Problem]:
    """Fields of the payload that templates use and the trigger type does not have."""
    for where, leaf in templates.leaves(file.content):
        if where[0] in ("action", "criteria") and is_template(leaf):
            for path in templates.fields_of(leaf, _TRIGGER):
                yield from _field(file, where, path, payload)


def _field(file: MetadataFile, at: Keys, path: list[str], schema: Any) -> Iterator[Problem]:
    for step in path:
        known = schema.get("properties") or {}
        if not isinstance(known, dict):
            return
        if schema.get("additionalProperties") is False and step.partition("[")[0] not in known:
            message = f"the payload has no {step}; it has: {', '.join(sorted(known)) or 'nothing'}"
            yield file.problem(message, at, "trigger.payload")
            return
        schema = known.get(step)
        if not isinstance(schema, dict):
            return
