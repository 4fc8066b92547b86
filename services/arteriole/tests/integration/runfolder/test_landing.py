"""Storage that is slow, away, hangs or is not to be read: what is seen, and what is left alone."""

import os
import shutil
import time
from collections import Counter

import pytest

from arteriole.illumina import completeness
from arteriole.runfolder import lag, landing
from arteriole.runfolder.settings import ReadRate

from ..app.serving import eventually
from .conftest import SLOW
from .test_detection import arrive, no_marker, no_sheet, one_file_short


@pytest.fixture
def checked(monkeypatch):
    """How often all base calls of each run were looked at."""
    counts = Counter()
    check = completeness.check

    def counted(path, *given, **more):
        counts[path.name] += 1
        return check(path, *given, **more)

    monkeypatch.setattr(completeness, "check", counted)
    return counts


def health(site):
    return site.serving.get("/health").json()


def becomes_healthy(site):
    return eventually(lambda: health(site), lambda found: found["status"] == "ok")


@pytest.mark.parametrize("from_the_start", [False, True])
def test_a_mount_that_hangs_stops_nothing_else(make_site, mounts, monkeypatch, from_the_start):
    """Neither other directories, nor the service's answers, nor its end; afterwards all is as it
    was.
    """
    monkeypatch.setattr(landing, "HUNG", 0.3)
    site = make_site()
    hung = site.directories[1]
    if from_the_start:
        device = mounts.hang(hung)
        mounts.do(lambda: site.start(scanned=False))
    else:
        mounts.do(site.start)
        site.bring("far", directory=1)
        site.becomes("far", state="ready")
        device = mounts.hang(hung)
    found = eventually(lambda: health(site), lambda found: found["status"] == "degraded")
    assert "has not answered for" in found["unreachable_directories"][str(hung)]
    assert found["directories"][str(hung)]["file_system"] == "fuse"
    site.bring("near")
    site.becomes("near", state="ready")
    begun = time.monotonic()
    site.stop()
    assert time.monotonic() - begun < 20
    mounts.do(lambda: site.start(scanned=False))
    os.close(device)  # the server died: every call fails
    why = "Transport endpoint is not connected"
    eventually(lambda: health(site)["unreachable_directories"].get(str(hung)) == why)
    if not from_the_start:
        run = site.becomes("far", verdict="unreachable")
        assert why in run["why"]["message"] and run["why"]["urgency"] == "instrument at risk"
    mounts.unmount(hung)
    becomes_healthy(site)
    if not from_the_start:
        site.becomes("far", state="ready")
    assert site.told("run_ready") == ["near"] if from_the_start else ["far", "near"]


def test_a_folder_that_hangs_stops_no_other(make_site, mounts, monkeypatch):
    monkeypatch.setattr(landing, "HUNG", 0.3)
    site = make_site()
    directory = site.directories[0]
    (directory / "stuck").mkdir()
    device = mounts.hang(directory / "stuck")
    mounts.do(site.start)
    found = eventually(lambda: health(site)["unreachable_directories"])
    assert found[str(directory)].startswith("stuck has not answered for")
    site.bring()
    site.becomes(state="ready")
    os.close(device)
    site.becomes("stuck", verdict="unreachable")
    mounts.unmount(directory / "stuck")
    site.becomes("stuck", verdict="sequencing")
    becomes_healthy(site)


def goes(directory):
    directory.rename(directory.with_name("away"))


def is_empty(directory):
    goes(directory)
    directory.mkdir()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("leave", [goes, is_empty])
def test_what_comes_back_is_as_it_was(make_site, sequenced, checked, leave, restarted):
    """What was ready is not read again and told of once; what rested is quiet since then."""
    site = make_site(settle_seconds=0.2, recheck_seconds=SLOW, stalled_after=0.4).start()
    directory = site.directories[0]
    site.bring("whole")
    site.becomes("whole", state="ready")
    for name, mishap, verdict in [
        ("short", one_file_short, "incomplete"),
        ("unmarked", no_marker, "stalled"),
        ("no-sheet", no_sheet, "no_sheet"),
    ]:
        arrive(site, sequenced, mishap, name)
        site.becomes(name, verdict=verdict)
    names = ("whole", "short", "unmarked", "no-sheet")
    before, evidence = [site.run(name) for name in names], [evidence_of(site, n) for n in names]
    leave(directory)
    for name in names:
        assert site.becomes(name, verdict="unreachable")["state"] == "none"
    assert evidence_of(site, "whole")["evidence"]["before"]["verdict"] == "complete"
    if restarted:
        site.stop()
        site.start(scanned=False)
    reads = checked["whole"]
    if leave is is_empty:
        directory.rmdir()
    directory.with_name("away").rename(directory)
    for name, run in zip(names, before, strict=True):
        site.becomes(name, verdict=run["verdict"], since=run["since"])
    assert [evidence_of(site, name) for name in names] == evidence
    assert [site.run(name) for name in names] == before
    assert checked["whole"] == reads
    site.mark()
    assert site.told("run_ready") == ["whole"]


