"""Every shell script is clean for shellcheck, and stops at its first error."""

import shutil
import subprocess

import pytest

from demo.machine import ROOT

SCRIPTS = sorted(
    path for folder in ("deploy", "docker", "bundle") for path in (ROOT / folder).rglob("*.sh")
)


def test_there_are_scripts():
    assert len(SCRIPTS) > 12


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say():
    done = subprocess.run(
        ["shellcheck", "--external-sources", *map(str, SCRIPTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_it_stops_at_the_first_error(path):
    if path.name != "places.sh":  # it is read by the others
        assert "\nset -eu\n" in path.read_text()
