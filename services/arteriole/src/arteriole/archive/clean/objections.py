"""Why something does not go, or stays for now."""

from dataclasses import dataclass
from typing import Any

from arteriole.app.errors import ConflictError


class CleanError(ConflictError):
    """It is not taken away."""

    code = "clean.failed"


@dataclass(frozen=True)
class Objection:
    code: str
    message: str
    hint: str

    def document(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def error(self) -> CleanError:
        return CleanError(self.message, code=self.code, hint=self.hint)
