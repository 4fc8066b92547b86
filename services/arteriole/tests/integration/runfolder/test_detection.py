"""Real run folders on disk: when they become ready, and what must not disturb that."""

import asyncio
import base64
import gzip
import hashlib
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from urllib.parse import quote

import pytest

from arteriole.app import times
from arteriole.app.store import Store
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.runfolder import detection
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.notifications import Notifications
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.sheets import Sheets

from ...unit.illumina.conftest import write_run_info
from ..app.serving import eventually
from .conftest import SLOW

HOSTILE = ["<% st2kv('system.x') %>", "{{ ''.__class__ }}", "; touch x", "a\x1b[31mb", "-rf"]


def base_calls(folder):
    return sorted(folder.rglob("*.bcl.gz"))[7]


def touch(folder):
    """What the kernel tells of: the marker was written again."""
    (folder / "RTAComplete.txt").touch()


def test_a_complete_run_that_arrives_is_ready(site):
    site.bring()
    run = site.becomes(state="ready", verdict="complete")
    assert run["adopted"] and run["attempt"] == 0
    assert run["why"]["message"].startswith("all ")
    assert site.told("run_ready") == [run["name"]]
    evidence = site.serving.get(f"/api/1.0/runs/{run['name']}/evidence").json()
    assert evidence["evidence"]["files_expected"] == evidence["evidence"]["files_found"] > 0
    history = site.serving.get(f"/api/1.0/runs/{run['name']}/history").json()["events"]
    assert [event["what"] for event in history][:1] == ["run_seen"]
    assert {event["run"] for event in history} == {run["name"]}


def test_a_run_without_its_marker_is_sequencing(site, sequenced):
    partial = site.directories[0].parent / sequenced.name
    shutil.copytree(sequenced, partial, ignore=shutil.ignore_patterns("*Complete.txt"))
    folder = partial.rename(site.directories[0] / sequenced.name)
    run = site.becomes(state="none", verdict="sequencing", why=any_why("cycle 28 of 28"))
    assert run["why"]["urgency"] == "can wait"
    shutil.copy(sequenced / "RTAComplete.txt", folder)
    site.becomes(state="ready")
    assert site.told("run_ready") == [folder.name]


def test_what_the_instrument_measured_is_told_of_a_run_that_rests(make_site):
    site = make_site(read_metrics=True).start()
    site.bring()
    run = eventually(site.run, lambda run: run is not None and run["metrics"])
    (lane,) = run["metrics"]["lanes"]
    assert run["metrics"]["cycle"] == 28 and 0 < lane["clusters_pf"] <= lane["clusters"]


def test_metrics_that_cannot_be_read_keep_no_run(make_site, sequenced):
    site = make_site(read_metrics=True).start()
    partial = site.directories[0].parent / sequenced.name
    shutil.copytree(sequenced, partial)
    for path in (partial / "InterOp").iterdir():
        path.write_bytes(b"\xff" * 40)
    (partial / "RTAComplete.txt").touch()
    partial.rename(site.directories[0] / sequenced.name)
    run = eventually(site.run, lambda run: run is not None and run["metrics"])
    assert run["state"] == "ready" and "could not be read" in run["metrics"]["error"]


def test_a_run_that_stands_still_is_stuck_until_its_next_cycle_over_a_restart(make_site):
    site = make_site(stuck_after=0.5, settle_seconds=0.0).start()
    folder = site.directories[0] / "260101_A00130_0043_AAAAAAAAXX"
    write_run_info(folder, reads=((151, "N"), (8, "Y")), instrument="A00130")
    lane = folder / "Data/Intensities/BaseCalls/L001"
    lane.mkdir(parents=True)

    def sequence(first, last):
        for cycle in range(first, last + 1):
            (lane / f"C{cycle}.1").mkdir()
            site.becomes(folder.name, progress={"done": cycle, "total": 159, "unit": "cycles"})

    sequence(20, 27)
    run = site.becomes(folder.name, verdict="stuck", why=any_why("at cycle 27 of 159"))
    assert run["standing"] == "stuck" and run["why"]["urgency"] == "instrument at risk"
    site.stop()
    site.start(scanned=False)
    site.becomes(folder.name, verdict="stuck")
    sequence(28, 28)
    run = site.run(folder.name)
    assert site.told("run_started") == site.told("run_stuck") == [folder.name]
    evidence = site.serving.get(f"/api/1.0/runs/{folder.name}/evidence").json()["evidence"]
    assert 0 < evidence["cycle_seconds"] < 30
    site.becomes(folder.name, verdict="stuck", why=any_why("at cycle 28 of 159"))
    assert site.told("run_stuck") == [folder.name] * 2
    (lane / "C29.1").mkdir()
    site.becomes(folder.name, verdict="sequencing", why=any_why(", ends about 20"))


