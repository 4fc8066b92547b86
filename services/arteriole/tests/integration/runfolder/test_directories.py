"""Directories that are added, unmounted, turned and taken away: which of their runs are new."""

import asyncio
import shutil
import sqlite3
from contextlib import closing

import pytest

from arteriole.app.store import Store
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.sheets import Sheets

from ..app.serving import eventually
from .conftest import SLOW


def watch(site, *directories):
    """The service is started with these directories."""
    site.stop()
    site.settings = site.settings.model_copy(update={"monitored_directories": list(directories)})
    return site.start(scanned=directories[:1] == tuple(site.directories[:1]))


def is_left_alone(site, name):
    """Though it is complete it waits for a person, and says so."""
    run = site.becomes(name, state="pending", verdict="complete", adopted=False)
    assert run["why"]["code"] == "run.not_adopted"
    assert run["why"]["hint"] == f"arteriole adopt {name}"
    assert name not in site.told("run_ready")


def is_taken(site, name):
    assert site.becomes(name, state="ready")["adopted"]


@pytest.fixture
def two(make_site):
    """The service has scanned the first of two directories; it has never seen the second."""
    site = make_site()
    return watch(site, site.directories[0])


def test_what_lies_in_a_directory_that_is_added_waits_and_what_comes_later_does_not(two):
    one, other = two.directories
    two.bring("before")
    is_taken(two, "before")
    two.stop()
    two.bring("old", directory=1)
    two.bring("meanwhile")  # while the service is stopped, where it has scanned
    watch(two, one, other)
    is_left_alone(two, "old")
    is_taken(two, "meanwhile")
    two.bring("later", directory=1)
    is_taken(two, "later")
    two.stop()
    two.bring("again", directory=1)
    watch(two, one, other)
    is_taken(two, "again")
    two.act("adopt", name="old")
    is_taken(two, "old")


def test_an_empty_one_is_scanned_too(two):
    watch(two, *two.directories)
    two.stop()
    two.bring("later", directory=1)
    watch(two, *two.directories)
    is_taken(two, "later")


def test_one_name_in_two_directories_is_one_run(two):
    first = two.bring()
    is_taken(two, first.name)
    two.bring(directory=1)
    watch(two, *two.directories)
    runs = eventually(
        lambda: [run for run in two.runs() if run["name"] == first.name], lambda r: len(r) == 2
    )
    assert [(run["state"], run["verdict"], run["adopted"]) for run in runs] == [
        ("ready", "complete", True),
        ("error", "refused", False),
    ]


def test_a_site_may_adopt_what_lies_in_a_directory_that_is_added(make_site):
    site = make_site(adopt_existing=True)
    watch(site, site.directories[0])
    site.bring("old", directory=1)
    watch(site, *site.directories)
    is_taken(site, "old")


def test_what_lies_in_one_that_was_out_of_reach_at_first_waits(two, sequenced):
    other = two.directories[1]
    away = other.rename(other.with_name("away"))
    watch(two, *two.directories)
    two.bring("new")
    is_taken(two, "new")
    shutil.copytree(sequenced, away / "old")
    away.rename(other)
    is_left_alone(two, "old")
    two.bring("later", directory=1)
    is_taken(two, "later")


@pytest.mark.parametrize("restarted", [True, False])
def test_an_empty_mount_point_is_not_what_is_mounted_there(two, sequenced, restarted):
    other = two.directories[1]
    watch(two, *two.directories)
    if restarted:
        two.stop()
    other.rename(other.with_name("mount point"))
    shutil.copytree(sequenced, other.with_name("volume") / "old")
    other.with_name("volume").rename(other)
    if restarted:
        two.start()
    is_left_alone(two, "old")
    two.bring("later", directory=1)
    is_taken(two, "later")
    two.stop()
    shutil.copytree(other, other.with_name("copy"))  # runs were seen: it is the same, wherever
    shutil.rmtree(other)
    other.with_name("copy").rename(other)
    two.bring("meanwhile", directory=1)
    two.start()
    is_taken(two, "meanwhile")


def test_one_that_comes_back_is_scanned_for_the_first_time_again(two):
    one, other = two.directories
    watch(two, one, other)
    two.bring("seen", directory=1)
    is_taken(two, "seen")
    watch(two, one)
    two.bring("unseen", directory=1)
    watch(two, one, other)
    is_left_alone(two, "unseen")
    is_taken(two, "seen")


def test_a_directory_is_what_a_link_leads_to(two, tmp_path, sequenced):
    link, elsewhere = tmp_path / "link", tmp_path / "elsewhere"
    shutil.copytree(sequenced, elsewhere / "old")
    link.symlink_to(two.directories[1])
    watch(two, link).mark(1)
    two.bring("early", directory=1)
    is_taken(two, "early")
    two.stop()
    two.bring("meanwhile", directory=1)
    watch(two, link)
    is_taken(two, "meanwhile")
    two.stop()
    two.bring("known", directory=1)
    two.settings = two.settings.model_copy(
        update={"monitored_directories": [two.directories[1], link]}
    )
    two.start(scanned=False)
    eventually(lambda: [run["verdict"] for run in two.runs() if run["name"] == "known"],
               lambda found: found == ["complete", "refused"])  # fmt: skip
    assert two.run("known")["adopted"]
    link.unlink()
    link.symlink_to(elsewhere)
    is_left_alone(two, "old")


def test_what_is_asked_for_before_any_scan_is_what_it_is(two):
    """A client of Arteria may ask first, where it was scanned and where it was not."""
    watch(two, *two.directories)
    two.stop()
    new, old = two.bring("new"), two.directories[1].with_name("old")
    old.mkdir()
    shutil.copytree(new, old / "old")
    settings = two.settings.model_copy(
        update={"monitored_directories": [two.directories[0], old], "scan_interval": SLOW}
    )

    async def asked():
        detector = Detector(runs, settings, Sheets(settings.sheets))
        return [(await detector.meet(path)).adopted for path in (new, old / "old")]

    with closing(Store(two.store, "arteriole.runfolder.sql")) as store:
        runs = Runs(store)
        assert asyncio.run(asked()) == [True, False]


def test_a_first_scan_that_is_cut_off_is_a_first_scan_again(tmp_path):
    landing = tmp_path / "landing"
    for name in ("a", "b", "c"):
        (landing / name).mkdir(parents=True)
    settings = RunfolderSettings(monitored_directories=[landing])

    def scan():
        asyncio.run(Detector(runs, settings, Sheets(settings.sheets)).scan())
        return {run.name: run.adopted for run in runs.all()}

    with closing(Store(tmp_path / "runs.sqlite", "arteriole.runfolder.sql")) as store:
        runs = Runs(store)
        store.execute(
            "CREATE TEMP TRIGGER crash BEFORE INSERT ON run WHEN new.name = 'b'"
            " BEGIN SELECT raise(ABORT, 'the power is cut'); END"
        )
        with pytest.raises(sqlite3.IntegrityError, match="the power is cut"):
            scan()
        assert {run.name: run.adopted for run in runs.all()} == {"a": False}
        store.execute("DROP TRIGGER crash")
        assert scan() == {"a": False, "b": False, "c": False}
        (landing / "d").mkdir()
        assert scan() == {"a": False, "b": False, "c": False, "d": True}
