"""The Docker engine of this machine: how it is reached, and what every container of ours is."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from docker.client import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from arteriole.jobs.executors.step import ExecutorError

#: Seconds that a container has to end before it is killed.
GRACE = 10
#: Of one call of the engine.
CALL_SECONDS = 60
#: Of Docker 20.10 and later.
API_VERSION = "1.41"
#: Most processes and threads in one container.
PROCESSES = 4096
#: The exit code of what was killed with -9, as the kernel does with what needs too much memory.
KILLED = 137
#: States of a container that has not ended.
LIVE = ("created", "running", "paused", "restarting")


class UnreachableError(ExecutorError):
    """The Docker engine does not answer."""

    code = "docker.unreachable"


@contextlib.contextmanager
def engine(socket: Path) -> Iterator[Any]:
    """Its containers; what it refuses, or that it is not there, is told as an ExecutorError."""
    try:
        if not socket.is_socket():
            raise DockerException(f"{socket} is no socket")
        with contextlib.closing(_client(socket)) as client:
            yield client.containers
    except ImageNotFound as err:
        raise ExecutorError(
            f"the image is not there: {err.explanation}",
            code="docker.image",
            hint="docker pull or docker load it on this machine, then retry",
        ) from err
    except APIError as err:
        raise ExecutorError(
            f"the Docker engine refuses: {err.explanation or err}",
            code="docker.refused",
            hint="check image, mounts and sizes in arteriole.yaml, then retry",
        ) from err
    except (DockerException, requests.RequestException) as err:
        raise UnreachableError(
            f"the Docker engine does not answer: {err}",
            hint="start it, or name its socket; then retry: what has run is not run again",
        ) from err


def _client(socket: Path) -> DockerClient:
    return DockerClient(base_url=f"unix://{socket}", version=API_VERSION, timeout=CALL_SECONDS)


def confined(cpus: int | None, memory_gb: int | None) -> dict[str, Any]:
    """What every container gets: our user, /tmp, and neither network nor capability.

    Its root file system is only read. Limits that are None are not set.
    """
    limits: dict[str, Any] = {}
    if cpus is not None:
        limits["nano_cpus"] = cpus * 10**9
    if memory_gb is not None:
        limits |= {"mem_limit": f"{memory_gb}g", "memswap_limit": f"{memory_gb}g"}
    return {
        "user": f"{os.getuid()}:{os.getgid()}",
        "working_dir": "/",
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": PROCESSES,
        "init": True,
        **limits,
    }


def find(containers: Any, name: str) -> Container | None:
    """The container of that name."""
    try:
        return containers.get(name)
    except NotFound:
        return None


def remove(container: Container, grace: int = GRACE) -> None:
    """End it in an orderly way if it runs, and take it away; it may have gone by itself."""
    with contextlib.suppress(NotFound):
        if container.status == "running" and grace:
            container.stop(timeout=grace)
        container.remove(force=True)
