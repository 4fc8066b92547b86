"""What a site's own metadata says of the samples that sheets name."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Expected:
    """A sample as the metadata has it; what it does not say is empty, a lane None.

    Attributes:
        where: file and line, for people.
    """

    sample_id: str
    project: str = ""
    flow_cell: str = ""
    lane: int | None = None
    index: str = ""
    index2: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class SiteMetadata:
    """All that is known, by Sample_ID; `trouble` says why it cannot be known."""

    samples: Mapping[str, tuple[Expected, ...]] = field(default_factory=dict)
    trouble: str = ""
