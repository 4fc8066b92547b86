"""A deployment by docker-compose in a folder of its own, under a name of its own."""

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from demo.machine import ROOT, free_ports
from tests.deploy.base_image import BUILD_ARGS, base_image

COMPOSE = ROOT / "docker-compose.yml"
#: Every tag that the tests make ends so.
TAG = "test"
UID = 10001


def variables(home: Path) -> dict[str, str]:
    """What a site has to give: four folders. The others are volumes then."""
    names = ("incoming", "fastq", "manifest", "archive")
    return {f"{name.upper()}_DIR": str(home / name) for name in names}


@dataclass
class Deployment:
    """The profile `solo`; `compose()` runs docker-compose on it."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    project: str = field(default_factory=lambda: f"arteriole-test-{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        names = ("RUNFOLDER", "BCL2FASTQ", "ST2_AUTH", "ST2_API", "ST2_STREAM")
        ports = free_ports(len(names))
        self.settings = {
            **variables(self.home),
            **{f"{name}_PORT": str(port) for name, port in zip(names, ports, strict=True)},
            **BUILD_ARGS,
            "BASE_IMAGE": base_image(),
            "IMAGE_TAG": TAG,
            "MODE": "act",
            **self.settings,
        }
        for name in variables(self.home):
            folder = Path(self.settings[name])
            folder.mkdir(parents=True, exist_ok=True)
            shutil.chown(folder, UID, UID)

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker-compose", "--project-name", self.project, "--file", str(COMPOSE),
             "--profile", "solo", "--profile", "smoke", *words],
            cwd=ROOT,
            env={**os.environ, **self.settings},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"docker-compose {' '.join(words)}:\n{done.stdout}{done.stderr}")
        return done

    def up(self) -> None:
        self.compose("up", "--detach", "packs", "services", "st2solo-prepare", "st2solo")

    def smoke(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Of the whole chain, unless `more` says otherwise."""
        return self.compose("run", "--rm", "smoke", "--landing", "/data/incoming", "--url",
                            "http://services:8180", "--token-file", "/services/admin.token",
                            "--what", "chain", *more, check=False)  # fmt: skip

    def inside(self, service: str, *words: str, check: bool = True) -> str:
        done = self.compose("exec", "-T", service, *words, check=check)
        return done.stdout + done.stderr


@contextlib.contextmanager
def deployed(home: Path) -> Iterator[Deployment]:
    """Built and up; all of it is taken away at the end, volumes too."""
    deployment = Deployment(home)
    deployment.compose("build", "packs", "services", "st2solo")
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.compose("down", "--volumes", "--timeout", "20", check=False)
