"""What the kernel tells, and what it says when it does not."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from arteriole.runfolder import notifications as module
from arteriole.runfolder.notifications import Notifications

#: In a user namespace of its own, so that no other program on the machine is touched.
LIMITED = """
import sys, time
from pathlib import Path
from arteriole.runfolder.notifications import Notifications

setting, landing = sys.argv[1], Path(sys.argv[2])
Path("/proc/sys/user", setting).write_text("0" if "instances" in setting else "2")
one = Notifications(landing, lambda path: None, lambda: None)
for _ in range(2):
    for path in (landing, *sorted(landing.iterdir())):
        one.watch(path)
print(*one.notes(), sep="\\n")
one.unwatch(landing / "a")
for path in sorted(landing.iterdir())[1:]:
    one.watch(path)
print(*one.notes(), sep="\\n")
"""


class Told:
    def __init__(self, directory):
        self.paths, self.losses = [], 0
        self.news, self.let_go = threading.Event(), threading.Event()
        self.let_go.set()
        self.one = Notifications(directory, self._tell, self._lost)

    def _tell(self, path):
        self.let_go.wait(60)
        self.paths.append(path)
        self.news.set()

    def _lost(self):
        self.losses += 1
        self.news.set()

    def of(self, deed):
        """What is told of first after this."""
        self.news.clear()
        self.paths.clear()
        deed()
        assert self.news.wait(30)
        return self.paths[0]

    def hears(self, path, deed):
        """It is told of `path` after this; of others it may be late to tell."""
        self.news.clear()
        self.paths.clear()
        deed()
        while path not in self.paths:
            assert self.news.wait(30), self.paths
            self.news.clear()
        return True


@pytest.fixture
def told(tmp_path):
    found = Told(tmp_path)
    found.one.watch(tmp_path)
    yield found
    found.let_go.set()
    found.one.stop()


def test_what_is_news(told, tmp_path):
    run = tmp_path / "run"
    assert told.of(run.mkdir) == run
    told.one.watch(run)
    (run / "no news").touch()
    assert told.of((run / "RTAComplete.txt").touch) == run
    assert told.of(lambda: run.rename(tmp_path / "moved")) == run


def test_what_stands_in_its_place_now_is_heard(told, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for _ in range(2):
        told.one.watch(run)
        told.one.watch(run)
        run.rename(tmp_path / "away")
        run.mkdir()
        told.one.watch(run)
        assert told.hears(run, (run / "SampleSheet.csv").touch)
        (run / "SampleSheet.csv").unlink()
        shutil.rmtree(tmp_path / "away")
    told.one.unwatch(run)
    (run / "RTAComplete.txt").touch()
    assert told.hears(tmp_path / "next", (tmp_path / "next").mkdir)


def test_what_is_not_there_is_no_limit(told, tmp_path):
    told.one.watch(tmp_path / "absent")
    told.one.unwatch(tmp_path / "absent")
    assert told.one.notes() == []


@pytest.mark.parametrize(
    ("setting", "limit", "folders"),
    [
        ("max_inotify_watches", "fs.inotify.max_user_watches", [3, 2]),
        ("max_inotify_instances", "fs.inotify.max_user_instances", [5, 4]),
    ],
)
def test_a_limit_that_is_reached_is_told_with_its_remedy(tmp_path, setting, limit, folders):
    """Really reached; and told no more once it is raised, or nothing is to be watched."""
    landing = tmp_path / "landing"
    for name in "abcd":
        (landing / name).mkdir(parents=True)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", LIMITED, setting, landing],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    log = [line for line in done.stdout.splitlines() if "gives no further" in line]
    notes = [line for line in done.stdout.splitlines() if "give no notifications" in line]
    assert len(log) == 1 and f"sysctl -w {limit}=" in log[0]
    assert [int(note.split()[0]) for note in notes] == folders
    assert all(f"{limit} is used up; sysctl -w {limit}=" in note for note in notes)


def test_notifications_that_were_lost_are_told(told, tmp_path):
    """Really lost: more than the kernel keeps come while nobody reads."""
    kept = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if kept > 2_000_000:
        pytest.skip("the kernel of this machine keeps very many")
    told.let_go.clear()
    (tmp_path / "first").mkdir()
    one, other = tmp_path / "one", tmp_path / "two"
    one.touch()
    for number in range(kept + 10):
        (one, other)[number % 2].rename((other, one)[number % 2])
    told.news.clear()
    told.let_go.set()
    assert told.news.wait(30)
    while not told.losses:
        assert told.news.wait(30)
    assert told.losses == 1
    (note,) = told.one.notes()
    assert "sysctl -w fs.inotify.max_queued_events=" in note


def test_a_remedy_doubles_what_there_is():
    limit = "fs.inotify.max_user_watches"
    now = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text())
    assert module.remedy(limit).startswith(f"sysctl -w {limit}={2 * now},")
    assert module.remedy("fs.no.such") == "raise it with sysctl -w fs.no.such=N"
