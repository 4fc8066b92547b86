"""What the calls of the metadata service take."""

from pydantic import Field

from arteriole.app.routes import Request

#: Most samples of one attempt, as the wes service has it.
SAMPLES_LIMIT = 5000


class FreezeRequest(Request):
    #: Names as the attempt has them; those that are no identifiers are missing, and say why.
    samples: list[str] = Field(min_length=1, max_length=SAMPLES_LIMIT)


class ThawRequest(Request):
    samples: list[str] = Field(min_length=1, max_length=SAMPLES_LIMIT)
    reason: str = Field(min_length=1, max_length=500)


class SamplesQuery(Request):
    project: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    after: str = ""
