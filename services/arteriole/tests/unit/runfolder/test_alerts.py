"""What people are told of: raised with its event, told by one, taken back."""

import sqlite3
from pathlib import Path

import pytest

from arteriole.app import times
from arteriole.runfolder import alerts
from arteriole.runfolder.sensor import SensorWatch
from arteriole.runfolder.sheetless import SheetlessWatch
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.waivers import waive

from .conftest import RUN, verdict

TOLD = ("run_started", "run_copied", "run_ready", "run_failed", "run_stuck", "run_unreachable")


def told(desk):
    return [what for what, _, _ in desk.told(*TOLD)]


def standing(desk):
    return [(alert.what, alert.code) for alert in desk.runs.alerts.standing()]


def register(desk, name=RUN, *, adopted=True):
    return desk.runs.register(Path("/data", name), adopted=adopted)


def sequencing(desk, cycle=0, kind="sequencing", code="run.sequencing", **more):
    evidence = {"instrument": "A00130", "cycles": 300, "cycles_seen": cycle, **more}
    if cycle:
        evidence.setdefault("cycle_since", times.now())
    desk.judge(kind, code=code, evidence=evidence, message=f"{kind} {cycle}")


def test_a_run_from_its_first_cycle_to_its_last(desk):
    register(desk)
    desk.judge("sequencing", message="RunInfo.xml is not there")
    assert told(desk) == []
    sequencing(desk)
    sequencing(desk, 1)
    sequencing(desk, 2)
    assert told(desk) == ["run_started"]
    desk.judge("copying")
    desk.judge("no_sheet")
    assert told(desk) == ["run_started", "run_copied"]
    desk.judge("copying")
    desk.judge("complete")
    assert told(desk) == ["run_started", "run_copied", "run_ready"]
    assert standing(desk) == []


def test_that_the_indexes_are_read_is_told_once_where_there_is_a_sheet(desk):
    register(desk)
    sequencing(desk, 50)
    sequencing(desk, 60, indexes_read=True)
    sequencing(desk, 61, indexes_read=True, samples=None)
    assert desk.told("indexes_read") == []
    sequencing(desk, 62, "stuck", "run.stuck", indexes_read=True, samples=4)
    sequencing(desk, 63, indexes_read=True, samples=4)
    assert len(desk.told("indexes_read")) == 1
    desk = desk.switch(desk.runs.mode)
    sequencing(desk, 64, indexes_read=True, samples=5)
    assert len(desk.told("indexes_read")) == 1


@pytest.mark.parametrize("kind", ["copying", "complete", "stalled", "incomplete"])
def test_of_indexes_nothing_is_told_once_the_run_has_ended(desk, kind):
    register(desk)
    desk.judge(kind, evidence={"indexes_read": True, "samples": 4})
    assert desk.told("indexes_read") == []


@pytest.mark.parametrize(
    ("kind", "code", "what"),
    [
        ("failed", "run.failed", "run_failed"),
        ("incomplete", "run.incomplete", "run_failed"),
        ("unreadable", "run.run_info", "run_failed"),
        ("stalled", "run.stalled", "run_stuck"),
        ("stuck", "run.stuck", "run_stuck"),
        ("unreachable", "run.unreachable", "run_unreachable"),
    ],
)
def test_each_is_raised_once_and_taken_back(desk, kind, code, what):
    register(desk)
    for _ in range(3):  # it flickers
        desk.judge(kind, code=code)
        assert standing(desk) == [(what, code)]
        desk.judge("copying")
        assert standing(desk) == []
    assert told(desk) == [what]
    event = desk.last(what)
    assert (event.run, event.payload) == (RUN, {"code": code})
    hours_ago = times.now(-2 * alerts.FLICKER)
    desk.store.execute("UPDATE alert SET cleared = ?", (hours_ago,))
    desk.judge(kind, code=code)
    assert told(desk) == ([what] if what == "run_stuck" else [what, what])


def test_one_standstill_is_told_of_once_and_the_next_one_again(desk):
    register(desk)
    sequencing(desk, 50)
    for kind in ("stuck", "stalled", "stuck"):
        sequencing(desk, 50, kind, f"run.{kind}")
        assert len(standing(desk)) == 1
    sequencing(desk, 51)
    assert standing(desk) == []
    sequencing(desk, 51, "stuck", "run.stuck")
    assert told(desk) == ["run_started", "run_stuck", "run_stuck"]


