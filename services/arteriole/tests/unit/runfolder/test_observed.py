"""Observed attempts: the chain runs, nothing counts as done, and the next claim is a real one."""

import pytest

from arteriole.app.errors import ConflictError
from arteriole.app.mode import Mode
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.states import RunState

from .conftest import PLAN, RUN

STAGES = ("convert", "checksum", "transfer", "archive", "tell")


@pytest.fixture
def observing(make_desk):
    desk = make_desk(mode=Mode.OBSERVE)
    desk.arrive()
    desk.claim()
    return desk


def observe(desk, *stages, attempt=1):
    for stage in stages:
        desk.begin(stage, attempt=attempt)
        assert desk.end(stage, "skipped", code="run.observed", attempt=attempt)["ended"]


@pytest.fixture
def observed(observing):
    observe(observing, *STAGES)
    return observing


def test_a_run_that_was_observed_is_not_done(observed):
    assert observed.run.state is RunState.NONE
    assert observed.told("run_done", "run_observed") == [("run_observed", None, 1)]
    assert overdue(observed.runs.all(), 0.0) == []
    assert observed.claim(by="ex9") == {"claimed": False, "duplicate": True, "by": "ex-claim"}
    assert not observed.run.adopted and observed.run.observed


def test_while_it_is_observed_its_state_follows_from_its_stages(observing):
    assert observing.run.state is RunState.STARTED
    observing.begin("convert")
    observing.end("convert", "failed", code="sheet.index")
    assert observing.run.state is RunState.ERROR
    assert observing.retry() == ["convert"]
    observe(observing, *STAGES)
    assert observing.run.state is RunState.NONE


def test_nothing_is_done_in_an_observed_attempt_whoever_says_so(observing):
    observing.begin("convert")
    observing.end("convert", "done")
    stage = observing.stage("convert")
    assert (stage.state, stage.code) == ("skipped", "run.observed")


def test_adoption_waits_for_the_mode(observed):
    with pytest.raises(ConflictError, match="the mode is still observe") as error:
        observed.adopt()
    assert error.value.code == "run.observed" and "set mode: act" in error.value.hint
    acting = observed.switch(Mode.ACT)
    assert acting.run.state is RunState.NONE  # switching on alone does nothing
    assert overdue(acting.runs.all(), 0.0) == []
    for _ in range(2):
        acting.adopt()
    assert acting.run.state is RunState.READY
    assert len(acting.told("run_ready")) == 2
    assert [e["what"] for e in overdue(acting.runs.all(), 0.0)] == ["run_ready"]


def test_the_claim_after_adoption_is_the_next_attempt_with_the_plan_given_then(observed):
    acting = observed.switch(Mode.ACT)
    acting.adopt()
    plan = {"receive": {}, "convert": {"after": ["receive"], "makes_attempt": True}}
    assert acting.claim(plan, by="ex2") == {"claimed": True, "attempt": 2}
    assert acting.claim(plan, by="ex3") == {"claimed": False, "duplicate": True, "by": "ex2"}
    assert acting.states(2) == {"receive": "done", "convert": "waiting"}
    assert set(acting.states(1)) == set(PLAN)
    assert [one.observed for one in acting.run.attempts] == [True, False]
    acting.do("convert", attempt=2)
    assert acting.run.state is RunState.DONE
    assert acting.told("run_done", "run_observed") == [
        ("run_observed", None, 1),
        ("run_done", None, 2),
    ]
    assert acting.redo("convert") == 3
    assert not acting.run.observed


def test_what_still_is_observed_does_not_disturb_the_next_attempt(observing):
    observing.begin("convert")
    acting = observing.switch(Mode.ACT)
    acting.adopt()
    acting.claim({"receive": {}})
    assert acting.run.state is RunState.DONE
    assert acting.end("convert", "failed", attempt=1)["ended"]
    assert acting.told("run_done", "run_error") == [("run_done", None, 2)]
    with pytest.raises(ConflictError):
        acting.begin("checksum")


def test_unadopted_runs_may_be_adopted_to_be_observed(make_desk):
    desk = make_desk(mode=Mode.OBSERVE)
    desk.arrive(adopted=False)
    desk.adopt()
    desk.claim()
    assert desk.run.observed


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (Mode.ACT, "ex1 only observes, though the runfolder service acts"),
        (Mode.OBSERVE, "ex1 only observes, though attempt 1 is a real one"),
    ],
)
def test_a_job_that_only_observed_fails_the_stage_of_a_real_attempt(claimed, mode, says):
    desk = claimed.switch(mode)
    desk.begin("convert")
    assert desk.end("convert", "skipped", code="run.observed") == {"ended": True}
    stage = desk.stage("convert")
    assert (stage.state, stage.code) == ("failed", "stage.observed")
    assert stage.message == says and "mode" in stage.hint
    assert desk.last("run_error").payload == {"code": "stage.observed"}


def test_the_service_that_only_observes_is_named(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7, service="bcl2fastq")
    claimed.end("convert", "skipped", code="run.observed", job=("bcl2fastq", 7))
    assert claimed.stage("convert").message.startswith("bcl2fastq only observes")
    claimed.retry()
    claimed.begin("convert")
    claimed.end("convert", "skipped", code="site.skipped")
    assert claimed.states()["convert"] == "skipped"


def test_an_observed_attempt_is_redone_while_observing_and_adopted_while_acting(observed):
    assert observed.redo("convert") == 2
    assert observed.run.observed and observed.run.state is RunState.STARTED
    acting = observed.switch(Mode.ACT)
    with pytest.raises(ConflictError, match="only worked out") as error:
        acting.redo("convert")
    assert error.value.hint == f"arteriole adopt {RUN}"


@pytest.mark.parametrize("call", [lambda d: d.retry(), lambda d: d.redo("convert")])
def test_a_real_attempt_is_not_worked_on_by_services_that_observe(claimed, call):
    claimed.begin("convert")
    claimed.end("convert", "failed")
    observing = claimed.switch(Mode.OBSERVE)
    with pytest.raises(ConflictError, match="is a real one, and the mode is observe"):
        call(observing)
    assert observing.states()["convert"] == "failed"
