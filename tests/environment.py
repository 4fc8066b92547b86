"""Environments of their own, for what others wrote."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: arteria-runfolder 1.5.2 and what its integration tests import, on a Python of today.
ARTERIA = (
    "arteria==1.1.4", "jsonpickle==0.9.2", "mock", "pytest", "requests", "setuptools<81",
    "xmltodict",
)  # fmt: skip


def python(name: str, needs: tuple[str, ...], *options: str) -> Path:
    """The interpreter of the environment `.venv-<name>`, which is made if it is not there."""
    folder = ROOT / f".venv-{name}"
    found = folder / "bin" / "python"
    if not (folder / ".made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(found), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, *options, *needs], check=True)
        (folder / ".made").touch()
    return found