@pytest.mark.parametrize("marker", [True, False])
def test_a_run_that_was_emptied_is_left_alone_until_its_base_calls_are_back(
    site, sequenced, marker
):
    partial = site.directories[0].parent / sequenced.name
    left_out = ("L0??", *([] if marker else ["*Complete.txt"]))
    shutil.copytree(sequenced, partial, ignore=shutil.ignore_patterns(*left_out))
    stats = partial / "Data/Intensities/BaseCalls/Stats/Stats.json"
    stats.parent.mkdir()
    stats.write_text("{}")
    folder = partial.rename(site.directories[0] / sequenced.name)
    run = site.becomes(state="none", verdict="emptied", standing="emptied")
    assert run["why"]["code"] == "run.emptied" and "unknown: " in run["why"]["data_safe"]
    site.act("waive", {"reason": "x", "ignore": ["missing-bcls"]}, status=409)
    site.act("claim", {"by": "ex1", "plan": {"stages": {"receive": {}}}}, status=409)
    assert site.told("run_ready") == []
    shutil.copytree(sequenced, folder, dirs_exist_ok=True)
    touch(folder)
    site.becomes(state="ready")


class any_why(dict):
    """Equal to every `why` whose message holds these words."""

    def __eq__(self, other):
        return self.words in other["message"]

    __hash__ = None

    def __init__(self, words):
        super().__init__()
        self.words = words


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-6])


def empty(path):
    path.write_bytes(b"")


def swap(path):
    path.write_bytes(gzip.compress(b"\xff\xff\xff\x7f" + b"\0" * 8))


@pytest.mark.parametrize("damage", [remove, cut, empty, swap])
def test_a_marker_is_not_believed_against_the_files(site, sequenced, damage):
    partial = site.directories[0].parent / sequenced.name
    shutil.copytree(sequenced, partial)
    damaged = base_calls(partial).relative_to(partial)
    damage(partial / damaged)
    folder = partial.rename(site.directories[0] / sequenced.name)
    run = site.becomes(state="none", verdict="incomplete")
    assert " 1 of " in run["why"]["message"]
    assert damaged.as_posix().removesuffix(".gz") in run["why"]["message"]
    assert run["why"]["urgency"] == "result late" and run["why"]["hint"]
    assert site.told("run_ready") == []
    site.act("claim", {"by": "ex1", "plan": {"stages": {"receive": {}}}}, status=409)
    shutil.copy(sequenced / damaged, folder / damaged)
    touch(folder)
    site.becomes(state="ready")
    assert site.told("run_ready") == [folder.name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<RunInfo",
        b"\xff\xfe\x00",
        b"<RunInfo Version='2'></RunInfo>",
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><RunInfo>&a;</RunInfo>",
    ],
)
def test_a_runinfo_that_cannot_be_read_is_an_error_until_it_is_repaired(site, sequenced, content):
    partial = site.directories[0].parent / sequenced.name
    shutil.copytree(sequenced, partial)
    (partial / "RunInfo.xml").write_bytes(content)
    folder = partial.rename(site.directories[0] / sequenced.name)
    run = site.becomes(state="error", verdict="unreadable")
    assert "RunInfo.xml" in run["why"]["message"]
    assert run["why"]["hint"] and run["why"]["code"]
    assert "root:" not in str(run)
    shutil.copy(sequenced / "RunInfo.xml", folder)
    site.becomes(state="ready")


def test_what_is_no_run_folder_disturbs_nothing(site):
    one = site.directories[0]
    (one / "broken").symlink_to(one / "nowhere")
    (one / "loop").symlink_to(one / "loop")
    (one / "file").write_text("x")
    (one / ".hidden").mkdir()
    (one / "linked").symlink_to(site.directories[1])
    os.mkfifo(one / "fifo")
    (one / "empty").mkdir()
    (one / os.fsdecode(b"caf\xe9")).mkdir()
    (one / os.fsdecode(b"caf\xe9") / "RunInfo.xml").touch()
    site.bring()
    site.becomes(state="ready")
    names = [name for name in site.listed() if not name.startswith("mark-")]
    assert sorted(names) == sorted([site.run()["name"], r"caf\udce9", "empty"])
    assert site.run("empty")["why"]["message"].startswith("it holds nothing of a run; no marker")