def test_what_was_here_before_is_told_of_only_if_it_is_seen_to_go_on(desk):
    register(desk, adopted=False)
    for kind in ("incomplete", "failed", "stalled", "unreachable", "complete"):
        desk.judge(kind)
    sequencing(desk, 50)
    assert told(desk) == [] and standing(desk) == []
    sequencing(desk, 51)
    sequencing(desk, 51, "stuck", "run.stuck")
    assert told(desk) == ["run_started", "run_stuck"]


def test_of_a_run_that_is_over_nothing_is_told(claimed):
    claimed.do("convert", "checksum", "transfer", "archive", "tell")
    claimed.judge("unreachable", code="run.unreachable")
    assert standing(claimed) == [] and "run_unreachable" not in told(claimed)


def test_a_run_that_is_lost_at_work_is_told_of_and_an_abort_takes_it_back(claimed):
    claimed.judge("unreachable", code="run.unreachable")
    assert standing(claimed) == [("run_unreachable", "run.unreachable")]
    claimed.abort()
    assert standing(claimed) == []


def test_a_waiver_takes_it_back(desk):
    register(desk)
    desk.judge("incomplete", code="run.incomplete")
    waive(desk.runs, RUN, "x", [], "ada")
    assert standing(desk) == []


def test_people_are_told_of_one_run_of_a_file_system_that_is_away(desk):
    for name in ("a", "b", "c"):
        run = register(desk, name)
        desk.runs.judged(run, _unreachable())
    elsewhere = desk.runs.register(Path("/other", RUN), adopted=True)
    desk.runs.judged(elsewhere, _unreachable())
    assert told(desk) == ["run_unreachable"] * 4
    assert [alert.run for alert in desk.runs.alerts.owed(0.0)] == ["a", RUN]


def _unreachable():
    return verdict(VerdictKind.UNREACHABLE, code="run.unreachable")


class TestTelling:
    @pytest.fixture
    def alert(self, desk):
        register(desk)
        desk.judge("failed", code="run.failed")
        return desk.runs.alerts

    def test_one_tells(self, alert):
        assert [one.what for one in alert.owed(0.0)] == ["run_failed"]
        assert alert.owed(100.0) == []
        assert alert.take("run_failed", RUN, "ex1")
        assert not alert.take("run_failed", RUN, "ex2")
        assert alert.owed(0.0) == []
        assert not alert.note_told("run_failed", RUN, "ex2")
        assert alert.note_told("run_failed", RUN, "ex1")
        assert not alert.take("run_failed", RUN, "ex1")
        assert alert.owed(0.0) == [] and alert.standing()[0].document()["told"]

    def test_another_tells_when_the_first_could_not(self, desk, alert):
        assert alert.take("run_failed", RUN, "ex1")
        desk.store.execute("UPDATE alert SET lease = ?", (times.now(-1),))
        assert [one.run for one in alert.owed(0.0)] == [RUN]
        assert alert.take("run_failed", RUN, "ex2")
        assert not alert.note_told("run_failed", RUN, "ex1")

    def test_what_is_so_no_more_is_not_told(self, desk, alert):
        desk.judge("copying")
        assert alert.owed(0.0) == [] and not alert.take("run_failed", RUN, "ex1")

    def test_what_no_rule_is_for_is_history_after_a_day(self, desk, alert):
        desk.store.execute("UPDATE alert SET raised = ?", (times.now(-alerts.OLD - 1),))
        assert alert.owed(0.0) == [] and alert.standing()

    def test_an_alert_without_its_change_is_impossible(self, alert):
        with pytest.raises((AssertionError, sqlite3.Error)):
            alert.raise_("run_failed", who="x", run=RUN, about="b", code="run.failed")


