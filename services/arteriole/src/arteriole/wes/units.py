"""What is analysed together: a unit is one pipeline's work on one group of samples."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from arteriole.wes.settings import Pipeline


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Record):
    """A FASTQ file below data_root, and how many reads it has."""

    path: str
    reads: int
    md5: str


class SampleInput(Record):
    """A sample with its metadata, and the files that are merged into its reads."""

    sample: str
    version: int  # of the metadata
    project: str = ""
    subject: str = ""
    phenotype: str = ""
    batch: str = ""
    genome_build: str = ""
    reads: dict[str, list[Source]] = {}  # R1, R2 -> files of lanes and top-ups, in order

    def count(self, read: str) -> int:
        """How many reads the merged file must have."""
        return sum(source.reads for source in self.reads[read])

    def fastq(self, read: str) -> str:
        """The name of the merged file."""
        return f"{self.sample}_{read}_001.fastq.gz"


class Unit(Record):
    pipeline: str
    version: str
    group: str
    samples: list[SampleInput]
    input: str = ""  # the name of the unit whose results it takes
    digest: str = ""

    @property
    def name(self) -> str:
        """Of its folder of results."""
        return f"{self.pipeline}-{self.version}.{self.group}"


class Held(Record):
    """A sample that is not analysed yet, and why: a code."""

    sample: str
    reason: str


#: How much a step is given changes no results: who gave too little gives more.
_GIVEN = {"hours", "memory_gb"}


def digest_of(unit: Unit, pipeline: Pipeline) -> str:
    """Of all that the results depend on: samples, files, and how the pipeline runs."""
    how = pipeline.model_dump(
        mode="json", exclude={"steps": {"__all__": _GIVEN}, "nextflow": _GIVEN}
    )
    return _digest(unit, how)


def earlier_digest_of(unit: Unit, pipeline: Pipeline) -> str:
    """Of results that were published when what steps are given still counted."""
    return _digest(unit, pipeline.model_dump(mode="json"))


def _digest(unit: Unit, how: dict[str, Any]) -> str:
    what = [unit.model_dump(exclude={"digest"}), how]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
