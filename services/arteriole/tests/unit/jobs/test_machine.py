"""Jobs start by the cores and the memory that they need, and none waits for ever."""

import asyncio
import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.jobs import machine as machines
from arteriole.jobs.jobs import Job, JobState
from arteriole.jobs.machine import OVERTAKEN, JobsSettings, Machine, TooLargeError
from arteriole.jobs.needs import NOTHING, Needs
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.runner import Runner


def submit(queue: JobQueue, key: str, cores: int = 1, memory_gb: float = 1, **more: Any) -> Job:
    needs = {"needs": Needs(cores, memory_gb).document(), **more}
    return queue.submit(key, {}, run="r", stage="s", attempt=1, parameters=needs, who="packs")


@pytest.fixture
def queue(open_queue: Callable[[str], JobQueue]) -> JobQueue:
    return open_queue("trial")


@pytest.mark.parametrize(
    ("parameters", "observed", "needs"),
    [
        ({}, False, Needs(1, 1)),
        ({"needs": {"cores": 8, "memory_gb": 30}}, False, Needs(8, 30)),
        ({"needs": {"cores": 8, "memory_gb": 30}}, True, Needs(1, 1)),
        ({"needs": {"cores": 0, "memory_gb": 0}}, False, NOTHING),
        ({"light": True}, False, NOTHING),
        ({"light": True}, True, NOTHING),
    ],
)
def test_what_a_job_needs(parameters: dict[str, Any], observed: bool, needs: Needs) -> None:
    assert Needs.of(parameters, observed) == needs


@pytest.mark.parametrize(
    ("running", "needs", "waits"),
    [
        ([], (4, 8), ""),
        ([], (64, 8), ""),  # it gets all cores that there are
        ([(2, 2)], (2, 6), ""),
        ([(2, 2)], (3, 1), "3 cores and 1 GB; free are 2 cores and 6 GB of 4 cores and 8 GB"),
        ([(2, 2), (1, 1)], (1, 5.5), "1 core and 5.5 GB; free are 1 core and 5 GB of"),
        ([(64, 1)], (1, 1), "free are 0 cores and 7 GB"),
        ([(4, 8)], (0, 0), ""),
        ([(4, 8), (4, 8)], (1, 1), "free are 0 cores and 0 GB"),  # the machine became smaller
    ],
)
def test_a_job_starts_if_it_fits_beside_those_that_run(
    queue: JobQueue, running: list[tuple[int, float]], needs: tuple[int, float], waits: str
) -> None:
    machine = Machine(4, 8)
    machine.hold("trial", [submit(queue, f"k{n}", *one) for n, one in enumerate(running)])
    told = machine.admit("trial", submit(queue, "next", *needs))
    assert waits in told and bool(told) is bool(waits)


def test_one_that_could_never_start_is_refused() -> None:
    Machine(4, 8).require(Needs(64, 8))
    with pytest.raises(TooLargeError, match=r"needs 9 GB of memory, and .* may have 8 GB") as told:
        Machine(4, 8).require(Needs(1, 9))
    assert (told.value.code, told.value.status) == ("job.too_large", 422) and told.value.hint


def test_one_that_was_begun_before_goes_on_at_once(queue: JobQueue) -> None:
    machine = Machine(4, 8)
    died = submit(queue, "died", 4)
    queue.again(queue.started(died))
    assert machine.admit("trial", submit(queue, "other", 4)) == ""
    assert machine.admit("trial", queue.get(died.job_id)) == ""


def test_few_may_overtake_one_that_does_not_fit(queue: JobQueue) -> None:
    machine = Machine(4, 8)
    running = submit(queue, "running", 2)
    large = submit(queue, "large", 3)
    small = [submit(queue, f"small {n}") for n in range(OVERTAKEN + 1)]
    machine.hold("trial", [running])
    assert machine.admit("trial", large)
    for job in small[:-1]:
        assert machine.admit("trial", job) == ""
        machine.hold("trial", [running])  # it has ended
    told = machine.admit("trial", small[-1])
    assert told == f"job {large.job_id} of trial, which came earlier and was overtaken 8 times"
    assert machine.admit("trial", submit(queue, "nothing", 0, 0)) == ""
    machine.hold("trial", [])
    assert machine.admit("trial", small[-1])  # although there is room: it is the large one's
    assert machine.admit("trial", large) == ""
    assert machine.admit("trial", small[-1]) == ""


