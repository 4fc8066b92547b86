"""What should have moved and has not."""

from pathlib import Path

import pytest

from arteriole.app import times
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind

from .conftest import PLAN, RUN, verdict


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


def _past_indexes(desk, **more):
    path = Path("/data", RUN)
    run = desk.runs.by_path(path) or desk.runs.register(path, adopted=True)
    evidence = {"instrument": "A1", "cycles_seen": 60, "indexes_read": True, "samples": 4, **more}
    desk.runs.judged(run, verdict(VerdictKind.SEQUENCING, evidence=evidence))
    return run.id


def comparing(desk, grace=0.0):
    owed = desk.runs.comparisons.owed(grace)
    return [(e["what"], e["run"], e["job_id"]) for e in overdue([], grace, (), owed)]


def test_a_comparison_of_indexes_until_it_is_judged(desk):
    run = _past_indexes(desk, samples=0)
    assert comparing(desk) == []
    run, found = _past_indexes(desk), desk.runs.comparisons
    assert comparing(desk) == [("indexes_read", RUN, None)] and comparing(desk, 100) == []
    assert found.begin(run, RUN, "packs", "bcl2fastq", 7)
    assert found.begin(run, RUN, "packs", "bcl2fastq", 7)
    assert comparing(desk) == [("comparison_running", RUN, 7)] and comparing(desk, 100) == []
    assert not found.judge(run, RUN, "packs", "bcl2fastq", 8, "")
    assert found.judge(run, RUN, "packs", "bcl2fastq", 7, "indexes.exchanged")
    assert not found.judge(run, RUN, "packs", "bcl2fastq", 7, "indexes.exchanged")
    assert not found.begin(run, RUN, "packs", "bcl2fastq", 9)
    assert comparing(desk) == []
    told = [what for what, _, _ in desk.told("comparison_begun", "comparison_judged")]
    assert told == ["comparison_begun", "comparison_judged"]
    assert desk.last("comparison_judged").payload == {"code": "indexes.exchanged"}
    _past_indexes(desk.switch(desk.runs.mode), cycles_seen=61)
    assert comparing(desk) == []


def test_a_comparison_that_was_lost_is_begun_by_another_job(desk):
    run, found = _past_indexes(desk), desk.runs.comparisons
    found.begin(run, RUN, "packs", "bcl2fastq", 7)
    assert found.begin(run, RUN, "packs", "bcl2fastq", 8)
    assert comparing(desk) == [("comparison_running", RUN, 8)]
    assert found.judge(run, RUN, "packs", "bcl2fastq", 8, "")


def test_a_comparison_that_cannot_be_started_or_that_is_a_day_old_is_not_overdue(desk):
    run, found = _past_indexes(desk), desk.runs.comparisons
    desk.store.execute("UPDATE comparison SET due = ?", (times.now(-86_390),))
    assert comparing(desk) == [("indexes_read", RUN, None)]
    desk.store.execute("UPDATE comparison SET due = ?", (times.now(-86_410),))
    assert comparing(desk) == []
    desk.store.execute("UPDATE comparison SET due = ?", (times.now(),))
    assert found.judge(run, RUN, "packs", "bcl2fastq", None, "run.not_found")
    assert comparing(desk) == []


def test_of_a_run_that_is_over_no_comparison_is_overdue(desk):
    _past_indexes(desk)
    desk.abort()
    assert comparing(desk) == []
