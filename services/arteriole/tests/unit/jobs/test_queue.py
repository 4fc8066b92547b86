"""The rows of jobs and their events."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.jobs.jobs import Job, JobState, Outcome
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.service import StartRequest

DONE = Outcome(JobState.DONE, 0, "", "", "", {"files": 3})
FAILED = Outcome(JobState.ERROR, 1, "disk.full", "no space", "make room", {})


@pytest.fixture
def queue(open_queue: Callable[[str], JobQueue]) -> JobQueue:
    return open_queue("checksum")


def submit(queue: JobQueue, key: str = "r1.checksum.1.1", **request: Any) -> Job:
    return queue.submit(
        key, request, run="r1", stage="checksum", attempt=1, parameters={"a": 1}, who="packs"
    )


def told(queue: JobQueue) -> list[str]:
    return [event.what for event in queue.events.read(None).events]


def test_a_job_from_row_to_end(queue: JobQueue) -> None:
    job = submit(queue)
    assert (job.state, job.parameters, job.starts) == (JobState.PENDING, {"a": 1}, 0)
    job = queue.started(job)
    assert (job.state, job.starts) == (JobState.STARTED, 1)
    queue.ended(job, DONE)
    job = queue.get(job.job_id)
    assert (job.state, job.result, job.exit_code) == (JobState.DONE, {"files": 3}, 0)
    assert told(queue) == ["job_created", "job_started", "job_finished"]
    last = queue.events.read(None).events[-1]
    assert (last.run, last.stage, last.attempt) == ("r1", "checksum", 1)
    assert last.payload == {"service": "checksum", "job_id": 1, "state": "done", "code": ""}


def test_a_key_is_one_job(queue: JobQueue) -> None:
    first = submit(queue, attempt=1)
    assert submit(queue, attempt=1) == first
    assert submit(queue, key="other", attempt=1).job_id != first.job_id
    with pytest.raises(ConflictError) as raised:
        submit(queue, attempt=2)
    assert raised.value.code == "job.key_reused"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (DONE, None),
        (FAILED, "job.ended"),
        (Outcome(JobState.CANCELLED, None, "job.stopped", "", "", {}), "job.ended"),
    ],
)
def test_a_repeat_after_the_end(queue: JobQueue, outcome: Outcome, code: str | None) -> None:
    job = queue.started(submit(queue))
    queue.ended(job, outcome)
    if code is None:
        assert submit(queue).job_id == job.job_id
        return
    with pytest.raises(ConflictError) as raised:
        submit(queue)
    assert raised.value.code == code
    assert "arteriole redo r1 --from checksum" in raised.value.hint


def test_an_end_is_told_once(queue: JobQueue) -> None:
    job = queue.started(submit(queue))
    queue.ended(job, DONE)
    queue.ended(job, FAILED)
    assert queue.get(job.job_id).state is JobState.DONE
    assert told(queue).count("job_finished") == 1


def test_a_died_job_waits_again(queue: JobQueue) -> None:
    job = queue.started(submit(queue))
    queue.again(job)
    job = queue.get(job.job_id)
    assert (job.state, job.starts) == (JobState.PENDING, 1)
    queue.ended(job, DONE)
    queue.again(job)
    assert queue.get(job.job_id).state is JobState.DONE


def test_find_gives_the_newest_first(queue: JobQueue) -> None:
    ids = [submit(queue, key=f"k{n}").job_id for n in range(3)]
    queue.started(queue.get(ids[0]))
    assert [job.job_id for job in queue.find()] == ids[::-1]
    assert [job.job_id for job in queue.find(state="started")] == [ids[0]]
    assert [job.job_id for job in queue.find(limit=1)] == [ids[2]]
    assert queue.find(run="other") == queue.find(stage="x") == queue.find(attempt=9) == []
    assert [job.job_id for job in queue.in_state(JobState.PENDING)] == ids[1:]


def test_whether_a_job_observes_is_kept(queue: JobQueue) -> None:
    job = queue.submit(
        "k", {}, run="r1", stage="s", attempt=1, parameters={}, who="packs", observed=True
    )
    assert queue.get(job.job_id).observed is True
    assert job.document()["observed"] is True
    assert submit(queue).document()["observed"] is False


def test_a_store_of_version_1_is_upgraded(
    tmp_path: Path, open_queue: Callable[[str], JobQueue]
) -> None:
    """Its jobs act, and their keys still mean them."""
    path = tmp_path / "checksum.sqlite"
    schema = resources.files("arteriole.jobs.sql").joinpath("001_jobs.sql").read_text()
    old = sqlite3.connect(path)
    old.executescript(f"{schema}; PRAGMA user_version = 1")
    request = {"run": "r1", "attempt": 1, "stage": None}
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    old.execute(
        "INSERT INTO job (key, digest, run, stage, attempt, parameters, state, who, created)"
        " VALUES ('k', ?, 'r1', 'checksum', 1, '{}', 'started', 'packs', 'then')",
        (digest,),
    )
    old.commit()
    old.close()
    queue = open_queue("checksum")
    assert [job.observed for job in queue.find()] == [False]
    assert queue.earlier("k", {"run": "r1", **StartRequest().asked()}) == queue.get(1)
    with pytest.raises(ConflictError):
        queue.earlier("k", {"run": "r1", **StartRequest(observe=True).asked()})


def test_an_unknown_job(queue: JobQueue) -> None:
    with pytest.raises(NotFoundError, match="checksum has no job 7"):
        queue.get(7)