class TestSensor:
    def test_it_is_missed_from_when_it_was_last_heard(self, desk):
        watch = SensorWatch(desk.runs, 0.0)
        assert watch.is_silent is None
        watch.check()
        assert standing(desk) == []
        watch.beat("packs")
        assert watch.is_silent
        watch.check()
        watch.check()
        assert standing(desk) == [("sensor_silent", "sensor.silent")]
        assert desk.told("sensor_silent") == [("sensor_silent", None, None)]
        patient = SensorWatch(desk.runs, 1000.0)
        patient.check()
        assert standing(desk) == []

    def test_a_service_that_starts_expects_the_one_that_was_there(self, desk):
        SensorWatch(desk.runs, 0.0).beat("packs")
        assert SensorWatch(desk.runs, 1000.0).is_silent is False
        assert SensorWatch(desk.runs, 0.0).is_silent
        desk.store.execute("UPDATE store SET sensor_seen = ?", (times.now(-8 * 86400),))
        assert SensorWatch(desk.runs, 0.0).is_silent is None

    def test_only_who_has_its_token_reconciles(self, desk, monkeypatch):
        watch = SensorWatch(desk.runs, 1000.0)
        for second, who in enumerate(["packs", "ada", "packs", "ada"]):
            moment = f"2026-07-01T12:00:0{second}.000Z"
            monkeypatch.setattr(times, "now", lambda moment=moment: moment)
            watch.looked(who)
            assert watch.reconciled is None  # whose the sensor is, is not known yet
        watch.beat("packs")
        assert watch.reconciled == "2026-07-01T12:00:02.000Z"

    def test_what_its_silence_means_follows_who_still_looks(self, desk, monkeypatch):
        passed = 0.0
        now, since = times.now, times.seconds_since
        monkeypatch.setattr(times, "now", lambda offset=0.0: now(passed + offset))
        monkeypatch.setattr(times, "seconds_since", lambda time: since(time) + passed)
        watch = SensorWatch(desk.runs, 30.0)
        watch.beat("packs")
        for passed, who, repaired in (
            (1.0, "packs", None),
            (60.0, "ada", False),  # the packs have not looked since
            (61.0, "packs", True),
            (200.0, "", True),
            (230.0, "ada", False),  # nor do they look any more
        ):
            watch.looked(who)
            assert (watch.silence() or {}).get("repaired") is repaired, passed
        told = watch.silence()
        assert told["code"] == "sensor.silent" and "no stage begins" in told["message"]
        started = SensorWatch(desk.runs, -1.0)
        assert started.silence()["repaired"] is False
        started.looked("packs")
        assert started.silence()["repaired"] is True

    def test_its_silence_is_no_matter_of_a_run(self, desk):
        watch = SensorWatch(desk.runs, 0.0)
        watch.beat("packs")
        watch.check()
        register(desk)
        desk.judge("failed")
        desk.judge("copying")
        assert standing(desk) == [("sensor_silent", "sensor.silent")]


def test_the_times_of_cycles_are_kept_until_the_run_is_complete(desk):
    run = register(desk)
    for cycle in (1, 2, 2, 5, 4):
        sequencing(desk, cycle, cycle_since=times.now(cycle))
    assert [rise.cycle for rise in desk.runs.rises(run)] == [1, 2, 5]
    desk.judge("copying")
    assert len(desk.runs.rises(run)) == 3
    desk.judge("complete")
    assert desk.runs.rises(run) == []


def waiting_for_sheet(desk, hours):
    desk.judge("no_sheet", code="run.no_sheet")
    since = times.now(-3600.0 * hours)
    desk.store.execute("UPDATE run SET verdict_since = ?", (since,))


def test_a_sheet_that_does_not_come_is_told_of_once(desk):
    watch = SheetlessWatch(desk.runs, 4.0)
    register(desk)
    waiting_for_sheet(desk, 3.9)
    watch.check()
    assert standing(desk) == []
    waiting_for_sheet(desk, 4.1)
    for _ in range(2):
        watch.check()
        assert standing(desk) == [("run_stuck", "run.no_sheet")]
    desk.judge("no_sheet", code="run.no_sheet", message="another look")
    watch.check()
    assert standing(desk) == [("run_stuck", "run.no_sheet")]
    assert told(desk) == ["run_copied", "run_stuck"]
    desk.judge("complete")
    watch.check()
    assert standing(desk) == []


def test_of_a_sheet_that_was_missed_long_ago_nothing_is_told(desk):
    """Else all of them would be told of by the first version that looks for them."""
    watch = SheetlessWatch(desk.runs, 4.0)
    register(desk)
    waiting_for_sheet(desk, 28.1)
    watch.check()
    assert standing(desk) == [] and told(desk) == ["run_copied"]
    waiting_for_sheet(desk, 27.9)
    watch.check()
    waiting_for_sheet(desk, 28.1)
    watch.check()
    assert standing(desk) == [("run_stuck", "run.no_sheet")]


@pytest.mark.parametrize(
    "settled", ["held", "dismissed", "not adopted", "done", "started", "error"]
)
def test_of_a_sheet_that_nobody_waits_for_nothing_is_told(desk, settled):
    register(desk, adopted=settled != "not adopted")
    waiting_for_sheet(desk, 5)
    if settled == "held":
        desk.hold()
    elif settled == "dismissed":
        desk.abort()
    elif settled in set(RunState):
        desk.runs.set_arteria_state(desk.run, RunState(settled), "a client")
    SheetlessWatch(desk.runs, 4.0).check()
    assert standing(desk) == []
