"""Abort: before the claim, between begin and job, during a job; and what takes it back."""

import pytest

from arteriole.app.errors import ConflictError
from arteriole.app.mode import Mode
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.states import RunState
from arteriole.runfolder.why import why

from .conftest import RUN


def due(desk):
    return [(e["what"], e["stage"], e["job_id"]) for e in overdue(desk.runs.all(), 1000.0)]


def test_during_a_job(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7, service="bcl2fastq")
    assert [claimed.abort(), claimed.abort("again")] == [[("bcl2fastq", 7)]] * 2
    assert len(claimed.told("aborted")) == 1
    assert claimed.last("aborted").payload == {"reason": "wrong flow cell"}
    assert claimed.run.state is RunState.CANCELLED
    assert due(claimed) == [("job_unwanted", "convert", 7)]
    (first,) = [e for e in overdue(claimed.runs.all(), 0.0) if e["what"] == "job_unwanted"]
    assert (first["service"], first["attempt"]) == ("bcl2fastq", 1)
    claimed.end("convert", "failed", code="job.cancelled", job=("bcl2fastq", 7))
    assert claimed.states()["convert"] == "failed"
    assert claimed.told("run_error") == [] and due(claimed) == []
    assert claimed.abort() == [] and claimed.run.state is RunState.CANCELLED


def test_a_job_that_ends_well_after_the_abort_starts_nothing(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7)
    claimed.abort()
    claimed.end("convert", job=("convert", 7))
    assert claimed.states()["convert"] == "done"
    assert claimed.stage("checksum").ready is None
    assert overdue(claimed.runs.all(), 0.0) == []


def test_between_begin_and_job_the_job_is_known_and_unwanted(claimed):
    claimed.begin("convert")
    assert claimed.abort() == []
    assert due(claimed) == []
    claimed.attach("convert", 7)
    assert due(claimed) == [("job_unwanted", "convert", 7)]
    assert claimed.abort() == [("convert", 7)]


def test_the_begin_that_is_asked_for_again_after_the_abort_is_refused(claimed):
    claimed.begin("convert")
    claimed.abort()
    with pytest.raises(ConflictError, match="was aborted"):
        claimed.begin("convert")
    claimed.attach("convert", 7)
    assert claimed.begin("convert")["begun"]  # it has a job by now


def test_a_job_that_comes_after_the_redo_is_still_unwanted_until_its_end_is_known(make_desk):
    desk = make_desk(lease=-1.0)
    desk.arrive()
    desk.claim()
    desk.begin("convert")
    desk.abort()
    desk.redo("convert")
    desk.attach("convert", 7)
    found = [(e["what"], e["attempt"]) for e in overdue(desk.runs.all(), 0.0)]
    assert found == [("job_unwanted", 1), ("stage_running", 1), ("stage_ready", 2)]
    desk.end("convert", "failed", job=("convert", 7))
    found = [(e["what"], e["attempt"]) for e in overdue(desk.runs.all(), 0.0)]
    assert found == [("stage_ready", 2)]
    assert desk.run.state is RunState.STARTED


def test_between_begin_and_job_the_workflow_may_die(claimed):
    claimed.begin("convert")
    claimed.abort()
    assert claimed.release("convert") == {"released": True}
    assert (claimed.stage("convert").state, claimed.stage("convert").releases) == ("waiting", 0)
    assert claimed.told("stage_ready") == [("stage_ready", "convert", 1)]
    assert overdue(claimed.runs.all(), 0.0) == []


def test_nothing_begins_in_an_aborted_attempt(make_desk):
    desk = make_desk(lease=-1.0)
    desk.arrive()
    desk.claim()
    desk.abort()
    for prepared in (True, False):
        with pytest.raises(ConflictError, match="was aborted") as error:
            desk.begin("convert", "ex2")
        assert error.value.code == "run.aborted"
        if prepared:  # and none is taken over
            desk.stages.write(desk.run, desk.stage("convert"), state="running", begun_by="ex1",
                              lease="2020-01-01T00:00:00.000Z")  # fmt: skip
    assert overdue(desk.runs.all(), 0.0) == []
    desk.redo("convert")  # nobody does it any more
    assert desk.stage("convert", 2).ready is not None


def test_a_claim_after_the_abort_of_an_attempt_is_a_duplicate(claimed):
    claimed.abort()
    assert claimed.claim(by="ex9")["duplicate"] is True


