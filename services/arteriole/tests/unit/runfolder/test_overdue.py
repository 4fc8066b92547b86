"""What should have moved and has not."""

import pytest

from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.states import RunState

from .conftest import PLAN, RUN


def due(desk, grace=0.0):
    return [(e["what"], e["stage"]) for e in overdue(desk.runs.all(), grace)]


def test_a_ready_run_until_it_is_claimed_held_or_taken_by_another(desk):
    desk.arrive()
    assert due(desk) == [("run_ready", None)]
    assert due(desk, 100) == []
    desk.hold(reason="x")
    assert due(desk) == []
    desk.free()
    desk.runs.set_arteria_state(desk.run, RunState.PENDING, "arteria")
    assert due(desk) == []


def test_a_run_that_is_not_adopted_is_not_overdue(desk):
    desk.arrive(adopted=False)
    assert due(desk) == []


def test_a_stage_nobody_began(claimed):
    assert due(claimed) == [("stage_ready", "convert")]
    assert due(claimed, 100) == []
    claimed.hold(reason="x")
    assert due(claimed) == []


@pytest.mark.parametrize(("lease", "expected"), [(60.0, []), (-1.0, [("stage_ready", "convert")])])
def test_a_begun_stage_without_a_job_once_its_lease_ran_out(make_desk, lease, expected):
    desk = make_desk(lease=lease)
    desk.arrive()
    desk.claim()
    desk.begin("convert")
    assert due(desk) == expected


def test_a_running_stage_is_told_with_its_job_and_past_its_limit(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7, service="bcl2fastq")
    (entry,) = overdue(claimed.runs.all(), 0.0)
    stage = claimed.stage("convert")
    assert entry == {
        "what": "stage_running",
        "run": RUN,
        "stage": "convert",
        "attempt": 1,
        "service": "bcl2fastq",
        "job_id": 7,
        "since": stage.begun,
        "past_limit": False,
    }
    claimed.stages.write(claimed.run, stage, begun="2020-01-01T00:00:00.000Z")
    (entry,) = overdue(claimed.runs.all(), 0.0)
    assert entry["past_limit"] is True


def test_a_done_run_and_an_older_attempt_are_not_overdue(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    assert due(claimed) == []
    claimed.redo("convert")
    assert [e["attempt"] for e in overdue(claimed.runs.all(), 0.0)] == [2]
    assert len(PLAN) == len(claimed.states(2))


def test_a_held_stage_until_it_is_ready_again(claimed):
    claimed.begin("convert")
    claimed.end("convert", "held", code="metadata.missing")
    assert due(claimed) == [("stage_held", "convert")]
    assert due(claimed, 100) == []
    claimed.hold(reason="x")
    assert due(claimed) == []