def test_a_directory_that_vanished_disturbs_nothing_and_is_told(make_site):
    site = make_site().start()
    lost = site.bring("lost", directory=1)
    site.becomes("lost", state="ready")
    away = site.directories[1].rename(site.directories[1].parent / "away")
    run = site.becomes("lost", verdict="unreachable", state="none")
    assert run["why"]["urgency"] == "instrument at risk"
    eventually(lambda: site.serving.get("/health").json()["status"] == "degraded")
    health = site.serving.get("/health").json()
    assert list(health["unreachable_directories"]) == [str(site.directories[1])]
    site.bring()
    site.becomes(state="ready")
    away.rename(site.directories[1])
    site.becomes("lost", state="ready")
    eventually(lambda: site.serving.get("/health").json()["status"] == "ok")
    assert lost.is_dir()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_and_told_of_by_no_event(site, name):
    site.bring(name)
    site.bring()
    site.becomes(state="ready")
    (run,) = [run for run in site.runs() if run["name"] == name]
    assert (run["state"], run["verdict"]) == ("error", "refused")
    assert run["why"]["hint"] == "rename the folder"
    for event in site.events():
        assert name not in str(event)
    listing = site.serving.get("/api/1.0/runfolders?state=error")
    assert listing.headers["Content-Type"] == "application/json"
    assert [entry["path"] for entry in listing.json()["runfolders"]] == [run["path"]]


@pytest.mark.parametrize("name", ["lost+found", "@eaDir", "#recycle", "System Volume Information"])
def test_what_is_no_run_and_cannot_be_one_is_no_error(make_site, name):
    site = make_site()
    folder = site.directories[0] / name
    folder.mkdir()
    (folder / "a").mkdir()
    site.start()
    later = site.directories[1] / f"{name} 2"
    later.mkdir()
    site.mark()
    assert {run["name"] for run in site.runs()} == {"mark-0", "mark-1", "mark-2", "mark-3"}
    (later / "RunInfo.xml").touch()  # a copy that has only begun
    run = eventually(lambda: next((run for run in site.runs() if run["name"] == later.name), None))
    assert (run["state"], run["why"]["code"]) == ("error", "run.name")
    (later / "RunInfo.xml").rename(site.directories[0] / "RunInfo.xml")
    eventually(lambda: later.name not in site.listed())


def test_an_empty_folder_is_no_run_until_one_comes(site, sequenced):
    folder = site.directories[0] / sequenced.name
    folder.mkdir()
    run = site.becomes(standing="no run")
    assert "it holds nothing of a run" in run["why"]["message"]
    (folder / "Data").mkdir()
    site.becomes(standing="sequencing")


def test_a_renamed_folder_leaves_its_refused_name(site):
    folder = site.bring("a b")
    eventually(lambda: "a b" in site.listed())
    folder.rename(folder.with_name("a_b"))
    site.becomes("a_b", state="ready")
    eventually(lambda: "a b" not in site.listed())


@pytest.mark.parametrize("verb", ["claim", "hold", "adopt", "retry", "redo", "release"])
def test_nothing_can_be_done_to_a_refused_folder(make_site, verb):
    site = make_site()
    for name in HOSTILE:
        site.bring(name)
    site.start()
    bodies = {
        "claim": {"by": "x", "plan": {"stages": {"a": {}}}},
        "hold": {"reason": "x"},
        "redo": {"from": "a"},
    }
    for name in HOSTILE:
        path = f"/api/1.0/runs/{quote(name, safe='')}/{verb}"
        answer = site.serving.post(path, bodies.get(verb, {}))
        assert answer.status_code in (200, 400, 409)
        assert answer.status_code != 200 or verb in ("retry", "release")
    for event in site.events():
        assert event["run"] not in HOSTILE


def test_two_folders_of_one_name(site):
    first = site.bring()
    site.becomes(state="ready")
    second = site.bring(directory=1)
    runs = eventually(
        lambda: [run for run in site.runs() if run["name"] == first.name], lambda r: len(r) == 2
    )
    assert [(run["path"], run["verdict"]) for run in runs] == [
        (str(first), "complete"),
        (str(second), "refused"),
    ]
    assert str(first) in runs[1]["why"]["message"]
    assert site.run()["path"] == str(first)
    assert site.told("run_ready") == [first.name]


