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
    #: The program, on this machine's PATH or, with an image, on that of the image; or by its
    #: absolute path there.
    program: Annotated[str, AfterValidator(_program)] = "bcl2fastq"
    #: What the program must answer when asked: nobody converts with another one unawares.
    version: str = Field(pattern=VERSION)
    #: The image of Docker in which it runs, by name and tag, or name and digest; it is never
    #: pulled.
    image: ImageName | None = None
    #: The SIF image in which it runs by Apptainer.
    sif: SpacedPath | None = None
    #: The SHA-256 of `sif`, which is checked before each conversion; the two go together.
    sif_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    #: The program Apptainer.
    apptainer: Annotated[str, AfterValidator(_program)] = "apptainer"
    #: Cores that the container may use at most; of Apptainer's by cgroups v2.
    cpus: int | None = Field(default=None, ge=1, le=4096)
    #: GB that the container may have at most; of Apptainer's by cgroups v2.
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    #: The socket of the Docker engine.
    engine: SpacedPath = Path("/var/run/docker.sock")
    #: Hours after which a conversion that has not ended is stopped.
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
    #: The program, on this machine's PATH or, with an image, on that of the image; or by its
    #: absolute path there.
    program: Annotated[str, AfterValidator(_program)] = "bcl-convert"
    #: What the program must answer when asked, of BCL Convert 4: 3 and before know neither all
    #: options nor all settings that are used.
    version: str = Field(pattern=r"^4(\.[0-9]{1,6}){1,4}$")
