"""People are told once that a volume fills up, and once that it is full."""

import asyncio
import json
from pathlib import Path

import pytest

from arteriole.app import times
from arteriole.disk.disk import Disk
from arteriole.disk.space import Root, Space
from arteriole.runfolder.alerts import FLICKER
from arteriole.runfolder.pressure import Pressure
from arteriole.runfolder.waiting import BELIEVED, Waiting
from arteriole.runfolder.why import AT_RISK, LATE, why

from .conftest import RUN

LANDING, FASTQ = Path("/data"), Path("/fastq")
NAME = "runfolder.monitored_directories.0"
GB = 10**9


class Watch:
    """The landing volume and that of the FASTQs, 1000 GB each, and the alerts of one service."""

    def __init__(self, desk, **run_gb):
        self.desk = desk
        self.spaces = {LANDING: Space(1, 1000 * GB, 900 * GB), FASTQ: Space(2, 1000 * GB, 900 * GB)}
        self._run_gb = run_gb.get("run_gb", {})
        self.start()

    def start(self):
        roots = [Root(NAME, LANDING, 15, 5), Root("bcl2fastq.fastq_root", FASTQ, 15, 5)]
        self.disk = Disk(roots, 0.0, self._look)
        self.pressure = Pressure(self.desk.runs, self.disk, self._run_gb)

    def _look(self, path):
        found = self.spaces[path]
        if isinstance(found, OSError):
            raise found
        return found

    def free(self, gigabytes, path=LANDING):
        self.spaces[path] = Space(1 if path == LANDING else 2, 1000 * GB, int(gigabytes * GB))
        return self.check()

    def check(self):
        """What stands after another look: (volume, code) each."""

        async def check():
            self.pressure.check()  # it tells what is to come
            await self.disk.looked()
            self.pressure.check()

        asyncio.run(check())
        standing = self.desk.runs.alerts.standing()
        return [(alert.volume, alert.code) for alert in standing if alert.volume]

    def told(self):
        events = self.desk.runs.events.read(None, limit=1000).events
        return [
            (event.what, event.payload.get("code"))
            for event in events
            if event.what in ("disk_pressure", "disk_eased")
        ]


@pytest.fixture
def watch(desk):
    return Watch(desk)


def sequencing(desk, **evidence):
    desk.runs.register(LANDING / RUN, adopted=True)
    desk.judge("sequencing", evidence={"instrument": "K00188", **evidence})


def test_it_is_raised_made_worse_made_better_and_taken_back_once_each(desk, watch):
    sequencing(desk, cycles=300, cycles_seen=100, cycle_bytes=GB)
    assert watch.check() == []
    assert watch.free(249) == [(NAME, "disk.early")]  # 200 GB are to come, 50 are kept free
    assert watch.free(255) == [(NAME, "disk.early")]  # it ends with a hundredth more
    assert watch.free(50) == [(NAME, "disk.critical")]
    assert watch.free(60) == [(NAME, "disk.critical")]
    assert watch.free(70) == [(NAME, "disk.early")]
    assert watch.free(261) == []
    early, critical = ("disk_pressure", "disk.early"), ("disk_pressure", "disk.critical")
    assert watch.told() == [early, critical, ("disk_eased", None)]
    event = desk.last("disk_eased")
    assert (event.run, event.payload) == (None, {"volume": NAME})
    desk.store.execute("UPDATE alert SET cleared = ?", (times.now(-2 * FLICKER),))
    assert watch.free(50) == [(NAME, "disk.critical")]
    assert watch.told()[3:] == [critical]


def test_one_that_eases_to_early_is_told_to_nobody_again(desk, watch):
    sequencing(desk, cycles=300, cycles_seen=100, cycle_bytes=GB)
    watch.free(50)
    assert desk.runs.alerts.take("disk_pressure", "", "ex1", NAME)
    assert desk.runs.alerts.note_told("disk_pressure", "", "ex1", NAME)
    watch.free(70)
    assert desk.runs.alerts.owed(0.0) == []


def test_each_volume_is_taken_and_told_for_itself(desk, watch):
    watch.free(10)
    watch.free(10, FASTQ)
    alerts = desk.runs.alerts
    assert [alert.volume for alert in alerts.owed(0.0)] == [NAME, "bcl2fastq.fastq_root"]
    assert not alerts.take("disk_pressure", "", "ex1")
    assert alerts.take("disk_pressure", "", "ex1", NAME)
    assert not alerts.take("disk_pressure", "", "ex2", NAME)
    assert not alerts.note_told("disk_pressure", "", "ex1", "bcl2fastq.fastq_root")
    assert alerts.note_told("disk_pressure", "", "ex1", NAME)
    assert [alert.volume for alert in alerts.owed(0.0)] == ["bcl2fastq.fastq_root"]
    alerts.clear()  # what stands of the sensor
    assert len(alerts.standing()) == 2
    assert watch.free(900) == [("bcl2fastq.fastq_root", "disk.critical")]


def test_a_restart_tells_nothing_again_and_keeps_the_slack(desk, watch):
    watch.free(50)
    watch.start()
    assert watch.free(55) == [(NAME, "disk.critical")]
    assert watch.told() == [("disk_pressure", "disk.critical")]
    watch.start()
    assert watch.free(900) == []
    assert watch.told()[1:] == [("disk_eased", None)]