def test_a_run_is_dismissed_before_its_claim_and_adopted_again(desk):
    desk.arrive()
    assert [desk.abort(), desk.abort()] == [[], []]
    assert desk.run.state is RunState.CANCELLED
    assert overdue(desk.runs.all(), 0.0) == []
    with pytest.raises(ConflictError, match="it was dismissed"):
        desk.claim()
    with pytest.raises(ConflictError, match="was dismissed by ada"):
        desk.runs.set_arteria_state(desk.run, RunState.STARTED, "arteria")
    desk.judge("unreachable")
    desk.judge("complete")
    assert len(desk.told("run_ready")) == 1
    for _ in range(2):
        desk.adopt()
    assert desk.run.state is RunState.READY
    assert len(desk.told("run_ready")) == 2 and len(desk.told("adopted")) == 1
    assert desk.claim()["claimed"]


def test_a_run_that_is_dismissed_while_sequencing_stays_so(desk):
    desk.runs.register(desk.arrive("other").path.with_name(RUN), adopted=True)
    desk.abort()
    desk.judge("complete")
    assert desk.run.state is RunState.CANCELLED
    assert [event.run for event in desk.runs.events.read(None).events
            if event.what == "run_ready"] == ["other"]  # fmt: skip


def test_a_done_run_is_not_aborted(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    with pytest.raises(ConflictError, match="are done") as error:
        claimed.abort()
    assert error.value.code == "run.done"
    assert claimed.run.state is RunState.DONE


@pytest.mark.parametrize("call", ["retry", "adopt"])
def test_only_a_redo_takes_back_the_abort_of_an_attempt(claimed, call):
    claimed.begin("convert")
    claimed.end("convert", "failed")
    claimed.abort()
    before = claimed.run
    with pytest.raises(ConflictError, match="was aborted by ada") as error:
        getattr(claimed, call)()
    assert error.value.code == "run.aborted"
    assert error.value.hint == f"arteriole redo {RUN} --from STAGE"
    assert claimed.run == before


def test_redo_of_made_data_leaves_the_aborted_attempt_as_it_was(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7)
    claimed.abort()
    with pytest.raises(ConflictError, match="is running"):
        claimed.redo("convert")
    claimed.end("convert", "failed", job=("convert", 7))
    assert [claimed.redo("convert"), claimed.redo("convert")] == [2, 2]
    assert [claimed.run.is_aborted(attempt) for attempt in (1, 2)] == [True, False]
    claimed.do("convert", "checksum", "transfer", "archive", "tell", attempt=2)
    assert claimed.run.state is RunState.DONE


def test_redo_of_other_stages_goes_on_in_the_same_attempt(claimed):
    claimed.do("convert", "checksum", "archive")
    claimed.begin("transfer")
    claimed.abort()
    claimed.release("transfer")
    assert claimed.redo("transfer") == 1
    assert claimed.run.aborted is None and claimed.run.state is RunState.STARTED
    assert claimed.told("stage_ready")[-1] == ("stage_ready", "transfer", 1)
    claimed.do("transfer", "tell")
    assert len(claimed.told("run_done")) == 1


def test_redo_makes_the_other_branch_go_on_too(claimed):
    claimed.do("convert", "checksum")
    claimed.begin("transfer")
    claimed.end("transfer", "failed")
    claimed.abort()
    claimed.redo("transfer")
    assert claimed.told("stage_ready")[-2:] == [
        ("stage_ready", "transfer", 1),
        ("stage_ready", "archive", 1),
    ]


def test_an_aborted_attempt_may_be_aborted_and_redone_again_and_again(claimed):
    for attempt in (2, 3, 4):
        claimed.abort()
        assert claimed.redo("convert") == attempt
    assert len(claimed.told("aborted")) == 3


def test_a_release_of_a_hold_tells_nothing_of_an_aborted_attempt(claimed):
    claimed.hold()
    claimed.abort()
    claimed.free()
    assert len(claimed.told("stage_ready")) == 1
    assert claimed.run.state is RunState.CANCELLED


def test_an_observed_attempt_is_aborted_and_adopted(make_desk):
    desk = make_desk(mode=Mode.OBSERVE)
    desk.arrive()
    desk.claim()
    desk.abort()
    assert desk.run.state is RunState.CANCELLED
    assert why(desk.run)["hint"] == f"arteriole adopt {RUN}"
    acting = desk.switch(Mode.ACT)
    acting.adopt()
    assert acting.run.state is RunState.READY
    acting.abort()
    assert acting.run.state is RunState.CANCELLED
    acting.adopt()
    assert acting.claim() == {"claimed": True, "attempt": 2}