def test_what_was_there_at_the_first_start_waits_until_it_is_adopted(make_site, sequenced):
    site = make_site()
    site.bring()
    site.start()
    run = site.becomes(state="pending", adopted=False, verdict="complete")
    assert run["why"]["hint"] == f"arteriole adopt {run['name']}"
    assert site.told("run_ready") == []
    site.act("claim", {"by": "ex1", "plan": {"stages": {"receive": {}}}}, status=409)
    site.bring("later")
    assert site.becomes("later", state="ready")["adopted"]
    site.stop()
    site.start()
    assert site.run()["state"] == "pending"
    site.act("adopt")
    site.becomes(state="ready", adopted=True)
    assert site.told("run_ready") == ["later", sequenced.name]


def test_a_site_may_adopt_what_was_there(make_site, sequenced):
    site = make_site(adopt_existing=True)
    site.bring()
    site.start()
    site.becomes(state="ready", adopted=True)
    assert site.told("run_ready") == [sequenced.name]


def test_a_restart_keeps_all(make_site):
    site = make_site().start()
    site.bring()
    site.becomes(state="ready")
    stages = {"receive": {}, "a": {"after": ["receive"]}, "b": {"after": ["a"]}}
    site.act("claim", {"by": "ex1", "plan": {"stages": stages}})
    site.act("stages/a/1/begin", {"by": "ex2"})
    site.act("stages/a/1/attach", {"by": "ex2", "service": "x", "job_id": 4})
    site.act("hold", {"reason": "in doubt"})
    before, events = site.run(), site.events()
    site.stop()
    site.start()
    assert site.run() == before
    assert site.events()[: len(events)] == events
    assert site.told("run_ready") == [before["name"]]
    page = site.serving.get(f"/api/1.0/events?after={events[-1]['id']}").json()
    assert page["reset"] is False


def test_a_claimed_run_keeps_its_state_when_its_folder_goes(make_site):
    site = make_site().start()
    folder = site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": {"stages": {"receive": {}, "a": {}}}})
    shutil.rmtree(folder)
    run = site.becomes(verdict="unreachable")
    assert (run["state"], run["attempt"]) == ("started", 1)
    assert run["why"]["data_safe"].startswith("unknown")


