"""Simulated runs, and the command, within the test or as a person starts it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from arteriole.inspection import command
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.sequencer import write_run

COMMAND = "from arteriole.inspection.command import inspect; inspect(prog_name='inspect')"


class Ended:
    """What the command printed and how it ended."""

    def __init__(self, code: int, text: str, errors: str) -> None:
        self.code, self.text, self.errors = code, text, errors

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.text)


@pytest.fixture
def inspect() -> Callable[..., Ended]:
    """`inspect(RUNDIR, *options)`; a process of its own with `before` (what comes before the
    interpreter) or what else subprocess takes."""

    def run(*arguments: object, before: Sequence[str] = (), **others: Any) -> Ended:
        words = [str(argument) for argument in arguments]
        if not before and not others:
            result = CliRunner().invoke(
                command.inspect, words, prog_name="inspect", catch_exceptions=False
            )
            return Ended(result.exit_code, result.stdout, result.stderr)
        ended = subprocess.run(
            [*before, sys.executable, "-B", "-c", COMMAND, *words],
            capture_output=True,
            text=True,
            timeout=100,
            **others,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Path:
    """A complete MiSeq run of four samples, not to be changed."""
    plan = default_plan(
        kind=Kind.MISEQ, tiles=2, clusters=60, read_cycles=(12, 12), index_cycles=(8, 8)
    )
    return write_run(plan, tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run_dir(simulated, tmp_path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(simulated, tmp_path / simulated.name))


@pytest.fixture
def real_data() -> Path:
    if "ARTERIOLE_REAL_DATA" not in os.environ:
        pytest.skip("needs ARTERIOLE_REAL_DATA")
    return Path(os.environ["ARTERIOLE_REAL_DATA"])
