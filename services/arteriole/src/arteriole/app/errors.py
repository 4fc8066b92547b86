"""The base of every error that Arteriole raises on purpose."""

from typing import Any


class ArterioleError(Exception):
    """Something that was asked for cannot be done.

    Attributes:
        code: stable identifier, `[a-z0-9._]+`; its page stands in docs/runbook.
        status: HTTP status with which a service answers.
        hint: what to do about it.
        field: the field of the request or of the file that is at fault.
    """

    code = "error"
    status = 500

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str = "",
        field: str = "",
        code: str | None = None,
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.hint = hint
        self.field = field
        if code is not None:
            self.code = code

    def document(self) -> dict[str, Any]:
        """The body of the HTTP answer: `{"error": {"code", "message", "hint", "field"?}}`."""
        error: dict[str, Any] = {"code": self.code, "message": str(self), "hint": self.hint}
        if self.field:
            error["field"] = self.field
        return {"error": error}


class InvalidError(ArterioleError):
    """The request does not fit what is expected."""

    code = "request.invalid"
    status = 400


class TooLargeError(InvalidError):
    """The body is too large."""

    status = 413


class UnauthorizedError(ArterioleError):
    """A valid token is needed."""

    code = "auth.token"
    status = 401


class ForbiddenError(ArterioleError):
    """This identity may not do this."""

    code = "auth.role"
    status = 403


class NotFoundError(ArterioleError):
    """There is no such thing here."""

    code = "request.not_found"
    status = 404


class ConflictError(ArterioleError):
    """It is in a state in which this cannot be done."""

    code = "request.conflict"
    status = 409
