"""An action with the parameters that a rule, a task or an alias gives it."""

from collections.abc import Iterator, Mapping
from typing import Any

from st2solo.casts import cast
from st2solo.errors import InvalidError
from st2solo.inert import holds_template
from st2solo.metadata_file import Keys, MetadataFile, Problem
from st2solo.pack_check.catalogue import Action, Catalogue
from st2solo.schema import parameters_schema, required_parameters, validate


def absence(
    catalogue: Catalogue, kind: str, ref: str, file: MetadataFile, at: Keys
) -> Iterator[Problem]:
    """A problem with a ref to an action or a trigger type that nobody has."""
    code = catalogue.absence(kind, ref)
    if code is not None:
        field = ".".join(map(str, at))
        yield file.problem(f"{field}: no pack here has the {kind} {ref}", at, code)


def problems(
    file: MetadataFile, at: Keys, above: Keys, given: Mapping[str, Any], action: Action
) -> Iterator[Problem]:
    """
    Args:
        at: where the parameters stand.
        above: where to tell of one that is missing.
    """
    declared = action.parameters
    known = ", ".join(sorted(declared))
    for name in sorted(required_parameters(declared) - set(given)):
        message = f"the action needs the parameter {name}, and it is not given"
        yield file.problem(message, above, "parameter.missing")
    for name, value in given.items():
        where = (*at, name)
        if name not in declared:
            message = f"the action has no parameter {name}; it has: {known or 'none'}"
            yield file.problem(message, where, "parameter.unknown")
        elif (declared[name] or {}).get("immutable"):
            message = f"parameter {name} is immutable: a value is refused"
            yield file.problem(message, where, "parameter.fixed")
        else:
            fault = misfit(name, value, declared[name] or {})
            if fault is not None:
                yield file.problem(f"parameter {name}: {fault}", where, "parameter.value")


def misfit(name: str, value: Any, definition: dict[str, Any]) -> str | None:
    """Why a given value is refused when the action is run; None if it is not.

    A text becomes the declared type first, as it does then. Templates may become anything.
    """
    if holds_template(value):
        return None
    try:
        value = cast(value, definition)
    except (ValueError, TypeError, SyntaxError):
        return f"expected {definition.get('type')}, found {value!r}"
    return _refusal(name, {name: value}, definition)


def unfit_default(name: str, definition: dict[str, Any]) -> str | None:
    """Why a default is refused when the action is run without a value; it is not cast before."""
    if "default" not in definition or holds_template(definition["default"]):
        return None
    return _refusal(name, {}, definition)


def _refusal(name: str, given: dict[str, Any], definition: dict[str, Any]) -> str | None:
    try:
        validate(given, parameters_schema({name: definition}))
    except InvalidError as error:
        return str(error)
    return None
