"""A centre whose orchestrator is the StackStorm at ST2_API_URL, or st2solo if that is not set."""

import os
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from demo.machine import USER, Machine, Ports, chosen_ports, missing_tools
from demo.prove import prove
from tests.conftest import wait_for_state, wait_until
from tests.e2e import runs
from tests.packs.stackstorm.orchestrator import SENSOR, Orchestrator

#: Seconds within which every run must be done, whatever happened.
LIMIT = 300.0
JOBS = {
    "convert": "bcl2fastq",
    "checksum": "checksum",
    "transfer": "transfer",
    "archive": "archive",
}


#: The people of the chat.
PEOPLE = {"jane": "operator", "ron": "reader"}


@dataclass(frozen=True)
class Centre:
    """The services of a machine of ours, and the orchestrator that works for them."""

    machine: Machine
    st2: Orchestrator
    external: bool
    #: Counted from here; a StackStorm that stands remembers the runs of the round before.
    first_number: int = 0

    def write_run(self, number: int) -> str:
        """An instrument writes run `number` of these tests; returns its name."""
        return runs.write(self.machine, self.first_number + number)

    def stage(self, run: str, stage: str) -> dict[str, Any]:
        """What the runfolder service knows of a stage; empty while it is not known."""
        found = self.machine.run(run)
        return next((s for s in found["stages"] if s["stage"] == stage), {}) if found else {}

    def kill_orchestrator(self) -> None:
        """kill -9 of one of its processes, which is then started again."""
        if not self.external:
            self.machine.kill("st2solo")
            self.machine.start_st2solo()
        else:
            command = shlex.split(os.environ["ST2_KILL_COMMAND"])
            subprocess.run(command, check=True, timeout=120)

    def require_kill_command(self) -> None:
        if self.external and not os.environ.get("ST2_KILL_COMMAND"):
            pytest.skip("ST2_KILL_COMMAND is not set: nothing says how to kill StackStorm")

    def kill_sensor(self) -> None:
        """kill -9 of the process that runs the packs' sensor."""
        if self.external:
            found = [pid for pid in _processes() if b"event_feed_sensor" in _words(pid)]
        else:
            ours = str(self.machine.processes["st2solo"].pid)
            children = [pid for pid in _processes() if _parent(pid) == ours]
            found = [pid for pid in children if b"sensor_wrapper" in _words(pid)]
        if not found and self.external:
            pytest.skip("no process of this machine has event_feed_sensor in its command line")
        assert len(found) == 1, found
        os.kill(int(found[0]), signal.SIGKILL)

    def assert_done_once(self, *runs: str) -> None:
        """The runs are done in time; every stage ended once, every job was done once."""
        for run in runs:
            wait_for_state(self.machine, run, "done", seconds=LIMIT)
        for run in runs:
            self._assert_once(run)

    def _assert_once(self, run: str) -> None:
        machine = self.machine
        assert prove(machine.home, run).problems == ()
        history = machine.api("runfolder", f"runs/{run}/history")["events"]
        told = Counter((e["what"], e["stage"]) for e in history)
        for stage in ("check", *JOBS):
            assert told["stage_ended", stage] == 1, (stage, told)
        assert told["claimed", None] == told["run_done", None] == 1, told
        for stage, service in JOBS.items():
            jobs = machine.api(service, f"status?run={run}")["jobs"]
            assert [job["state"] for job in jobs] == ["done"], (stage, jobs)
            feed = machine.api(service, f"events?run={run}&limit=1000")["events"]
            assert [e["what"] for e in feed].count("job_finished") == 1, (stage, feed)
        attempts = sorted(path.name for path in (machine.fastq / run).iterdir())
        assert attempts == ["attempt-1", "current"]


def _processes() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]


def _words(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: str) -> str:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return ""


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """Services of our own, and the orchestrator; all that was started here ends with the tests."""
    external = "ST2_API_URL" in os.environ
    machine = Machine(
        tmp_path_factory.mktemp("centre"), chosen_ports() if external else Ports.free()
    )
    try:
        yield _external(machine) if external else _embedded(machine)
    finally:
        machine.stop()


def _embedded(machine: Machine) -> Centre:
    if missing := missing_tools():
        pytest.skip(missing)
    machine.lay_out(services={"runfolder": {"begin_lease": 10.0}})
    _list_people(machine)
    machine.start()
    st2 = Orchestrator.logged_in(machine.st2_environment, USER, machine.password)
    return Centre(machine, st2, False)


def _external(machine: Machine) -> Centre:
    st2 = Orchestrator.of_environment()
    if not st2.answers():
        pytest.skip(f"no StackStorm lets us in at ST2_API_URL={st2.url}")
    machine.lay_out()
    _list_people(machine)
    machine.start_sshd()
    machine.start_services()
    token = (machine.state / "arteriole" / "packs.token").read_text().strip()
    st2.set_secret("arteria_token", token)
    for enabled in (False, True):  # It reads the token when it starts.
        st2.switch("sensortypes", SENSOR, enabled)
    wait_until("the sensor's heartbeat", lambda: _heard(machine), seconds=90)
    return Centre(machine, st2, True, int(time.time()) // 20 % 499 * 20)


def _list_people(machine: Machine) -> None:
    """Who may do what from a chat."""
    path = machine.state / "arteriole.yaml"
    settings = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**settings, "chat": {"users": PEOPLE}}))


def _heard(machine: Machine) -> bool:
    health = requests.get(f"{machine.url('runfolder')}/health", timeout=10).json()
    return bool(health["sensor_heartbeat"])
