"""The section `observe` of arteriole.yaml."""

from typing import Annotated

from pydantic import AfterValidator, Field

from arteriole.app.config import Section


def pattern(text: str) -> str:
    """`text` if it is an absolute path with `{run}` in it; ValueError otherwise."""
    if not text.startswith("/") or "{run}" not in text or "\0" in text:
        raise ValueError(
            "expected an absolute path with {run} in the place of the run's name, as in"
            f" /data/fastq/{{run}}; found {text!r}"
        )
    return text


class ObserveSettings(Section):
    #: Where others leave the FASTQs of a run, at any depth: absolute paths in which `{run}` stands
    #: for its name.
    others: list[Annotated[str, AfterValidator(pattern)]] = Field(default_factory=list)