def evidence_of(site, name):
    return site.serving.get(f"/api/1.0/runs/{name}/evidence").json()


def test_another_folder_in_the_place_of_a_complete_one_is_judged(make_site, sequenced):
    site = make_site().start()
    folder = site.bring()
    site.becomes(state="ready")
    shutil.rmtree(folder)
    site.becomes(verdict="unreachable")
    arrive(site, sequenced, one_file_short)
    site.becomes(verdict="incomplete")
    assert site.told("run_ready") == [folder.name]


def test_what_may_be_worked_on_only_since_it_was_away_is_told(make_site):
    site = make_site()
    site.bring()
    site.start()
    site.becomes(state="pending", adopted=False)
    goes(site.directories[0])
    site.becomes(verdict="unreachable")
    site.act("adopt")
    site.directories[0].with_name("away").rename(site.directories[0])
    run = site.becomes(state="ready")
    assert site.told("run_ready") == [run["name"]]


def test_a_directory_that_is_absent_at_the_start_keeps_nothing_waiting(make_site):
    site = make_site()
    site.directories[1].rmdir()
    site.start()
    assert list(health(site)["unreachable_directories"]) == [str(site.directories[1])]
    site.bring("near")
    assert site.becomes("near", state="ready")["adopted"]
    away = site.directories[1].with_name("away")
    away.mkdir()
    old = site.bring("old").rename(away / "old")
    away.rename(site.directories[1])
    run = site.becomes("old", verdict="complete", path=str(site.directories[1] / old.name))
    assert run["state"] == "pending" and not run["adopted"]  # it was there before the first look
    becomes_healthy(site)
    site.bring("late", directory=1)
    assert site.becomes("late", state="ready")["adopted"]


def test_what_is_done_is_not_read_again(make_site, sequenced, checked):
    """Not by hundreds of scans, nor after a restart; what rests is read once after it."""
    site = make_site(settle_seconds=0.1, recheck_seconds=SLOW).start()
    site.bring("whole")
    site.becomes("whole", state="ready")
    arrive(site, sequenced, one_file_short, "short")
    site.becomes("short", verdict="incomplete")
    before = checked.copy()
    for _ in range(3):
        site.mark()
    assert checked == before
    site.stop()
    site.start()
    site.mark()
    assert checked - before == {"short": 1}


@pytest.mark.parametrize("name", ["a\nb", "w w", "Zürich", "..x", "...", "a;b", "💾"])
def test_a_name_that_is_unusual_disturbs_nothing(site, sequenced, name):
    (site.directories[0] / name).mkdir()
    (site.directories[0] / name / "RunInfo.xml").write_text("<RunInfo")
    (site.directories[0] / f"{sequenced.name}-link").symlink_to("/etc")
    site.bring()
    site.becomes(state="ready")
    eventually(lambda: name.startswith(".") or name in site.listed())
    names = set(site.listed()) - {"mark-0", "mark-1", sequenced.name}
    assert names == (set() if name.startswith(".") else {name})


def test_a_directory_is_read_at_its_rate_and_the_end_does_not_wait(make_site, sequenced):
    files = sum(path.is_file() for path in sequenced.rglob("*"))
    site = make_site(read_rate=ReadRate(files=files)).start()
    begun = time.monotonic()
    site.bring()
    site.becomes(state="ready")
    assert time.monotonic() - begun > 0.5
    site.bring("next")
    eventually(lambda: "next" in site.listed())
    begun = time.monotonic()
    site.stop()
    assert time.monotonic() - begun < 10


def test_base_calls_are_left_alone_while_an_instrument_lags(make_site, sequenced, monkeypatch):
    """Its cycles came quickly, and then none: others wait for a while, then they do not."""
    monkeypatch.setattr(lag, "SHORTEST", 0.1)
    site = make_site(settle_seconds=0.01, read_rate=ReadRate(longest_pause=10)).start()
    slow = site.directories[0].with_name("partial")
    slow.mkdir()
    shutil.copy(sequenced / "RunInfo.xml", slow)
    site.make_another(slow)
    slow = slow.rename(site.directories[0] / "slow")
    for cycle in (1, 2, 3, 4, 5):
        (slow / f"Data/Intensities/BaseCalls/L001/C{cycle}.1").mkdir(parents=True)
        (slow / f"{cycle}").touch()
        site.becomes("slow", progress={"done": cycle, "total": 28, "unit": "cycles"})
    paused = eventually(lambda: health(site)["directories"][str(site.directories[0])]["paused"])
    assert "an instrument that lags: slow has had no cycle after 5 for" in paused
    found = health(site)
    assert found["status"] == "ok" and any("that lags" in note for note in found["notes"])
    assert found["directories"][str(site.directories[1])]["paused"] is None
    site.bring("other", directory=1)
    site.becomes("other", state="ready")
    site.bring()
    run = eventually(site.run)
    assert run["verdict"] == "sequencing" and "that lags: slow" in run["why"]["message"]
    assert "that lags: slow" in evidence_of(site, run["name"])["paused"]
    site.becomes(state="ready")
    assert health(site)["directories"][str(site.directories[0])]["paused"] is None
