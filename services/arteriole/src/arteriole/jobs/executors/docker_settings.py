"""Settings of executors of the type docker; apart from it, as its SDK takes time to import."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from arteriole.app.config import Section
from arteriole.jobs.executors.step import cores_here
from arteriole.jobs.ssh import SpacedPath

_IMAGE = re.compile(
    r"[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64}", re.ASCII
)


def _image(name: str) -> str:
    last = name.rpartition("/")[2]
    if not _IMAGE.fullmatch(name) or ":" not in last:
        raise ValueError(f"expected an image with a tag or a digest, found {name!r}")
    return name


ImageName = Annotated[str, AfterValidator(_image)]


def _mount(path: Path) -> Path:
    if path == Path("/") or path.is_relative_to("/var/run") or path.is_relative_to("/run"):
        raise ValueError(f"expected a folder of data, found {str(path)!r}")
    return path


class DockerSettings(Section):
    #: Steps are containers of a Docker engine.
    type: Literal["docker"]
    #: The image, by name and tag, or name and digest (name@sha256:...). It is never pulled: what
    #: runs is what is there.
    image: ImageName
    #: Folders that the containers see where they are here, and only to read: data_root,
    #: references, results of a pipeline that another one takes.
    mounts: list[Annotated[SpacedPath, AfterValidator(_mount)]] = Field(max_length=100)
    #: Steps run beside each other as long as their `cpus` are no more than this.
    cores: int = Field(default_factory=cores_here, ge=1, le=4096)
    #: The socket of the Docker engine.
    engine: SpacedPath = Path("/var/run/docker.sock")
    #: Seconds between two looks at the containers.
    poll_seconds: float = Field(default=1.0, gt=0, le=3600)
    #: Hours for which an engine that does not answer is waited for.
    patience_hours: float = Field(default=1.0, gt=0, le=240)
