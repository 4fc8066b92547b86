"""A small storm of run folders; `make storm` makes the large one."""

import pytest

from arteriole.illumina import completeness, run_folder, whole_calls
from arteriole.runfolder import sighting
from tests.chaos import folder_storm
from tests.chaos.__main__ import main
from tests.chaos.base_runs import base_runs
from tests.chaos.folder_storm import CORRUPTIONS, Maker, figures, in_memory

SEED, CORRUPTED, GOOD = 11, 200, 40


@pytest.fixture(scope="module")
def runs():
    """One of each kind of instrument."""
    return base_runs(every=False)


@pytest.fixture
def maker(runs):
    with in_memory() as folder:
        yield Maker(runs, SEED, folder)


@pytest.mark.timeout(300)
def test_200_corruptions_are_never_complete_and_40_good_runs_always(maker):
    cases = [maker.corruption(number) for number in range(CORRUPTED)]
    cases += [maker.good(number) for number in range(GOOD)]
    assert [str(case) for case in cases if case.wrong] == []
    told = figures(cases)
    assert (told["corruptions"], told["good_runs"]) == (CORRUPTED, GOOD)
    assert told["corruptions_by_kind"].keys() == CORRUPTIONS.keys()
    assert len(told["corruptions_by_run"]) == len(maker.runs)


def _nothing(*_, **__):
    return None


BLIND = [
    ("RunInfo with fewer cycles", completeness._LaneCheck, "further_cycles", _nothing),
    ("RunInfo of another run", sighting, "_of_another", _nothing),
    ("positions of another length", completeness, "_same_count", _nothing),
    ("calls longer", whole_calls, "bcl_clusters", lambda p, _: whole_calls.unpacked_clusters(p)),
    ("a copy broken off (marker first, hidden)", completeness._Tally, "problem", _nothing),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "owner", "name", "blind"), BLIND, ids=[row[0] for row in BLIND])
def test_the_storm_sees_that_a_check_is_missing(maker, monkeypatch, kind, owner, name, blind):
    monkeypatch.setattr(owner, name, blind)
    numbers = range(list(CORRUPTIONS).index(kind), 10_000, len(CORRUPTIONS))
    cases = (maker.corruption(number) for number in numbers[:20])
    assert next(case for case in cases if case.wrong).kind == kind


def test_a_good_run_that_is_refused_is_seen(maker, monkeypatch):
    monkeypatch.setattr(run_folder, "_kind", lambda names: run_folder.BclKind.CBCL)
    assert "not complete" in maker.good(0).wrong


def test_a_case_is_the_same_whenever_it_is_made(maker, runs, tmp_path):
    earlier = [maker.corruption(number) for number in (3, 50)]
    assert [Maker(runs, SEED, tmp_path).corruption(number) for number in (50, 3)] == earlier[::-1]
    assert Maker(runs, SEED + 1, tmp_path).corruption(50) != earlier[1]


def test_what_is_wrong_is_told_with_what_makes_it_again(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(completeness._Tally, "problem", _nothing)
    monkeypatch.setattr(folder_storm, "base_runs", lambda every: runs[:1])
    record = tmp_path / "measured.json"
    words = ["folder_storm", "--seed", "42", "--record", str(record)]
    assert main([*words, "--corruptions", "2", "--good-runs", "0"]) == 1
    told = capsys.readouterr().err
    assert "case 1: calls cut; hiseq4000 paired: " in told or "case 0: calls missing" in told
    assert "make storm SEED=42 STORM='folder_storm --case N'" in told
    monkeypatch.undo()
    monkeypatch.setattr(folder_storm, "base_runs", lambda every: runs[:1])
    assert main([*words, "--case", "1"]) == main([*words, "--case", "good-1"]) == 0
    told = capsys.readouterr().err
    assert "case good-1: a good run; hiseq4000 paired" in told
    assert not record.exists()
