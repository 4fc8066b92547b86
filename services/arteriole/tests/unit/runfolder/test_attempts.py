"""Claim and redo: what makes an attempt, of which stages, and what is told."""

import pytest

from arteriole.app.errors import ConflictError, NotFoundError
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind

from .conftest import PLAN, RUN, verdict


def test_a_run_is_claimed_once(desk):
    desk.arrive()
    assert desk.claim() == {"claimed": True, "attempt": 1}
    assert desk.claim(by="ex-other") == {"claimed": False, "duplicate": True, "by": "ex-claim"}
    assert desk.claim(plan={"only": {}})["duplicate"]
    assert desk.states() == dict.fromkeys(PLAN, "waiting") | {"receive": "done"}
    assert desk.told("claimed", "stage_ready") == [
        ("claimed", None, 1),
        ("stage_ready", "convert", 1),
    ]
    assert desk.told("run_ready") == [("run_ready", None, None)]


def unadopted(desk):
    desk.arrive(adopted=False)


def held(desk):
    desk.arrive()
    desk.hold(reason="wait")


def incomplete(desk):
    run = desk.arrive()
    desk.runs.judged(run, verdict(VerdictKind.INCOMPLETE))


def sequencing(desk):
    run = desk.arrive()
    desk.runs.judged(run, verdict(VerdictKind.SEQUENCING))


def picked_up(desk):
    desk.runs.set_arteria_state(desk.arrive(), RunState.STARTED, "arteria")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (unadopted, "it was here before Arteriole"),
        (held, "it is held"),
        (incomplete, "it is incomplete"),
        (sequencing, "it is sequencing"),
        (picked_up, "a client of Arteria has set it started"),
    ],
)
def test_a_run_that_is_not_ready_cannot_be_claimed(desk, prepare, says):
    prepare(desk)
    with pytest.raises(ConflictError, match=says) as error:
        desk.claim()
    assert error.value.code == "run.not_ready"
    assert desk.run.attempt == 0 and desk.run.stages == []


def test_an_unknown_run_is_not_found(desk):
    with pytest.raises(NotFoundError):
        desk.claim()


def test_a_run_ready_told_of_late_is_told_once(desk):
    unadopted(desk)
    assert desk.told("run_ready") == []
    desk.runs.adopt(RUN, "ada")
    desk.runs.adopt(RUN, "ada")
    assert len(desk.told("run_ready")) == len(desk.told("adopted")) == 1


def test_a_plan_of_receive_alone_is_done_with_the_claim(desk):
    desk.arrive()
    desk.claim(plan={"receive": {}})
    assert desk.run.state is RunState.DONE
    assert len(desk.told("run_done")) == 1


def test_redo_of_made_data_is_a_new_attempt_beside_the_old(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    assert claimed.redo("convert", "new sheet") == 2
    assert set(claimed.states(1).values()) == {"done"}
    expected = dict.fromkeys(PLAN, "waiting") | {"receive": "done"}
    assert claimed.states(2) == expected
    assert claimed.told("stage_ready")[-1] == ("stage_ready", "convert", 2)
    assert claimed.last("redo").payload == {"reason": "new sheet"}
    assert claimed.run.state is RunState.STARTED
    claimed.do("convert", "checksum", "transfer", "archive", "tell", attempt=2)
    assert claimed.told("run_done") == [("run_done", None, 1), ("run_done", None, 2)]


def test_two_who_ask_for_the_same_redo_get_one_attempt(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    assert [claimed.redo("convert"), claimed.redo("convert")] == [2, 2]
    assert len(claimed.told("redo")) == 1
    assert claimed.told("stage_ready")[-1] == ("stage_ready", "convert", 2)
    claimed.begin("convert", attempt=2)
    assert claimed.redo("convert") == 2, "it is being made already"
    claimed.end("convert", attempt=2)
    assert claimed.redo("convert") == 3


def test_a_redo_of_what_failed_again_is_another_attempt(claimed):
    claimed.do("convert")
    claimed.redo("convert")
    claimed.begin("convert", attempt=2)
    claimed.end("convert", "failed", attempt=2, code="x.y")
    assert claimed.redo("convert") == 3


def test_redo_of_other_stages_is_the_next_try_of_the_same_attempt(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    assert claimed.redo("transfer") == 1
    assert claimed.states() == dict.fromkeys(PLAN, "done") | {
        "transfer": "waiting",
        "tell": "waiting",
    }
    assert claimed.stage("transfer").try_ == claimed.stage("tell").try_ == 2
    assert claimed.told("stage_ready")[-1] == ("stage_ready", "transfer", 1)
    claimed.do("transfer", "tell")
    assert len(claimed.told("run_done")) == 2


SIDE = {
    "receive": {},
    "convert": {"after": ["receive"], "makes_attempt": True},
    "archive-raw": {"after": ["receive"]},
}


def test_redo_keeps_what_passed_and_does_what_did_not(desk):
    desk.arrive()
    desk.claim(SIDE)
    desk.do("convert")
    assert desk.redo("convert") == 2
    assert desk.states(2) == {"receive": "done", "convert": "waiting", "archive-raw": "waiting"}
    with pytest.raises(ConflictError, match="not ready to begin in attempt 1"):
        desk.begin("archive-raw", attempt=1)
    desk.do("archive-raw", "convert", attempt=2)
    assert desk.redo("convert") == 3
    assert desk.states(3) == {"receive": "done", "convert": "waiting", "archive-raw": "skipped"}
    desk.do("convert", attempt=3)
    assert desk.run.state is RunState.DONE


@pytest.mark.parametrize(("running", "first"), [("convert", "convert"), ("archive-raw", "convert")])
def test_redo_waits_for_what_runs(desk, running, first):
    desk.arrive()
    desk.claim(SIDE)
    desk.begin(running)
    with pytest.raises(ConflictError, match=f"{running} of .* is running"):
        desk.redo(first)
    assert desk.run.attempt == 1


@pytest.mark.parametrize("first", ["receive", "nope", "<% x %>"])
def test_redo_names_the_stages_there_are(claimed, first):
    with pytest.raises(NotFoundError, match="only convert, checksum"):
        claimed.redo(first)


def test_redo_of_a_run_that_was_not_claimed_is_refused(desk):
    desk.arrive()
    with pytest.raises(ConflictError, match="not claimed"):
        desk.redo("convert")


def test_redo_of_a_run_whose_folder_is_gone_says_how_it_is_brought_back(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    claimed.judge("unreachable", message="the folder is not in /data", evidence={"gone": True})
    with pytest.raises(ConflictError, match="not in /data") as raised:
        claimed.redo("convert")
    assert raised.value.code == "run.unreachable"
    assert f"arteriole restore {RUN} --part runfolder" in raised.value.hint
    assert f"move it back to /data/{RUN}" in raised.value.hint
    assert claimed.run.attempt == 1
    assert claimed.redo("transfer") == 1  # which reads FASTQs
    claimed.judge("unreachable")  # a file system that is away for a while
    assert claimed.redo("convert") == 2
