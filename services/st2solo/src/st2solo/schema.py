"""Validation of parameters: JSON schema draft 4 with draft 3's `required: true` at a property.

Source: st2common/util/schema/__init__.py of StackStorm 3.9.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import (
    Draft3Validator,
    Draft4Validator,
    RefResolutionError,
    RefResolver,
    ValidationError,
    validators,
)
from jsonschema.exceptions import UnknownType

from st2solo.errors import InvalidError

_ANY_TYPE = {
    "anyOf": [{"type": t} for t in ("array", "boolean", "integer", "number", "object", "string")]
}


def _enum(validator: Any, options: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """`enum` as later releases of jsonschema read it: True is not 1, False not 0."""
    if not any(
        o == instance and isinstance(o, bool) is isinstance(instance, bool) for o in options
    ):
        yield ValidationError(f"{instance!r} is not one of {options!r}")


_RULES = {name: rule for name, rule in Draft4Validator.VALIDATORS.items() if name != "required"}
_RULES["properties"] = Draft3Validator.VALIDATORS["properties"]
_RULES["enum"] = _enum
_Validator = validators.create(meta_schema={}, validators=_RULES, version="st2solo")


def merged_parameters(
    runner: dict[str, dict[str, Any]], action: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The runner's parameters with the action's laid over them, attribute by attribute."""
    merged = copy.deepcopy(runner)
    for name, attributes in action.items():
        merged[name] = {**(merged.get(name) or {}), **(attributes or {})}
    return merged


def required_parameters(parameters: dict[str, dict[str, Any]]) -> set[str]:
    """Those without which the action cannot run."""
    return {n for n, a in parameters.items() if a.get("required") and "default" not in a}


def parameters_schema(parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema of an action's parameters; an action without any accepts everything."""
    if not parameters:
        return {}
    return {
        "type": "object",
        "properties": {name: schema or _ANY_TYPE for name, schema in parameters.items()},
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Let optional properties without a default be None."""
    result = copy.deepcopy(schema)
    for prop in result.get("properties", {}).values():
        optional = not prop.get("required", False) or "default" in prop
        if optional and prop.get("default") is None:
            for choice in ("anyOf", "oneOf"):
                if choice in prop:
                    prop[choice].append({"type": "null"})
                    break
            else:
                kind = prop.get("type", "string")
                kinds = kind if isinstance(kind, list) else [kind]
                prop["type"] = kinds if "null" in kinds else [*kinds, "null"]
        _nullable_inside(prop)
    return result


def _nullable_inside(prop: dict[str, Any]) -> None:
    items = prop.get("items")
    if isinstance(items, dict) and items.get("properties"):
        prop["items"] = _nullable(items)
    if prop.get("properties"):
        prop.update(_nullable(prop))


def with_defaults(instance: Any, schema: dict[str, Any]) -> Any:
    """The instance with the schema's defaults where it has nothing or None.

    That goes down into what the schema calls objects and arrays.
    """
    if isinstance(instance, dict) and _is(schema, "object"):
        return _object_with_defaults(instance, schema)
    items = schema.get("items")
    if isinstance(instance, list) and isinstance(items, dict) and _is(schema, "array"):
        return [with_defaults(_or_default(item, items), items) for item in instance]
    return instance


def _object_with_defaults(instance: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    result = dict(instance)
    properties = schema.get("properties", {})
    for name, prop in properties.items():
        needed = schema.get("dependencies", {}).get(name, ())
        if all(n in result or "default" in properties.get(n, {}) for n in needed):
            value = _or_default(result.get(name), prop)
            if name in result or "default" in prop:
                result[name] = value
        if result.get(name) is not None:
            result[name] = with_defaults(result[name], prop)
    return result


def _or_default(value: Any, schema: dict[str, Any]) -> Any:
    return copy.deepcopy(schema.get("default")) if value is None else value


def _is(schema: dict[str, Any], kind: str) -> bool:
    declared = schema.get("type")
    return kind in declared if isinstance(declared, list) else declared == kind


def validate(instance: Any, schema: dict[str, Any]) -> Any:
    """Check an instance and give it back with defaults.

    Raises:
        InvalidError: in the words that StackStorm's API uses.
    """
    try:
        complete, nullable = with_defaults(instance, schema), _nullable(schema)
    except (AttributeError, TypeError) as error:
        raise InvalidError(f"the schema itself cannot be used: {error}") from error
    require(complete, nullable)
    return complete


def require(instance: Any, schema: dict[str, Any]) -> None:
    """Check an instance as it is against a schema as it is.

    Raises:
        InvalidError: it does not fit, or the schema is none.
    """
    try:
        _Validator(schema, resolver=_LocalReferences.from_schema(schema)).validate(instance)
    except ValidationError as error:
        # without the error itself, which may hold a secret
        raise InvalidError(_explained(error, schema)) from None
    except UnknownType as error:  # its text holds the value
        message = f"the schema itself cannot be used: there is no type {error.type!r}"
        raise InvalidError(message) from None
    except (RefResolutionError, AttributeError, TypeError, re.error) as error:
        raise InvalidError(f"the schema itself cannot be used: {error}") from error


class _LocalReferences(RefResolver):  # type: ignore[misc]  # jsonschema publishes no types
    """A schema comes with its pack or its workflow; it must not make st2solo call other hosts."""

    def resolve_remote(self, uri: str) -> Any:
        raise RefResolutionError(f"{uri} is not within the schema")


MASK = "********"
#: The rules whose messages have names and no values.
_NAMING = frozenset({"required", "additionalProperties", "dependencies"})


def _explained(error: ValidationError, schema: dict[str, Any]) -> str:
    """What does not fit and where, without the value of a secret or of what holds one."""
    message, parts = str(error.message), list(error.path)
    known = 0
    while known < len(parts) and not schema.get("secret"):
        below = _below(schema, parts[known])
        if not isinstance(below, dict):
            break
        schema, known = below, known + 1
    holds = has_secret(schema) or has_secret(error.schema)
    if schema.get("secret") or (holds and error.validator not in _NAMING):
        message, parts = f"a secret does not fit its {error.validator}", parts[:known]
    path = ".".join(str(part) for part in parts)
    return f"{message} (parameter {path})" if path else message


def _below(schema: dict[str, Any], part: Any) -> Any:
    if isinstance(part, int):
        return schema.get("items")
    properties = schema.get("properties")
    return properties.get(part) if isinstance(properties, dict) else None


def has_secret(schema: Any) -> bool:
    """Whether a schema, or any within it, is that of a secret."""
    if isinstance(schema, dict):
        return schema.get("secret") is True or any(has_secret(one) for one in schema.values())
    return isinstance(schema, list) and any(has_secret(one) for one in schema)


def masked(parameters: dict[str, Any], schema: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The parameters with every secret one hidden, also inside objects and lists."""
    return {name: _mask(value, schema.get(name) or {}) for name, value in parameters.items()}


def _mask(value: Any, schema: Any) -> Any:
    if not isinstance(schema, dict):  # an inquiry's schema is anybody's
        return value
    if schema.get("secret"):
        return value if value is None else MASK
    if isinstance(value, dict) and isinstance(schema.get("properties"), dict):
        return masked(value, schema["properties"])
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        return [_mask(item, items) for item in value]
    return value
