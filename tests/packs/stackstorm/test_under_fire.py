"""The packs on an orchestrator that repeats, loses and dies: each run is done, each effect once.

README.md tells how to run these tests on a real StackStorm.
"""

import threading
from typing import Any

import pytest

from demo.machine import SERVICES
from tests.conftest import wait_for_state, wait_until
from tests.packs.stackstorm.conftest import JOBS, LIMIT, Centre
from tests.packs.stackstorm.orchestrator import COMPLETED, trigger_of

pytestmark = pytest.mark.timeout(600)

#: The action that each rule of the site starts, and the stage that it is for.
WORKFLOWS = (
    ("umccr.receive", None),
    ("arteria.stage_check", "check"),
    ("arteria.stage_job", "convert"),
    ("arteria.stage_job", "checksum"),
    ("umccr.transfer", "transfer"),
    ("umccr.archive", "archive"),
)


def _of_stage(centre: Centre, run: str, action: str, stage: str | None) -> list[dict[str, Any]]:
    found = centre.st2.executions(action, run)
    return [one for one in found if stage is None or one["parameters"]["stage"] == stage]


def _completed(centre: Centre, run: str, action: str, stage: str | None, least: int = 1) -> Any:
    """The executions for a stage, once there are `least` of them and all have ended."""

    def ended() -> Any:
        found = _of_stage(centre, run, action, stage)
        over = len(found) >= least and all(one["status"] in COMPLETED for one in found)
        return found if over else None

    return wait_until(f"{least} executions of {action} {stage or ''}", ended, seconds=LIMIT)


