"""policy.yaml: rules from the top to the bottom, and what each destination is."""

import enum
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.app.name_pattern import Pattern
from arteriole.app.names import is_identifier


def _country(text: str) -> str:
    if not re.fullmatch("[A-Z]{2}", text, re.ASCII):
        raise ValueError(f"expected two letters of ISO 3166 such as AU, found {text[:20]!r}")
    return text


def _identifier(text: str) -> str:
    if not is_identifier(text):
        raise ValueError(f"expected a name of A-Z a-z 0-9 . _ -, found {text[:60]!r}")
    return text


Country = Annotated[str, AfterValidator(_country)]
Identifier = Annotated[str, AfterValidator(_identifier)]


class DataKind(enum.StrEnum):
    RAW = "raw"  # the run folder
    FASTQ = "fastq"
    RESULTS = "results"  # of analyses


class Form(enum.StrEnum):
    CLEAR = "clear"  # and so in any form
    ENCRYPTED = "encrypted"
    NEVER = "never"


class Stated(Section):
    """One whose keys have values: an empty one would widen what it was to narrow."""

    @field_validator("*", mode="before")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("expected a value, found none: leave the key out, or give it one")
        return value


class Label(Stated):
    """What the site declares of a destination."""

    #: The country that it stands in.
    country: Country
    #: Whether it stands on the site's own premises.
    premises: bool
    #: How data lies there; it is the site's word, and nobody looks, but where we encrypt
    #: ourselves.
    form: Literal[Form.CLEAR, Form.ENCRYPTED]


class Labels(Stated):
    #: The destinations of the transfer service, by the names that they have in arteriole.yaml.
    transfer: dict[str, Label] = Field(default_factory=dict)
    #: Those of the archive service, likewise.
    archive: dict[str, Label] = Field(default_factory=dict)


class Rule(Stated):
    """What it is about, then what is so; whatever is left out is any, or not limited."""

    #: The rule's name, by which it is told of.
    rule: Identifier
    #: The projects that it is about; any, if it is left out.
    project: Pattern | None = None
    #: The consents that it is about; any, if it is left out.
    consent: list[Identifier] | None = Field(default=None, min_length=1, max_length=100)
    #: The kinds of data that it is about: `raw` is the run folder, `results` are those of
    #: analyses; any, if it is left out.
    kinds: list[DataKind] | None = Field(default=None, min_length=1, max_length=3)

    #: The countries to which data may go; any, if it is left out.
    countries: list[Country] | None = Field(default=None, min_length=1, max_length=300)
    #: Data may go only to destinations on the site's own premises.
    premises_only: bool = False
    #: The form in which data may lie there: `clear` is any, `encrypted` is that only, `never` is
    #: none.
    form: Form = Form.CLEAR
    #: The site's own copy stays for at least so many days; for ever, if it is left out.
    keep_days: int | None = Field(default=None, ge=0, le=36_500, strict=True)
    #: So many archived copies there have to be before the site's own may go.
    copies: int = Field(default=1, ge=1, le=9, strict=True)


class PolicySettings(Stated):
    #: What each destination is.
    destinations: Labels = Labels()
    #: A folder of tables that say of each sample its consent ([metadata.md](metadata.md)).
    metadata_folder: AbsolutePath | None = None
    #: The rules, of which the first that fits counts.
    rules: list[Rule] = Field(min_length=1, max_length=1000)

    @field_validator("rules")
    @classmethod
    def _fit_together(cls, rules: list[Rule], info: ValidationInfo) -> list[Rule]:
        names = [rule.rule for rule in rules]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"expected a name of its own for each rule, found {twice} twice")
        by_consent = next((rule.rule for rule in rules if rule.consent), None)
        if by_consent and "metadata_folder" in info.data and not info.data["metadata_folder"]:
            raise ValueError(
                f"expected metadata_folder, since the rule {by_consent} asks for a consent; found"
                " none"
            )
        return rules
