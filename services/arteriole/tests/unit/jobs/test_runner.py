"""What the runner makes of the folders that it finds."""

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.aside import SilentError
from arteriole.jobs import runner as module
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job, JobState, Outcome
from arteriole.jobs.machine import Machine
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.runner import STARTS, Runner

RESULT = {"state": "done", "exit_code": 0, "code": "", "message": "", "hint": "", "result": {}}
OUTCOME = {"ok": True, "code": "", "message": "", "hint": "", "result": {"n": 1}}


@pytest.fixture
def queue(open_queue: Callable[[str], JobQueue]) -> JobQueue:
    return open_queue("trial")


def submit(queue: JobQueue, *, observed: bool = False) -> Job:
    return queue.submit(
        "k", {}, run="r1", stage="trial", attempt=1, parameters={}, who="packs", observed=observed
    )


def started(queue: JobQueue, times: int = 1) -> Job:
    job = submit(queue)
    for _ in range(times - 1):
        queue.again(queue.started(job))
    return queue.started(job)


def runner(
    queue: JobQueue,
    tmp_path: Path,
    *,
    parallel: int = 0,
    rerun: bool = True,
    observe_only: bool = False,
    at_end: Callable[[Job, Outcome], Outcome] | None = None,
) -> Runner:
    return Runner(
        queue,
        tmp_path / "jobs",
        "no.such.worker",
        parallel=parallel,
        rerun=rerun,
        observe_only=observe_only,
        at_end=at_end,
    )


@pytest.mark.parametrize(
    ("files", "rerun", "starts", "state", "code"),
    [
        ({"result.json": RESULT}, True, 1, JobState.DONE, ""),
        ({"outcome.json": OUTCOME}, True, 1, JobState.DONE, ""),
        ({"result.json": RESULT | {"state": "error", "code": "x"}}, True, 1, JobState.ERROR, "x"),
        ({"outcome.json": OUTCOME | {"ok": False, "code": "y"}}, True, 1, JobState.ERROR, "y"),
        ({"result.json": RESULT, "stop": {}}, True, 1, JobState.DONE, ""),
        ({"stop": {}}, True, 1, JobState.CANCELLED, "job.stopped"),
        ({}, True, 1, JobState.PENDING, ""),
        ({}, True, STARTS, JobState.ERROR, "job.died"),
        ({}, False, 1, JobState.ERROR, "job.died"),
        (None, True, 1, JobState.PENDING, ""),
    ],
)
def test_a_started_job_whose_lock_is_free(
    queue: JobQueue,
    tmp_path: Path,
    files: dict[str, dict[str, Any]] | None,
    rerun: bool,
    starts: int,
    state: JobState,
    code: str,
) -> None:
    job = started(queue, starts)
    looked = runner(queue, tmp_path, rerun=rerun)
    if files is not None:
        looked.folder(job.job_id).path.mkdir(parents=True)
        for name, document in files.items():
            looked.folder(job.job_id).write(name, document)
    asyncio.run(looked.step())
    asyncio.run(looked.step())
    found = queue.get(job.job_id)
    assert (found.state, found.code) == (state, code)
    told = [event.what for event in queue.events.read(None).events]
    assert told.count("job_finished") == (1 if state.ended else 0)


def test_a_started_job_whose_lock_is_held_is_left_alone(queue: JobQueue, tmp_path: Path) -> None:
    job = started(queue)
    looked = runner(queue, tmp_path)
    folder = looked.folder(job.job_id)
    folder.path.mkdir(parents=True)
    lock = folder.lock()
    assert lock is not None
    folder.write("outcome.json", OUTCOME)
    asyncio.run(looked.step())
    assert queue.get(job.job_id).state is JobState.STARTED


@pytest.mark.parametrize(
    ("observed", "observe_only", "state", "code"),
    [
        (False, False, JobState.PENDING, ""),
        (False, True, JobState.ERROR, "job.observe_mode"),
        (True, True, JobState.PENDING, ""),
        (True, False, JobState.PENDING, ""),
    ],
)
def test_what_waits_when_the_mode_changes(
    queue: JobQueue,
    tmp_path: Path,
    observed: bool,
    observe_only: bool,
    state: JobState,
    code: str,
) -> None:
    """All turns are taken, so nothing is started; what may never start ends at once."""
    job = submit(queue, observed=observed)
    asyncio.run(runner(queue, tmp_path, observe_only=observe_only).step())
    assert (queue.get(job.job_id).state, queue.get(job.job_id).code) == (state, code)


def test_a_job_that_acts_and_died_is_not_started_again_while_observing(
    queue: JobQueue, tmp_path: Path
) -> None:
    job = started(queue)
    asyncio.run(runner(queue, tmp_path, observe_only=True).step())
    assert queue.get(job.job_id).code == "job.observe_mode"


@pytest.mark.parametrize(
    ("starts", "again", "observe_only", "stop", "told"),
    [
        (STARTS, False, False, False, ["job.died"]),
        (1, False, True, False, ["job.observe_mode"]),
        (1, True, False, True, ["job.stopped"]),  # between two starts
        (0, False, False, True, []),
        (0, False, True, False, []),
    ],
)
def test_the_kind_adds_to_the_end_of_a_job_that_has_begun(
    queue: JobQueue,
    tmp_path: Path,
    starts: int,
    again: bool,
    observe_only: bool,
    stop: bool,
    told: list[str],
) -> None:
    def tell(job: Job, outcome: Outcome) -> Outcome:
        return replace(outcome, result={"events": {"more": {"of": outcome.code}}})

    job = started(queue, starts) if starts else submit(queue)
    if again:
        queue.again(job)
    looked = runner(queue, tmp_path, observe_only=observe_only, at_end=tell)
    asyncio.run(looked.stop(queue.get(job.job_id)) if stop else looked.step())
    asyncio.run(looked.step())
    assert queue.get(job.job_id).state.ended
    events = queue.events.read(None).events
    assert [event.payload["of"] for event in events if event.what == "more"] == told


