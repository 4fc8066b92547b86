"""How long a cycle takes, when that is too long, and when the run should end."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from arteriole.app import times
from arteriole.illumina.run_info import RunInfo
from arteriole.runfolder import sighting
from arteriole.runfolder.quiet import Quiet
from arteriole.runfolder.tempo import Rise, tempo, written
from arteriole.runfolder.verdict import Rules, VerdictKind, judge

from ..illumina.conftest import write_run_info

#: 151 + 8 + 8 + 151 cycles, which end at 151, 159, 167 and 318.
READS = ((151, "N"), (8, "Y"), (8, "Y"), (151, "N"))
MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture
def info(tmp_path):
    return RunInfo.read(write_run_info(tmp_path / "run", reads=READS, instrument="A00130"))


def ago(seconds):
    return times.now(-seconds)


def seen(first, last, *, each=5 * MINUTE, stood=0.0):
    """The cycles as they came, each after `each` seconds, the last one `stood` seconds ago."""
    return [Rise(cycle, ago(stood + (last - cycle) * each)) for cycle in range(first, last + 1)]


@pytest.mark.parametrize(
    ("rises", "seconds"),
    [
        (seen(40, 46), 300),
        (seen(40, 45), None),  # the first was not seen to come
        (seen(40, 46, each=100), 100),
        (seen(40, 46)[::2], None),  # four cycles
        (seen(40, 60)[::5], 300),
        ([Rise(40, ago(9 * HOUR)), *seen(41, 47)], 300),
        ([*seen(40, 50, stood=7 * HOUR), *seen(51, 60)], 300),  # it stood once
        ([*seen(140, 151, stood=3 * HOUR), *seen(152, 153)], 300),  # the next read had to begin
        ([*seen(140, 150, stood=3 * HOUR), Rise(152, ago(10))], 300),
        # a service that was away in the pause saw many cycles at once afterwards
        ([Rise(140, ago(9 * HOUR)), Rise(145, ago(5 * HOUR)), *seen(155, 161)], 300),
        ([], None),
    ],
)
def test_what_a_cycle_takes(info, rises, seconds):
    found = tempo(info, rises[-1].cycle if rises else 0, rises, HOUR)
    assert (found.seconds if found else None) == (seconds and pytest.approx(seconds, rel=0.01))


@pytest.mark.parametrize(
    ("cycle", "each", "stood", "stuck"),
    [
        (60, 5 * MINUTE, 55 * MINUTE, False),  # the floor, for all that ten cycles are over
        (60, 5 * MINUTE, 61 * MINUTE, True),
        (60, 10 * MINUTE, 61 * MINUTE, False),
        (60, 10 * MINUTE, 101 * MINUTE, True),
        (25, 5 * MINUTE, 61 * MINUTE, False),  # templates are generated
        (26, 5 * MINUTE, 61 * MINUTE, True),
        (147, 5 * MINUTE, 61 * MINUTE, True),
        (148, 5 * MINUTE, 61 * MINUTE, False),  # it may be at the end of its read
        (151, 5 * MINUTE, 179 * MINUTE, False),
        (151, 5 * MINUTE, 181 * MINUTE, True),
        (167, 5 * MINUTE, 179 * MINUTE, False),  # the turnaround
        (168, 5 * MINUTE, 61 * MINUTE, True),
        (318, 5 * MINUTE, 90 * HOUR, False),  # nothing is to come but the marker
    ],
)
def test_when_it_is_stuck(info, cycle, each, stood, stuck):
    rises = seen(cycle - 14, cycle, each=each, stood=stood)
    assert tempo(info, cycle, rises, HOUR).is_stuck is stuck
    assert not tempo(info, cycle, rises[-4:], HOUR).is_stuck  # too little is known
    assert not tempo(info, cycle + 1, rises, HOUR).is_stuck  # one has just come


def test_a_cycle_that_seems_to_go_back_is_no_new_one(info):
    """A lane that begins later is behind the others."""
    rises = seen(40, 60, stood=2 * HOUR)
    assert tempo(info, 3, rises, HOUR) == tempo(info, 60, rises, HOUR)


def test_when_it_should_end(info):
    def ends(cycle, rises):
        text = tempo(info, cycle, rises, HOUR).ends
        moment = datetime.fromisoformat(text)
        assert text.endswith("Z")
        return (moment - datetime.now(UTC)) / timedelta(minutes=1)

    assert ends(118, seen(90, 118)) == pytest.approx(200 * 5, abs=1.5)
    # one pause between reads took an hour more than its cycle, two more are to come
    paused = [*seen(140, 151, stood=65 * MINUTE + 8 * 5 * MINUTE), *seen(152, 158)]
    assert ends(158, paused) > 160 * 5 + 2 * 60
    assert tempo(info, 30, seen(28, 30), HOUR).ends == ""
    assert tempo(info, 318, seen(300, 318), HOUR).ends == ""


def folders(lane, cycles, each, *, name="C{}.1"):
    """As a file server has them, with a clock that is a year slow."""
    lane.mkdir(parents=True, exist_ok=True)
    for cycle in range(1, cycles + 1):
        path = lane / name.format(cycle)
        path.mkdir()
        os.utime(path, (1.7e9 + cycle * each, 1.7e9 + cycle * each))


@pytest.mark.parametrize("name", ["C{}.1", "{:04d}.bcl.bgzf"])
@pytest.mark.parametrize(("each", "seconds"), [(240, 240), (2, None)])
def test_the_file_servers_times_tell_it_where_nothing_was_seen(info, tmp_path, name, each, seconds):
    folders(tmp_path / "L001", 60, each, name=name)
    (tmp_path / "L001" / "s_1_1101.filter").touch()
    told = written(tmp_path / "L001")
    assert [cycle for cycle, _ in told] == [*range(1, 61)]
    found = tempo(info, 60, [], HOUR, told)
    assert found.seconds == (seconds and pytest.approx(seconds))
    assert not found.is_stuck  # the cycle is new to us
    own = tempo(info, 60, seen(40, 60), HOUR, told)
    assert own.seconds == pytest.approx(300, rel=0.01)
    assert written(tmp_path / "nope") == []


STILL = 4 * HOUR


@pytest.mark.parametrize(
    ("stood", "quiet", "kind", "words"),
    [
        (0, 0, "sequencing", "cycle 60 of 318, ends about 20"),
        (2 * HOUR, 60, "stuck", "no new cycle since 20"),
        (2 * HOUR, STILL, "stalled", "cycle 60 of 318, 5.0 min a cycle; CopyComplete.txt"),
    ],
)
def test_what_is_said(info, tmp_path, stood, quiet, kind, words):
    folder = tmp_path / "run"
    folders(folder / "Data/Intensities/BaseCalls/L001", 60, 300)
    pace = tempo(info, 60, seen(40, 60, stood=stood), HOUR)
    quiet = Quiet(quiet, ago(quiet))
    verdict = judge(sighting.look(folder), quiet, Rules(5, STILL), "", pace)
    assert (verdict.kind, verdict.code) == (VerdictKind(kind), f"run.{kind}")
    assert words in verdict.message
    assert verdict.evidence["cycle_since"] == pace.since
    assert verdict.evidence["cycle_seconds"] == pytest.approx(300, rel=0.01)
    assert verdict.evidence["ends"] == (pace.ends if kind == "sequencing" else None)
    if kind == "stuck":
        assert "cycle 60 of 318, and one took 5.0 min before" in verdict.message
        assert "A00130" in verdict.hint


def test_a_run_whose_base_calling_has_ended_is_not_stuck(info, tmp_path):
    folder = tmp_path / "run"
    folders(folder / "Data/Intensities/BaseCalls/L001", 60, 300)
    (folder / "RTAComplete.txt").touch()  # a NovaSeq ends with CopyComplete.txt
    pace = tempo(info, 60, seen(40, 60, stood=2 * HOUR), HOUR)
    verdict = judge(sighting.look(folder), Quiet(60, ago(60)), Rules(5, STILL), "", pace)
    assert verdict.kind is VerdictKind.COPYING and "ends" not in verdict.evidence
