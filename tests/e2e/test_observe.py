"""Observe mode: no effect outside our own store, and a report that the chain then bears out."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.machine import Machine
from demo.prove import prove
from tests.conftest import Raise, arteriole, wait_for_state, wait_until
from tests.e2e import runs

#: Runs; OBSERVED_RUNS sets another number.
COUNT = int(os.environ.get("OBSERVED_RUNS", "3"))
#: The last run's sheet has an index of nobody's alphabet: the chain would stop there.
BAD = COUNT
BAD_SHEET = b"[Data]\nSample_ID,Sample_Name,index,index2\nS1,S1,ACGTXXGT,ACGTACGT\n"


def _roots(machine: Machine) -> list[Path]:
    return [machine.incoming, machine.fastq, machine.manifests, machine.cluster, machine.vault]


def _tree(roots: list[Path]) -> dict[str, tuple[int, int, str]]:
    """Every folder, file and link below the roots: mode, mtime and what is in it."""
    return {str(path): _seen(path) for root in roots for path in _below(root)}


def _below(root: Path) -> Iterator[Path]:
    yield root
    yield from sorted(root.rglob("*"))


def _seen(path: Path) -> tuple[int, int, str]:
    stat = path.lstat()
    if path.is_symlink():
        return stat.st_mode, stat.st_mtime_ns, str(path.readlink())
    content = hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""
    return stat.st_mode, stat.st_mtime_ns, content


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    return raise_machine(mode="observe")


@pytest.fixture(scope="module")
def observed(machine: Machine) -> dict[str, tuple[int, int, str]]:
    """All runs are written and observed; what lay outside our store before that."""
    names = [
        runs.write(machine, number, sheet=BAD_SHEET if number == BAD else None)
        for number in range(1, COUNT + 1)
    ]
    before = _tree(_roots(machine))
    for name in names[:-1]:
        wait_until(
            f"{name} observed",
            lambda name=name: (
                (machine.run(name) or {}).get("why", {}).get("code") == "run.observed"
            ),
            seconds=200,
        )
    wait_for_state(machine, names[-1], "error")
    return before


def _report(machine: Machine, *arguments: str) -> dict:
    return json.loads(arteriole(machine, "observe", "report", "--json", *arguments))


def test_nothing_outside_our_own_store_has_changed(machine, observed):
    assert _tree(_roots(machine)) == observed
    for number in range(1, COUNT):
        run = machine.run(runs.plan(number).run)
        assert run["state"] == "none" and run["observed"] is True
        assert {s["state"] for s in run["stages"] if s["stage"] in ("convert", "archive")} == {
            "skipped"
        }


def test_the_report_names_what_others_did_differently(machine, observed, tmp_path):
    """Somebody else's FASTQs of run 1: one missing, one surplus, one empty."""
    name = runs.plan(1).run
    (found,) = _report(machine, "--run", name)["runs"]
    names = [Path(path).name for path in found["would"]["convert"]["files"]]
    theirs = tmp_path / name
    theirs.mkdir()
    for one in names[1:]:
        (theirs / one).write_bytes(gzip.compress(b"@r\nA\n+\nI\n"))
    (theirs / names[1]).write_bytes(gzip.compress(b""))
    (theirs / "Stranger_S9_L001_R1_001.fastq.gz").write_bytes(gzip.compress(b"@r\nA\n+\nI\n"))
    pattern = str(tmp_path / "{run}")
    (found,) = _report(machine, "--run", name, "--others", pattern)["runs"]
    others = found["others"]
    assert [Path(path).name for path in others["missing"]] == names[:1]
    assert [Path(path).name for path in others["empty"]] == names[1:2]
    assert [Path(path).name for path in others["surplus"]] == ["Stranger_S9_L001_R1_001.fastq.gz"]
    text = arteriole(machine, "observe", "report", "--run", name, "--others", pattern)
    assert names[0] in text and "Stranger_S9" in text


def test_the_report_says_what_would_have_been_stopped(machine, observed):
    bad = runs.plan(BAD).run
    text = arteriole(machine, "observe", "report", "--run", bad)
    assert "check" in text and "sheet.index" in text and "ACGTXXGT" in text


@pytest.mark.timeout(600)
def test_switched_on_the_chain_does_what_the_report_said(machine, observed):
    announced = {run["run"]: run for run in _report(machine)["runs"]}
    assert len(announced) == COUNT
    machine.stop()
    machine.lay_out(mode="act")
    machine.start()
    assert _tree(_roots(machine)) == observed, "switching on alone does nothing to them"
    arteriole(machine, "adopt", "--all")
    for number in range(1, COUNT):
        name = runs.plan(number).run
        ended = wait_for_state(machine, name, "done", seconds=300)
        attempt = ended["attempt"]
        made = machine.fastq / name / f"attempt-{attempt}"
        would = announced[name]["would"]
        files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*.fastq.gz"))
        assert sorted(would["convert"]["files"]) == files
        record = json.loads((made / "attempt.json").read_text())
        assert would["convert"]["sheet_sha256"] == record["sheet_sha256"]
        assert would["transfer"]["destination"] == "cluster"
        assert prove(machine.home, name, attempt).problems == ()
    report = _report(machine)
    kept = {run["run"]: run["as_announced"] for run in report["runs"]}
    assert kept == {runs.plan(n).run: True if n < BAD else None for n in range(1, COUNT + 1)}
    wait_for_state(machine, runs.plan(BAD).run, "error")
