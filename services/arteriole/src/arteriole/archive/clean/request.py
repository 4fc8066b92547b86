"""The body of `POST /api/1.0/clean/<runfolder>`."""

import enum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr

from arteriole.app import times
from arteriole.app.routes import Request
from arteriole.jobs.service import StartRequest
from arteriole.policy.settings import DataKind


def _moment(text: str) -> str:
    try:
        zoned = times.parse(text).tzinfo is not None
    except ValueError:
        zoned = False
    if not zoned:
        raise ValueError(f"expected a time such as {times.now()}, found {text!r}")
    return text


class Verb(enum.StrEnum):
    LIST = "list"
    DELETE = "delete"  # into a bin
    EMPTY = "empty"  # the bin


class MergedRun(Request):
    """Another run whose reads are in the results."""

    run: str = Field(max_length=200)
    held: bool


class Evidence(Request):
    """What the runfolder service says of the run, told by the caller: services know no other."""

    state: str = Field(max_length=40)
    held: bool
    observed: bool = False
    #: Those that `GET /api/1.0/clean/<run>/<attempt>` lists; needed for results alone.
    merged: list[MergedRun] = Field(default=[], max_length=10_000)
    #: The run's newest.
    attempt: int | None = Field(default=None, ge=0, le=9999)
    #: After which its events go on, `<epoch>-<number>`.
    cursor: str = Field(pattern="^[A-Za-z0-9]{1,40}-[0-9]{1,18}$")
    #: When it said so, ISO 8601 in UTC.
    time: Annotated[str, Field(max_length=40), AfterValidator(_moment)]


class CleanRequest(StartRequest):
    stage: Literal["clean"] | None = None
    verb: Verb = Verb.LIST
    kinds: list[DataKind] = Field(
        default=[DataKind.RAW, DataKind.FASTQ], min_length=1, max_length=3
    )
    reason: str = Field(default="", max_length=1000)
    evidence: Evidence | None = None
    #: What the service's own store knows, and whose word there is: the service fills them in.
    _known: dict[str, Any] = PrivateAttr(default_factory=dict)
    _people: tuple[str, ...] = PrivateAttr(default=())
    _said: tuple[DataKind, ...] | None = PrivateAttr(default=None)

    @property
    def known(self) -> dict[str, Any]:
        return self._known

    @property
    def people(self) -> tuple[str, ...]:
        return self._people

    @property
    def said(self) -> tuple[DataKind, ...]:
        """What their word is about."""
        return tuple(self.kinds) if self._said is None else self._said

    def completed(
        self,
        known: dict[str, Any],
        people: tuple[str, ...] = (),
        said: tuple[DataKind, ...] | None = None,
    ) -> "CleanRequest":
        """`said` is None if it is about all kinds."""
        made = self.model_copy()
        made._known, made._people, made._said = known, people, said
        return made

    def asked(self) -> dict[str, Any]:
        """NB: without the evidence, which is another one at each repeat."""
        return {**super().asked(), "evidence": None, "reason": "", "job": "clean"}
