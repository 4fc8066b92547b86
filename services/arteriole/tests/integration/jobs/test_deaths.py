"""Processes are killed with signal 9; each job ends once, with its effect and one event."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.jobs.runner import STARTS


class Trial:
    """One running job of the trial kind, and the processes that do it."""

    def __init__(self, service: Any, folder: Path, until: Callable[..., Any], do: str) -> None:
        self.service = service
        self.folder = folder
        self.until = until
        self.job_id: int = service.submit("r1", "k", do=do)["job_id"]
        self.wait_for_start(1)

    def wait_for_start(self, number: int) -> None:
        self.until(lambda: len(self.starts()) == number)

    def starts(self) -> list[str]:
        begun = self.folder / "begun"
        return begun.read_text().splitlines() if begun.exists() else []

    def kill(self, *, worker: bool, supervisor: bool) -> None:
        worker_id, supervisor_id = map(int, self.starts()[-1].split())
        if supervisor:
            os.kill(supervisor_id, signal.SIGKILL)
        if worker:
            os.killpg(worker_id, signal.SIGKILL)

    def open_gate(self) -> None:
        (self.folder / "gate").touch()

    def ended(self, state: str, *, starts: int = 1, code: str = "") -> dict[str, Any]:
        job: dict[str, Any] = self.service.ended(self.job_id)
        assert (job["state"], job["code"]) == (state, code)
        assert len(self.starts()) == starts
        finished = self.service.events("job_finished")
        assert [event["payload"]["state"] for event in finished] == [state]
        return job


@pytest.fixture
def begin(
    tmp_path: Path, serve: Callable[..., Any], until: Callable[..., Any]
) -> Callable[..., Trial]:
    folder = tmp_path / "root" / "r1"
    folder.mkdir(parents=True)

    def start(do: str = "wait", *, rerun: bool = True) -> Trial:
        service = serve("trial", {"root": str(folder.parent), "rerun": rerun})
        return Trial(service, folder, until, do)

    return start


@pytest.mark.parametrize("do", ["wait", "tool"])
def test_the_service_dies_and_adopts(begin: Callable[..., Trial], do: str) -> None:
    trial = begin(do)
    trial.service.kill()
    trial.service.start()
    assert trial.service.status(trial.job_id)["state"] == "started"
    trial.open_gate()
    assert trial.ended("done")["result"] == {"answer": 42}


def test_the_job_ends_while_the_service_is_down(begin: Callable[..., Trial]) -> None:
    trial = begin()
    trial.service.kill()
    trial.open_gate()
    trial.until((trial.service.jobs / "1" / "result.json").exists)
    trial.service.start()
    trial.ended("done")


def test_the_job_dies_and_runs_again(begin: Callable[..., Trial]) -> None:
    trial = begin()
    trial.kill(worker=True, supervisor=True)
    trial.wait_for_start(2)
    trial.open_gate()
    trial.ended("done", starts=2)
    assert len(trial.service.events("job_died")) == 1


def test_all_die_at_once(begin: Callable[..., Trial]) -> None:
    trial = begin("tool")
    trial.service.kill()
    trial.kill(worker=True, supervisor=True)
    trial.service.start()
    trial.wait_for_start(2)
    trial.open_gate()
    trial.ended("done", starts=2)


def test_a_job_that_always_dies_is_given_up(begin: Callable[..., Trial]) -> None:
    trial = begin()
    for number in range(1, STARTS + 1):
        trial.wait_for_start(number)
        trial.kill(worker=True, supervisor=True)
    trial.ended("error", starts=STARTS, code="job.died")


def test_a_kind_that_may_not_run_again(begin: Callable[..., Trial]) -> None:
    trial = begin(rerun=False)
    trial.kill(worker=True, supervisor=True)
    trial.ended("error", code="job.died")


def test_only_the_worker_dies(begin: Callable[..., Trial]) -> None:
    """Its tool ends with it: it holds the job's lock, so the job could not end before."""
    trial = begin("tool")
    worker = int(trial.starts()[0].split()[0])
    trial.until(lambda: "+ [" in (trial.service.jobs / "1" / "log").read_text())
    os.kill(worker, signal.SIGKILL)
    trial.ended("error", code="job.died")


def test_only_the_supervisor_dies(begin: Callable[..., Trial]) -> None:
    trial = begin()
    trial.kill(worker=False, supervisor=True)
    trial.open_gate()
    assert trial.ended("done")["result"] == {"answer": 42}


@pytest.mark.parametrize("do", ["wait", "tool"])
def test_a_stop_without_supervisor(begin: Callable[..., Trial], do: str) -> None:
    trial = begin(do)
    trial.kill(worker=False, supervisor=True)
    trial.service.call("POST", f"stop/{trial.job_id}")
    trial.ended("cancelled", code="job.stopped")


def test_a_stop_outlives_the_death_of_all(begin: Callable[..., Trial]) -> None:
    """A job that was asked to stop is not started again because its process died first."""
    trial = begin()
    os.kill(int(trial.starts()[0].split()[1]), signal.SIGSTOP)
    trial.service.call("POST", f"stop/{trial.job_id}")
    trial.service.kill()
    trial.kill(worker=True, supervisor=True)
    trial.service.start()
    trial.ended("cancelled", code="job.stopped")
