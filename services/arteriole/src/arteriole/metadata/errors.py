"""Why the metadata of a sample cannot be told."""

from arteriole.app.errors import ArterioleError


class RecordError(ArterioleError):
    """A record breaks the rules for records."""

    code = "metadata.record"
    status = 422


class SourceError(ArterioleError):
    """A source cannot say whether it knows a sample; that is never taken for a no.

    Attributes:
        is_down: it could not say so of any other sample either.
    """

    code = "metadata.source"
    status = 503

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", is_down: bool = False
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.is_down = is_down
