"""Jobs wait while there is too little space for what they will write; nothing waits for them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.disk.disk import Disk
from arteriole.disk.space import Root, Space
from arteriole.jobs.jobs import Job, JobState
from arteriole.jobs.machine import OVERTAKEN, Machine
from arteriole.jobs.needs import DiskNeed
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.runner import Runner

FASTQ, RESULTS, OTHER = Path("/fastq"), Path("/results"), Path("/other")


class Volumes:
    """`/fastq` and `/results` on one volume of 1000 bytes, `/other` on another that is full."""

    def __init__(self) -> None:
        self.free = 1000
        paths = (FASTQ, RESULTS, OTHER)
        roots = [Root(f"service.{path.name}", path, 15, 5) for path in paths]
        self.disk = Disk(roots, 0.0, self._look)

    def _look(self, path: Path) -> Space:
        return Space(2, 1000, 0) if path == OTHER else Space(1, 1000, self.free)


@pytest.fixture
def volumes() -> Volumes:
    return Volumes()


@pytest.fixture
def queue(open_queue: Callable[[str], JobQueue]) -> JobQueue:
    return open_queue("trial")


def submit(queue: JobQueue, key: str, size: int | None, root: Path = FASTQ, **more: Any) -> Job:
    disk = {} if size is None else {"disk": DiskNeed(root, size).document()}
    observed = more.pop("observed", False)
    return queue.submit(
        key, {}, run="r", stage="s", attempt=1, parameters={**disk, **more}, who="packs",
        observed=observed,
    )  # fmt: skip


async def waits(volumes: Volumes, machine: Machine, job: Job) -> str:
    await volumes.disk.looked()
    return machine.lacks_space("trial", job)


@pytest.mark.parametrize(
    ("free", "size", "root", "promised", "told"),
    [
        (1000, 950, FASTQ, 0, ""),
        (
            900,
            851,
            FASTQ,
            0,
            "851 B on /fastq: 900 B of 1.0 kB are free (90 %); 50 B are kept free",
        ),
        (1000, 951, FASTQ, 0, "951 B on /fastq, more than the volume ever has: 1.0 kB of"),
        (1000, 700, FASTQ, 250, ""),
        (1000, 701, FASTQ, 250, "and 250 B still come from conversions that run"),
        (50, 0, FASTQ, 0, "50 B of 1.0 kB are free (5 %)"),  # critical, whatever it needs
        (1000, 0, OTHER, 0, "0 B of 1.0 kB are free (0 %)"),
        (1000, 10**9, Path("/unwatched"), 0, ""),
    ],
)
def test_a_job_begins_if_what_it_writes_fits(
    queue: JobQueue, volumes: Volumes, free: int, size: int, root: Path, promised: int, told: str
) -> None:
    volumes.free = free
    machine, job = Machine(4, 8, volumes.disk), submit(queue, "k", size, root)
    machine.promise("other", {7: DiskNeed(RESULTS, promised)}, ())
    found = asyncio.run(waits(volumes, machine, job))
    assert told in found and bool(found) is bool(told)


def test_what_frees_space_waits_for_none_and_nothing_waits_for_what_lacks_it(
    queue: JobQueue, volumes: Volumes
) -> None:
    volumes.free = 0
    machine = Machine(4, 8, volumes.disk)
    running = submit(queue, "running", None, needs={"cores": 2, "memory_gb": 1})
    large = submit(queue, "large", 500, needs={"cores": 4, "memory_gb": 1})
    machine.hold("trial", [running])
    assert machine.admit("trial", large)  # in line for cores
    assert asyncio.run(waits(volumes, machine, large))
    for number in range(OVERTAKEN + 5):
        archive = submit(queue, f"archive {number}", None, needs={"cores": 1, "memory_gb": 1})
        assert asyncio.run(waits(volumes, machine, archive)) == ""
        assert machine.admit("trial", archive) == ""
        machine.hold("trial", [running])  # it has ended


@pytest.mark.parametrize("of", ["observing", "begun before", "let pass"])
def test_some_wait_for_no_space(queue: JobQueue, volumes: Volumes, of: str) -> None:
    volumes.free = 0
    job = submit(queue, "k", 500, observed=of == "observing")
    machine = Machine(4, 8, volumes.disk)
    if of == "begun before":
        assert asyncio.run(waits(volumes, machine, job))
        queue.again(queue.started(job))
    elif of == "let pass":
        assert queue.let_pass(job, "ada", "it is half of that")
        assert not queue.let_pass(job, "ada", "again")
    assert asyncio.run(waits(volumes, machine, queue.get(job.job_id))) == ""


def test_who_let_it_pass_stands_in_the_history(queue: JobQueue) -> None:
    job, none = submit(queue, "k", 500), submit(queue, "light", None)
    assert queue.let_pass(job, "ada", "it is half of that")
    assert not queue.let_pass(none, "ada", "it waits for no space")
    events = queue.events.read(None, limit=10).events
    told = [(one.who, one.payload["reason"]) for one in events if one.what == "job_let_pass"]
    assert told == [("ada", "it is half of that")]
    assert DiskNeed.of(queue.get(job.job_id).parameters, False) == DiskNeed(FASTQ, 500, True)
    assert queue.get(none.job_id).parameters == {}


def test_the_runner_over_a_restart(queue: JobQueue, volumes: Volumes, tmp_path: Path) -> None:
    """What runs promises by its progress; what waits is told, and begins when there is space."""
    volumes.free = 500
    running, waiting = submit(queue, "running", 400), submit(queue, "waiting", 251)
    queue.started(running)

    def runner() -> Runner:
        machine = Machine(4, 8, volumes.disk)
        return Runner(queue, tmp_path / "jobs", "no.such", parallel=4, rerun=True, machine=machine)

    one = runner()
    folder = one.folder(running.job_id)
    folder.path.mkdir(parents=True)
    lock = folder.lock()  # it lives
    assert lock is not None
    folder.write("progress.json", {"done": 1, "total": 2, "unit": "tiles"})

    async def look(runner: Runner) -> None:
        await volumes.disk.looked()
        await runner.step()

    again = runner()
    for each in (one, again):
        asyncio.run(look(each))
        job = queue.get(waiting.job_id)
        assert job.state is JobState.PENDING and each.lacks_space(job) and each.lacking == 1
        assert "and 200 B still come" in (each.waits_for(job) or "")
    assert volumes.disk._to_come["trial"] == {FASTQ: 200 + 251}
    folder.write("progress.json", {"done": 3, "total": 4, "unit": "tiles"})
    asyncio.run(look(again))
    job = queue.get(waiting.job_id)
    assert job.state is JobState.STARTED and not again.lacks_space(job) and again.lacking == 0
