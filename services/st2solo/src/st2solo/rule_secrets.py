"""Secret parameters in rules: hidden where a rule is shown, kept where it comes back like that.

Source: `RuleDB.mask_secrets` in st2common/models/db/rule.py of StackStorm 3.9.
"""

from typing import Any

from st2solo import schema
from st2solo.errors import InvalidError, NotFoundError
from st2solo.ports import ActionLookup
from st2solo.runner_types import runner_type

Document = dict[str, Any]


def masked(rule: Document, actions: ActionLookup) -> Document:
    """The document with what its action calls secret hidden; of an unknown action nothing is."""
    try:
        action = actions.action(rule["action"]["ref"])
    except NotFoundError:
        return rule
    runner = runner_type(action.runner_type)
    return masked_by(rule, schema.merged_parameters(runner.parameters, action.parameters))


def masked_by(rule: Document, parameters: dict[str, dict[str, Any]]) -> Document:
    """The document of a rule on an action with these parameters, the secret ones hidden."""
    action = rule.get("action") or {}
    if not action.get("parameters"):
        return rule
    shown = schema.masked(action["parameters"], parameters)
    return {**rule, "action": {**action, "parameters": shown}}


def kept(given: Document, old: Document, actions: ActionLookup, *, administrator: bool) -> Document:
    """A rule as given, with the old one's secrets in the places where it has what is shown of them.

    Only for the same action, and of who is no administrator only for the same parameters: others
    might show them.

    Raises:
        InvalidError: the mask is in another place, too.
    """
    parameters = given["action"]["parameters"]
    if given["action"]["ref"] == old["action"]["ref"]:
        shown = masked(old, actions)["action"]["parameters"]
        if administrator or parameters == shown:
            parameters = _unmasked(parameters, shown, old["action"]["parameters"])
    rule = {**given, "action": {**given["action"], "parameters": parameters}}
    require_values(rule)
    return rule


def require_values(rule: Document) -> None:
    """InvalidError if the mask stands where a value should."""
    if _holds_mask(rule["action"]["parameters"]):
        raise InvalidError(
            f"action.parameters: {schema.MASK} stands for a secret value that is not there;"
            " give the value itself"
        )


def _unmasked(given: Any, shown: Any, stored: Any) -> Any:
    """`stored` is what `shown` was made of."""
    if given == schema.MASK and shown == schema.MASK:
        return stored
    if isinstance(given, dict) and isinstance(shown, dict):
        return {
            name: _unmasked(value, shown[name], stored[name]) if name in shown else value
            for name, value in given.items()
        }
    if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        return [_unmasked(*each) for each in zip(given, shown, stored, strict=True)]
    return given


def _holds_mask(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_mask(below) for below in value.values())
    if isinstance(value, list):
        return any(_holds_mask(below) for below in value)
    return bool(value == schema.MASK)
