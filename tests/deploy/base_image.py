"""A base image made here: Debian by debootstrap, with the packages that the images want.

No registry of images is asked. The wheels lie in the image too, so that no build needs a network;
that is the test's matter, not the Dockerfiles'.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from demo.machine import ROOT

#: What the Dockerfiles would install themselves, and what the tests run in it.
PACKAGES = (
    "ca-certificates,python3,python3-venv,rsync,openssh-client,openssh-server,git,make,"
    "bwa,samtools,bcftools,procps,caddy,systemd-sysv,dbus"
)
#: What pip is told in each build: the wheels in the image, and nothing else.
BUILD_ARGS = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


def engine() -> str:
    """Why no Docker engine can be used; empty if one can."""
    if shutil.which("docker") is None:
        return "docker: the command is not there"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "docker: no engine answers"


def run(*arguments: object, cwd: Path = ROOT, **more: object) -> str:
    """What a command prints; the test fails with its words if it fails."""
    done = subprocess.run(
        [str(word) for word in arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        **more,  # type: ignore[call-overload]
    )
    if done.returncode:
        pytest.fail(f"{arguments}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return str(done.stdout)


def base_image() -> str:
    """The tag of the base image; made if there is none for these dependencies yet."""
    parts = [PACKAGES, *((ROOT / "services" / n / "pyproject.toml").read_text() for n in SOURCES)]
    tag = f"arteriole-test-base:{hashlib.sha256(''.join(parts).encode()).hexdigest()[:12]}"
    if run("docker", "images", "--quiet", tag).strip():
        return tag
    with tempfile.TemporaryDirectory(prefix="arteriole-base-", dir="/var/tmp") as folder:
        tree = Path(folder) / "tree"
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", tree)
        shutil.rmtree(tree / "var" / "cache" / "apt" / "archives", ignore_errors=True)
        _wheels(tree / "wheels", Path(folder))
        with subprocess.Popen(["tar", "-C", tree, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(["docker", "import", "-", tag], stdin=tar.stdout, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        assert tar.returncode == 0
    return tag


SOURCES = ("arteriole", "st2solo")


def _wheels(to: Path, work: Path) -> None:
    """Everything that the two distributions need, for Debian's Python, which is this one's."""
    assert sys.version_info[:2] == (3, 11), "bookworm's Python is 3.11"
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--wheel-dir", to]
    for name in SOURCES:
        source = work / name
        source.mkdir()
        shutil.copy(ROOT / "services" / name / "pyproject.toml", source)
        shutil.copytree(ROOT / "services" / name / "src", source / "src",
                        ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))  # fmt: skip
        run(*pip, source)
    run(*pip, "setuptools<81", "wheel", "pip")
    for name in SOURCES:  # these the images build from the sources
        for wheel in to.glob(f"{name}-*.whl"):
            wheel.unlink()
