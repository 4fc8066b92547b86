"""What the tests that cross parts share: machines, the `st2` command, and waiting."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.machine import ROOT, USER, Machine, Ports, missing_tools

#: The packs' plan, in order.
STAGES = ("receive", "check", "convert", "checksum", "transfer", "archive")
#: Whole machines are raised here.
LONG = ("/e2e/", "/stackstorm/")


def wait_until(what: str, ready: Callable[[], Any], seconds: float = 90.0) -> Any:
    """The first true value of `ready()`; fails, saying `what`, if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return found


def wait_for_state(machine: Machine, run: str, *states: str, seconds: float = 90.0) -> Any:
    """The run, once it is in one of `states`; fails with its stages if it is not in time."""
    last: list[Any] = [None]

    def reached() -> Any:
        last[0] = machine.run(run) or last[0]
        return last[0] if last[0] and last[0]["state"] in states else None

    deadline = time.monotonic() + seconds
    while not (found := reached()):
        if time.monotonic() > deadline:
            seen = last[0] and {s["stage"]: (s["state"], s["message"]) for s in last[0]["stages"]}
            pytest.fail(f"{run} not {states}: {last[0] and last[0]['state']} {seen}")
        time.sleep(0.1)
    return found


class St2:
    """The unmodified `st2` command, logged in to a machine's st2solo."""

    def __init__(self, machine: Machine, home: Path) -> None:
        wide = {"COLUMNS": "250", "HOME": str(home)}
        self._environment = {**os.environ, **machine.st2_environment, **wide}
        self("login", USER, "--password", machine.password, "-w")

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [str(ROOT / ".venv-st2" / "bin" / "st2"), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"st2 {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: else one worker ends with it while the others are idle."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the end of its machine's logs."""
    report = yield
    machines = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, Machine)]
    if report.failed:
        for log in (log for machine in machines for log in sorted(machine.state.glob("*.log"))):
            report.sections.append((log.name, log.read_text(errors="replace")[-3000:]))
    return report


Raise = Callable[..., Machine]


def arteriole(machine: Machine, *arguments: str, check: bool = True) -> str:
    """What the command `arteriole` prints on this machine; fails if it ends with an error."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("arteriole")),
            "--config",
            str(machine.state / "arteriole.yaml"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"arteriole {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def raise_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raise]:
    """Sets up and starts machines, which end with the module; keywords go to `lay_out`.

    `before` is called with the machine when its folders are there and nothing runs yet.
    """
    machines: list[Machine] = []

    def up(before: Callable[[Machine], None] | None = None, **settings: Any) -> Machine:
        if missing := missing_tools():
            pytest.skip(missing)
        machine = Machine(tmp_path_factory.mktemp("a machine"), Ports.free())
        machines.append(machine)
        machine.lay_out(**settings)
        if before is not None:
            before(machine)
        machine.start()
        return machine

    yield up
    for machine in machines:
        machine.stop()


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    """One machine for a module's tests."""
    return raise_machine()


@pytest.fixture(scope="module")
def st2(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> St2:
    return St2(machine, tmp_path_factory.mktemp("home"))