def test_a_marker_that_came_first_is_believed_when_the_copy_has_come_to_rest(make_site, sequenced):
    """All that RunInfo.xml promises is there, but a sample sheet may still be on its way."""
    site = make_site(settle_seconds=SLOW).start()
    folder = site.directories[0] / sequenced.name
    folder.mkdir()
    (folder / "RTAComplete.txt").touch()
    run = site.becomes(state="none", verdict="copying")
    assert "RunInfo.xml" in run["why"]["message"]
    text = (sequenced / "RunInfo.xml").read_bytes()
    (folder / "RunInfo.xml").write_bytes(text[: len(text) // 2])
    run = site.becomes(state="none", verdict="copying", why=any_why("line"))
    assert run["why"]["hint"].startswith("nothing: it goes on by itself")
    shutil.copytree(sequenced, folder, dirs_exist_ok=True)
    (folder / "late.txt").touch()
    run = site.becomes(state="none", why=any_why("late.txt was written after RTAComplete.txt"))
    assert run["why"]["code"] == "run.copying" and site.told("run_ready") == []
    site.mark()
    assert site.run()["verdict"] == "copying"
    (folder / "CopyComplete.txt").touch()  # it says so itself: nothing is waited for
    site.becomes(state="ready")
    assert site.told("run_ready") == [folder.name]


def test_a_copy_comes_to_rest_by_itself(make_site, sequenced):
    """Though no notification and no scan would be due for an hour; a family has its own time."""
    times = {"settle_seconds": SLOW, "settle_by_instrument": {"HiSeq 3000/4000": 0.3}}
    site = make_site(**times, scan_interval=SLOW).start()
    folder = site.bring()
    (folder / "late.txt").touch()
    site.becomes(state="ready")


def arrive(site, sequenced, deed, name=None):
    """A copy of the run arrives by one rename, after the deed was done to it."""
    partial = site.directories[0].parent / "partial"
    shutil.copytree(sequenced, partial)
    if name is not None:
        site.make_another(partial)
    deed(partial)
    return partial.rename(site.directories[0] / (name or sequenced.name))


def no_sheet(folder):
    (folder / "SampleSheet.csv").unlink()


def no_marker(folder):
    (folder / "RTAComplete.txt").unlink()


def one_file_short(folder):
    cut(base_calls(folder))


def ended_early(folder):
    (folder / "RunCompletionStatus.xml").write_text(
        "<RunCompletionStatus><CompletionStatus>UserEndedEarly</CompletionStatus>"
        "</RunCompletionStatus>"
    )


def repaired(folder, sequenced):
    """Deep inside, with nothing changed in the two upper levels."""
    for path in sequenced.rglob("*.bcl*"):
        copy = folder / path.relative_to(sequenced)
        if copy.stat().st_size != path.stat().st_size:
            shutil.copy(path, copy)


def sheet_comes(folder, sequenced):
    shutil.copy(sequenced / "SampleSheet.csv", folder)


def marker_comes(folder, sequenced):
    shutil.copy(sequenced / "RTAComplete.txt", folder)


def instrument_says_well(folder, sequenced):
    (folder / "RunCompletionStatus.xml").write_text(
        "<RunCompletionStatus><CompletionStatus>CompletedAsPlanned</CompletionStatus>"
        "</RunCompletionStatus>"
    )


@pytest.mark.parametrize(
    ("mishap", "verdict", "code", "repair"),
    [
        (no_sheet, "no_sheet", "run.no_sheet", sheet_comes),
        (no_marker, "stalled", "run.stalled", marker_comes),
        (one_file_short, "incomplete", "run.incomplete", repaired),
        (ended_early, "failed", "run.failed", instrument_says_well),
    ],
)
def test_each_mishap_is_told_once_and_mended_by_the_deed(
    make_site, sequenced, mishap, verdict, code, repair
):
    """By the scan alone; a settled run is told of once, and once again when it goes on."""
    settings = {"settle_seconds": 0.2, "stalled_after": 0.4, "recheck_seconds": 0.2}
    site = make_site(**settings).start()
    folder = arrive(site, sequenced, mishap)
    run = site.becomes(verdict=verdict)
    assert run["state"] == ("error" if verdict == "failed" else "none")
    assert (run["why"]["code"], bool(run["why"]["hint"])) == (code, True)
    evidence = f"/api/1.0/runs/{run['name']}/evidence"
    before = site.serving.get(evidence).json()
    told = site.told("verdict")
    assert "quiet_since" in before["evidence"] and before["evidence"].get("samples", 4) == 4
    site.mark()
    assert site.serving.get(evidence).json() == before
    site.stop()
    site.start()  # what was told before a restart is not told again
    assert site.serving.get(evidence).json() == before
    assert site.told("verdict") == told
    repair(folder, sequenced)
    site.becomes(verdict="complete", state="ready")
    assert site.told("run_ready") == [run["name"]]


def test_a_run_that_stands_still_does_so_over_a_restart(make_site, sequenced):
    site = make_site(stalled_after=3600.0).start()
    folder = arrive(site, sequenced, no_marker)
    run = site.becomes(why=any_why("no change seen since"))
    evidence = f"/api/1.0/runs/{run['name']}/evidence"
    before = site.serving.get(evidence).json()
    site.stop()
    site.start()
    assert site.serving.get(evidence).json() == before
    site.stop()
    known = times.seconds_since(before["evidence"]["quiet_since"])
    site.settings = site.settings.model_copy(update={"stalled_after": known})
    site.start()
    run = site.becomes(verdict="stalled")
    after = site.serving.get(evidence).json()["evidence"]
    assert after["quiet_since"] == before["evidence"]["quiet_since"]
    site.stop()
    (folder / "late.txt").touch()  # it went on while nobody watched
    site.settings = site.settings.model_copy(update={"stalled_after": 3600.0})
    site.start()
    run = site.becomes(verdict="copying")
    after = site.serving.get(evidence).json()["evidence"]
    assert after["quiet_since"] > before["evidence"]["quiet_since"]


def test_the_kernel_tells_of_a_sheet_that_comes(make_site, sequenced):
    site = make_site(scan_interval=SLOW).start()
    folder = arrive(site, sequenced, no_sheet)
    site.becomes(verdict="no_sheet")
    sheet_comes(folder, sequenced)
    site.becomes(state="ready")


def test_a_sheet_that_does_not_come_is_told_of(make_site, sequenced):
    site = make_site(sheet_due_hours=0.5 / 3600).start()
    folder = arrive(site, sequenced, no_sheet)
    site.becomes(verdict="no_sheet")
    eventually(lambda: site.told("run_stuck") == [folder.name])
    sheet_comes(folder, sequenced)
    site.becomes(state="ready")
    assert site.serving.get("/api/1.0/alerts").json()["alerts"] == []


def test_a_sheet_may_come_into_a_drop_folder(make_site, sequenced, tmp_path, monkeypatch):
    monkeypatch.setattr("arteriole.runfolder.sheets.SETTLE", 0.2)
    drop = tmp_path / "sheets"
    site = make_site(sheets=["run_folder", {"folder": str(drop)}]).start()
    arrive(site, sequenced, no_sheet)
    sheet = f"/api/1.0/runs/{sequenced.name}/sheet"
    why = site.becomes(verdict="no_sheet")["why"]
    assert (why["code"], why["urgency"]) == ("run.sheet_lookup", "result late")
    assert f"{drop}: the folder is not there" in why["message"]
    assert site.serving.get(sheet).status_code == 503
    drop.mkdir()
    flowcell = sequenced.name.split("_")[3][1:]
    site.becomes(verdict="no_sheet", why=any_why(f"is not there, nor {drop}/{flowcell}.csv"))
    assert site.serving.get(sheet).json()["error"]["code"] == "run.no_sheet"
    shutil.copy(sequenced / "SampleSheet.csv", drop / f"{flowcell}.csv")
    run = site.becomes(state="ready")
    data = (sequenced / "SampleSheet.csv").read_bytes()
    assert run["why"]["samples"] == len(SampleSheet.read(sequenced / "SampleSheet.csv").samples)
    assert site.serving.get(sheet).json() == {
        "run": sequenced.name,
        "source": f"folder {drop}",
        "places": ["run_folder", f"folder {drop}"],
        "sha256": hashlib.sha256(data).hexdigest(),
        "base64": base64.b64encode(data).decode(),
    }
    evidence = site.serving.get(f"/api/1.0/runs/{sequenced.name}/evidence").json()["evidence"]
    assert evidence["sheet_source"] == f"folder {drop}"
    assert evidence["questions"][-1]["because"].startswith(f"the sheet of folder {drop} names")


def test_the_run_folders_own_sheet_is_read_where_it_is(make_site, sequenced, tmp_path):
    site = make_site(sheets=[{"folder": str(tmp_path)}, "run_folder"]).start()
    site.bring()
    site.becomes(state="ready")
    answer = site.serving.get(f"/api/1.0/runs/{sequenced.name}/sheet").json()
    places = [f"folder {tmp_path}", "run_folder"]
    assert answer == {"run": sequenced.name, "source": "run_folder", "places": places}


def test_a_site_may_do_without_sheets(make_site, sequenced):
    site = make_site(require_sheet=False).start()
    arrive(site, sequenced, no_sheet)
    site.becomes(state="ready")


def test_a_run_that_stands_still_is_superseded_by_the_next_of_its_instrument(make_site, sequenced):
    site = make_site(stalled_after=0.2).start()
    arrive(site, sequenced, no_marker)
    site.becomes(verdict="stalled", why=any_why("nothing has changed since"))
    date, serial, number, flowcell = sequenced.name.split("_")
    other_side = f"{date}_{serial}_{int(number) + 1:04d}_B{flowcell[1:]}"
    site.bring(other_side, is_copy=True)
    next_one = f"{date}_{serial}_{int(number) + 2:04d}_{flowcell}"
    (site.directories[1] / next_one).mkdir()
    run = site.becomes(verdict="stalled", why=any_why(f"has begun {next_one} since"))
    assert run["why"]["code"] == "run.superseded"
    hint = run["why"]["hint"]
    assert "still has the run, and copy the folder again from the instrument: rsync" in hint
    assert "arteriole" not in hint  # what may be on the instrument alone is ended by nobody's haste
    assert other_side not in run["why"]["message"]


def test_a_copy_that_goes_on_keeps_a_run_waiting(make_site, sequenced):
    """However long it takes, as long as each file comes within the quiet period."""
    site = make_site(settle_seconds=0.5, recheck_seconds=0.1).start()
    folder = site.directories[0] / sequenced.name
    for path in sorted(sequenced.rglob("*")):  # the marker is among the first
        copy = folder / path.relative_to(sequenced)
        if path.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    run = site.becomes(state="ready")
    kinds = [
        event["payload"]["verdict"] for event in site.events()
        if event["what"] == "verdict" and event["run"] == run["name"]
    ]  # fmt: skip
    assert set(kinds) <= {"sequencing", "copying", "complete"}
    assert kinds[-1] == "complete"


def test_a_run_under_a_second_name_is_held_until_a_person_says_so(make_site):
    site = make_site().start()
    first = site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": {"stages": {"receive": {}, "a": {}}}})
    copy = f"{first.name}_copy"
    site.bring(copy, directory=1, is_copy=True)
    run = site.becomes(copy, state="pending", verdict="complete")
    assert (run["why"]["code"], run["why"]["urgency"]) == ("run.copy", "result late")
    assert f"it is the run of {first} under another name" in run["why"]["message"]
    hint = f"out of {site.directories[1]}, then: arteriole abort {copy}; if it is to be"
    assert hint in run["why"]["hint"] and run["why"]["hint"].endswith(f"arteriole release {copy}")
    assert copy not in site.told("run_ready")
    site.act("claim", {"by": "ex2", "plan": {"stages": {"receive": {}}}}, copy, status=409)
    release = {"scope": "run", "name": copy, "reason": "both are wanted"}
    assert site.serving.post("/api/1.0/holds/release", release).ok
    site.becomes(copy, state="ready")
    assert site.told("run_ready") == [first.name, copy]
    site.stop()
    site.start()
    assert site.run(copy)["state"] == "ready"


def test_by_its_marker_alone_no_run_is_known_as_a_copy(make_site, sequenced):
    site = make_site(readiness="marker", completed_marker_grace_minutes=0).start()
    for name in (sequenced.name, "second"):
        site.bring(name, is_copy=True)
        site.becomes(name, state="ready")


def test_of_two_folders_that_come_together_one_is_taken(make_site, sequenced):
    site = make_site().start()
    site.stop()
    names = [sequenced.name, f"{sequenced.name}_copy"]
    for name in names:
        site.bring(name, is_copy=True)
    site.start()
    for name in names:
        site.becomes(name, verdict="complete")
    (taken,) = site.told("run_ready")
    (held,) = {*names} - {taken}
    assert (site.run(taken)["state"], site.run(held)["why"]["code"]) == ("ready", "run.copy")
    away = site.directories[0].rename(site.directories[0].with_name("away"))
    for name in names:
        site.becomes(name, verdict="unreachable")
    away.rename(site.directories[0])
    for name in names:
        site.becomes(name, verdict="complete")
    assert (site.run(taken)["state"], site.run(held)["why"]["code"]) == ("ready", "run.copy")


def test_of_a_run_that_was_renamed_and_copied_one_is_taken(make_site):
    site = make_site().start()
    first = site.bring()
    site.becomes(state="ready")
    site.stop()
    names = ["renamed", "second"]
    site.bring("second", is_copy=True)
    first.rename(first.with_name("renamed"))
    site.start()
    for name in names:
        site.becomes(name, verdict="complete")
    assert sorted(site.run(name)["state"] for name in names) == ["pending", "ready"]


def test_where_the_other_folder_does_not_answer_it_may_be_there(make_site, monkeypatch):
    site = make_site().start()
    first = site.bring()
    site.becomes(state="ready")
    answers = threading.Event()
    is_dir = detection._is_dir

    def hangs(path):
        return is_dir(path) if path != first else answers.wait()

    monkeypatch.setattr(detection, "_is_dir", hangs)
    monkeypatch.setattr(detection, "PATIENCE", 0.1)
    try:
        site.bring("second", directory=1, is_copy=True)
        run = site.becomes("second", verdict="complete")
        assert run["why"]["code"] == "run.copy"
    finally:
        answers.set()


def test_a_folder_that_was_moved_back_is_seen_by_the_redo(make_site, monkeypatch):
    site = make_site().start()
    folder = site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": {"stages": {"a": {"makes_attempt": True}}}})
    away = folder.rename(folder.parent.with_name("away"))
    site.becomes(verdict="unreachable")
    site.stop()
    monkeypatch.setattr(Notifications, "watch", lambda *_: None)
    site.settings = site.settings.model_copy(update={"scan_interval": SLOW})
    (site.directories[0] / "last").mkdir()
    site.start(scanned=False)
    eventually(lambda: "last" in site.listed())
    site.act("redo", {"from": "a"}, status=409)
    away.rename(folder)
    answers = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(Detector, "_look_at", lambda *_: answers.wait())
        patch.setattr(detection, "PATIENCE", 0.1)
        site.act("redo", {"from": "a"}, status=409)
    answers.set()
    assert site.act("redo", {"from": "a"}) == {"attempt": 2}


@pytest.mark.parametrize("left", ["renamed", "dismissed", "not adopted", "another run"])
def test_what_is_no_copy_is_taken(make_site, left):
    site = make_site()
    if left == "not adopted":
        first = site.bring()
    site.start()
    if left != "not adopted":
        first = site.bring()
        site.becomes(state="ready")
    if left == "renamed":
        first.rename(first.with_name("renamed"))
    else:
        if left == "dismissed":
            site.act("abort", {"reason": "cut short"})
        site.bring("second", is_copy=left != "another run")
    site.becomes("renamed" if left == "renamed" else "second", state="ready")


def test_a_file_system_that_is_not_mounted_is_told_from_a_folder_that_is_gone(make_site):
    site = make_site().start()
    kept, gone = site.bring("kept"), site.bring("gone")
    site.becomes("kept", state="ready")
    site.becomes("gone", state="ready")
    shutil.rmtree(gone)
    run = site.becomes("gone", verdict="unreachable")
    assert f"is not in {site.directories[0]} any more" in run["why"]["message"]
    assert run["why"]["hint"].endswith("arteriole abort gone")
    assert site.run("kept")["state"] == "ready"
    away = site.directories[0].rename(site.directories[0].with_name("away"))
    site.directories[0].mkdir()  # an empty mount point
    run = site.becomes("kept", verdict="unreachable")
    assert run["why"]["hint"] == f"mount the file system of {site.directories[0]}"
    site.directories[0].rmdir()
    away.rename(site.directories[0])
    site.becomes("kept", state="ready")
    assert kept.is_dir()


def test_what_comes_does_not_wait_for_hundreds_that_were_there(tmp_path, sequenced):
    """A scan that may take no time at all judges one that is new and one that is known."""

    async def scans():
        settings = RunfolderSettings(monitored_directories=[tmp_path / "landing"])
        detector = Detector(runs, settings, Sheets(settings.sheets))
        for _ in range(3):
            await detector.scan(limit=0.0)
            yield [run.name for run in runs.all() if run.message]
            (tmp_path / "landing" / "late").mkdir(exist_ok=True)
        await detector.scan()
        yield [run.name for run in runs.all() if run.message]

    async def all_scans():
        return [judged async for judged in scans()]

    for name in ("a", "b", "c"):
        (tmp_path / "landing" / name).mkdir(parents=True)
    with closing(Store(tmp_path / "runs.sqlite", "arteriole.runfolder.sql")) as store:
        runs = Runs(store)
        judged = asyncio.run(all_scans())
    assert judged == [["c"], ["c", "late"], ["b", "c", "late"], ["a", "b", "c", "late"]]


def test_a_folder_that_cannot_be_judged_disturbs_no_other(make_site, sequenced):
    """A pipe that nobody writes to would be waited for."""
    site = make_site().start()

    def pipes(folder):
        for name in ("RunInfo.xml", "SampleSheet.csv", "RunCompletionStatus.xml"):
            (folder / name).unlink(missing_ok=True)
            os.mkfifo(folder / name)

    arrive(site, sequenced, pipes, "a_pipe")
    site.becomes("a_pipe", verdict="unreadable")
    site.bring()
    site.becomes(state="ready")


def test_a_store_that_cannot_be_written_is_told_and_passes(make_site):
    """Another that writes for longer than the store waits stands for a disk that is full."""
    site = make_site().start()
    with closing(sqlite3.connect(site.store)) as other:
        other.execute("BEGIN IMMEDIATE")
        site.bring()
        health = eventually(
            lambda: site.serving.get("/health").json(), lambda found: found["status"] == "degraded"
        )
        assert "runs.sqlite cannot be written" in health["trouble"]
    site.becomes(state="ready")
    eventually(lambda: site.serving.get("/health").json()["status"] == "ok")
