"""The record of one sample: what is to be known of it before it is analysed."""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from arteriole.app.slips import slip
from arteriole.metadata.errors import RecordError

#: The rule of app.names, for pydantic's own matcher: there may be 100,000 rows.
IDENTIFIER = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$"
_EXPECTED_NAME = (
    "1 to 200 of A-Z a-z 0-9 . _ - that start with a letter, digit or _"  # as app.names says it
)

#: Most runs that one sample can top up.
TOP_UPS = 100
#: Most reads that can be asked for: SQLite's and JSON's whole numbers are exact up to here.
READS_LIMIT = 2**53

Name = Annotated[str, Field(pattern=IDENTIFIER)]
NameOrNone = Annotated[str, Field(pattern=f"{IDENTIFIER}|^$")]


class Use(enum.StrEnum):
    CLINICAL = "clinical"
    RESEARCH = "research"


class Phenotype(enum.StrEnum):
    TUMOR = "tumor"
    NORMAL = "normal"
    NONE = ""


class Control(enum.StrEnum):
    NO_TEMPLATE = "no-template"
    POSITIVE = "positive"
    PHIX = "phix"
    NONE = ""


class SampleRecord(BaseModel):
    """One sample. A text that does not apply is empty.

    A control needs neither subject nor pipeline; any other sample needs a pipeline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample: Name
    project: Name
    use: Use
    #: A pseudonym; needed for clinical samples.
    subject: NameOrNone = ""
    phenotype: Phenotype = Phenotype.NONE
    #: Samples of one batch are analysed together: a tumour and its normal.
    batch: NameOrNone = ""
    genome_build: NameOrNone = ""
    pipeline: NameOrNone = ""
    #: Who gets the result; needed for clinical samples.
    recipient: NameOrNone = ""
    #: What was consented to (research-only, general, none); needed for clinical samples.
    consent: NameOrNone = ""
    control: Control = Control.NONE
    expected_reads: int = Field(default=0, ge=0, lt=READS_LIMIT)
    #: Runs whose FASTQs of this same sample are merged with this run's.
    top_up_of: tuple[Name, ...] = Field(default=(), max_length=TOP_UPS)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        is_control = self.control is not Control.NONE
        is_clinical = self.use is Use.CLINICAL
        kind = "a clinical sample" if is_clinical else "a sample that is no control"
        needs = {
            "subject": ("a pseudonym", is_clinical and not is_control),
            "consent": ("a consent", is_clinical),
            "recipient": ("a recipient", is_clinical),
            "pipeline": ("a pipeline", not is_control),
            "batch": ("a batch", self.phenotype is Phenotype.TUMOR),
        }
        flaws = [
            (field, f"expected {what} for {'a tumor' if field == 'batch' else kind}, found none")
            for field, (what, is_needed) in needs.items()
            if is_needed and not getattr(self, field)
        ]
        if len(set(self.top_up_of)) < len(self.top_up_of):
            flaws.append(("top_up_of", "expected each run once, found one twice"))
        if flaws:
            raise _Broken(flaws)
        return self

    def entry(self) -> "Entry":
        text = json.dumps(self.model_dump(mode="json"), separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Entry(self.sample, self.project, text, digest)


FIELDS = tuple(SampleRecord.model_fields)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it is kept: JSON with its fields in their order, and the SHA-256 of that."""

    sample: str
    project: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one field; `field` is empty if it is the record as a whole."""

    field: str
    text: str


class FlawedError(RecordError):
    """A record breaks the rules for records; `flaws` tells each."""

    def __init__(self, flaws: tuple[Flaw, ...], where: str = "") -> None:
        told = "; ".join(f"{f.field}: {f.text}" if f.field else f.text for f in flaws)
        super().__init__(f"{where}: {told}" if where else told, field=flaws[0].field)
        self.flaws = flaws


class _Broken(PydanticCustomError):
    """Rules of more than one field that a record breaks, all of them."""

    TYPE = "broken"

    def __new__(cls, flaws: list[tuple[str, str]]) -> Self:
        text = "; ".join(f"{field}: {text}" for field, text in flaws)
        return super().__new__(cls, cls.TYPE, "{text}", {"text": text, "flaws": flaws})


def read_record(values: Mapping[str, Any], where: str = "") -> SampleRecord:
    """The record of `values`.

    Raises:
        FlawedError: for each field that is wrong, what was expected and what was found; the message
            begins with `where`.
    """
    try:
        return SampleRecord.model_validate(values)
    except ValidationError as err:
        flaws = [flaw for error in err.errors(include_url=False) for flaw in _flaws(error)]
        raise FlawedError(tuple(flaws), where) from err


def _flaws(error: ErrorDetails) -> list[Flaw]:
    if error["type"] == _Broken.TYPE:
        return [Flaw(field, text) for field, text in (error.get("ctx") or {})["flaws"]]
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "string_pattern_mismatch":
        found = error["input"]
        told = repr(found[:60]) if found else "none"
        return [Flaw(field, f"expected {_EXPECTED_NAME}; found {told}")]
    if error["type"] == "extra_forbidden":
        return [Flaw("", f"{field[:60]!r}: {slip(error, SampleRecord)}")]
    return [Flaw(field, slip(error, SampleRecord))]
