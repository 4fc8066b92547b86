"""A pack's own tests, run as StackStorm's st2-run-pack-tests runs them, without StackStorm.

Source: st2common/bin/st2-run-pack-tests of StackStorm 3.9.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from st2solo import metadata_file
from st2solo.environments import FOR_TESTS_VARIABLE, Environments
from st2solo.errors import St2SoloError
from st2solo.runners.python_script import CHILD
from st2solo.trial import PYTHON_VARIABLE

#: What the environment of a pack's tests is made from.
REQUIREMENTS = ("requirements.txt", "requirements-tests.txt")
#: Files in which a pack may have options of pytest of its own.
_PYTEST_FILES = ("pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini")


class PackTestsError(St2SoloError):
    """The tests of a pack cannot be run."""


@dataclass(frozen=True)
class PackTests:
    """A command, the folder to run it in, and its environment."""

    argv: list[str]
    folder: Path
    environment: dict[str, str]


def prepared(pack: Path, environments: Path, arguments: Iterable[str]) -> PackTests:
    """How the tests of the pack in that folder are run; its Python environment is made first.

    Raises:
        MetadataError: the folder is no pack.
        PackEnvironmentError: what the pack requires cannot be installed.
        PackTestsError: pytest is not there.
    """
    folder = pack.resolve()
    content = metadata_file.read(folder / "pack.yaml").content
    python = _python(str(content.get("ref") or content["name"]), folder, environments)
    return PackTests(
        argv=[str(python), "-m", "pytest", *_options(folder), *arguments],
        folder=folder,
        environment={
            **os.environ,
            "PYTHONPATH": python_path(folder),
            PYTHON_VARIABLE: sys.executable,
            FOR_TESTS_VARIABLE: str(environments.resolve()),
        },
    )


def python_path(pack: Path) -> str:
    """PYTHONPATH in StackStorm's order; the pack's modules hide Python's of the same name."""
    before, behind = ("lib",), ("sensors", "actions", "actions/lib", "etc")
    parts = [pack / name for name in before] + [CHILD / "lib"] + [pack / name for name in behind]
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*map(str, parts), *([given] if given else [])])


def _python(ref: str, folder: Path, below: Path) -> Path:
    environments = Environments(below, files=REQUIREMENTS)
    if environments.lacks(ref, folder):
        asyncio.run(environments.make(ref, folder))
    python = environments.python_of(ref, folder)
    if subprocess.run([python, "-c", "import pytest"], stderr=subprocess.DEVNULL).returncode != 0:
        raise PackTestsError(
            f"expected pytest beside st2solo, found none for {python}; install"
            " 'st2solo[testing]', or name pytest in the pack's requirements-tests.txt"
        )
    return python


def _options(folder: Path) -> list[str]:
    """A pack without options of its own has none, whatever repository it lies in."""
    options = ["-o", "testpaths=tests"]
    if not any((folder / name).is_file() for name in _PYTEST_FILES):
        options += ["-c", os.devnull, f"--rootdir={folder}", f"--confcutdir={folder}"]
    return options
