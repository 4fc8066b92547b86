"""What a job needs of this machine: `needs` in its parameters, `{cores, memory_gb}`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Needs:
    """Whole cores, and memory in GB; a job that says nothing needs one of each."""

    cores: int = 1
    memory_gb: float = 1.0

    @classmethod
    def of(cls, parameters: Mapping[str, Any], observed: bool) -> "Needs":
        """NB: from what is kept in the job's row, so that it is the same after a restart."""
        if parameters.get("light") is True:
            return NOTHING
        told = {} if observed else parameters.get("needs", {})
        return cls(**told)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.cores} core{'s' * (self.cores != 1)} and {self.memory_gb:g} GB"


#: Of one that reads a few small files, or whose work another machine does.
NOTHING = Needs(0, 0)
