"""Which folders count as the same run under another name."""

from pathlib import Path

import pytest

from arteriole.runfolder.copies import Copies
from arteriole.runfolder.verdict import VerdictKind

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
