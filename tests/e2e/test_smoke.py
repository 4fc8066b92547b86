"""deploy/smoke.py on a machine with everything: services, st2solo and the packs."""

import subprocess
import sys

import pytest

from demo.machine import ROOT, Machine
from tests.conftest import Raise, wait_until


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    return raise_machine(mode="observe")


def smoke(machine: Machine, what: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "deploy" / "smoke.py"),
            f"--what={what}",
            f"--url={machine.url('runfolder')}",
            f"--token-file={machine.state / 'arteriole' / 'admin.token'}",
            f"--st2solo-ports={machine.state / 'st2solo' / 'ports.json'}",
            f"--landing={machine.incoming}",
            f"--truth={machine.home}",
            "--seconds=150",
            "--pause=0.2",
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "7 services answer, the packs' sensor lives, their actions run" in done.stdout
    return done.stdout


@pytest.mark.timeout(300)
def test_a_run_goes_through_what_observes_and_leaves_nothing(machine):
    said = smoke(machine, "chain")
    assert "receive done, check skipped" in said and "archive skipped" in said
    name = said.split("passed: ")[1].split(":")[0]
    roots = (machine.incoming, machine.fastq, machine.manifests, machine.vault, machine.cluster)
    assert [path for root in roots for path in root.iterdir()] == []
    wait_until("it is missed", lambda: machine.run(name)["verdict"] == "unreachable")
    assert machine.api("runfolder", "alerts")["alerts"] == []
    assert machine.run(name)["why"]["code"] == "run.observed"
