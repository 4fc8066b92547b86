"""What a rule may say, whether it comes from a file or through the API."""

from typing import Any

from st2solo import operators
from st2solo.errors import InvalidError
from st2solo.triggers import Triggers

#: The types of rules; one of the second acts where none of the first has.
RULE_TYPES = ("standard", "backstop")


class RuleError(InvalidError):
    """The rule does not say what is expected; `field` is where."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


def rule_content(given: dict[str, Any], triggers: Triggers) -> dict[str, Any]:
    """The rule's document, with its trigger made if it is the first to use it.

    An action that does not exist, missing parameters and wrong templates are accepted, as in
    StackStorm: they make a failed enforcement when the rule fires.

    Raises:
        RuleError: the trigger type or an operator is unknown, or the trigger's parameters do not
            fit.
    """
    check_criteria(given.get("criteria") or {})
    wanted = given["trigger"]
    try:
        trigger = triggers.ensure(wanted["type"], wanted.get("parameters") or {})
    except InvalidError as err:
        raise RuleError("trigger", str(err)) from err
    action = given["action"]
    content = {name: given[name] for name in ("name", "pack", "metadata_file") if given.get(name)}
    return content | {
        "description": given.get("description") or "",
        "enabled": bool(given.get("enabled", False)),
        "type": {"ref": "standard", "parameters": {}} | (given.get("type") or {}),
        "trigger": {
            "type": wanted["type"],
            "ref": trigger.ref,
            "parameters": trigger.content["parameters"],
        },
        "criteria": given.get("criteria") or {},
        "action": {"ref": action["ref"], "parameters": action.get("parameters") or {}},
        "context": given.get("context") or {},
        "tags": given.get("tags") or [],
    }


def check_criteria(criteria: dict[str, dict[str, Any]]) -> None:
    """
    Raises:
        RuleError: as `criterion_fault` says of one of them.
    """
    for key, criterion in criteria.items():
        fault = criterion_fault(criterion)
        if fault:
            raise RuleError("criteria", f"{key}: {fault}")


def criterion_fault(criterion: dict[str, Any]) -> str | None:
    """What is wrong with a criterion: no operator, an unknown one, or no pattern.

    StackStorm asks `exists` for a pattern too.
    """
    operator = criterion.get("type")
    if not isinstance(operator, str) or operator not in operators.NAMES:
        known = ", ".join(sorted(operators.NAMES))
        return f"expected an operator in `type`, found {operator!r}; known: {known}"
    if criterion.get("pattern") is None:
        return f"operator {operator} needs a pattern"
    return None
