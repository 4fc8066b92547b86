"""The tests that packs bring along, run as whoever forks a pack runs them."""

import subprocess

import pytest

from tests.packs.conftest import PACKS
from tests.solo import COMMAND


@pytest.mark.parametrize("pack", [folder.parent.name for folder in PACKS.glob("*/tests")])
def test_they_pass(pack, tmp_path):
    command = [COMMAND, "test", PACKS / pack, "--environments", tmp_path, "--", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
