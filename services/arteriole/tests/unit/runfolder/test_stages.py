"""Begin, attach, end, release and retry: who may, when, and what is told."""

import pytest

from arteriole.app.errors import ConflictError, InvalidError, NotFoundError
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import why

from .conftest import PLAN, RUN

HOSTILE = ["<% st2kv('system.x') %>", "{{ ''.__class__ }}", "; touch x", "..", ""]


def test_both_branches_are_ready_after_the_checksums_and_the_join_once(claimed):
    claimed.do("convert", "checksum")
    assert claimed.told("stage_ready")[-2:] == [
        ("stage_ready", "transfer", 1),
        ("stage_ready", "archive", 1),
    ]
    claimed.do("archive")
    assert claimed.stage("tell").ready is None
    claimed.do("transfer")
    assert claimed.told("stage_ready").count(("stage_ready", "tell", 1)) == 1
    assert claimed.told("run_done") == []
    claimed.do("tell")
    assert claimed.told("run_done") == [("run_done", None, 1)]
    assert claimed.last("run_done").payload == {}
    assert claimed.run.state is RunState.DONE
    assert len(claimed.told("stage_ready")) == len(PLAN) - 1


def test_a_skipped_stage_lets_the_next_begin(claimed):
    claimed.begin("convert")
    claimed.end("convert", "skipped")
    assert claimed.stage("checksum").ready is not None


def test_one_execution_begins(claimed):
    assert claimed.begin("convert", "ex1") == {"begun": True, "try": 1}
    assert claimed.begin("convert", "ex1") == {"begun": True, "try": 1}
    assert claimed.begin("convert", "ex2") == {"begun": False, "duplicate": True, "by": "ex1"}
    assert claimed.told("stage_begun") == [("stage_begun", "convert", 1)]
    claimed.end("convert")
    assert claimed.begin("convert", "ex2")["begun"] is False


@pytest.mark.parametrize("stage", ["checksum", "tell"])
def test_a_stage_whose_predecessors_are_not_done_cannot_begin(claimed, stage):
    with pytest.raises(ConflictError) as error:
        claimed.begin(stage)
    assert error.value.code == "stage.not_ready"


@pytest.mark.parametrize(("stage", "attempt"), [("nope", 1), ("convert", 2), ("convert", 0)])
def test_a_stage_that_is_not_there_is_not_found(claimed, stage, attempt):
    for call in (claimed.begin, claimed.end, claimed.release):
        with pytest.raises(NotFoundError):
            call(stage, attempt=attempt)


@pytest.mark.parametrize("by", HOSTILE)
def test_who_begins_or_claims_is_an_identifier(claimed, by):
    for call in (lambda: claimed.begin("convert", by), lambda: claimed.claim(by=by)):
        with pytest.raises(InvalidError):
            call()


def test_a_begin_whose_lease_ran_out_is_taken_over(make_desk):
    desk = make_desk(lease=-1.0)
    desk.arrive()
    desk.claim()
    desk.begin("convert", "ex1")
    assert desk.begin("convert", "ex2") == {"begun": True, "try": 1}
    assert desk.stage("convert").begun_by == "ex2"
    assert desk.last("stage_begun").payload["taken_over_from"] == "ex1"
    with pytest.raises(ConflictError, match="taken over by ex2"):
        desk.attach("convert", 7, by="ex1")
    desk.attach("convert", 7, by="ex2")
    assert desk.begin("convert", "ex3") == {"begun": False, "duplicate": True, "by": "ex2"}


def test_a_job_is_attached_once(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7)
    claimed.attach("convert", 7)
    assert claimed.told("job_attached") == [("job_attached", "convert", 1)]
    assert (claimed.stage("convert").service, claimed.stage("convert").job_id) == ("convert", 7)


def test_a_job_that_ended_before_it_was_attached_stays_ended(claimed):
    claimed.begin("convert")
    assert claimed.end("convert", job=("bcl2fastq", 7)) == {"ended": True}
    claimed.attach("convert", 7, service="bcl2fastq")
    stage = claimed.stage("convert")
    assert (stage.state, stage.service, stage.job_id) == ("done", "bcl2fastq", 7)


@pytest.mark.parametrize("job", [("convert", 6), ("other", 7)])
def test_the_end_of_another_job_changes_nothing(claimed, job):
    claimed.begin("convert")
    claimed.attach("convert", 7)
    assert claimed.end("convert", "failed", job=job) == {"ended": False, "duplicate": True}
    assert claimed.states()["convert"] == "running"
    assert claimed.end("convert", job=("convert", 7)) == {"ended": True}
    assert claimed.end("convert", "failed", job=("convert", 7)) == {
        "ended": False,
        "duplicate": True,
    }
    assert claimed.told("run_error") == []


def test_the_late_end_of_an_earlier_try_does_not_end_the_next(claimed):
    """It comes between begin and attach, say from a job that was slow to stop."""
    claimed.begin("convert")
    claimed.attach("convert", 7)
    claimed.end("convert", "failed", code="stage.time_limit", job=("convert", 7))
    claimed.retry()
    claimed.begin("convert", by="ex2")
    late = claimed.end("convert", "failed", code="job.stopped", job=("convert", 7))
    assert late == {"ended": False, "duplicate": True}
    claimed.attach("convert", 8, by="ex2")
    assert claimed.end("convert", job=("convert", 8)) == {"ended": True}
    assert claimed.states()["convert"] == "done"


def test_a_stage_that_did_not_begin_cannot_end(claimed):
    assert claimed.end("convert") == {"ended": False, "duplicate": True}
    assert claimed.states()["convert"] == "waiting"


