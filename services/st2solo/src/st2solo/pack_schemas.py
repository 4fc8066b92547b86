"""What the files of a pack may hold, as JSON schemas (draft 4).

They refuse what StackStorm 3.9 refuses: see the classes of st2common/models/api and the parameter
attributes of st2common/util/schema/action_params.json. Unknown keys are refused but for those of
sensors and trigger types, which are registered without a look at them, within the items and
properties of a parameter, which are held against custom.json, and of an `output_schema`, which may
be a list of properties only. An optional key without a value counts as if it were not there, except
where `nullable` is false.
"""

from typing import Any

_STRING: dict[str, Any] = {"type": "string"}
_OBJECT: dict[str, Any] = {"type": "object"}
_BOOLEAN: dict[str, Any] = {"type": "boolean"}
_TAGS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0, "nullable": False}
_TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]

_NESTED: dict[str, Any] = {"$ref": "#/definitions/inside", "nullable": False}
_NESTED_LIST: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": _NESTED,
    "nullable": False,
}
_NESTED_MAP: dict[str, Any] = {"type": "object", "additionalProperties": _NESTED}
_NAMES: dict[str, Any] = {"type": "array", "items": _STRING, "minItems": 1, "uniqueItems": True}

_ATTRIBUTES: dict[str, Any] = {
    "id": _STRING,
    "$schema": _STRING,
    "title": _STRING,
    "description": _STRING,
    "default": {},
    "multipleOf": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    "maximum": {"type": "number"},
    "exclusiveMaximum": _BOOLEAN,
    "minimum": {"type": "number"},
    "exclusiveMinimum": _BOOLEAN,
    "maxLength": _COUNT,
    "minLength": _COUNT,
    "pattern": _STRING,
    "additionalItems": {"anyOf": [_BOOLEAN, _NESTED]},
    "items": {"anyOf": [_NESTED, _NESTED_LIST]},
    "maxItems": _COUNT,
    "minItems": _COUNT,
    "uniqueItems": _BOOLEAN,
    "maxProperties": _COUNT,
    "minProperties": _COUNT,
    "required": _BOOLEAN,
    "secret": _BOOLEAN,
    "additionalProperties": {"anyOf": [_BOOLEAN, _NESTED]},
    "definitions": _NESTED_MAP,
    "properties": _NESTED_MAP,
    "patternProperties": _NESTED_MAP,
    "dependencies": {
        "type": "object",
        "additionalProperties": {"anyOf": [_NESTED, _NAMES]},
    },
    "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
    "position": {"type": "number", "minimum": 0},
    "immutable": _BOOLEAN,
    "allOf": _NESTED_LIST,
    "anyOf": _NESTED_LIST,
    "oneOf": _NESTED_LIST,
    "not": _NESTED,
}
_TOGETHER = {"exclusiveMaximum": ["maximum"], "exclusiveMinimum": ["minimum"]}
_PARAMETER: dict[str, Any] = {
    "type": "object",
    "properties": _ATTRIBUTES | {"type": {"enum": _TYPES}},
    "dependencies": _TOGETHER,
    "additionalProperties": False,
}
#: As StackStorm has it, a default of the whole output can only be text.
_OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": _ATTRIBUTES | {"type": {"enum": _TYPES}, "default": _STRING},
    "dependencies": _TOGETHER,
}
_SEVERAL = {"type": "array", "items": {"enum": _TYPES}, "minItems": 1, "uniqueItems": True}
_INSIDE: dict[str, Any] = {
    "type": "object",
    "properties": _ATTRIBUTES
    | {"$ref": {}, "format": _STRING, "type": {"anyOf": [{"enum": _TYPES}, _SEVERAL]}},
    "dependencies": _TOGETHER,
}
_DEFINITIONS = {"parameter": _PARAMETER, "inside": _INSIDE}
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "nullable": False,
    "patternProperties": {r"^\w+$": {"$ref": "#/definitions/parameter"}},
    "additionalProperties": False,
}
_NOTIFY_PART: dict[str, Any] = {
    "type": "object",
    "properties": {
        "message": _STRING,
        "data": _OBJECT,
        "routes": {"type": "array"},
        "channels": {"type": "array"},
    },
    "additionalProperties": False,
}


NOTIFY: dict[str, Any] = {
    "type": "object",
    "properties": dict.fromkeys(("on-complete", "on-failure", "on-success"), _NOTIFY_PART),
    "additionalProperties": False,
}


def _open(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    base = {"id": _STRING, "ref": _STRING, "uid": _STRING, "pack": _STRING}
    base |= {"metadata_file": _STRING, "description": _STRING}
    return {
        "type": "object",
        "required": required,
        "properties": base | properties,
        "definitions": _DEFINITIONS,
    }


def _closed(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return _open(required, properties) | {"additionalProperties": False}


_NUMBER = r"(?:0|[1-9][0-9]*)"
_MARKS = r"[0-9a-z-]+(?:\.[0-9a-z-]+)*"
#: PACK_VERSION_REGEX of st2common/constants/pack.py.
_VERSION = rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_MARKS})?(?:\+{_MARKS})?\Z"

