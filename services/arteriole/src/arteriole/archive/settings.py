"""The section `archive` of arteriole.yaml."""

from pydantic import Field

from arteriole.app.config import Section
from arteriole.checksum.places import AbsolutePath


class ArchiveDestination(Section):
    #: It has to exist: an unmounted file system is not filled by mistake.
    directory: AbsolutePath


class ArchiveSettings(Section):
    port: int = Field(default=8184, ge=0, le=65535)
    run_roots: list[AbsolutePath] = Field(min_length=1)
    fastq_root: AbsolutePath
    manifest_root: AbsolutePath
    destinations: dict[str, ArchiveDestination] = Field(default_factory=dict)
    parallel: int = Field(default=1, ge=1, le=64)
    #: Files of a job copied or read back at once.
    threads: int = Field(default=2, ge=1, le=64)
