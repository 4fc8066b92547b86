"""Jinja as StackStorm evaluates it in parameters, rules and configurations.

Source: st2common/util/jinja.py and st2common/services/keyvalues.py of StackStorm 3.9.
"""

import json
import re
from typing import Any

from jinja2 import StrictUndefined, Undefined

from st2solo import json_text
from st2solo.filters import FILTERS
from st2solo.ports import KeySource
from st2solo.sandbox import Sandbox

#: Also `{{a[0]}}`: StackStorm's range from A to z takes in brackets.
_BARE = re.compile(r'"{{([A-z0-9_-]+)}}"')
_MARKERS = ("{{", "{%")


class KeyReference:
    """`st2kv.system.a.b` while Jinja resolves it: each step may be the whole key.

    As text it is the value as stored (an encrypted one stays encrypted), or nothing when the key
    is not there.
    """

    def __init__(self, keys: KeySource, scope: str, user: str | None, name: str = "") -> None:
        self._keys = keys
        self._scope = scope
        self._user = user
        self._name = name

    def __getitem__(self, name: str) -> "KeyReference":
        full = f"{self._name}.{name}" if self._name else str(name)
        return KeyReference(self._keys, self._scope, self._user, full)

    def __getattr__(self, name: str) -> "KeyReference":
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def _value(self, decrypt: bool) -> str:
        found = self._keys.value(self._name, scope=self._scope, user=self._user, decrypt=decrypt)
        return "" if found is None else found

    def __str__(self) -> str:
        return self._value(decrypt=False)

    def __int__(self) -> int:
        return int(float(self))

    def __float__(self) -> float:
        return float(str(self))


def decrypt_kv(reference: Any) -> str:
    """The decrypted value of a key.

    Raises:
        ValueError: the key is not there or is empty, or the filter stands behind something else.
    """
    if not isinstance(reference, KeyReference):
        raise ValueError(
            "decrypt_kv works on a reference such as st2kv.system.name, not on"
            f" {type(reference).__name__}"
        )
    value = reference._value(decrypt=True)
    if value == "":
        raise ValueError(
            f'Referenced datastore item "st2kv.{reference._scope}.{reference._name}" doesn\'t exist'
            " or it contains an empty string"
        )
    return value


def _within(item: Any, values: Any) -> bool:
    return item in values


def environment(undefined: type[Undefined] = StrictUndefined) -> Sandbox:
    """A sandboxed environment; in it an undefined name is an error unless told otherwise."""
    result = Sandbox(undefined=undefined, trim_blocks=True, lstrip_blocks=True)
    result.filters.update(FILTERS)
    result.filters["decrypt_kv"] = decrypt_kv
    result.tests["in"] = _within
    return result


ENVIRONMENT = environment()


def is_template(value: Any) -> bool:
    """Whether a text holds a marker of Jinja; no parsing."""
    return isinstance(value, str) and any(marker in value for marker in _MARKERS)


def render(template: str, context: dict[str, Any]) -> str:
    """Evaluate one template.

    Raises:
        jinja2.TemplateError: it cannot be parsed, names something unknown or leaves the sandbox.
    """
    return ENVIRONMENT.from_string(template).render(context)


def render_value(value: Any, context: dict[str, Any]) -> Any:
    """Evaluate the templates in a value, once.

    A text gives a text. A list or an object is rendered as one JSON document, in which a text
    that is nothing but `{{name}}` keeps the type of `name`. Everything else stays as it is.
    """
    if isinstance(value, str):
        return render(value, context) if is_template(value) else value
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        if not is_template(text):
            return value
        return json_text.parse(render(_BARE.sub(r"{{\1 | to_complex}}", text), context))
    return value


def kv_context(keys: KeySource, user: str | None) -> dict[str, Any]:
    """`st2kv.system` and `st2kv.user`; the datastore is read only when a template uses them."""
    return {
        "st2kv": {
            "system": KeyReference(keys, "system", user),
            "user": KeyReference(keys, "user", user),
        }
    }
