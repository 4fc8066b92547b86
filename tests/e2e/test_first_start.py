"""A centre's disk as it is on the day of the first start: 300 finished runs, and nobody asked."""

import shutil
from pathlib import Path

import pytest

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run
from demo.machine import JOB_SERVICES, Machine
from demo.prove import prove
from tests.conftest import Raise, arteriole, wait_for_state, wait_until
from tests.e2e import runs

FINISHED = 300


def _name(number: int) -> str:
    return f"2501{1 + number // 30:02d}_K00188_{1000 + number:04d}_AHFJ5CBBXX"


def _fill(machine: Machine) -> None:
    """One simulated run, and as many like it (its files linked) under other names."""
    plan = default_plan(_name(0), clusters=20, tiles=1, lanes=1, surfaces=1, swaths=1,
                        read_cycles=(10, 10), samples=2)  # fmt: skip
    first = write_run(plan, machine.incoming, truth=machine.truth / _name(0))
    documents = {path.name: path.read_text() for path in first.glob("*.xml")}
    for number in range(1, FINISHED):
        copy = machine.incoming / _name(number)
        shutil.copytree(first, copy, copy_function=_link)
        for name, text in documents.items():
            text = text.replace(_name(0), _name(number))
            (copy / name).unlink()
            (copy / name).write_text(text.replace('Number="1000"', f'Number="{1000 + number}"'))


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    return raise_machine(before=_fill)


def _runs(machine: Machine) -> list[dict]:
    return machine.api("runfolder", "runs")["runs"]


def test_no_job_is_started_for_300_finished_runs(machine):
    wait_until(
        "a verdict on each",
        lambda: [run["verdict"] for run in _runs(machine)] == ["complete"] * FINISHED,
    )
    new = runs.write(machine, 1)
    wait_for_state(machine, new, "done")  # so the orchestrator has had its chance to claim them
    for run in _runs(machine):
        if run["name"] != new:
            assert (run["state"], run["attempt"], run["claimed_by"]) == ("pending", 0, None), run
            assert run["why"]["code"] == "run.not_adopted"
            assert run["why"]["hint"] == f"arteriole adopt {run['name']}"
    for service in JOB_SERVICES:
        jobs = machine.api(service, "status?limit=1000")["jobs"]
        assert {job["run"] for job in jobs} == ({new} if service != "wes" else set())
    assert [path.name for path in machine.fastq.iterdir()] == [new]


def test_one_that_is_adopted_is_worked_on_and_no_other(machine):
    chosen = _name(0)
    assert chosen in arteriole(machine, "adopt", chosen)
    wait_for_state(machine, chosen, "done")
    assert prove(machine.home, chosen).problems == ()
    done = [run["name"] for run in _runs(machine) if run["state"] != "pending"]
    assert sorted(done) == sorted([chosen, runs.plan(1).run])
