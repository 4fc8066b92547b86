"""What can go wrong between an action, the services and the orchestrator."""

from typing import Any, Dict, Optional


class ArteriaError(Exception):
    """Something that an action was asked for cannot be done.

    Attributes:
        code: stable identifier, `[a-z0-9._]+`.
        hint: what to do about it.
        status: the HTTP status of the answer that said so, if there was one.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        hint: str = "",
        code: Optional[str] = None,
        status: Optional[int] = None,
        counts: Optional[Dict[str, int]] = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status
        self.counts = counts or {}
        if code is not None:
            self.code = code

    def document(self) -> Dict[str, Any]:
        """The result of an action that failed."""
        document = {"code": self.code, "message": str(self), "hint": self.hint}
        if self.status is not None:
            document["status"] = self.status
        return {**document, **self.counts}


class ConfigError(ArteriaError):
    """The pack's configuration lacks something."""

    code = "pack.config"


class UnreachableError(ArteriaError):
    """A service did not answer."""

    code = "service.unreachable"


class AnswerError(ArteriaError):
    """A service answered with something that is not of its contract."""

    code = "service.answer"


class RefusedError(ArteriaError):
    """A service answered with an error; `code` is the service's."""

    code = "service.refused"

    @property
    def final(self) -> bool:
        """True if the same request would be refused again."""
        return self.status in (400, 404, 409, 413, 415, 422)


class NotBegunError(ArteriaError):
    """Drills of some archives could not begin; `begun` of others did.

    Attributes:
        refused: by the archive's name the code of why.
    """

    code = "drill.not_begun"

    def __init__(self, refused: Dict[str, str], begun: int) -> None:
        told = ", ".join("%s (%s)" % pair for pair in sorted(refused.items()))
        super().__init__(
            "no drill could begin of %s" % (told,),
            hint="arteriole drills --now tells more",
            counts={"begun": begun},
        )
        self.refused = refused
