"""A run folder over time, with a clock that is moved by hand."""

import os

import pytest

from arteriole.app import times
from arteriole.runfolder import sighting
from arteriole.runfolder.quiet import Pace, Watch, clock_skew, fingerprint
from arteriole.runfolder.sighting import Surface

from ..illumina.conftest import write_calls, write_run_info

CALLS = "Data/Intensities/BaseCalls/L001"
PACE = Pace(settle=5, stalled_after=3600, recheck=60)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Seen:
    """A watched folder."""

    def __init__(self, folder, pace=PACE, rested=None, wall=lambda: 0.0):
        self.folder = folder
        self.clock = Clock()
        self.watch = Watch(folder, pace, rested, self.clock, wall)

    def after(self, seconds):
        self.clock.now += seconds
        return self.watch.look()

    def quiet(self, seconds):
        return self.after(seconds)[1].seconds


@pytest.fixture
def run(tmp_path):
    """Marked complete, one file of base calls missing."""
    folder = tmp_path / "run"
    write_run_info(folder)
    write_calls(folder, cycles=4, clusters=5)
    (folder / "RTAComplete.txt").touch()
    (folder / CALLS / "C3.1" / "s_1_1102.bcl.gz").unlink()
    return folder


@pytest.fixture
def seen(run):
    return Seen(run)


def whole(folder):
    (folder / CALLS / "C3.1" / "s_1_1102.bcl.gz").write_bytes(
        (folder / CALLS / "C3.1" / "s_1_1101.bcl.gz").read_bytes()
    )


def at_the_top(folder):
    (folder / "new").touch()


def below(folder):
    (folder / "InterOp").mkdir()


def beside_what_is_missing(folder):
    (folder / CALLS / "C3.1" / ".s_1_1102.bcl.gz.Ab12").touch()


def a_filter_goes(folder):
    (folder / CALLS / "s_1_1101.filter").unlink()


def the_marker_goes(folder):
    (folder / "RTAComplete.txt").unlink()


def a_file_grows(folder):
    with (folder / "RTAComplete.txt").open("a") as file:
        file.write("x")


CHANGES = [whole, at_the_top, below, beside_what_is_missing, a_filter_goes, the_marker_goes,
           a_file_grows]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_begins_the_quiet_period_anew(seen, change):
    assert [seen.quiet(0), seen.quiet(5), seen.quiet(7)] == [0, 5, 12]
    since = seen.after(5)[1].since
    change(seen.folder)
    assert seen.quiet(5) == 0
    _, quiet = seen.after(6)
    assert (quiet.seconds, quiet.since > since) == (6, True)


def test_the_beginning_of_the_quiet_period_stands(seen):
    begun = {seen.after(5)[1].since for _ in range(5)}
    assert len(begun) == 1
    assert begun.pop() <= times.now()


def test_what_arteria_writes_is_no_change(seen):
    seen.quiet(0)
    (seen.folder / ".arteria").mkdir()
    (seen.folder / ".arteria" / "state").write_text("ready")
    assert seen.quiet(9) == 9


def test_reading_is_no_change(seen):
    seen.quiet(0)
    for path in seen.folder.rglob("*"):
        path.is_file() and path.read_bytes()
    assert seen.quiet(9) == 9


def test_what_rests_is_looked_at_whole_only_now_and_then(seen):
    seen.quiet(0)
    seen.quiet(10)
    seen.watch.at_rest = True
    whole(seen.folder)  # deep inside: the two upper levels do not tell
    for _ in range(5):
        assert seen.after(10)[0].files.problem_count == 1
    found, quiet = seen.after(10)
    assert (found.files.problem_count, quiet.seconds) == (0, 0)


@pytest.mark.parametrize("change", [at_the_top, below, the_marker_goes])
def test_what_rests_is_looked_at_whole_when_its_surface_changes(seen, change):
    seen.quiet(0)
    seen.quiet(10)
    seen.watch.at_rest = True
    whole(seen.folder)
    change(seen.folder)
    found, quiet = seen.after(1)
    assert (found.files is None or found.files.problem_count == 0, quiet.seconds) == (True, 0)


@pytest.fixture
def slow(seen, monkeypatch):
    """Each look at the whole folder takes so many seconds by the clock."""

    def look(*given, **more):
        seen.clock.now += look.seconds
        return whole_look(*given, **more)

    whole_look = sighting.look
    monkeypatch.setattr(sighting, "look", look)
    return look


def test_a_folder_rests_for_as_long_as_a_look_at_it_took(seen, slow):
    slow.seconds = 20
    first, _ = seen.after(0)
    for number in range(1, 4):  # a copy that goes on
        (seen.folder / f"new-{number}").touch()
        found, quiet = seen.after(4)
        assert found is first and quiet.seconds == 0
        assert seen.watch.due_in() == 20 - 4 * number
    found, _ = seen.after(8)
    assert found is not first
    assert seen.after(20)[1].seconds >= 20


