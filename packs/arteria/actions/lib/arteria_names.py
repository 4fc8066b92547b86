"""Names are inert: only identifiers and numbers may pass through rules and workflows.

Orquesta and rules evaluate `{{`, `{%` and `<%` inside a value again, wherever it came from.
"""

import re
from typing import Any

from arteria_errors import ArteriaError

_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)
_CODE = re.compile(r"[a-z0-9._]{1,100}", re.ASCII)
_INERT = str.maketrans("{}<>", "()()")
_TEXT_LIMIT = 2000


class BadNameError(ArteriaError):
    code = "name.characters"


def is_identifier(value: Any) -> bool:
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def identifier(value: Any, field: str) -> str:
    """Return `value`, or raise an error that names `field`."""
    if not is_identifier(value):
        raise BadNameError(
            "%s must be 1 to 200 of A-Z a-z 0-9 . _ - and start with a letter, digit or _; found %s"
            % (field, inert(repr(value))[:80]),
        )
    return value


def chat_name(value: Any) -> str:
    """The name of somebody in a chat, without the @ that some bots write before it."""
    text = value[1:] if isinstance(value, str) and value.startswith("@") else value
    return identifier(text, "the name that the chat gives of a person")


def number(value: Any, field: str) -> int:
    """Return `value` as an integer of 0 or more, or raise an error that names `field`."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadNameError("%s must be a number; found %s" % (field, inert(repr(value))[:80]))
    return int(text)


def code_of(document: Any) -> str:
    """The `code` of what a service told, or "" if it has none that is one."""
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def inert(value: Any) -> Any:
    """Return `value` with no character in its texts that could begin an expression."""
    if isinstance(value, str):
        return value[:_TEXT_LIMIT].translate(_INERT)
    if isinstance(value, dict):
        return {inert(key): inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [inert(item) for item in value]
    return value
