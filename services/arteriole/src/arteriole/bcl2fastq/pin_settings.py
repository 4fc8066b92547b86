"""The key `projects` of the section `bcl2fastq`: which converter a project asks for."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import Section
from arteriole.app.name_pattern import Pattern
from arteriole.bcl2fastq import converters
from arteriole.bcl2fastq.tool_settings import VERSION

#: Converters that run a program of Illumina's.
TOOLS = ("bcl2fastq", "bclconvert")


def known_converter(name: str) -> str:
    if name not in converters.names():
        known = ", ".join(converters.names())
        raise ValueError(f"expected one of {known}; found {name[:40]!r}")
    return name


ConverterName = Annotated[str, AfterValidator(known_converter)]


class ProjectPin(Section):
    """Of several rows that fit a project the first counts."""

    #: What a whole Sample_Project looks like.
    pattern: Pattern
    #: The converter that such a project asks for.
    converter: ConverterName
    #: Exactly this version of its program; required of `bcl2fastq` and `bclconvert`, and of no
    #: other.
    version: str | None = Field(default=None, pattern=VERSION)

    @model_validator(mode="after")
    def _exact(self) -> Self:
        if (self.converter in TOOLS) != (self.version is not None):
            raise ValueError(
                f"expected a version with the converters {' and '.join(TOOLS)}, and with no other;"
                f" it is {self.converter}"
            )
        return self
