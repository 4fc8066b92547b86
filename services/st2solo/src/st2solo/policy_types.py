"""The policies that there are, and the parameters of each.

Source: st2common/policies/meta of StackStorm 3.9.
"""

from dataclasses import dataclass
from typing import Any

from st2solo.ids import id_of
from st2solo.schema import parameters_schema, validate

_THRESHOLD = {
    "type": "integer",
    "required": True,
    "description": "How many executions of the action may run at the same time.",
}
_ACTION = {
    "type": "string",
    "enum": ["delay", "cancel"],
    "default": "delay",
    "description": "What becomes of an execution above the threshold.",
}
_ATTRIBUTES = {
    "type": "array",
    "uniqueItems": True,
    "items": {"type": "string", "minLength": 1},
    "description": "Only executions with the same values of these parameters count together.",
}


@dataclass(frozen=True)
class PolicyType:
    """A kind of policy as the API describes it; all are for actions."""

    name: str
    description: str
    parameters: dict[str, dict[str, Any]]

    @property
    def ref(self) -> str:
        return f"action.{self.name}"

    def document(self) -> dict[str, Any]:
        return {
            "id": id_of(f"policy_type:{self.ref}"),
            "uid": f"policy_type:action:{self.name}",
            "ref": self.ref,
            "name": self.name,
            "resource_type": "action",
            "description": self.description,
            "enabled": True,
            "module": f"st2actions.policies.{self.name.replace('.', '_by_')}",
            "parameters": self.parameters,
        }

    def checked(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Parameters with defaults.

        Raises:
            InvalidError: they do not fit.
        """
        checked: dict[str, Any] = validate(parameters, parameters_schema(self.parameters))
        return checked


POLICY_TYPES = {
    kind.ref: kind
    for kind in (
        PolicyType(
            "concurrency",
            "Limits how many executions of an action run at the same time.",
            {"threshold": _THRESHOLD, "action": _ACTION},
        ),
        PolicyType(
            "concurrency.attr",
            "Limits how many executions with the same parameters run at the same time.",
            {"threshold": _THRESHOLD, "action": _ACTION, "attributes": _ATTRIBUTES},
        ),
        PolicyType(
            "retry",
            "Runs an action again that failed or took too long.",
            {
                "retry_on": {
                    "type": "string",
                    "required": True,
                    "enum": ["failure", "timeout"],
                    "description": "What to retry.",
                },
                "max_retry_count": {
                    "type": "integer",
                    "required": True,
                    "minimum": 1,
                    "maximum": 5,
                    "default": 2,
                    "description": "How often at most.",
                },
                "delay": {
                    "type": "number",
                    "required": False,
                    "minimum": 0,
                    "maximum": 120,
                    "description": "Seconds to wait before it.",
                },
            },
        ),
    )
}