def test_a_failed_stage_makes_the_run_an_error_and_retry_mends_it(claimed):
    claimed.do("convert", "checksum", "archive")
    claimed.begin("transfer")
    claimed.attach("transfer", 3)
    claimed.end("transfer", "failed", code="transfer.ssh", message="no route", hint="the net")
    assert claimed.run.state is RunState.ERROR
    assert claimed.last("run_error").payload == {"code": "transfer.ssh"}
    assert claimed.last("stage_ended").payload == {
        "state": "failed",
        "code": "transfer.ssh",
        "by": "ex1",
    }
    assert claimed.retry() == ["transfer"]
    assert claimed.retry() == []
    stage = claimed.stage("transfer")
    assert (stage.state, stage.try_, stage.job_id, stage.code, stage.ended) == (
        "waiting",
        2,
        None,
        "",
        None,
    )
    assert claimed.last("stage_ready").payload == {"try": 2}
    assert claimed.begin("transfer", "ex9") == {"begun": True, "try": 2}
    claimed.end("transfer")
    claimed.do("tell")
    assert len(claimed.told("run_done")) == 1


def test_retry_of_a_run_without_a_plan_does_nothing(desk):
    desk.arrive()
    assert desk.retry() == []


def test_a_released_stage_is_ready_again_twice_and_then_failed(claimed):
    for by in ("ex1", "ex2"):
        claimed.begin("convert", by)
        assert claimed.release("convert", by) == {"released": True}
        assert claimed.stage("convert").try_ == 1
    claimed.begin("convert", "ex3")
    assert claimed.release("convert", "ex3") == {"released": False, "failed": True}
    stage = claimed.stage("convert")
    assert (stage.state, stage.code) == ("failed", "workflow.failed")
    assert "ex3" in stage.message and "it died" in stage.message
    assert claimed.told("stage_ready") == [("stage_ready", "convert", 1)] * 3
    assert len(claimed.told("run_error")) == 1
    claimed.retry()
    claimed.begin("convert", "ex4")
    assert claimed.release("convert", "ex4") == {"released": True}


def attached(desk):
    desk.begin("convert")
    desk.attach("convert", 7)


def by_another(desk):
    desk.begin("convert", "ex2")


@pytest.mark.parametrize("prepare", [attached, by_another])
def test_a_release_changes_nothing_that_is_not_the_callers_alone(claimed, prepare):
    prepare(claimed)
    before = claimed.run
    assert claimed.release("convert") == {"released": False}
    assert claimed.run == before


def test_a_workflow_that_always_fails_before_it_begins_fails_the_stage(claimed):
    assert claimed.release("convert", "ex1") == {"released": True}
    assert claimed.release("convert", "ex2") == {"released": True}
    assert claimed.stage("convert").state == "waiting"
    assert len(claimed.told("stage_ready")) == 1
    assert claimed.release("convert", "ex3") == {"released": False, "failed": True}
    assert claimed.stage("convert").code == "workflow.failed"
    assert claimed.release("checksum", "ex4") == {"released": False}


@pytest.mark.parametrize("name", HOSTILE[:3])
def test_a_refused_folder_is_listed_and_nothing_else(desk, name):
    desk.arrive(name)
    run = desk.runs.get(name)
    assert (run.verdict, run.state, run.name) == (VerdictKind.REFUSED, RunState.ERROR, name)
    for call in (
        lambda: desk.attempts.claim(name, Plan(stages=PLAN), "ex1", "packs"),
        lambda: desk.hold(name=name, reason="x"),
    ):
        with pytest.raises(InvalidError):
            call()
    for event in desk.runs.events.read(None).events:
        assert event.run is None
        assert name not in str(event.document())


def test_a_person_accepts_what_is_held(claimed):
    claimed.do("convert")
    assert claimed.stages.accept(RUN, None, "r", "ada") == []
    claimed.begin("checksum")
    claimed.end("checksum", "held", code="qc.q30", message="lane 1 is poor", hint="h")
    with pytest.raises(NotFoundError):
        claimed.stages.accept(RUN, "nope", "r", "ada")
    assert claimed.stages.accept(RUN, "convert", "r", "ada") == []
    assert claimed.stages.accept(RUN, "checksum", "known lamp", "ada") == ["checksum"]
    stage = claimed.stage("checksum")
    assert (stage.state, stage.code, stage.hint) == ("done", "qc.q30", "")
    assert stage.message == "lane 1 is poor; accepted by ada: known lamp"
    assert claimed.last("stage_accepted").payload == {"code": "qc.q30", "reason": "known lamp"}
    assert claimed.last("stage_accepted").who == "ada"
    assert claimed.stage("transfer").ready is not None
    assert claimed.stages.accept(RUN, None, "r", "ada") == []
    told = why(claimed.run)
    assert (
        told["code"] == "" and "checksum [qc.q30]: lane 1 is poor; accepted by" in told["message"]
    )


def test_nothing_of_an_aborted_attempt_is_accepted(claimed):
    claimed.begin("convert")
    claimed.end("convert", "held", code="qc.q30")
    claimed.abort()
    with pytest.raises(ConflictError, match="aborted"):
        claimed.stages.accept(RUN, None, "r", "ada")


def test_a_held_stage_waits_and_is_ready_again_by_retry(claimed):
    claimed.do("convert")
    claimed.begin("checksum")
    claimed.end("checksum", "held", code="metadata.missing")
    assert claimed.states()["checksum"] == "held"
    assert claimed.run.state is RunState.PENDING
    assert claimed.told("run_error") == []
    assert claimed.stage("transfer").ready is None
    assert claimed.retry() == ["checksum"]
    assert (claimed.stage("checksum").state, claimed.stage("checksum").try_) == ("waiting", 2)
