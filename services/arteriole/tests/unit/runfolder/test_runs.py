"""Runs: their rows, their readiness, and where a lost reader starts again."""

import os
from pathlib import Path

import pytest

from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind

from .conftest import RUN, verdict


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (VerdictKind.SEQUENCING, "none"),
        (VerdictKind.INCOMPLETE, "none"),
        (VerdictKind.COPYING, "none"),
        (VerdictKind.STALLED, "none"),
        (VerdictKind.NO_SHEET, "none"),
        (VerdictKind.FAILED, "error"),
        (VerdictKind.UNREACHABLE, "none"),
        (VerdictKind.UNREADABLE, "error"),
        (VerdictKind.REFUSED, "error"),
        (VerdictKind.COMPLETE, "ready"),
    ],
)
def test_the_state_of_an_unclaimed_run_follows_from_its_verdict(desk, kind, state):
    run = desk.runs.register(Path("/data", RUN), adopted=True)
    desk.runs.judged(run, verdict(kind))
    assert desk.run.state is RunState(state)
    assert len(desk.told("run_ready")) == (kind is VerdictKind.COMPLETE)


def test_the_same_verdict_twice_is_told_of_once_even_by_two_that_judged_at_once(desk):
    run = desk.runs.register(Path("/data", RUN), adopted=True)
    for _ in range(2):
        desk.runs.judged(run, verdict())  # both saw the run as it was before
    assert len(desk.told("run_ready")) == len(desk.told("verdict")) == 1


def test_two_folders_of_one_name(desk):
    desk.arrive(root="/one")
    desk.arrive(root="/two")
    assert desk.run.path == Path("/one", RUN)
    refused = desk.runs.by_path(Path("/two", RUN))
    assert (refused.verdict, refused.code) == (VerdictKind.REFUSED, "run.duplicate_name")
    assert f"/one/{RUN}" in refused.message
    desk.runs.forget(desk.run)
    assert len(desk.runs.all()) == 2  # it is not refused
    desk.runs.forget(refused)
    assert [run.path for run in desk.runs.all()] == [Path("/one", RUN)]


def test_a_refused_folder_that_was_dismissed_is_forgotten_with_its_dismissal(desk):
    desk.arrive()
    desk.runs.judged(desk.run, verdict(VerdictKind.REFUSED))
    desk.attempts.abort(RUN, "a copy that somebody made", "ada")
    desk.runs.forget(desk.run)
    assert desk.runs.all() == []
    assert desk.last("aborted").payload["reason"] == "a copy that somebody made"


def test_a_refused_folder_of_which_an_attempt_was_made_is_kept(desk):
    desk.arrive()
    desk.claim()
    desk.runs.judged(desk.run, verdict(VerdictKind.REFUSED))
    desk.runs.forget(desk.run)
    assert desk.run.attempt == 1


def test_a_name_that_is_not_utf8_is_kept_escaped(desk):
    path = Path(os.fsdecode(b"/data/run\xff"))
    run = desk.runs.register(path, adopted=True)
    assert run.name == r"run\udcff"
    assert desk.runs.by_path(path) == run


@pytest.mark.parametrize("state", RunState)
def test_what_arteria_says_of_a_run(desk, state):
    desk.runs.set_arteria_state(desk.arrive(), state, "arteria")
    ready = state in (RunState.NONE, RunState.READY)
    assert desk.run.state is (RunState.READY if ready else state)
    assert desk.run.claimable is ready
    desk.runs.set_arteria_state(desk.run, RunState.NONE, "arteria")
    assert len(desk.told("run_ready")) == (1 if ready else 2)


def test_what_arteria_left_behind_is_not_begun_again(desk):
    desk.arrive(arteria_state="done")
    assert desk.run.state is RunState.DONE
    assert desk.told("run_ready") == []


def test_arteria_cannot_move_a_run_that_has_a_plan(claimed):
    with pytest.raises(ConflictError, match="follows from its stages"):
        claimed.runs.set_arteria_state(claimed.run, RunState.DONE, "arteria")


def test_a_lost_reader_starts_again_at_the_oldest_open_run(desk):
    desk.arrive("closed")
    desk.hold(name="closed", reason="x")
    desk.arrive()
    first = min(
        int(event.cursor.rpartition("-")[2])
        for event in desk.runs.events.read(None, run=RUN).events
    )
    desk.runs.set_arteria_state(desk.runs.get("closed"), RunState.DONE, "arteria")
    page = desk.runs.events.read("lost")
    assert page.reset
    assert int(page.events[0].cursor.rpartition("-")[2]) == first
    desk.runs.set_arteria_state(desk.run, RunState.DONE, "arteria")
    assert desk.runs.events.read("lost").events == []


def test_an_unknown_run_is_named_in_short(desk):
    with pytest.raises(NotFoundError) as error:
        desk.runs.get("x" * 5000)
    assert len(str(error.value)) < 200


def test_the_time_of_a_verdict_is_when_it_became_so(desk):
    run = desk.runs.register(Path("/data", RUN), adopted=True)
    desk.runs.judged(run, verdict(VerdictKind.INCOMPLETE, message="3 missing"))
    since = desk.run.verdict_since
    desk.runs.judged(desk.run, verdict(VerdictKind.INCOMPLETE, message="2 missing"))
    assert (desk.run.verdict_since, desk.run.message) == (since, "2 missing")


def test_the_instrument_is_told_by_the_evidence_or_by_the_name(desk):
    for name, instrument in ((RUN, "K00188"), ("trial", ""), ("a_b_c_d", "")):
        desk.arrive(name)
        assert desk.runs.get(name).instrument == instrument
    desk.judge(VerdictKind.INCOMPLETE, evidence={"instrument": "A00130"})
    desk.judge(VerdictKind.UNREACHABLE)
    assert desk.run.instrument == "A00130"
    desk.judge(VerdictKind.INCOMPLETE, evidence={"instrument": 7})
    assert desk.run.instrument == "A00130"


def test_every_run_is_listed_as_it_is_got(claimed):
    claimed.arrive("other")
    claimed.abort(name="other")
    claimed.hold("all", "")
    assert claimed.runs.all() == [claimed.run, claimed.runs.get("other")]


def test_a_lost_reader_is_spared_what_was_dismissed(desk):
    desk.arrive()
    desk.abort()
    assert desk.runs.events.read("lost").events == []
