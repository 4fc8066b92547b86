"""The section `transfer` of arteriole.yaml."""

from datetime import datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.jobs.ssh import Host, Identifier, PlainPath, SpacedPath
from arteriole.transfer.access import DirectoryMode, FileMode
from arteriole.transfer.bandwidth import Rate, Window, limit_at, require_apart
from arteriole.transfer.excludes import Excludes


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, KeyError, ValueError) as err:
        raise ValueError(
            f"expected a time zone of the IANA's list, as Australia/Melbourne, found {name!r}"
        ) from err
    return name


#: Settings of a destination that say neither where data goes nor how it lies there.
TUNING = frozenset({"streams", "digesters", "bandwidth", "time_zone"})


class Destination(Host):
    """A folder on a cluster; without `host` it is a folder on a mounted file system."""

    #: The folder there, which has to exist.
    path: SpacedPath
    #: So many rsyncs at once.
    streams: int = Field(default=2, ge=1, le=16)
    #: At most so many processes verify at once on the far side, and no more than it has cores.
    digesters: int = Field(default=4, ge=1, le=64)
    #: The limit of all streams together, in KiB/s; or one for each window of the day, and none at
    #: other times.
    bandwidth: Rate | list[Window] | None = None
    #: Where the windows' hours are told, such as Australia/Melbourne; this machine's if there is
    #: none.
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    #: The group that what arrived is given before it is published.
    group: Identifier | None = None
    #: The mode that files get there, such as 0640: read by the owner, run by nobody.
    file_mode: FileMode | None = None
    #: The mode that folders get there, such as 0750: all for the owner.
    directory_mode: DirectoryMode | None = None
    #: What is not sent there: patterns of a file's whole path in the folder, in which `*` stands
    #: for any characters and `?` for one.
    excludes: Excludes = Excludes()
    #: rsync on the far side, if it is not found there.
    rsync_path: PlainPath | None = None

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if isinstance(self.bandwidth, list):
            require_apart(self.bandwidth)
        elif self.time_zone is not None:
            raise ValueError("expected windows in bandwidth beside time_zone, found none")
        return self

    def limit_now(self) -> int | None:
        """What may be sent at this time of day, in KiB/s; None if that is not limited."""
        zone = None if self.time_zone is None else ZoneInfo(self.time_zone)
        return limit_at(self.bandwidth, datetime.now(zone))


class TransferSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8183, ge=0, le=65535)
    #: Folders in which run folders lie; needed if they are sent themselves.
    run_roots: list[AbsolutePath] = Field(default_factory=list)
    #: The folder in which the bcl2fastq service leaves attempts, `<fastq_root>/<run>/attempt-<n>`.
    fastq_root: AbsolutePath
    #: The folder in which the checksum service leaves manifests.
    manifest_root: AbsolutePath
    #: The clusters that data may be sent to; one without `host` is a folder of a mounted file
    #: system.
    destinations: dict[Identifier, Destination] = Field(default_factory=dict)
    #: Jobs at once.
    parallel: int = Field(default=1, ge=1, le=64)
    #: The program rsync.
    rsync: str = "rsync"
    #: The program ssh.
    ssh: str = "ssh"
    #: Most seconds for one step (sending, or verifying on the far side).
    timeout: float = Field(default=24 * 3600.0, gt=0)
