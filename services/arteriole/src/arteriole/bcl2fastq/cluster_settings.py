"""The key `executor` of the section `bcl2fastq`: conversions as jobs of Slurm."""

import sys
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from arteriole.jobs.executors.slurm import SlurmSettings
from arteriole.jobs.ssh import SpacedPath


def _own_python() -> Path:
    """that of the services"""
    return Path(sys.executable)


class ClusterSettings(SlurmSettings):
    """A job is given `bcl2fastq.threads` cores; partition and account are `options`."""

    #: The Python that this version of Arteriole is installed in, as the nodes see it.
    python: SpacedPath = Field(default_factory=_own_python)
    #: GB that a job is given; else what the cluster gives by itself.
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    #: Hours that a job is given.
    hours: float = Field(default=48.0, gt=0, le=1000)

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if "parallel" in self.model_fields_set:
            raise ValueError("expected no parallel here: bcl2fastq.parallel counts conversions")
        return self
