"""Why something does not go, or stays for now."""

from dataclasses import dataclass
from typing import Any

from arteriole.app.errors import ConflictError


class CleanError(ConflictError):
    """It is not taken away."""

    code = "clean.failed"


class NoRoomError(CleanError):
    """The few KB that are to be written first do not fit."""

    code = "disk.full"

    def __init__(self, what: str, err: OSError) -> None:
        super().__init__(
            f"{what}: {err.strerror}",
            hint="a few KB are needed there: empty the bin, as far as its days are over"
            " (arteriole clean RUN --empty), or make room",
        )


@dataclass(frozen=True)
class Objection:
    code: str
    message: str
    hint: str

    def document(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def error(self) -> CleanError:
        return CleanError(self.message, code=self.code, hint=self.hint)