def test_a_look_that_hung_does_not_put_off_the_next_for_long(seen, slow):
    slow.seconds = 1800
    first, _ = seen.after(0)
    slow.seconds = 0
    whole(seen.folder)
    (seen.folder / "new").touch()
    assert seen.after(1)[0] is first
    assert seen.watch.due_in() == PACE.recheck - 1
    assert seen.after(PACE.recheck - 1)[0].files.is_complete


def test_a_whole_costly_folder_is_read_once(seen, slow):
    """Only its surface can still change."""
    slow.seconds = 20
    whole(seen.folder)
    first, _ = seen.after(0)
    assert first.files.is_complete and 0 < seen.watch.due_in() <= 5
    found, quiet = seen.after(5)
    assert found is first and quiet.seconds >= 5
    at_the_top(seen.folder)
    found, quiet = seen.after(1)
    assert found is first and quiet.seconds == 0
    assert seen.after(1)[1].seconds == 0
    assert seen.after(20)[0] is not first


def test_when_another_look_says_more(seen):
    assert seen.watch.due_in() is None
    seen.quiet(0)
    assert seen.watch.due_in() == 5
    seen.quiet(2)
    assert seen.watch.due_in() == 3
    seen.quiet(3)
    assert seen.watch.due_in() is None


@pytest.mark.parametrize("recheck", [60, 3, 1])
def test_no_look_is_called_for_that_would_say_nothing(run, recheck):
    """Whenever it is looked in between, a look when it is due says whether it has come to rest."""
    seen = Seen(run, Pace(settle=5, stalled_after=3600, recheck=recheck))
    seen.quiet(0)
    for seconds in (1, 2, 1.5):
        seen.quiet(seconds)
    assert seen.watch.due_in() == 0.5
    assert seen.quiet(0.5) == 5
    assert seen.watch.due_in() is None


def test_what_stands_still_for_long_is_looked_at_whole(seen):
    the_marker_goes(seen.folder)
    assert [seen.after(time)[0].files for time in (0, 3000)] == [None, None]
    found, quiet = seen.after(600)
    assert (found.files.found, quiet.seconds) == (11, 3600)
    seen.watch.at_rest = True
    found, quiet = seen.after(60)
    assert (found.files.found, quiet.seconds) == (11, 3660)
    whole(seen.folder)
    assert seen.quiet(60) == 0
    seen.watch.at_rest = False
    found, quiet = seen.after(5)
    assert (found.files, quiet.seconds) == (None, 5)


def test_a_folder_that_cannot_be_read_begins_anew(seen):
    seen.quiet(0)
    assert seen.quiet(9) == 9
    away = seen.folder.rename(seen.folder.with_name("away"))
    with pytest.raises(FileNotFoundError):
        seen.after(1)
    assert seen.watch.due_in() is None
    away.rename(seen.folder)
    assert seen.quiet(1) == 0


def test_a_folder_that_may_not_be_listed_below_is_no_obstacle(seen):
    (seen.folder / "closed").mkdir(mode=0)
    assert seen.quiet(0) == 0
    assert seen.quiet(9) == 9


@pytest.mark.parametrize("marked", [True, False])
def test_another_process_goes_on_with_what_rested(run, marked):
    if not marked:
        the_marker_goes(run)
    found, _ = Seen(run).after(0)
    rested = {"quiet_since": times.now(-5000), "fingerprint": fingerprint(found)}
    seen, quiet = Seen(run, rested=rested).after(0)
    assert 5000 <= quiet.seconds < 5060
    assert quiet.since == rested["quiet_since"]
    assert seen.files is not None
    whole(run)
    at_the_top(run)
    assert Seen(run, rested=rested).quiet(0) == 0


@pytest.mark.parametrize("rested", [None, {}, {"quiet_since": "2026-01-01T00:00:00.000Z"}])
def test_another_process_begins_anew_with_what_did_not_rest(run, rested):
    assert Seen(run, rested=rested).quiet(0) == 0


def test_a_clock_that_was_set_back_makes_no_quiet_period(run):
    found, _ = Seen(run).after(0)
    rested = {"quiet_since": times.now(+5000), "fingerprint": fingerprint(found)}
    assert Seen(run, rested=rested).quiet(0) == 0


@pytest.mark.parametrize(
    ("ahead", "skew"), [(3600, 3600), (121.5, 121), (120, 0), (0, 0), (-9999, 0)]
)
def test_a_file_servers_clock_that_is_ahead(ahead, skew):
    upper = Surface("", frozenset(), 1_000_000.0 + ahead, "")
    assert clock_skew(upper, 1_000_000.0) == skew


def test_a_file_stamped_in_the_future_keeps_no_run_waiting(run):
    an_hour = max(path.stat().st_ctime for path in run.iterdir()) - 3600
    seen = Seen(run, wall=lambda: an_hour)
    _, quiet = seen.after(0)
    assert 3590 < quiet.clock_skew <= 3600
    _, later = seen.after(6)
    assert (later.seconds, later.clock_skew) == (6, quiet.clock_skew)


def test_a_name_that_is_not_utf_8(seen):
    (seen.folder / os.fsdecode(b"caf\xe9")).touch()
    assert seen.quiet(0) == 0
