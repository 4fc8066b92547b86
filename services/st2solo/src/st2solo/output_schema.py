"""What actions say about their output: whether it fits, and what of it is secret.

Source: st2common/util/output_schema.py and secrets.py (inquiries) of StackStorm 3.9.
"""

import re
from typing import Any

from st2solo.errors import InvalidError
from st2solo.runner_types import RUNNER_TYPES
from st2solo.schema import MASK, require
from st2solo.schema import masked as masked_parameters

_INQUIRER = "inquirer"


def misfit(action: dict[str, Any], runner: str, result: Any) -> dict[str, Any] | None:
    """The result of an action whose result does not fit what runner and action declare.

    Only runners that declare their own output check that of their actions. A schema of the old
    form (properties only) is not checked.
    """
    kind = RUNNER_TYPES[runner]
    if not kind.output_schema or not result:
        return None
    declared = action.get("output_schema")
    try:
        require(result, kind.output_schema)
        if declared is not None and _is_whole(declared):
            require(result[kind.output_key], declared)
    except (InvalidError, KeyError) as error:
        return {
            "error": str(error),
            "message": "Error validating output. See error output for more details.",
        }
    return None


def masked(action: dict[str, Any], runner: str, result: Any) -> Any:
    """The result with every value hidden that the action's output schema calls secret.

    Of an inquiry it is the answer, and the schema that the answer had to fit.
    """
    if runner == _INQUIRER:
        return _masked_answer(result)
    key, declared = RUNNER_TYPES[runner].output_key, action.get("output_schema")
    if not declared or key is None or not isinstance(result, dict) or key not in result:
        return result
    whole = declared if _is_whole(declared) else {"type": "object", "properties": declared}
    return {**result, key: _mask(result[key], whole)}


def _masked_answer(result: Any) -> Any:
    if not isinstance(result, dict) or "response" not in result:
        return result
    asked = {"response": result.get("schema") or {}}
    return {**result, **masked_parameters({"response": result["response"]}, asked)}


def _is_whole(declared: Any) -> bool:
    return isinstance(declared, dict) and isinstance(declared.get("type"), str)


def _mask(value: Any, declared: Any) -> Any:
    if not isinstance(declared, dict):
        return value
    if declared.get("secret"):
        return MASK
    if declared.get("type") == "object" and isinstance(value, dict):
        return _masked_object(value, declared)
    if declared.get("type") == "array" and isinstance(value, list):
        return _masked_array(value, declared)
    return value


def _masked_object(value: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    known, patterns = declared.get("properties") or {}, declared.get("patternProperties") or {}
    other = declared.get("additionalProperties")

    def schema_of(name: str) -> Any:
        if name in known:
            return known[name]
        for pattern, schema in patterns.items():
            if re.search(pattern, name):
                return schema
        return other

    return {name: _mask(below, schema_of(name)) for name, below in value.items()}


def _masked_array(value: list[Any], declared: dict[str, Any]) -> list[Any]:
    items = declared.get("items")
    if not isinstance(items, list):
        return [_mask(item, items) for item in value]
    more = [declared.get("additionalItems")] * max(0, len(value) - len(items))
    return [_mask(item, schema) for item, schema in zip(value, [*items, *more], strict=False)]
