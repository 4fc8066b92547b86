"""Aliases and policies: the action that they are for, and what they say of its parameters."""

from collections.abc import Iterator
from typing import Any

from st2solo.alias_formats import formats_of, parameters_of
from st2solo.metadata_file import MetadataFile, Problem
from st2solo.pack_check import calls, templates
from st2solo.pack_check.catalogue import Action, Catalogue
from st2solo.pack_schemas import ALIAS

#: The names that the templates of an answer may use: st2api/controllers/v1/aliasexecution.py, and
#: contrib/chatops/actions/format_execution_result.py of StackStorm 3.9.
_NAMES = {
    ("ack", "format"): frozenset({"execution", "actionalias"}),
    ("ack", "extra"): frozenset({"execution", "actionalias", "message"}),
    ("result", "format"): frozenset({"execution", "alias", "six"}),
    ("result", "extra"): frozenset({"execution", "alias", "six"}),
}


def alias_problems(file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    for part in ("ack", "result"):
        yield from _answer(file, part, file.content.get(part) or {})
    ref = file.content["action_ref"]
    action = catalogue.actions.get(ref)
    if action is None:
        yield from calls.absence(catalogue, "action", ref, file, ("action_ref",))
        return
    if not action.parameters:
        return
    yield from _formats(file, action)
    for name, value in (file.content.get("immutable_parameters") or {}).items():
        at = ("immutable_parameters", name)
        fault = calls.misfit(name, value, action.parameters.get(name) or {})
        if name not in action.parameters:
            yield _unknown(file, at, name, ref)
        elif fault is not None:
            yield file.problem(f"parameter {name}: {fault}", at, "parameter.value")


def _answer(file: MetadataFile, part: str, content: dict[str, Any]) -> Iterator[Problem]:
    known = sorted(ALIAS["properties"][part]["properties"])
    for name, value in content.items():
        at = (part, str(name))
        if name not in known:
            message = f"{part}.{name}: is not known; known: {', '.join(known)}"
            yield file.problem(message, at, "field.ignored")
        else:
            yield from templates.problems(file, at, value, _NAMES.get(at))


def _formats(file: MetadataFile, action: Action) -> Iterator[Problem]:
    ref = file.content["action_ref"]
    for format_ in formats_of(file.content):
        for name in parameters_of(format_.representation):
            at = ("formats", format_.index)
            if name not in action.parameters:
                yield _unknown(file, at, name, ref)


def _unknown(file: MetadataFile, at: tuple[str | int, ...], name: str, ref: str) -> Problem:
    return file.problem(f"{ref} has no parameter {name}", at, "parameter.unknown")


def policy_problems(file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    ref = file.content["resource_ref"]
    action = catalogue.actions.get(ref)
    if action is None:
        yield from calls.absence(catalogue, "action", ref, file, ("resource_ref",))
        return
    for index, name in enumerate((file.content.get("parameters") or {}).get("attributes") or []):
        if name not in action.parameters:
            yield _unknown(file, ("parameters", "attributes", index), name, ref)
