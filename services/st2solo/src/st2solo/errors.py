"""Every error that st2solo raises on purpose; the docstring of a class is its default message."""


class St2SoloError(Exception):
    """st2solo could not do what was asked."""

    #: HTTP status with which the API answers when this error reaches it.
    status = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class NotFoundError(St2SoloError):
    """There is no such object."""

    status = 404


class InvalidError(St2SoloError):
    """The request or the file does not fit what is expected."""

    status = 400


class ConflictError(St2SoloError):
    """The object exists already or is in another state."""

    status = 409


class ForbiddenError(St2SoloError):
    """This identity may not do this."""

    status = 403


class UnauthorizedError(St2SoloError):
    """A valid token or API key is needed."""

    status = 401


class ParameterError(InvalidError):
    """The parameters of the action could not be rendered."""

    #: The execution that records the failure, when one was stored.
    execution_id: str | None = None


class WorkflowError(InvalidError):
    """The workflow definition cannot be run."""

    def __init__(self, errors: list[dict[str, object]]) -> None:
        super().__init__("; ".join(str(e.get("message")) for e in errors))
        self.errors = errors
