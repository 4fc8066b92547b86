"""The section `transfer` of arteriole.yaml."""

from pydantic import Field

from arteriole.app.config import Section
from arteriole.checksum.places import AbsolutePath
from arteriole.jobs.ssh import Host, Identifier, PlainPath, SpacedPath


class Destination(Host):
    """A folder on a cluster; without `host` it is a folder on a mounted file system."""

    path: SpacedPath
    #: Limit, in KiB/s.
    bandwidth: int | None = Field(default=None, ge=1)
    #: rsync on the far side, if it is not found there.
    rsync_path: PlainPath | None = None


class TransferSettings(Section):
    port: int = Field(default=8183, ge=0, le=65535)
    fastq_root: AbsolutePath
    manifest_root: AbsolutePath
    destinations: dict[Identifier, Destination] = Field(default_factory=dict)
    parallel: int = Field(default=1, ge=1, le=64)
    rsync: str = "rsync"
    ssh: str = "ssh"
    #: Most seconds for one step (sending, or verifying on the far side).
    timeout: float = Field(default=24 * 3600.0, gt=0)
