"""The Jinja environment in which every template of a pack, rule or workflow is evaluated."""

from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

_LONGEST = 1_000_000
_HIGHEST_POWER = 10_000


class Sandbox(SandboxedEnvironment):
    """Jinja2's sandbox, which also refuses the two operators that can eat all memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            _require_short(left, right)
            _require_short(right, left)
        elif isinstance(right, int | float) and abs(right) > _HIGHEST_POWER:
            raise SecurityError(f"a template may not raise to a power above {_HIGHEST_POWER}")
        return super().call_binop(context, operator, left, right)


def _require_short(sized: Any, times: Any) -> None:
    repeats = isinstance(sized, str | bytes | list | tuple) and isinstance(times, int)
    if repeats and len(sized) * times > _LONGEST:
        raise SecurityError(f"a template may not build more than {_LONGEST} elements by repetition")
