"""What requests say of a sample sheet."""

import base64
import binascii
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.routes import Request
from arteriole.bcl2fastq.converters import WAIVABLE_RULES


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as err:
        raise ValueError(f"expected base 64: {err}") from err
    return text


def _waivable(code: str) -> str:
    if code not in WAIVABLE_RULES:
        raise ValueError(
            f"{code[:60]!r} cannot be waived, only {', '.join(sorted(WAIVABLE_RULES))}"
        )
    return code


#: A sheet from elsewhere than the run folder, in base 64; it travels in the body of a request.
SheetBytes = Annotated[str, Field(max_length=700_000), AfterValidator(_base64)]
FLOW_CELL = r"^[A-Z0-9][A-Z0-9-]{2,39}$"
#: As RunInfo.xml writes it, without the side; a file is named by it.
FlowCell = Annotated[str, Field(pattern=FLOW_CELL)]
#: The codes of rules that a person waived for the run.
WaivedRules = Annotated[list[Annotated[str, AfterValidator(_waivable)]], Field(max_length=32)]


class CheckRequest(Request):
    """A sheet before its run, one for a run, or one for a flow cell, whose run may be there yet."""

    run: str | None = None
    sheet: SheetBytes | None = None
    flow_cell: FlowCell | None = None
    waived_rules: WaivedRules = Field(default=[])

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.run is not None and self.flow_cell is not None:
            raise ValueError("expected run or flow_cell, found both; a run has its flow cell")
        if (self.run, self.flow_cell, self.sheet) == (None, None, None):
            raise ValueError("expected at least one of run, flow_cell and sheet, found none")
        return self


class HandInRequest(Request):
    """A sheet for the run that will have this flow cell."""

    flow_cell: FlowCell
    sheet: SheetBytes
    #: The SHA-256 of the sheet that lies there and is to be replaced.
    replace: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class AcceptRequest(Request):
    """Body of `POST /api/1.0/indexes/<runfolder>/accept`.

    `sheet` and `places` are as `GET runs/<run>/sheet` of the runfolder service tells them: the
    sheet that counts now, unless it is in the run folder, and the places where one would count.
    """

    reason: str = Field(min_length=1, max_length=500)
    places: list[Annotated[str, Field(max_length=5000)]] = Field(min_length=1, max_length=10)
    sheet: SheetBytes | None = None