_WORD = r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[!#-\[\]-~]|\\[ -~])*"'
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
#: What an EmailField of mongoengine takes, in which StackStorm keeps it.
_EMAIL = rf"^(?:{_WORD}(?:\.{_WORD})*|{_QUOTED})@(?:{_LABEL}\.)+(?:[^\W_]|-){{1,62}}[^\W_]\Z"

PACK: dict[str, Any] = {
    "type": "object",
    "required": ["name", "description", "version", "author", "email"],
    "properties": {
        "name": _STRING,
        "ref": {
            "type": "string",
            "pattern": r"^(?!_global\Z)[a-z0-9_]+$",
            "title": "a name of lower case letters, digits and underscores that is not _global",
        },
        "description": _STRING,
        "keywords": {"type": "array", "items": _STRING},
        "version": {
            "type": "string",
            "pattern": _VERSION,
            "title": "a version such as 1.0.0 or 1.0.0-rc.1",
        },
        "stackstorm_version": {
            "type": "string",
            "pattern": r"^((>?>|>=|=|<=|<?<)\s*[0-9]+\.[0-9]+"
            r"\.[0-9]+?(\s*,)?\s*)+$",
        },
        "python_versions": {
            "type": "array",
            "items": {"type": "string", "enum": ["2", "3"]},
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
        },
        "author": _STRING,
        "email": {"type": ["string", "null"], "pattern": _EMAIL, "title": "one email address"},
        "contributors": {"type": "array", "items": {"type": "string", "maxLength": 100}},
        "files": {"type": "array", "items": _STRING},
        "dependencies": {"type": "array", "items": _STRING},
        "system": _OBJECT,
    },
}

ACTION = _closed(
    ["name", "runner_type"],
    {
        "name": _STRING,
        "enabled": _BOOLEAN,
        "runner_type": _STRING,
        "entry_point": _STRING,
        "parameters": _PARAMETERS,
        "output_schema": _OUTPUT,
        "tags": _TAGS,
        "notify": NOTIFY,
    },
)

TRIGGER_TYPE = _open(
    ["name"],
    {"name": _STRING, "payload_schema": _OBJECT, "parameters_schema": _OBJECT, "tags": _TAGS},
)

SENSOR = _open(
    ["class_name", "entry_point"],
    {
        "class_name": _STRING,
        "artifact_uri": _STRING,
        "tags": _TAGS,
        "entry_point": _STRING,
        "enabled": _BOOLEAN,
        "poll_interval": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        "trigger_types": {"type": "array", "items": TRIGGER_TYPE, "nullable": False},
    },
)
SENSOR["definitions"] = TRIGGER_TYPE["definitions"]

RULE = _closed(
    ["name", "trigger", "action"],
    {
        "name": _STRING,
        "enabled": _BOOLEAN,
        "context": _OBJECT,
        "tags": _TAGS,
        "criteria": {
            "type": "object",
            "nullable": False,
            "additionalProperties": {"type": "object"},
        },
        "type": {
            "type": "object",
            "nullable": False,
            "required": ["ref"],
            "properties": {"ref": {"enum": ["standard", "backstop"]}, "parameters": _OBJECT},
            "additionalProperties": False,
        },
        "trigger": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": _STRING,
                "description": _STRING,
                "parameters": _OBJECT,
                "ref": _STRING,
            },
        },
        "action": {
            "type": "object",
            "required": ["ref"],
            "properties": {"ref": _STRING, "description": _STRING, "parameters": _OBJECT},
            "additionalProperties": False,
        },
    },
)

_ANSWER = {"enabled": _BOOLEAN, "extra": _OBJECT, "format": _STRING}

ALIAS = _closed(
    ["name", "action_ref", "formats"],
    {
        "name": _STRING,
        "enabled": _BOOLEAN,
        "action_ref": _STRING,
        "formats": {
            "type": "array",
            "items": {
                "anyOf": [
                    _STRING,
                    {
                        "type": "object",
                        "properties": {
                            "display": _STRING,
                            "representation": {
                                "anyOf": [_STRING, {"type": "array", "items": _STRING}]
                            },
                            "match_multiple": _BOOLEAN,
                        },
                    },
                ]
            },
        },
        "ack": {"type": "object", "properties": _ANSWER | {"append_url": _BOOLEAN}},
        "result": {"type": "object", "properties": _ANSWER},
        "extra": _OBJECT,
        "immutable_parameters": _OBJECT,
    },
)

POLICY = _closed(
    ["name", "resource_ref", "policy_type"],
    {
        "name": _STRING,
        "enabled": _BOOLEAN,
        "resource_ref": _STRING,
        "policy_type": _STRING,
        "parameters": _OBJECT,
    },
)

CONFIG_SCHEMA = _PARAMETERS | {"definitions": _DEFINITIONS}

#: The keys that mean something within the items and properties of a parameter.
INSIDE_KEYS = frozenset(_INSIDE["properties"])
