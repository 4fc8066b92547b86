"""The keys `bcl2fastq_tool` and `bclconvert_tool` of the section `bcl2fastq`.

What of Illumina's runs, and how.
"""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import Section
from arteriole.jobs.executors.docker_settings import ImageName
from arteriole.jobs.ssh import SpacedPath

_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*|/[A-Za-z0-9._/@+,=-]*[A-Za-z0-9]", re.ASCII)


#: Of a program of Illumina's.
VERSION = r"^[0-9]{1,4}(\.[0-9]{1,6}){1,4}$"


def _program(name: str) -> str:
    if not _PROGRAM.fullmatch(name) or ".." in Path(name).parts:
        raise ValueError(f"expected a program's name or absolute path, found {name[:80]!r}")
    return name


ProgramName = Annotated[str, AfterValidator(_program)]


class ToolSettings(Section):
    #: On this machine's PATH or, with an image, on that of the image; or an absolute path there.
    program: Annotated[str, AfterValidator(_program)] = "bcl2fastq"
    #: What it must answer when asked: nobody converts with another one unawares.
    version: str = Field(pattern=VERSION)
    #: Name and tag, or name and digest; then it runs in a container. It is never pulled.
    image: ImageName | None = None
    #: A SIF image, run by Apptainer, and its SHA-256, which is checked before each conversion.
    sif: SpacedPath | None = None
    sif_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    apptainer: Annotated[str, AfterValidator(_program)] = "apptainer"
    #: Limits of the container; of Apptainer's by cgroups v2.
    cpus: int | None = Field(default=None, ge=1, le=4096)
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    engine: SpacedPath = Path("/var/run/docker.sock")
    timeout_hours: float = Field(default=48.0, gt=0, le=1000)

    @model_validator(mode="after")
    def _limits_have_a_container(self) -> Self:
        limited = self.cpus is not None or self.memory_gb is not None
        if self.image is None and self.sif is None and limited:
            raise ValueError(
                "expected cpus and memory_gb with an image only: they limit containers"
            )
        return self

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        if self.image is not None and self.sif is not None:
            raise ValueError("expected image, for Docker, or sif, for Apptainer; found both")
        if (self.sif is None) != (self.sif_sha256 is None):
            raise ValueError("expected sif and sif_sha256 together: the image is pinned by it")
        return self


class BclConvertToolSettings(ToolSettings):
    program: Annotated[str, AfterValidator(_program)] = "bcl-convert"
    #: Of BCL Convert 4; 3 and before know neither all options nor all settings that are used.
    version: str = Field(pattern=r"^4(\.[0-9]{1,6}){1,4}$")
