"""What the calls of the runfolder service take."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.names import require_identifier
from arteriole.app.routes import Request
from arteriole.runfolder.ignorable import Ignorable
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.records import Scope
from arteriole.runfolder.settings import LONGEST_LEASE, SHORTEST_LEASE
from arteriole.runfolder.standings import WORDS
from arteriole.runfolder.states import StageState

#: Signed 64 bits, as SQLite has.
JOB_ID_LIMIT = 2**63
#: As far as JSON's readers count exactly.
COUNT_LIMIT = 2**53


def _identifier(field: str) -> AfterValidator:
    return AfterValidator(lambda text: require_identifier(text, field))


By = Annotated[str, _identifier("by")]
Unit = Annotated[str, _identifier("unit")]
Client = Annotated[str, _identifier("client")]
LeaseId = Annotated[str, _identifier("lease")]
Seconds = Annotated[float, Field(ge=SHORTEST_LEASE, le=LONGEST_LEASE)]


class ClaimRequest(Request):
    by: By
    plan: Plan
    lease: LeaseId | None = None


class PickupRequest(Request):
    client: Client | None = None
    seconds: Seconds | None = None


class RenewRequest(Request):
    seconds: Seconds | None = None


class BeginRequest(Request):
    by: By


class AttachRequest(Request):
    by: By
    service: str = Field(max_length=100)
    job_id: int = Field(ge=0, lt=JOB_ID_LIMIT)


class ProgressRequest(Request):
    service: str = Field(max_length=100)
    job_id: int = Field(ge=0, lt=JOB_ID_LIMIT)
    done: int = Field(ge=0, lt=COUNT_LIMIT)
    total: int = Field(ge=1, lt=COUNT_LIMIT)
    unit: Unit


class WaitingRequest(Request):
    """What the job of a running stage waits for, in words of its service."""

    service: str = Field(max_length=100)
    job_id: int = Field(ge=0, lt=JOB_ID_LIMIT)
    lacks_space: bool
    message: str = Field(min_length=1, max_length=1000)


class EndRequest(Request):
    by: By
    state: Literal[StageState.DONE, StageState.FAILED, StageState.SKIPPED, StageState.HELD]
    code: str = Field(default="", max_length=100, pattern=r"^[a-z0-9._]*$")
    message: str = ""
    hint: str = ""
    service: str | None = None
    job_id: int | None = Field(default=None, ge=0, lt=JOB_ID_LIMIT)


class ReleaseRequest(Request):
    by: By
    reason: str = Field(default="", max_length=1000)


class RedoRequest(Request):
    from_: str = Field(alias="from", max_length=200)
    reason: str = Field(default="", max_length=500)


Reason = Annotated[str, Field(min_length=1, max_length=500)]


class ReasonRequest(Request):
    reason: Reason


class AcceptRequest(ReasonRequest):
    stage: str | None = Field(default=None, max_length=200)


#: The code of what a run is held for, empty if a person holds it.
HoldCode = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9._]*$")]


class _ScopeRequest(Request):
    scope: Scope
    name: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.scope is Scope.ALL) != (self.name == ""):
            raise ValueError("a hold of all has no name, any other has one")
        return self


class ReleaseHoldRequest(_ScopeRequest):
    reason: str = Field(default="", max_length=500)
    #: Only what a run is held for under this code.
    code: HoldCode = ""

    @model_validator(mode="after")
    def _finding_of_a_run(self) -> Self:
        if self.code and self.scope is not Scope.RUN:
            raise ValueError("only a run is held for a finding")
        return self


class HoldRequest(_ScopeRequest):
    reason: Reason
    #: Of a finding, see holds.Finding.
    code: HoldCode = ""
    hint: str = Field(default="", max_length=500)
    about: Annotated[str, _identifier("about")] | None = None

    @model_validator(mode="after")
    def _of_a_run(self) -> Self:
        if self.about is not None and self.scope is not Scope.RUN:
            raise ValueError("only a run is held for a finding")
        return self


#: The code of a finding.
Rule = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,100}$")]
Rules = Annotated[list[Rule], Field(max_length=32)]


class WaiveRequest(Request):
    reason: Reason
    ignore: list[Ignorable] = Field(default_factory=list, max_length=len(Ignorable))
    rules: Rules = Field(default_factory=list)


class UnwaiveRequest(Request):
    reason: Reason
    #: Only these; else all that is waived.
    rules: Rules = Field(default_factory=list)


class Heartbeat(Request):
    sensor: str = Field(max_length=100)


class AlertRequest(Request):
    what: Annotated[str, _identifier("what")]
    run: Annotated[str, _identifier("run")] | None = None
    volume: Annotated[str, _identifier("volume")] | None = None
    by: By


class ComparisonRequest(Request):
    """The job that compares a run's indexes with its sheet."""

    service: str = Field(max_length=100)
    job_id: int = Field(ge=0, lt=JOB_ID_LIMIT)


class JudgedRequest(Request):
    """Its end was acted on; without a job, none can be started."""

    service: str = Field(max_length=100)
    job_id: int | None = Field(default=None, ge=0, lt=JOB_ID_LIMIT)
    code: str = Field(default="", max_length=100, pattern=r"^[a-z0-9._]*$")


def _standing(text: str) -> str:
    word = text.replace(" ", "_")
    if word not in WORDS:
        raise ValueError(f"expected one of {', '.join(WORDS)}, found {text[:40]!r}")
    return word


class RunsQuery(Request):
    state: Annotated[str, AfterValidator(_standing)] | None = None
    brief: bool = False
    limit: int | None = Field(default=None, ge=1, le=1000)
    before: int | None = Field(default=None, ge=0, le=JOB_ID_LIMIT - 1)
    running: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.running and (self.limit, self.before) != (None, None):
            raise ValueError("the runs with a running stage are not told by pages")
        return self


class RunQuery(Request):
    brief: bool = False


class HistoryQuery(Request):
    limit: int | None = Field(default=None, ge=1, le=1000)
    before: str | None = Field(default=None, max_length=100)


class OverdueQuery(Request):
    grace: float = Field(default=15.0, ge=0, le=10 * 365 * 86400)
