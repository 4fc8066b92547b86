"""What is asked for when an attempt is to be analysed."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from arteriole.app.names import require_identifier
from arteriole.app.routes import Request
from arteriole.jobs.service import StartRequest


def _named(text: str) -> str:
    return require_identifier(text, "a name")


def _named_or_none(text: str) -> str:
    return require_identifier(text, "a name") if text else ""


Name = Annotated[str, AfterValidator(_named)]
NameOrNone = Annotated[str, AfterValidator(_named_or_none)]


Tag = Annotated[str, Field(max_length=500)]
Tags = Annotated[dict[Tag, Tag], Field(max_length=50)]


class AnalysisSample(Request):
    """A sample's metadata, as far as analyses need it; what else a record holds is passed over."""

    model_config = ConfigDict(extra="ignore")

    sample: Name
    version: int = Field(default=0, ge=0)
    project: NameOrNone = ""
    subject: NameOrNone = ""
    phenotype: NameOrNone = ""
    batch: NameOrNone = ""
    genome_build: NameOrNone = ""
    pipeline: NameOrNone = ""
    control: NameOrNone = ""
    top_up_of: list[Name] = Field(default_factory=list, max_length=100)


class AnalysisRequest(StartRequest):
    """Every sample of the attempt is in `samples` or, without metadata, in `held`."""

    #: Which pipeline; each sample's own if empty.
    pipeline: NameOrNone = ""
    samples: list[AnalysisSample] = Field(default_factory=list, max_length=5000)
    held: list[str] = Field(default_factory=list, max_length=5000)
    #: A degraded attempt is analysed only if a person has released it.
    released: bool = False
    #: What a client of GA4GH WES says of it; another word makes no other request.
    tags: Tags = Field(default_factory=dict, exclude=True)
