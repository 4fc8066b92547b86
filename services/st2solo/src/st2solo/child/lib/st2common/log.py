"""Loggers by StackStorm's names, for code of packs that has no action's own at hand.

Source: st2common/log.py of StackStorm 3.9.
"""

from __future__ import annotations

import logging

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

_AUDIT = logging.CRITICAL + 10


def _audit(self: logging.Logger, message: Any, *args: Any, **more: Any) -> None:
    self.log(_AUDIT, message, *args, **more)


logging.addLevelName(_AUDIT, "AUDIT")
logging.AUDIT = _AUDIT  # type: ignore[attr-defined]
logging.Logger.audit = _audit  # type: ignore[attr-defined]


def getLogger(name: str) -> logging.Logger:
    """The logger of that name below `st2`; what it warns of goes to the standard error."""
    return logging.getLogger(name if name.startswith("st2.") else f"st2.{name}")
