"""`Action`, the class that every Python action of a pack extends.

Source: st2common/runners/base_action.py and utils.py of StackStorm 3.9.
"""

from __future__ import annotations

import abc
import logging
import sys

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


class PackConfigDict(dict):  # type: ignore[type-arg]
    """A pack's configuration, which says what to do about a key that is not there."""

    def __init__(self, pack_name: str, *args: Any) -> None:
        super().__init__(*args)
        self._pack_name = pack_name

    def __missing__(self, key: Any) -> Any:
        raise ValueError(
            f'Config for pack "{self._pack_name}" is missing key "{key}". Set it in'
            f" configs/{self._pack_name}.yaml and register the configuration again."
        )


def action_logger(name: str, log_level: str = "DEBUG") -> logging.Logger:
    """A logger that writes to the standard error, as StackStorm's actions have it."""
    logger = logging.getLogger(f"actions.python.{name}")
    if not logger.handlers:
        level = getattr(logging, log_level.upper(), logging.DEBUG)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(name)-12s: %(levelname)-8s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(level)
    return logger


class Action(abc.ABC):
    """Base of Python actions: `config`, `logger`, `action_service` and a `run` to write."""

    description = None

    def __init__(self, config: dict[str, Any] | None = None, action_service: Any = None) -> None:
        self.action_service = action_service
        self.config = PackConfigDict(getattr(action_service, "pack", "unknown"), config or {})
        level = getattr(action_service, "log_level", "DEBUG")
        self.logger = action_logger(self.__class__.__name__, level)

    @abc.abstractmethod
    def run(self, **kwargs: Any) -> Any:
        """The action's work: returns data, or (succeeded, data)."""
