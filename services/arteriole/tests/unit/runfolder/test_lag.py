"""Whether an instrument lags, with a clock that is moved by hand."""

from pathlib import Path

import pytest

from arteriole.illumina.run_info import RunInfo
from arteriole.runfolder.lag import Cycles, Pauses

from ..illumina.conftest import write_run_info

RUN, OTHER = Path("/data/run"), Path("/data/other")


class Instrument:
    """A run of 8 and 20 cycles, and what is seen of it."""

    def __init__(self, info):
        self.info = info
        self.now = 1000.0
        self.cycles = Cycles()
        self.pauses = Pauses(300.0, lambda: self.now)
        self.cycle = {RUN: 0, OTHER: 0}
        self.note(RUN)

    def note(self, run):
        self.cycles.note(run, self.info, self.cycle[run], self.now)

    def after(self, *seconds, run=RUN, cycles=1):
        """So many steps of it."""
        for step in seconds:
            self.now += step
            self.cycle[run] += cycles
            self.note(run)
        return self

    def overdue(self, seconds):
        """The cycle that is overdue after that."""
        self.now += seconds
        self.note(RUN)
        found = self.cycles.overdue(self.now)
        return found[0].cycle if found else None

    def paused(self, seconds=0.0):
        self.now += seconds
        pause = self.pauses.review(self.cycles)
        return None if pause is None else pause.reason.cycle


@pytest.fixture
def instrument(tmp_path):
    write_run_info(tmp_path / "run", reads=((8, "N"), (20, "N")))
    return Instrument(RunInfo.read(tmp_path / "run"))


@pytest.mark.parametrize(
    ("steps", "wait", "overdue"),
    [
        ([60, 60, 60, 60], 179, None),
        ([60, 60, 60, 60], 181, 4),
        ([60, 60, 60, 100], 299, None),  # the longest counts
        ([60, 60, 60, 100], 301, 4),
        ([60, 60, 60], 9999, None),  # the first cycle is no step: too few
        ([60] * 7 + [60], 9999, None),  # the end of a read: an instrument turns the clusters over
        ([60] * 9 + [60], 181, 10),
        ([60] * 28, 9999, None),  # the last
        ([2, 2, 2, 2, 2], 59, None),  # nothing is so quick; it is a copy
        ([500] + [60] * 9, 181, 10),  # only the last five count
    ],
)
def test_a_cycle_is_overdue_by_the_time_of_those_before(instrument, steps, wait, overdue):
    instrument.after(*steps)
    assert instrument.overdue(wait) == overdue
    assert instrument.after(1).overdue(1) is None


def test_cycles_that_are_seen_together_are_one_step(instrument):
    instrument.after(0, 60, 60, 60, cycles=3)
    assert [instrument.overdue(170), instrument.overdue(20)] == [None, 12]


def test_the_time_between_two_reads_is_no_step(instrument):
    instrument.after(*[60] * 8, 3600, 60, 60)
    assert instrument.overdue(181) == 11


def test_a_run_that_begins_anew_or_ends_is_not_overdue(instrument):
    instrument.after(60, 60, 60, 60, 60)
    instrument.cycle[RUN] = 1
    assert instrument.overdue(1000) is None
    instrument.after(60, 60, 60, 60)
    assert instrument.overdue(1000) == 5
    instrument.cycles.forget(RUN)
    assert instrument.cycles.overdue(instrument.now) == []


def test_reading_waits_until_the_cycle_comes(instrument):
    instrument.after(60, 60, 60, 60, 60)
    assert [instrument.paused(170), instrument.paused(20), instrument.paused(100)] == [None, 5, 5]
    instrument.after(1)
    assert instrument.paused() is None
    reason = str(instrument.cycles.overdue(instrument.now + 1000)[0])
    assert reason.startswith("run has had no cycle after 6 for 1000 s; its last steps took")


def test_a_pause_has_an_end_and_comes_once_a_cycle(instrument):
    """Whatever an instrument does, base calls are read half of the time at least."""
    instrument.after(60, 60, 60, 60, 60)
    assert instrument.paused(200) == 5
    assert [instrument.paused(299), instrument.paused(2), instrument.paused(9999)] == [
        5,
        None,
        None,
    ]
    instrument.after(1, 1, 1)
    assert instrument.pauses.now is None


def test_after_a_pause_it_is_read_for_as_long(instrument):
    instrument.note(OTHER)
    for _ in range(5):
        instrument.after(60).after(0, run=OTHER)
    assert instrument.paused(200) == 5
    assert instrument.paused(300) is None  # now the other one, though it is overdue, must wait too
    assert instrument.paused(299) is None
    assert instrument.paused(2) == 5


def test_no_pause_where_a_site_wants_none(instrument):
    instrument.pauses = Pauses(0.0, lambda: instrument.now)
    instrument.after(60, 60, 60, 60, 60)
    assert instrument.paused(9999) is None
