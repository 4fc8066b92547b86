"""What an operator does by hand, in the terminal and with `st2`, and what becomes of it."""

import json

import pytest

from demo.machine import Machine
from demo.prove import prove
from tests.conftest import arteriole, wait_for_state, wait_until
from tests.e2e import runs


def _state(machine: Machine, run: str) -> str:
    return (machine.run(run) or {}).get("state", "")


def _why(machine: Machine, run: str) -> dict:
    return json.loads(arteriole(machine, "why", run, "--json"))


def _jobs(machine: Machine, run: str) -> list[dict]:
    services = ("bcl2fastq", "checksum", "transfer", "archive")
    return [job for s in services for job in machine.api(s, f"status?run={run}")["jobs"]]


@pytest.mark.timeout(300)
def test_a_hold_of_all_outlives_a_restart_and_holds_runs_that_come_later(machine, st2):
    arteriole(machine, "hold", "--all", "--reason", "the cluster moves")
    early = runs.write(machine, 1)
    wait_until("its hold", lambda: _state(machine, early) == "pending")
    machine.kill("services")
    machine.kill("st2solo")
    machine.start_services()
    machine.start_st2solo()
    late = runs.write(machine, 2)
    wait_until("its verdict", lambda: (machine.run(late) or {}).get("verdict") == "complete")
    for run in (early, late):
        why = _why(machine, run)
        assert why["code"] == "run.held" and "the cluster moves" in why["message"]
        assert why["hint"] == "arteriole release --all"
        assert _jobs(machine, run) == []
    st2("run", "arteria.hold", f"run={late}", "reason=one more")
    for _ in range(2):
        arteriole(machine, "release", "--all")
    wait_for_state(machine, early, "done")
    assert _state(machine, late) == "pending" and _jobs(machine, late) == []
    st2("run", "arteria.release", f"run={late}")
    wait_for_state(machine, late, "done")
    for run in (early, late):
        assert prove(machine.home, run).problems == ()


@pytest.mark.timeout(300)
def test_a_hold_of_one_instrument_is_of_no_other(machine):
    arteriole(machine, "hold", "--instrument", "K99999", "--reason", "not ours")
    free = runs.write(machine, 3)
    wait_for_state(machine, free, "done")
    arteriole(machine, "hold", "--instrument", "K00188", "--reason", "its laser")
    held = runs.write(machine, 4)
    wait_until("its hold", lambda: _why(machine, held)["code"] == "run.held")
    assert "K00188" in arteriole(machine, "holds") and _jobs(machine, held) == []
    arteriole(machine, "release", "--instrument", "K00188")
    wait_for_state(machine, held, "done")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("number", "by"), [(5, "arteriole"), (6, "st2")])
def test_an_aborted_run_stops_and_a_redo_makes_it_whole(machine, st2, number, by):
    run = runs.write(machine, number, clusters=20_000)
    wait_until(
        "its conversion",
        lambda: machine.api("bcl2fastq", f"status?run={run}&stage=convert")["jobs"],
    )
    if by == "st2":
        st2("run", "arteria.abort", f"run={run}", "reason=wrong sheet")
    else:
        for _ in range(2):
            arteriole(machine, "abort", run, "--reason", "wrong sheet")
    ended = wait_for_state(machine, run, "cancelled")
    assert ended["why"]["code"] == "run.aborted" and "wrong sheet" in ended["why"]["message"]
    wait_until("its jobs' end", lambda: all(
        job["state"] in ("done", "cancelled", "error") for job in _jobs(machine, run)))  # fmt: skip
    begun = {job["stage"] for job in _jobs(machine, run)}
    assert "transfer" not in begun and "archive" not in begun
    assert not (machine.cluster / run).exists()
    arteriole(machine, "redo", run, "--from", "check", "--reason", "it was right")
    done = wait_for_state(machine, run, "done")
    assert [a["aborted"] for a in done["attempts"]] == [True, False]
    assert prove(machine.home, run, done["attempt"]).problems == ()


def test_the_list_the_run_and_its_why_are_read_at_eighty_columns(machine):
    run = runs.plan(1).run
    for words in (("runs",), ("run", run), ("why", run)):
        shown = arteriole(machine, *words)
        assert run in shown
        assert max(map(len, shown.splitlines())) <= 80, shown


def test_an_unknown_run_is_refused_in_a_sentence(machine):
    for verb in ("why", "run", "retry", "abort"):
        shown = arteriole(machine, verb, "no_such_run", check=False)
        assert "no run 'no_such_run' was seen here" in shown and "Traceback" not in shown
        assert "[run.not_found]" in shown