def _outcomes(executions: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """Status and `duplicate` of each, the one that did the work first."""
    return sorted((one["status"], one["result"]["output"]["duplicate"]) for one in executions)


@pytest.fixture(scope="module")
def finished(centre) -> str:
    run = centre.write_run(1)
    centre.assert_done_once(run)
    return run


def test_the_chain(centre, finished):
    for action, stage in WORKFLOWS:
        found = _completed(centre, finished, action, stage)
        assert _outcomes(found) == [("succeeded", False)], (action, stage)


class Echo(threading.Thread):
    """Dispatches a second time whatever the services tell of `run` while it is watched."""

    def __init__(self, centre: Centre, run: str) -> None:
        super().__init__(daemon=True)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None
        self._centre, self._run = centre, run
        self._told: set[tuple[str, str]] = set()
        self._over = threading.Event()

    def run(self) -> None:
        try:
            while not self._over.wait(0.1):
                for service in SERVICES:
                    self._follow(service)
        except Exception as error:
            self.error = error

    def _follow(self, service: str) -> None:
        page = self._centre.machine.api(service, f"events?run={self._run}&limit=1000")
        for event in page["events"]:
            found = trigger_of(event)
            if found and (service, event["id"]) not in self._told:
                self._told.add((service, event["id"]))
                self._centre.st2.dispatch(*found)
                self.sent.append(found)

    def end(self) -> None:
        self._over.set()
        self.join(60)
        assert self.error is None and not self.is_alive(), self.error


def test_each_event_twice_and_again_when_all_is_over(centre):
    name = centre.write_run(2)
    echo = Echo(centre, name)
    echo.start()
    try:
        centre.assert_done_once(name)
        wait_until(
            "the echo of the end", lambda: echo.error or ("arteria.run_done" in dict(echo.sent))
        )
    finally:
        echo.end()
    assert len([1 for trigger, _ in echo.sent if trigger == "arteria.job_finished"]) == len(JOBS)
    for trigger, payload in echo.sent:
        centre.st2.dispatch(trigger, payload)
    for action, stage in WORKFLOWS:
        found = _completed(centre, name, action, stage, least=3)
        assert _outcomes(found) == [("succeeded", False), *[("succeeded", True)] * 2], (
            action,
            stage,
        )
    for stage in JOBS:
        ends = _completed(centre, name, "arteria.end_stage", stage, least=3)
        assert {one["status"] for one in ends} == {"succeeded"}
        assert sum(one["result"]["result"]["ended"] for one in ends) <= 1
    centre.assert_done_once(name)


def test_used_up_workflows_that_are_run_again_find_that_all_is_done(centre, finished):
    again = []
    for action, stage in WORKFLOWS:
        first = _completed(centre, finished, action, stage)[-1]
        again.append(centre.st2.rerun(first["id"]))

    def ended() -> Any:
        found = [centre.st2.execution(one) for one in again]
        return found if all(one["status"] in COMPLETED for one in found) else None

    found = wait_until("the end of what was run again", ended, seconds=LIMIT)
    assert _outcomes(found) == [("succeeded", True)] * len(WORKFLOWS)
    centre.assert_done_once(finished)


def test_a_sensor_that_dies(centre):
    run = centre.write_run(3)
    wait_until("the claim", lambda: centre.stage(run, "receive").get("state") == "done")
    centre.kill_sensor()
    centre.assert_done_once(run)


def test_an_orchestrator_that_is_killed_while_runs_are_in_different_stages(centre):
    centre.require_kill_command()
    names = []
    for number, stage in ((4, "checksum"), (5, "convert"), (6, "check")):
        names.append(centre.write_run(number))
        if number < 6:
            wait_until(
                f"{stage} ready", lambda stage=stage: centre.stage(names[-1], stage).get("ready")
            )
    centre.kill_orchestrator()
    centre.assert_done_once(*names)


def _passed_by(centre: Centre, run: str, trigger: str, **payload: Any) -> bool:
    """Whether the rules engine is done with such an event."""
    return any(
        one["status"] == "processed" and payload.items() <= one["payload"].items()
        for one in centre.st2.instances(trigger, run)
    )


class Without:
    """While this lasts, a rule is disabled: what it would have taken is thrown away."""

    def __init__(self, centre: Centre, rule: str) -> None:
        self._centre, self._rule = centre, rule

    def __enter__(self) -> None:
        self._centre.st2.switch("rules", self._rule, False)

    def __exit__(self, *_: object) -> None:
        self._centre.st2.switch("rules", self._rule, True)


def test_events_that_are_lost_after_they_were_accepted(centre):
    """One run loses its run_ready, one the stage_ready of convert, one a job_finished."""
    with Without(centre, "umccr.receive"):
        unclaimed = centre.write_run(7)
        wait_until("run_ready", lambda: _passed_by(centre, unclaimed, "arteria.run_ready"))
        assert not centre.machine.run(unclaimed)["attempt"]
    with Without(centre, "umccr.convert"):
        unbegun = centre.write_run(8)
        wait_until(
            "stage_ready of convert",
            lambda: _passed_by(centre, unbegun, "arteria.stage_ready", stage="convert"),
        )
        assert not centre.stage(unbegun, "convert")["begun"]
    with Without(centre, "arteria.end_stage"):
        unended = centre.write_run(9)
        stuck = wait_until("a job whose end is lost", lambda: _stuck(centre, unended))
        wait_until(
            "job_finished",
            lambda: _passed_by(centre, unended, "arteria.job_finished", stage=stuck),
        )
        assert not centre.stage(unended, stuck)["ended"]
    centre.assert_done_once(unclaimed, unbegun, unended)


def _stuck(centre: Centre, run: str) -> str | None:
    """A stage whose job was attached and is over, but that has not ended."""
    for stage, service in JOBS.items():
        found = centre.stage(run, stage)
        if not found.get("job_id") or found["ended"]:
            continue
        job = centre.machine.api(service, f"status/{found['job_id']}")
        if job["state"] == "done" and not _starting(centre, run, stage):
            return stage
    return None


def _starting(centre: Centre, run: str, stage: str) -> bool:
    """Whether the workflow that started the job still runs: it ends a stage that was quick."""
    found = [
        e for action, of in WORKFLOWS if of == stage for e in _of_stage(centre, run, action, stage)
    ]
    return any(one["status"] not in COMPLETED for one in found)


def test_workflows_that_fail_give_their_stage_back_until_a_person_is_asked(centre):
    """A task's action is disabled, so that each workflow fails after it has begun its stage."""
    name = centre.write_run(0)
    centre.st2.switch("actions", "arteria.start_job", False)
    try:
        ended = wait_for_state(centre.machine, name, "error", seconds=LIMIT)
    finally:
        centre.st2.switch("actions", "arteria.start_job", True)
    assert ended["why"]["code"] == "workflow.failed"
    failed = _completed(centre, name, "arteria.stage_job", "convert", least=3)
    assert [one["status"] for one in failed] == ["failed"] * 3
    assert centre.machine.api("bcl2fastq", f"status?run={name}")["jobs"] == []
    centre.st2.run("arteria.retry", run=name)
    wait_for_state(centre.machine, name, "done", seconds=LIMIT)
    assert centre.stage(name, "convert")["try"] == 2