@pytest.mark.parametrize("gone", ["stopped", "in trouble"])
def test_none_waits_for_one_that_waits_no_more(queue: JobQueue, gone: str) -> None:
    machine = Machine(4, 8)
    running, large = submit(queue, "running", 2), submit(queue, "large", 3)
    machine.hold("trial", [running])
    machine.admit("trial", large)
    for n in range(OVERTAKEN):
        machine.admit("trial", submit(queue, f"small {n}", 0, 0.1))
    last = submit(queue, "last")
    assert machine.admit("trial", last)
    machine.line_up("trial", [last] if gone == "stopped" else [])
    assert machine.admit("trial", last) == ""


def test_services_of_a_process_share_a_machine(
    tmp_path: Path, open_queue: Callable[[str], JobQueue]
) -> None:
    """And what runs is known from the rows before any of them has looked at its jobs."""
    one, other = open_queue("one"), open_queue("other")
    one.started(submit(one, "k", 3))
    waiting = submit(other, "k", 2)
    machine = Machine(4, 8)
    runners = {
        queue.service: Runner(
            queue, tmp_path / queue.service, "no.such", parallel=4, rerun=True, machine=machine
        )
        for queue in (one, other)
    }
    asyncio.run(runners["other"].step())
    waiting = other.get(waiting.job_id)
    assert waiting.state is JobState.PENDING
    told = runners["other"].waits_for(waiting)
    assert told == "2 cores and 1 GB; free are 1 core and 7 GB of 4 cores and 8 GB"


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_each_starts_once_and_fits(queue: JobQueue, seed: int) -> None:
    chance, numbers = random.Random(seed), itertools.count(1)
    machine, services = Machine(8, 16), ("one", "other")
    running: dict[str, dict[int, Job]] = {name: {} for name in services}
    pending: dict[str, list[Job]] = {name: [] for name in services}
    overtaken: dict[tuple[str, str, int], int] = {}
    left = 60
    while left or any(pending.values()):
        for name in services:
            if left and chance.random() < 0.7:
                left -= 1
                size = chance.choice([(1, 1), (1, 1), (2, 4), (8, 2), (3, 16), (64, 16)])
                pending[name].append(submit(queue, str(next(numbers)), *size))
            if running[name] and chance.random() < 0.5:
                del running[name][chance.choice([*running[name]])]
            machine.hold(name, running[name].values())
            machine.line_up(name, pending[name])
            for job in [*pending[name]]:
                place = (job.created, name, job.job_id)
                if machine.admit(name, job):
                    overtaken.setdefault(place, 0)
                    continue
                pending[name].remove(job)
                running[name][job.job_id] = job
                overtaken.pop(place, None)
                overtaken |= {p: count + 1 for p, count in overtaken.items() if p < place}
            needs = [
                Needs.of(j.parameters, False) for jobs in running.values() for j in jobs.values()
            ]
            assert sum(min(one.cores, 8) for one in needs) <= 8
            assert sum(one.memory_gb for one in needs) <= 16
            assert max(overtaken.values(), default=0) <= OVERTAKEN


# --- how large it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "files", "limits"),
    [
        (
            "0::/a/b\n",
            {"memory.max": "max", "a/memory.max": "4096", "a/b/memory.max": "max"},
            [4096],
        ),
        ("0::/a\n", {"memory.max": "9", "a/memory.max": "7"}, [7, 9]),
        ("0::/\n", {"memory.max": "8192"}, [8192]),
        (
            "4:cpu,memory:/a\n3:pids:/a\n0::/\n",
            {"memory/a/memory.limit_in_bytes": "5", "memory/memory.limit_in_bytes": "6"},
            [5, 6],
        ),
        ("0::/../elsewhere\n", {"memory.max": "1"}, [1]),
        ("0::/gone\n", {}, []),
    ],
)
def test_limits_of_control_groups(
    tmp_path: Path, own: str, files: dict[str, str], limits: list[int]
) -> None:
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert [*machines._limits(tmp_path / "own", tmp_path / "groups")] == limits


def test_it_is_as_large_as_it_is_or_as_the_site_says() -> None:
    found = Machine.here(JobsSettings())
    found.require(Needs(1, 1))
    with pytest.raises(TooLargeError, match="may have 3 GB"):
        Machine.here(JobsSettings(cores=2, memory_gb=3)).require(Needs(1, 3.5))
    assert [*machines._limits(Path("/nowhere"), Path("/nowhere"))] == []
    with pytest.raises(TooLargeError):
        found.require(Needs(1, 10**6))
