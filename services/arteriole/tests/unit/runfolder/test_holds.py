"""Holds of a run, of an instrument and of all: what they stop, and what a release tells of."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from arteriole.app.errors import ConflictError, InvalidError, NotFoundError
from arteriole.runfolder.holds import Finding
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.records import Scope
from arteriole.runfolder.states import RunState
from arteriole.runfolder.why import why

from .conftest import RUN


def test_a_held_run_begins_nothing_until_it_is_let_go(claimed):
    claimed.begin("convert")
    claimed.hold(reason="flow cell in doubt")
    claimed.end("convert")
    assert claimed.stage("checksum").ready is None
    assert claimed.run.state is RunState.PENDING
    claimed.free()
    claimed.free()
    assert claimed.told("stage_ready")[1:] == [("stage_ready", "checksum", 1)]
    assert len(claimed.told("hold_released")) == 1
    claimed.do("checksum")


def test_a_stage_that_was_ready_cannot_begin_while_held_and_is_told_of_again(claimed):
    claimed.hold(reason="wait")
    with pytest.raises(ConflictError, match="is held by ada: wait") as error:
        claimed.begin("convert")
    assert error.value.code == "run.held"
    assert overdue(claimed.runs.all(), 0.0) == []
    claimed.free()
    assert claimed.told("stage_ready") == [("stage_ready", "convert", 1)] * 2
    assert [entry["what"] for entry in overdue(claimed.runs.all(), 0.0)] == ["stage_ready"]
    claimed.do("convert")


def test_hold_before_the_claim_and_after_the_end(desk):
    desk.arrive()
    desk.hold(reason="wait")
    assert desk.run.state is RunState.PENDING
    desk.free()
    assert len(desk.told("run_ready")) == 2
    desk.claim({"receive": {}, "a": {}})
    desk.do("a")
    desk.hold(reason="wait")
    desk.free()
    assert len(desk.told("run_done")) == 1


SERIAL = "K00188"  # of RUN
OTHER = "260114_K00999_0007_BHFJ5CBBXX"


@pytest.mark.parametrize(("scope", "name"), [("run", RUN), ("instrument", SERIAL), ("all", "")])
def test_each_scope_holds_and_releases_once(desk, scope, name):
    desk.runs.register(Path("/data", RUN), adopted=True)
    desk.hold(scope, name)
    since = desk.runs.holds()[0].since
    desk.hold(scope, name)
    desk.hold(scope, name, "another reason")
    (hold,) = desk.runs.holds()
    assert (hold.since, hold.reason, hold.by) == (since, "another reason", "ada")
    assert len(desk.told("held")) == 2  # the repeat said nothing new
    desk.judge("complete")
    desk.arrive(OTHER)
    assert (desk.runs.get(OTHER).held is not None) is (scope == "all")
    assert desk.run.held == hold and desk.run.state is RunState.PENDING
    assert [e.run for e in desk.runs.events.read(None).events if e.what == "run_ready"] == (
        [] if scope == "all" else [OTHER]
    )
    with pytest.raises(ConflictError, match="it is held"):
        desk.claim()
    assert [desk.free(scope, name), desk.free(scope, name)] == [True, False]
    assert desk.runs.holds() == []
    told = [e.run for e in desk.runs.events.read(None).events if e.what == "run_ready"]
    assert sorted(told) == sorted([RUN, OTHER])
    assert len(desk.told("hold_released")) == 1
    assert desk.claim()["claimed"]


ALL = [("run", RUN), ("instrument", SERIAL), ("all", "")]


@pytest.mark.parametrize("order", list(itertools.permutations(ALL)))
def test_a_run_is_held_until_the_last_of_its_holds_is_released(claimed, order):
    for scope, name in ALL:
        claimed.hold(scope, name)
    assert claimed.run.held.scope == "run"  # the narrowest is told
    *others, last = order
    before = claimed.run.stages
    for scope, name in others:
        claimed.free(scope, name)
        assert claimed.run.held is not None and claimed.run.stages == before
    assert len(claimed.told("stage_ready")) == 1
    claimed.free(*last)
    assert claimed.run.held is None
    assert claimed.told("stage_ready") == [("stage_ready", "convert", 1)] * 2
    claimed.do("convert")


def test_what_became_due_while_held_is_told_once_a_stage(claimed):
    claimed.do("convert")
    claimed.begin("checksum")
    claimed.hold("all", "")
    claimed.end("checksum")
    assert len(claimed.told("stage_ready")) == 2
    claimed.free("all", "")
    assert claimed.told("stage_ready")[2:] == [
        ("stage_ready", "transfer", 1),
        ("stage_ready", "archive", 1),
    ]


def test_a_hold_outlives_a_restart(claimed):
    claimed.hold("instrument", SERIAL)
    again = claimed.switch(claimed.runs.mode)
    assert again.run.held == claimed.run.held is not None
    again.free("instrument", SERIAL)
    assert again.run.held is None


def test_the_instrument_is_the_one_that_the_evidence_names(desk):
    desk.hold("instrument", "A00130")
    desk.arrive()
    assert desk.run.held is None  # by its name it is another's
    desk.judge("incomplete", evidence={"instrument": "A00130"})
    assert (desk.run.instrument, desk.run.held.name) == ("A00130", "A00130")
    desk.judge("unreachable")  # nothing is known any more
    assert desk.run.held.name == "A00130"


def test_a_begun_stage_without_a_job_is_not_taken_over_while_held(make_desk):
    desk = make_desk(lease=-1.0)
    desk.arrive()
    desk.claim()
    desk.begin("convert", "ex1")
    desk.hold()
    assert overdue(desk.runs.all(), 0.0) == []
    with pytest.raises(ConflictError, match="is held"):
        desk.begin("convert", "ex2")
    desk.free()
    assert [entry["what"] for entry in overdue(desk.runs.all(), 0.0)] == ["stage_ready"]
    assert desk.begin("convert", "ex2")["begun"]


def test_a_job_that_runs_on_while_held_is_still_looked_after(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7)
    claimed.hold()
    assert [entry["what"] for entry in overdue(claimed.runs.all(), 0.0)] == ["stage_running"]
    claimed.end("convert", job=("convert", 7))
    claimed.free()
    assert claimed.told("stage_ready")[-1] == ("stage_ready", "checksum", 1)


def test_workflows_that_could_not_begin_while_held_do_not_fail_the_stage(claimed):
    claimed.hold()
    for by in ("ex1", "ex2", "ex3", "ex4"):
        assert claimed.release("convert", by) == {"released": False}
    claimed.free()
    claimed.begin("convert", "ex5")
    claimed.hold()
    assert claimed.release("convert", "ex5") == {"released": True}
    assert claimed.stage("convert").releases == 0
    claimed.free()
    claimed.do("convert")


def test_a_workflow_that_ends_while_held_is_not_the_one_too_many(claimed):
    for by in ("ex1", "ex2"):
        claimed.begin("convert", by)
        claimed.release("convert", by)
    claimed.begin("convert", "ex3")
    claimed.hold()
    assert claimed.release("convert", "ex3") == {"released": True}
    claimed.free()
    claimed.begin("convert", "ex4")
    assert claimed.release("convert", "ex4") == {"released": False, "failed": True}


def test_a_failed_stage_is_retried_only_after_the_release(claimed):
    claimed.begin("convert")
    claimed.end("convert", "failed")
    claimed.hold()
    assert claimed.retry() == ["convert"]
    assert len(claimed.told("stage_ready")) == 1
    claimed.free()
    assert claimed.last("stage_ready").payload == {"try": 2}
    claimed.do("convert")


@pytest.mark.parametrize(
    ("scope", "name", "error"),
    [
        ("run", "nope", NotFoundError),
        ("run", "", InvalidError),
        ("run", "<% x %>", InvalidError),
        ("instrument", "", InvalidError),
        ("instrument", "{{ x }}", InvalidError),
        ("all", RUN, InvalidError),
    ],
)
def test_a_name_must_fit_its_scope(claimed, scope, name, error):
    for call in (claimed.hold, claimed.free):
        with pytest.raises(error):
            call(scope, name)
    assert claimed.runs.holds() == [] and claimed.told("held") == []


def test_a_release_tells_nothing_of_what_is_done_aborted_or_not_adopted(desk):
    desk.arrive(OTHER, adopted=False)
    desk.arrive()
    desk.claim({"receive": {}, "a": {}})
    desk.do("a")
    desk.arrive("dismissed")
    desk.abort(name="dismissed")
    desk.arrive("a b")
    before = len(desk.told("run_ready", "run_done", "stage_ready"))
    desk.hold("all", "")
    desk.free("all", "")
    assert len(desk.told("run_ready", "run_done", "stage_ready")) == before


FOUND = Finding("indexes.reversed_i5", f"arteriole indexes {RUN}", "bcl2fastq.7")


def test_a_run_is_held_once_for_what_was_found(desk):
    desk.arrive()
    hold = desk.holds.hold
    assert hold(Scope.RUN, RUN, "with i5 turned", "packs", FOUND)
    told = why(desk.run)
    assert (told["code"], told["hint"]) == (FOUND.code, FOUND.hint)
    assert told["message"].endswith("with i5 turned")
    assert desk.last("held").payload["about"] == "bcl2fastq.7"
    desk.free()
    assert not hold(Scope.RUN, RUN, "with i5 turned", "packs", FOUND)
    assert desk.run.held is None
    again = replace(FOUND, about="bcl2fastq.8")
    assert hold(Scope.RUN, RUN, "with i5 turned", "packs", again)
    assert desk.run.state is RunState.PENDING


@pytest.mark.parametrize("first", ["person", "program"])
def test_what_a_person_and_a_program_hold_it_for_is_kept_of_both(desk, first):
    desk.arrive()
    if first == "person":
        desk.hold(reason="flow cell in doubt")
    desk.holds.hold(Scope.RUN, RUN, "with i5 turned", "packs", FOUND)
    if first == "program":
        desk.hold(reason="flow cell in doubt")
    desk.hold(reason="flow cell in doubt")
    held = desk.run.held
    assert {*held.reason.split("; ")} == {"flow cell in doubt", "with i5 turned"}
    assert (held.code, held.hint) == (FOUND.code, FOUND.hint)


def test_what_a_run_was_held_for_is_let_go_and_no_other_finding(desk):
    desk.arrive()
    desk.holds.hold(Scope.RUN, RUN, "with i5 turned", "packs", FOUND)
    assert not desk.holds.release_finding(RUN, "indexes.ambiguous", "", "ada")
    assert desk.run.state is RunState.PENDING
    assert desk.holds.release_finding(RUN, FOUND.code, "the new sheet fits", "ada")
    assert desk.run.held is None and desk.run.state is RunState.READY
    assert desk.last("hold_released").payload["reason"] == "the new sheet fits"
    assert not desk.holds.release_finding(RUN, FOUND.code, "the new sheet fits", "ada")
    desk.hold(reason="flow cell in doubt")
    assert not desk.holds.release_finding(RUN, FOUND.code, "", "ada")
    assert desk.run.held.reason == "flow cell in doubt"


@pytest.mark.parametrize("first", ["person", "program"])
def test_what_a_person_holds_it_for_stays(desk, first):
    desk.arrive()
    desk.hold(reason="an earlier doubt")
    desk.free()
    if first == "person":
        desk.hold(reason="flow cell in doubt")
    desk.holds.hold(Scope.RUN, RUN, "with i5 turned", "packs", FOUND)
    if first == "program":
        desk.hold(reason="flow cell in doubt")
    assert desk.holds.release_finding(RUN, FOUND.code, "the new sheet fits", "ada")
    told = why(desk.run)
    assert (told["code"], told["hint"]) == ("run.held", f"arteriole release {RUN}")
    assert "flow cell in doubt" in told["message"]
    assert desk.last("finding_released").payload["code"] == FOUND.code
    desk.free()
    assert desk.run.held is None
