"""What a rule may say, whether it comes from a file or through the API."""

from typing import Any

from st2solo import operators
from st2solo.errors import InvalidError
from st2solo.triggers import Triggers


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
        RuleError: a criterion has no operator, an unknown one, or no pattern (which StackStorm
            asks of `exists` too).
    """
    for key, criterion in criteria.items():
        operator = criterion.get("type")
        if operator not in operators.NAMES:
            known = ", ".join(sorted(operators.NAMES))
            message = f"{key}: expected an operator in `type`, found {operator!r}; known: {known}"
            raise RuleError("criteria", message)
        if criterion.get("pattern") is None:
            raise RuleError("criteria", f"{key}: operator {operator} needs a pattern")