def test_one_that_cannot_be_looked_at_stands_as_it_stood_and_one_that_is_gone_ends(desk, watch):
    watch.free(50)
    watch.spaces[LANDING] = OSError(116, "Stale file handle")
    assert watch.check() == [(NAME, "disk.critical")]
    assert watch.pressure.document()["volumes_unknown"] == {NAME: "Stale file handle"}
    watch.spaces[LANDING] = FileNotFoundError(2, "No such file or directory")
    assert watch.check() == []


@pytest.mark.parametrize(
    ("kind", "evidence", "run_gb", "to_come"),
    [
        ("sequencing", {"cycles": 318, "cycles_seen": 18, "cycle_bytes": 3 * GB}, {}, 900 * GB),
        ("stuck", {"cycles": 318, "cycles_seen": 18, "cycle_bytes": 3 * GB}, {}, 900 * GB),
        ("sequencing", {"cycles": 318, "cycles_seen": 318, "cycle_bytes": GB}, {}, 0),
        ("sequencing", {"cycles": 318, "cycles_seen": 1}, {"HiSeq 3000/4000": 700}, 700 * GB),
        ("sequencing", {"cycles": 318, "cycles_seen": 1}, {"NovaSeq X": 700}, 0),
        ("sequencing", {"instrument": "<% x %>"}, {"NovaSeq X": 700}, 0),
        ("copying", {"cycles": 318, "cycles_seen": 18, "cycle_bytes": GB}, {}, 300 * GB),
        ("copying", {"cycles": 318, "cycles_seen": 18}, {"HiSeq 3000/4000": 700}, 0),
        ("stalled", {"cycles": 318, "cycles_seen": 18, "cycle_bytes": GB}, {}, 0),
    ],
)
def test_what_an_instrument_will_still_write(desk, kind, evidence, run_gb, to_come):
    desk.runs.register(LANDING / RUN, adopted=True)
    desk.judge(kind, evidence={"instrument": "K00188", **evidence})
    watch = Watch(desk, run_gb=run_gb)
    watch.check()
    assert {one.name: one.to_come for one in watch.disk.volumes()} == {
        NAME: to_come, "bcl2fastq.fastq_root": 0,
    }  # fmt: skip


def test_figures_for_people_and_for_prometheus(desk, watch):
    watch.free(50)

    told = {
        metric.name: {sample.labels["volume"]: sample.value for sample in metric.samples}
        for metric in watch.pressure.figures()
    }
    assert told["arteriole_volume_pressure"] == {NAME: 2, "bcl2fastq.fastq_root": 0}
    assert told["arteriole_volume_free_bytes"][NAME] == 50 * GB
    document = watch.pressure.document()
    assert watch.pressure.is_critical and json.dumps(document)
    assert document["volumes"][NAME]["words"] == "50.0 GB of 1.0 TB are free (5 %)"


def test_why_tells_a_run_that_its_volume_fills_up(desk, watch):
    sequencing(desk, cycles=300, cycles_seen=100, cycle_bytes=GB)
    watch.check()
    assert watch.pressure.filling(desk.run) is None
    watch.free(100)
    told = why(desk.run, filling=watch.pressure.filling(desk.run))
    assert (told["code"], told["urgency"], told["until"]) == ("disk.early", AT_RISK, "now")
    assert "100.0 GB of 1.0 TB are free (10 %); 200.0 GB are known to come" in told["message"]
    desk.judge("sequencing", evidence={"no_run": True})
    assert watch.pressure.filling(desk.run) is None
    desk.judge("complete")
    assert watch.pressure.filling(desk.run) is None


def test_why_tells_what_a_stage_waits_for_until_it_goes_on(claimed, monkeypatch):
    desk, waiting = claimed, Waiting()
    desk.begin("convert")
    desk.attach("convert", 7)
    job = ("convert", 7)

    def told():
        stage = desk.stage("convert")
        wait = waiting.of(desk.run, stage)
        return why(desk.run, waits={} if wait is None else {"convert": wait})

    def tell(job, message="9 GB on /fastq", lacks_space=True):
        stage = desk.stage("convert")
        return waiting.tell(desk.run, stage, job, message, lacks_space=lacks_space)

    assert told()["message"] == "convert is running (attempt 1)"
    assert not tell(("convert", 8)) and not tell(("other", 7))
    assert tell(job)
    found = told()
    assert found["message"] == "convert is running (attempt 1); convert waits for 9 GB on /fastq"
    assert (found["code"], found["urgency"]) == ("convert.waits_for_space", LATE)
    assert found["page"] == "docs/runbook/convert.waits_for_space.md" and found["hint"]
    assert tell(job, "2 cores", lacks_space=False)
    assert (told()["code"], told()["urgency"]) == ("", "can wait")
    assert told()["message"].endswith("convert waits for 2 cores")
    now = waiting.of(desk.run, desk.stage("convert")).at
    monkeypatch.setattr("arteriole.runfolder.waiting.time.monotonic", lambda: now + BELIEVED + 1)
    assert told()["message"] == "convert is running (attempt 1)"
    monkeypatch.undo()
    tell(job)
    waiting.end(desk.run, desk.stage("convert"))
    assert told()["message"] == "convert is running (attempt 1)"
