"""Text that nobody has evaluated and nobody may: does it hold the beginning of a template?"""

from typing import Any

from st2solo.jinja import is_template


def holds_template(value: Any) -> bool:
    """Whether a text in it, or a key of it, holds `{{`, `{%` or `<%`."""
    if isinstance(value, dict):
        return any(holds_template(key) or holds_template(below) for key, below in value.items())
    if isinstance(value, list):
        return any(holds_template(below) for below in value)
    return isinstance(value, str) and ("<%" in value or is_template(value))
