"""kill -9 of the orchestrator and of the services, in each stage, before and after its effect.

After each restart the run goes on by itself; at the end it is `done` and each effect stands once.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demo.machine import Machine
from demo.prove import prove
from tests.conftest import wait_for_state, wait_until
from tests.e2e import runs

#: Where each stage's effect is seen, from outside.
EFFECTS = {
    "convert": "fastq/{run}/attempt-1/attempt.json",
    "checksum": "manifests/{run}/attempt-1/*.md5",
    "transfer": "cluster/ready/{run}.attempt-1",
    "archive": "vault/{run}/attempt-1/archive.json",
}
SERVICE = {
    "convert": "bcl2fastq",
    "checksum": "checksum",
    "transfer": "transfer",
    "archive": "archive",
}
RESTART: dict[str, Callable[[Machine], None]] = {
    "services": Machine.start_services,
    "st2solo": Machine.start_st2solo,
}


@pytest.fixture(scope="module")
def machine(raise_machine) -> Machine:
    """Its repair is looked for sooner than in production, and its leases are shorter."""
    return raise_machine(services={"runfolder": {"begin_lease": 10.0}})


def _strike(machine: Machine, victim: str) -> None:
    machine.kill(victim)
    RESTART[victim](machine)


def _stage(machine: Machine, run: str, stage: str) -> dict[str, Any]:
    found = machine.run(run)
    return next((s for s in found["stages"] if s["stage"] == stage), {}) if found else {}


def _assert_done_once(machine: Machine, run: str) -> None:
    wait_for_state(machine, run, "done", seconds=240)
    assert prove(machine.home, run).problems == ()
    history = machine.api("runfolder", f"runs/{run}/history")["events"]
    told = Counter((e["what"], e["stage"]) for e in history)
    for stage in ("check", *SERVICE):
        assert told["stage_ended", stage] == 1, (stage, told)
    assert told["claimed", None] == told["run_done", None] == 1
    for stage, service in SERVICE.items():
        jobs = machine.api(service, f"status?run={run}")["jobs"]
        assert [job["state"] for job in jobs] == ["done"], (stage, jobs)
        feed = machine.api(service, f"events?run={run}&limit=1000")["events"]
        assert [e["what"] for e in feed].count("job_finished") == 1
    assert [p.name for p in sorted((machine.fastq / run).iterdir())] == ["attempt-1", "current"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("victim", "number"), [("services", 1), ("st2solo", 2)])
def test_killed_as_each_stage_begins(machine, victim, number):
    run = runs.write(machine, number)
    wait_until("the claim", lambda: (machine.run(run) or {}).get("attempt"))
    _strike(machine, victim)
    for stage in ("check", *SERVICE):
        wait_until(
            f"{stage} begun",
            lambda stage=stage: _stage(machine, run, stage).get("begun"),
            seconds=150,
        )
        _strike(machine, victim)
    _assert_done_once(machine, run)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("victim", "number"), [("services", 3), ("st2solo", 4)])
def test_killed_after_each_effect_before_its_record(machine, victim, number):
    run = runs.write(machine, number)
    for stage, effect in EFFECTS.items():
        wait_until(
            f"the effect of {stage}",
            lambda effect=effect: next(machine.home.glob(effect.format(run=run)), None),
            seconds=150,
        )
        _strike(machine, victim)
        assert _stage(machine, run, stage), stage
    _assert_done_once(machine, run)


@pytest.mark.timeout(600)
def test_services_that_die_as_a_job_starts_find_its_result_when_they_come_back(machine):
    """The job's process outlives its service; the service comes back after the job has ended."""
    run = runs.write(machine, 5)
    jobs = machine.state / "arteriole" / "bcl2fastq" / "jobs"
    before = set(jobs.glob("*"))
    folder = wait_until("a conversion", lambda: next(iter(set(jobs.glob("*")) - before), None))
    wait_until("its process", lambda: (folder / "log").exists())
    machine.kill("services")
    wait_until("its result", lambda: (folder / "result.json").exists())
    machine.start_services()
    _assert_done_once(machine, run)


@pytest.mark.timeout(600)
def test_both_die_at_once(machine):
    run = runs.write(machine, 6)
    wait_until("the conversion", lambda: _stage(machine, run, "convert").get("job_id"))
    machine.kill("st2solo")
    machine.kill("services")
    machine.start_services()
    machine.start_st2solo()
    _assert_done_once(machine, run)
