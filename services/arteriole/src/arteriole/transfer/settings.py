"""The section `transfer` of arteriole.yaml."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import Section
from arteriole.app.names import require_identifier
from arteriole.checksum.places import AbsolutePath

#: ssh expands % and $ in file names; the far side's shell splits rsync's path at spaces.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/@+,=-]*", re.ASCII)
_SPACED_PATH = re.compile(r"/[A-Za-z0-9._/@+,= -]*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII)


def _plain(path: Path) -> Path:
    return _fitting(path, _PLAIN_PATH, "A-Z a-z 0-9 . _ / @ + , = -")


def _spaced(path: Path) -> Path:
    return _fitting(path, _SPACED_PATH, "A-Z a-z 0-9 . _ / @ + , = - and spaces")


def _fitting(path: Path, pattern: re.Pattern[str], characters: str) -> Path:
    if not pattern.fullmatch(str(path)) or ".." in path.parts:
        raise ValueError(f"expected an absolute path of {characters}, found {str(path)!r}")
    return path


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError(f"expected a host name or an IPv4 address, found {name!r}")
    return name


def _identifier(name: str) -> str:
    try:
        return require_identifier(name, "the name")
    except Exception as err:
        raise ValueError(str(err)) from err


PlainPath = Annotated[Path, AfterValidator(_plain)]
SpacedPath = Annotated[Path, AfterValidator(_spaced)]
HostName = Annotated[str, AfterValidator(_host)]
Identifier = Annotated[str, AfterValidator(_identifier)]


class Destination(Section):
    """A folder on a cluster; without `host` it is a folder on a mounted file system."""

    path: SpacedPath
    host: HostName | None = None
    port: int = Field(default=22, ge=1, le=65535)
    user: Identifier | None = None
    identity_file: SpacedPath | None = None
    known_hosts: SpacedPath | None = None
    #: Limit, in KiB/s.
    bandwidth: int | None = Field(default=None, ge=1)
    #: rsync on the far side, if it is not found there.
    rsync_path: PlainPath | None = None

    @model_validator(mode="after")
    def _all_of_ssh(self) -> Self:
        needed = {
            "user": self.user,
            "identity_file": self.identity_file,
            "known_hosts": self.known_hosts,
        }
        if self.host is not None:
            missing = [name for name, value in needed.items() if value is None]
            if missing:
                raise ValueError(f"expected {', '.join(missing)} beside host, found none")
        else:
            given = [name for name, value in needed.items() if value is not None]
            if given:
                raise ValueError(f"expected host beside {', '.join(given)}, found none")
        return self


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
