"""The stored state of each run is what its rows tell, whatever was done; so are the lists by it."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from arteriole.app.errors import ArterioleError
from arteriole.app.mode import Mode
from arteriole.app.store import Store
from arteriole.runfolder.leases import Leases
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.records import Scope
from arteriole.runfolder.runs import SETTLED
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.waivers import unwaive, waive

from .conftest import Desk, verdict

NAMES = ("260114_K1_0001_A", "260114_K1_0002_A")
STAGES = ("receive", "convert", "tell")
PLAN = Plan(
    stages={
        "receive": {},
        "convert": {"after": ["receive"], "makes_attempt": True},
        "tell": {"after": ["convert"]},
    }
)
HOLDS = [(Scope.RUN, NAMES[0]), (Scope.INSTRUMENT, "K1"), (Scope.ALL, "")]


def _stage(desk, run, stage, how):
    attempt = max(1, desk.runs.get(run).attempt)
    if how == "begin":
        desk.stages.begin(run, stage, attempt, "ex1", "packs")
    elif how == "attach":
        desk.stages.attach(run, stage, attempt, "ex1", "convert", 7, "packs")
    elif how == "release":
        desk.stages.release(run, stage, attempt, "ex1", "", "packs")
    else:
        state = StageState(how)
        desk.stages.end(
            run, stage, attempt, state, by="ex1", code="", message="", hint="", job=None,
            who="packs",
        )  # fmt: skip


def _judge(desk, run, kind):
    desk.runs.judged(desk.runs.get(run), verdict(VerdictKind(kind)))


def _expire(desk, _):
    with desk.store.transaction():
        desk.store.execute("UPDATE lease SET until = ''")
    Leases(desk.runs, 60.0).expire()


def _roll_back(desk, run):
    with pytest.raises(ZeroDivisionError), desk.store.transaction():
        desk.holds.hold(Scope.ALL, "", "x", "ada")
        desk.attempts.abort(run, "x", "ada")
        raise ZeroDivisionError


#: What can happen to a run, by name: a deed, and what it takes besides.
DEEDS = {
    "judge": (_judge, st.sampled_from(list(VerdictKind))),
    "complete": (lambda desk, run: _judge(desk, run, "complete"), None),
    "state": (
        lambda desk, run, state: desk.runs.set_arteria_state(desk.runs.get(run), state, "a"),
        st.sampled_from(list(RunState)),
    ),
    "adopt": (lambda desk, run: desk.runs.adopt(run, "ada"), None),
    "claim": (lambda desk, run: desk.attempts.claim(run, PLAN, "ex0", "packs"), None),
    "pick up": (lambda desk, _: Leases(desk.runs, 60.0).pick_up("c", None, "t"), None),
    "expire": (_expire, None),
    "begin": (lambda desk, run, stage: _stage(desk, run, stage, "begin"), st.sampled_from(STAGES)),
    "stage": (
        lambda desk, run, given: _stage(desk, run, *given),
        st.tuples(
            st.sampled_from(STAGES),
            st.sampled_from(["attach", "release", "done", "failed", "skipped", "held"]),
        ),
    ),
    "retry": (lambda desk, run: desk.stages.retry(run, "ada"), None),
    "redo": (
        lambda desk, run, first: desk.attempts.redo(run, first, "", "ada"),
        st.sampled_from(STAGES[1:]),
    ),
    "abort": (lambda desk, run: desk.attempts.abort(run, "x", "ada"), None),
    "waive": (lambda desk, run: waive(desk.runs, run, "x", [], "ada"), None),
    "unwaive": (lambda desk, run: unwaive(desk.runs, run, "x", "ada"), None),
    "hold": (lambda desk, _, of: desk.holds.hold(*of, "x", "ada"), st.sampled_from(HOLDS)),
    "free": (lambda desk, _, of: desk.holds.release(*of, "ada"), st.sampled_from(HOLDS)),
    "forget": (lambda desk, run: desk.runs.forget(desk.runs.get(run)), None),
    "roll back": (_roll_back, None),
}

STEPS = st.lists(
    st.one_of(
        [
            st.tuples(st.just(name), st.sampled_from(NAMES), st.none() if more is None else more)
            for name, (_, more) in DEEDS.items()
        ]
    ),
    min_size=20,
    max_size=60,
)

#: What a run lives through in the end; the random ones come by little of it.
LIFE = [
    ("hold", HOLDS[0]), ("complete",), ("free", HOLDS[0]), ("hold", HOLDS[1]), ("pick up",),
    ("free", HOLDS[1]), ("pick up",), ("expire",), ("pick up",), ("state", RunState.NONE),
    ("abort",), ("adopt",), ("claim",), ("hold", HOLDS[2]), ("free", HOLDS[2]),
    ("begin", "convert"), ("hold", HOLDS[0]), ("free", HOLDS[0]), ("stage", ("convert", "failed")),
    ("retry",), ("begin", "convert"), ("stage", ("convert", "attach")), ("roll back",), ("abort",),
    ("stage", ("convert", "done")), ("redo", "tell"), ("begin", "tell"),
    ("stage", ("tell", "done")), ("redo", "convert"), ("judge", VerdictKind.UNREACHABLE),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("index")


@pytest.mark.parametrize("mode", Mode)
def test_a_long_life(make_desk, mode):
    desk = make_desk(mode=mode)
    _live(desk, [(name, NAMES[0], *(more or [None])) for name, *more in LIFE])


@settings(max_examples=15, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=STEPS, mode=st.sampled_from(list(Mode)), adopted=st.booleans())
def test_fifteen_random_lives_of_two_runs(folder, steps, mode, adopted):
    store = Store(folder / "runs.sqlite", "arteriole.runfolder.sql")
    try:
        _live(Desk(store, mode=mode), steps, adopted)
    finally:
        store.close()
        for left in folder.iterdir():
            left.unlink()


def _live(desk, steps, adopted=True):
    for name in NAMES:
        desk.runs.register(Path("/data", name), adopted=adopted)
    for name, run, more in steps:
        deed, _ = DEEDS[name]
        with contextlib.suppress(ArterioleError):
            deed(desk, run) if more is None else deed(desk, run, more)
        _compare(desk)


def _compare(desk):
    runs = desk.runs
    every = runs.all()
    stored = {row["name"]: row["state"] for row in runs.store.rows("SELECT name, state FROM run")}
    assert stored == {run.name: run.state.value for run in every}
    for state in RunState:
        of_state = [run for run in every if run.state is state]
        assert runs.all(state) == of_state
        assert runs.newest(3, None, state) == of_state[::-1][:3]
    reachable = [run for run in every if run.verdict is not VerdictKind.UNREACHABLE]
    assert [f.path for f in runs.folders()] == [str(run.path) for run in reachable]
    assert overdue(runs.unfinished(), -1.0) == overdue(every, -1.0)
    assert runs.running() == [run for run in every if _runs(run)]
    doubted = [doubt.path for doubt in runs.in_doubt()]
    assert doubted == [run.path for run in every if run.verdict not in SETTLED]
    _compare_holds(runs, every)
    assert runs.store.rows("SELECT * FROM changed") == []


def _runs(run):
    return any(stage.state is StageState.RUNNING for stage in run.stages)


def _compare_holds(runs, every):
    """Of a held run that is left out nothing could begin."""
    holdable = {run.name for run in runs.holdable()}
    for run in every:
        if run.held is not None and run.name not in holdable:
            assert run.finished or run.aborted is not None or not run.workable or run.arteria_state


def test_states_are_computed_anew_by_code_that_did_not_compute_them(desk):
    desk.arrive()
    with desk.store.transaction():
        desk.store.execute("UPDATE run SET state = 'done'")
        desk.store.execute("DELETE FROM changed")
    same = desk.switch(Mode.ACT)
    assert same.runs.all(RunState.READY) == []  # no start reads all runs for nothing
    same.store.execute("UPDATE store SET states_by = 'an older version'")
    other = same.switch(Mode.ACT)
    assert [run.name for run in other.runs.all(RunState.READY)] == [desk.run.name]
