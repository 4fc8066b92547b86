"""The unmodified `st2` command drives the chain."""

import json

import pytest

from demo.prove import prove
from tests.conftest import wait_for_state, wait_until
from tests.e2e import runs


@pytest.fixture(scope="module")
def run(machine, st2) -> str:
    name = runs.write(machine, 1)
    wait_for_state(machine, name, "done")
    return name


def test_executions_are_listed(st2, run):
    listed = json.loads(st2("execution", "list", "-n", "50", "-j"))
    found = {e["action"]["ref"]: e["status"] for e in listed}
    assert {"umccr.receive", "arteria.stage_check", "arteria.stage_job", "umccr.transfer",
            "umccr.archive", "arteria.end_stage"} <= set(found)  # fmt: skip
    assert all(found[ref].startswith("succeeded") for ref in found if "stage" in ref)


def test_an_execution_is_shown_with_its_task_tree(st2, run):
    listed = json.loads(st2("execution", "list", "--action", "umccr.transfer", "-j"))
    shown = st2("execution", "get", listed[0]["id"])
    assert "succeeded" in shown
    assert "arteria.stage_job" in shown and "arteria.start_job" in shown
    assert "begin" in shown and "start" in shown


def test_a_second_run_is_received_by_hand_while_the_rule_is_disabled(machine, st2, run):
    st2("rule", "disable", "umccr.receive")
    assert json.loads(st2("rule", "get", "umccr.receive", "-j"))["enabled"] is False
    name = runs.write(machine, 2)
    wait_for_state(machine, name, "ready")
    assert "succeeded" in st2("run", "umccr.receive", f"run={name}")
    wait_for_state(machine, name, "done")
    assert prove(machine.home, name).problems == ()
    again = st2("run", "umccr.receive", f"run={name}")
    assert "succeeded" in again and "duplicate: true" in again
    st2("rule", "enable", "umccr.receive")
    assert json.loads(st2("rule", "get", "umccr.receive", "-j"))["enabled"] is True
    third = runs.write(machine, 3)
    wait_for_state(machine, third, "done")


def test_what_is_registered_can_be_looked_at(st2, run):
    for words, expected in {
        ("pack", "list"): "umccr",
        ("action", "list", "--pack", "arteria"): "arteria.start_job",
        ("sensor", "list"): "arteria.",
        ("trigger", "list", "--pack", "arteria"): "arteria.stage_ready",
        ("trigger-instance", "list", "--trigger", "arteria.run_ready"): "processed",
        ("rule-enforcement", "list", "--rule", "umccr.convert"): "umccr.convert",
        ("key", "list"): "arteria_token",
    }.items():
        assert expected in st2(*words), words


def test_a_person_asks_why(st2, run):
    shown = wait_until("why", lambda: st2("run", "arteria.why", f"run={run}"))
    assert "succeeded" in shown and "archived and verified" in shown


def test_the_token_is_never_shown(machine, st2, run):
    token = (machine.state / "arteriole" / "packs.token").read_text().strip()
    seen = st2("key", "get", "arteria_token") + st2("execution", "list", "-n", "100", "-j")
    assert token not in seen
    for log in machine.state.rglob("*.log"):
        assert token not in log.read_text(errors="replace"), log