def test_a_job_that_begins_while_it_is_stopped_is_asked_to_stop(
    queue: JobQueue, tmp_path: Path
) -> None:
    def begin(job: Job, outcome: Outcome) -> Outcome:
        loop.call_soon_threadsafe(queue.started, job)
        return outcome

    job = started(queue)
    queue.again(job)
    looked = runner(queue, tmp_path, at_end=begin)
    looked.folder(job.job_id).path.mkdir(parents=True)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(looked.stop(queue.get(job.job_id)))
    loop.close()
    assert queue.get(job.job_id).state is JobState.STARTED
    assert looked.folder(job.job_id).asked_to_stop()


def test_a_kind_that_fails_at_the_end_of_a_job_changes_nothing(
    queue: JobQueue, tmp_path: Path
) -> None:
    def fail(job: Job, outcome: Outcome) -> Outcome:
        raise KeyError("of another version")

    job = started(queue)
    queue.again(job)
    looked = runner(queue, tmp_path, at_end=fail)
    asyncio.run(looked.stop(queue.get(job.job_id)))
    assert queue.get(job.job_id).code == "job.stopped"


def test_a_kind_that_does_not_answer_keeps_no_other_job(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a mount hangs: the job ends when it answers."""
    monkeypatch.setattr(module, "BRIEF", 0.01)
    there = threading.Event()

    def hang(job: Job, outcome: Outcome) -> Outcome:
        there.wait(60)
        return replace(outcome, message="at last")

    first = started(queue)
    queue.again(first)
    queue.submit("second", {}, run="r", stage="s", attempt=1, parameters={}, who="packs")
    looked = runner(queue, tmp_path, observe_only=True, at_end=hang)

    async def look() -> None:
        with pytest.raises(SilentError):
            await looked.stop(queue.get(first.job_id))
        await looked.step()
        assert [job.key for job in queue.in_state(JobState.PENDING)] == [first.key]
        there.set()
        while not queue.get(first.job_id).state.ended:
            await looked.step()

    asyncio.run(look())
    assert queue.get(first.job_id).message == "at last"


def test_a_light_job_waits_for_light_ones_only(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []

    async def begin(_: Runner, job: Job) -> bool:
        began.append(job.key)
        return True

    monkeypatch.setattr(Runner, "_start", begin)
    for key in ("heavy 1", "heavy 2", "light 1", "light 2"):
        light = {"light": True} if key.startswith("light") else {}
        queue.submit(key, {}, run="r", stage="s", attempt=1, parameters=light, who="packs")
    asyncio.run(runner(queue, tmp_path, parallel=1).step())
    assert began == ["heavy 1", "light 1"]


def test_a_supervisor_outlives_the_runner_that_started_it(queue: JobQueue, tmp_path: Path) -> None:
    job = submit(queue)
    looked = runner(queue, tmp_path, parallel=1)
    folder = looked.folder(job.job_id)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(looked.step())
        del looked
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
    while folder.held():
        assert queue.get(job.job_id).state is JobState.STARTED
    asyncio.run(runner(queue, tmp_path).step())
    assert queue.get(job.job_id).state is JobState.ERROR


def test_a_job_that_is_stopped_while_its_folder_is_made_is_not_started(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made on another thread, where the disk may take its time."""
    job, looked = submit(queue), runner(queue, tmp_path, parallel=1)
    synced: list[threading.Thread] = []
    prepare = JobFolder.prepare
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(threading.current_thread()))

    async def step() -> None:
        loop = asyncio.get_running_loop()

        def prepared(folder: JobFolder, task: dict[str, Any]) -> None:
            prepare(folder, task)
            asyncio.run_coroutine_threadsafe(looked.stop(job), loop).result(30)

        monkeypatch.setattr(JobFolder, "prepare", prepared)
        await looked.step()

    asyncio.run(step())
    assert queue.get(job.job_id).state is JobState.CANCELLED
    assert "job_started" not in [event.what for event in queue.events.read(None).events]
    assert synced and threading.main_thread() not in synced


def test_a_job_tells_what_it_waits_for(queue: JobQueue, tmp_path: Path) -> None:
    job, looked = submit(queue), runner(queue, tmp_path, parallel=0)
    assert looked.waits_for(job) == ""
    asyncio.run(looked.step())
    assert looked.waits_for(job) == "one of 0 places (trial.parallel)"
    asyncio.run(looked.stop(job))
    assert looked.waits_for(queue.get(job.job_id)) is None


def test_what_waits_for_more_memory_than_there_is_by_now_ends(
    queue: JobQueue, tmp_path: Path
) -> None:
    needs = {"needs": {"cores": 1, "memory_gb": 64}}
    job = queue.submit("k", {}, run="r", stage="s", attempt=1, parameters=needs, who="packs")
    looked = runner(queue, tmp_path, parallel=1)
    looked.machine = Machine(4, 32)
    asyncio.run(looked.step())
    ended = queue.get(job.job_id)
    assert (ended.state, ended.code, bool(ended.hint)) == (JobState.ERROR, "job.too_large", True)
