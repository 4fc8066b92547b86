"""A store with runs in it, moved through their stages without HTTP."""

from pathlib import Path

import pytest

from arteriole.app.mode import Mode
from arteriole.app.store import Store
from arteriole.runfolder.attempts import Attempts
from arteriole.runfolder.holds import Holds
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.records import Scope
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.stages import Stages
from arteriole.runfolder.states import StageState
from arteriole.runfolder.verdict import Verdict, VerdictKind

RUN = "260114_K00188_0042_AHFJ5CBBXX"

#: The chain of a site: two branches after the checksums, and a stage that joins them.
PLAN = {
    "receive": {},
    "convert": {"after": ["receive"], "makes_attempt": True},
    "checksum": {"after": ["convert"]},
    "transfer": {"after": ["checksum"]},
    "archive": {"after": ["checksum"]},
    "tell": {"after": ["transfer", "archive"]},
}


def verdict(kind=VerdictKind.COMPLETE, **more):
    fields = {"code": "", "message": kind.value, "hint": "", "evidence": {}, "metadata": {}}
    return Verdict(kind, **{**fields, **more})


class Desk:
    """What an operator and the packs do to one run."""

    def __init__(self, store, lease=60.0, mode=Mode.ACT):
        self.store = store
        self.runs = Runs(store, mode)
        self.stages = Stages(self.runs, lease)
        self.attempts = Attempts(self.runs, self.stages)
        self.holds = Holds(self.runs, self.stages)

    def switch(self, mode):
        """The service is started again in the other mode."""
        return Desk(self.store, mode=mode)

    @property
    def run(self):
        return self.runs.get(RUN)

    def stage(self, name, attempt=1):
        (found,) = [s for s in self.run.stages if (s.stage, s.attempt) == (name, attempt)]
        return found

    def states(self, attempt=1):
        return {s.stage: s.state.value for s in self.run.stages if s.attempt == attempt}

    def told(self, *kinds):
        """(what, stage, attempt) of the events of these kinds."""
        events = self.runs.events.read(None, limit=1000).events
        return [(e.what, e.stage, e.attempt) for e in events if e.what in kinds]

    def last(self, what):
        return [e for e in self.runs.events.read(None, limit=1000).events if e.what == what][-1]

    def arrive(self, name=RUN, *, adopted=True, root="/data", **more):
        run = self.runs.register(Path(root, name), adopted=adopted, **more)
        self.runs.judged(run, verdict())
        return run

    def claim(self, plan=None, by="ex-claim"):
        return self.attempts.claim(RUN, Plan(stages=plan or PLAN), by, "packs")

    def begin(self, stage, by="ex1", attempt=1):
        return self.stages.begin(RUN, stage, attempt, by, "packs")

    def attach(self, stage, job_id, by="ex1", attempt=1, service="convert"):
        self.stages.attach(RUN, stage, attempt, by, service, job_id, "packs")

    def end(self, stage, state="done", *, attempt=1, job=None, code="", message="", hint=""):
        return self.stages.end(
            RUN, stage, attempt, StageState(state), by="ex1", code=code, message=message,
            hint=hint, job=job, who="packs",
        )  # fmt: skip

    def release(self, stage, by="ex1", attempt=1):
        return self.stages.release(RUN, stage, attempt, by, "it died", "packs")

    def do(self, *stages, attempt=1):
        for stage in stages:
            assert self.begin(stage, attempt=attempt)["begun"]
            assert self.end(stage, attempt=attempt)["ended"]

    def hold(self, scope="run", name=RUN, reason="in doubt"):
        self.holds.hold(Scope(scope), name, reason, "ada")

    def free(self, scope="run", name=RUN):
        return self.holds.release(Scope(scope), name, "ada")

    def abort(self, reason="wrong flow cell", name=RUN):
        return self.attempts.abort(name, reason, "ada")

    def adopt(self, name=RUN):
        self.runs.adopt(name, "ada")

    def judge(self, kind, **more):
        kind = VerdictKind(kind)
        self.runs.judged(self.runs.by_path(Path("/data", RUN)), verdict(kind, **more))

    def retry(self):
        return self.stages.retry(RUN, "ada")

    def redo(self, first, reason=""):
        return self.attempts.redo(RUN, first, reason, "ada")


@pytest.fixture
def make_desk(tmp_path):
    stores = []

    def make(**more):
        store = Store(tmp_path / f"{len(stores)}.sqlite", "arteriole.runfolder.sql")
        stores.append(store)
        return Desk(store, **more)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def desk(make_desk):
    return make_desk()


@pytest.fixture
def claimed(desk):
    desk.arrive()
    desk.claim()
    return desk
