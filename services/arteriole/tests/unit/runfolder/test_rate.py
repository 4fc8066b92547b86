"""How quickly a directory is read, by a real clock and real threads."""

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from arteriole.app.rate import InterruptedReadingError, Rate
from arteriole.illumina import reading
from arteriole.runfolder import sighting

from ..illumina.conftest import write_calls, write_run_info


class Counting:
    """A meter that only counts."""

    def __init__(self):
        self.files = self.bytes = self.files_in_bulk = 0
        self.in_bulk = False

    def take(self, files, size):
        self.files += files
        self.bytes += size
        self.files_in_bulk += files if self.in_bulk else 0


class Limited:
    """What a look is given, without a directory."""

    def __init__(self, rate):
        self.rate, self.in_bulk = rate, False

    def take(self, files, size):
        if self.in_bulk:
            self.rate.wait_for_the_pause()
        self.rate.take(files, size)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Marked complete, 60 cycles of 2 tiles."""
    folder = tmp_path_factory.mktemp("landing") / "run"
    write_run_info(folder, reads=((60, "N"),))
    write_calls(folder, cycles=60, clusters=5)
    (folder / "RTAComplete.txt").touch()
    return folder


def seconds(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def test_every_file_of_base_calls_is_counted_twice(run):
    """When its size is asked for, and when it is opened."""
    meter = Counting()
    with reading.metered(meter):
        seen = sighting.look(run)
    assert seen.files.is_complete
    calls = [path for path in run.rglob("*") if path.suffix in (".gz", ".filter", ".locs")]
    assert 2 * len(calls) <= meter.files_in_bulk <= 2 * len(calls) + 80
    assert meter.files - meter.files_in_bulk < 40
    sizes = sum(path.stat().st_size for path in calls)
    others = sum(path.stat().st_size for path in run.iterdir() if path.is_file())
    assert sizes + others <= meter.bytes <= 2 * sizes + others
    before = meter.files
    sighting.look(run)
    assert meter.files == before


def test_one_look_keeps_to_the_rate(run):
    """It has the burst of one second, and waits for the rest."""
    counted = Counting()
    with reading.metered(counted):
        sighting.look(run)
    rate = Rate(counted.files / 1.5, 1000)
    with reading.metered(Limited(rate)):
        took = seconds(lambda: sighting.look(run))
    assert 0.45 < took < 10


@pytest.mark.parametrize(("files", "size"), [(1, 0), (0, 10_000)])
def test_all_who_read_a_directory_share_its_rate(files, size):
    """Four threads take 1,500 times what 1,000 a second are allowed of."""
    rate = Rate(1000, 10)

    def read():
        for _ in range(375):
            rate.take(files, size)

    with ThreadPoolExecutor(4) as pool:
        took = seconds(lambda: [pool.submit(read).result for _ in range(4)] and pool.shutdown())
    assert 0.45 < took < 10


def test_a_rest_is_not_saved_up():
    now = [0.0]
    rate = Rate(100, 1, clock=lambda: now[0])
    rate.take(100, 0)
    now[0] = 3600.0
    rate.take(100, 0)  # the burst of one second
    assert seconds(lambda: rate.take(20, 0)) > 0.15


@pytest.mark.parametrize("paused", [True, False])
def test_whoever_waits_ends_when_the_service_stops(run, paused):
    rate = Rate(10_000 if paused else 10, 1)
    rate.pause(time.monotonic() + 3600 if paused else 0.0)

    def read():
        with reading.metered(Limited(rate)), pytest.raises(InterruptedReadingError):
            sighting.look(run)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    rate.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_pause_keeps_base_calls_from_being_read_and_nothing_else(run):
    rate = Rate(100_000, 1000)
    rate.pause(time.monotonic() + 3600)
    seen = queue.SimpleQueue()

    def read():
        with reading.metered(Limited(rate)):
            seen.put(sighting.surface(run))
            seen.put(sighting.look(run))

    threading.Thread(target=read, daemon=True).start()
    assert seen.get(timeout=60)
    with pytest.raises(queue.Empty):
        seen.get(timeout=0.3)
    rate.pause(time.monotonic() + 0.3)
    assert seen.get(timeout=60)
    rate.pause(time.monotonic() + 3600)
    rate.pause(0.0)
    with reading.metered(Limited(rate)):
        sighting.look(run)
