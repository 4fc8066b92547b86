"""How far a job has come is known as long as it does its stage, and no longer."""

import pytest

from arteriole.runfolder import progress as module
from arteriole.runfolder.progress import Progress

JOB = ("bcl2fastq", 7)


@pytest.fixture
def working(claimed):
    claimed.begin("convert")
    claimed.attach("convert", 7, service="bcl2fastq")
    return claimed


def tell(progress, desk, job=JOB, done=1, total=2, stage="convert"):
    return progress.tell(desk.run, desk.stage(stage), job, done, total, "tiles")


def shown(progress, desk, stage="convert"):
    return progress.document(desk.run, desk.stage(stage))


def test_the_newest_word_counts(working):
    progress = Progress()
    assert shown(progress, working) is None
    assert tell(progress, working) and tell(progress, working, done=2, total=3)
    document = shown(progress, working)
    assert document.pop("at").endswith("Z")
    assert document == {"done": 2, "total": 3, "unit": "tiles", "percent": 66}


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(0, 5, 0), (199, 200, 99), (200, 200, 100), (300, 200, 100), (10**15 - 1, 10**15, 99)],
)
def test_percent(working, done, total, percent):
    progress = Progress()
    tell(progress, working, done=done, total=total)
    assert shown(progress, working)["percent"] == percent


@pytest.mark.parametrize("job", [("bcl2fastq", 8), ("checksum", 7)])
def test_another_job_is_not_heard(working, job):
    progress = Progress()
    tell(progress, working)
    before = shown(progress, working)
    assert not tell(progress, working, job=job, done=2)
    assert shown(progress, working) == before


def test_a_stage_without_a_job_has_none(claimed):
    progress = Progress()
    assert not tell(progress, claimed)
    claimed.begin("convert")
    assert not tell(progress, claimed)
    assert shown(progress, claimed) is None


def ends(desk):
    desk.end("convert", job=JOB)


def fails(desk):
    desk.end("convert", "failed", job=JOB)


def held(desk):
    desk.end("convert", "held", job=JOB)


def another_job(desk):
    desk.attach("convert", 8, service="bcl2fastq")


def tried_again(desk):
    """By a job that has the same number, as after the loss of its service's store."""
    fails(desk)
    desk.retry()
    desk.begin("convert")
    desk.store.execute("UPDATE stage SET begun = '2026-01-01T00:00:00.000Z' WHERE begun NOTNULL")
    desk.attach("convert", 7, service="bcl2fastq")


@pytest.mark.parametrize("change", [ends, fails, held, another_job, tried_again])
def test_it_is_forgotten_when_the_job_no_longer_does_the_stage(working, change):
    progress = Progress()
    tell(progress, working)
    before = working.run, working.stage("convert")
    change(working)
    assert shown(progress, working) is None
    assert progress.document(*before) is None  # gone, not only hidden


def test_the_longest_untold_is_forgotten_when_there_are_too_many(working, monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 1)
    progress = Progress()
    working.end("convert", job=JOB)
    working.do("checksum")
    for stage in ("transfer", "archive"):
        working.begin(stage)
        working.attach(stage, 7, service="bcl2fastq")
        assert tell(progress, working, stage=stage)
    assert shown(progress, working, "transfer") is None
    assert shown(progress, working, "archive") is not None


def test_the_end_is_reckoned_from_what_was_told_before(working, monkeypatch):
    now = [1_000_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    progress = Progress()
    tell(progress, working, done=100, total=400)
    assert "ends" not in shown(progress, working)
    now[0] += 60
    tell(progress, working, done=160, total=400)
    document = shown(progress, working)
    assert (document["per_second"], document["ends"]) == (1.0, "2001-09-09T01:51:40.000Z")
    now[0] += 180  # it stands still
    tell(progress, working, done=160, total=400)
    assert shown(progress, working)["per_second"] == 0.25
    another_job(working)
    tell(progress, working, job=("bcl2fastq", 8), done=300, total=400)
    assert "ends" not in shown(progress, working)
