"""Which folders count as the same run under another name."""

from pathlib import Path

import pytest

from arteriole.app.mode import Mode
from arteriole.runfolder.copies import Copies
from arteriole.runfolder.standings import Group, group_of
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import why

from .conftest import RUN, verdict

COPY = f"{RUN}_copy"
READ = verdict(evidence={"instrument": "K00188", "run_number": 42, "flowcell": "HFJ5CBBXX"})
AWAY = verdict(VerdictKind.UNREACHABLE, code="run.unreachable")


@pytest.fixture
def copies(desk):
    return Copies(desk.runs, desk.holds)


def arrive(desk, name):
    return desk.runs.register(Path("/data", name), adopted=True)


def twins(copies, run):
    return [(twin.name, twin.is_claimed) for twin in copies.twins(run, READ)]


def test_whichever_is_read_second_is_the_copy(desk, copies):
    first, second = arrive(desk, RUN), arrive(desk, COPY)
    assert twins(copies, second) == []
    desk.runs.judged(second, READ)
    assert twins(copies, first) == [(COPY, False)]
    assert twins(copies, desk.runs.get(COPY)) == []


def test_no_run_is_a_copy_of_one_that_was_held_for_it(desk, copies):
    first, second = arrive(desk, RUN), arrive(desk, COPY)
    desk.runs.judged(first, READ)
    (twin,) = copies.twins(second, READ)
    copies.hold(second, twin)
    desk.runs.judged(second, READ)
    desk.runs.judged(first, AWAY)
    assert twins(copies, desk.runs.get(RUN)) == []


@pytest.mark.parametrize(("mode", "is_claimed"), [(Mode.ACT, True), (Mode.OBSERVE, False)])
def test_a_run_that_was_only_observed_is_not_claimed(make_desk, mode, is_claimed):
    desk = make_desk(mode=mode)
    desk.runs.judged(arrive(desk, RUN), READ)
    desk.claim()
    desk = desk.switch(Mode.ACT)
    copies = Copies(desk.runs, desk.holds)
    assert twins(copies, arrive(desk, COPY)) == [(RUN, is_claimed)]


@pytest.mark.parametrize("adopted", [False, True])
def test_of_a_copy_that_nobody_adopted_nothing_is_asked(desk, copies, adopted):
    first = arrive(desk, RUN)
    desk.runs.judged(first, READ)
    second = desk.runs.register(Path("/data", COPY), adopted=adopted)
    (twin,) = copies.twins(second, READ)
    copies.hold(second, twin)
    desk.runs.judged(second, READ)
    run = desk.runs.get(COPY)
    told = why(run)
    assert told["code"] == ("run.copy" if adopted else "run.not_adopted")
    group = group_of(run, told["code"], told["urgency"])
    assert group is (Group.PERSON if adopted else Group.REST)
    desk.adopt(COPY)
    assert why(desk.runs.get(COPY))["code"] == "run.copy"
