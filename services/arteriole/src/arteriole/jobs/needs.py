"""What a job needs of this machine: `needs` in its parameters, `{cores, memory_gb}`, and `disk`,
`{root, bytes, passed?}`, of one that waits while there is too little space for what it will write.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
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


#: Of one that reads a few small files, whose work another machine does, or that may wait for days.
NOTHING = Needs(0, 0)


@dataclass(frozen=True, slots=True)
class DiskNeed:
    """About so many bytes below a folder; of one that a person let `passed` nothing is asked."""

    root: Path
    bytes: int
    passed: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any], observed: bool) -> "DiskNeed | None":
        """None of a job that waits for no space, since it frees some, or writes hardly any."""
        told = parameters.get("disk")
        if observed or told is None:
            return None
        return cls(Path(told["root"]), told["bytes"], bool(told.get("passed")))

    def document(self) -> dict[str, Any]:
        return {"root": str(self.root), "bytes": self.bytes}
