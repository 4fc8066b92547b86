"""Large results: what an action prints does not fill the memory, and what clients do about them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

_MIB = 2**20
_LARGEST = 16 * _MIB


def _run(serve, until, command):
    body = {"action": "core.local", "parameters": {"cmd": command}}
    execution = serve.call("POST", "/executions", json=body).json()["id"]
    over = f"/executions/{execution}?include_attributes=status"
    until(lambda: serve.get(over)["status"] in ("succeeded", "failed"), "it is over")
    return execution


def _peak(serve):
    """The most memory, in bytes, that the process has taken since `_forget_peak`."""
    lines = Path(f"/proc/{serve.process.pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def _forget_peak(serve):
    """proc(5): 5 resets it to what is taken now."""
    Path(f"/proc/{serve.process.pid}/clear_refs").write_text("5")


def test_an_action_that_prints_a_gigabyte_takes_none_of_our_memory(serve, until):
    _forget_peak(serve)
    before = _peak(serve)
    execution = _run(serve, until, f"head -c {1024 * _MIB} /dev/zero")
    done = serve.get(f"/executions/{execution}")
    assert done["status"] == "failed"
    assert f"more than the {_LARGEST:,} bytes that max_result_size" in done["result"]["error"]
    assert done["result_size"] < 100_000  # a NUL is 6 bytes of JSON
    assert _peak(serve) - before < 32 * _MIB


@pytest.fixture(scope="module")
def large(serve, until):
    """An execution whose result is a million letters and some bytes, and its size."""
    execution = _run(serve, until, "head -c 1000000 /dev/zero | tr '\\0' x")
    return execution, serve.get(f"/executions/{execution}")["result_size"]


def test_the_size_is_that_of_the_result_as_json(serve, large):
    execution, size = large
    assert size == len(json.dumps(serve.get(f"/executions/{execution}")["result"])) > 1_000_000


@pytest.mark.parametrize(("more", "there"), [(0, True), (-1, False)])
def test_a_client_may_say_how_large_a_result_it_takes(serve, large, more, there):
    """st2api/controllers/v1/actionexecutions.py, `_get_by_id`."""
    execution, size = large
    found = serve.get(f"/executions/{execution}?max_result_size={size + more}")
    assert ("result" in found, found["result_size"]) == (there, size)


@pytest.mark.parametrize("most", ["-1", "14680065", "large"])
def test_no_such_size(serve, large, most):
    reply = serve.call("GET", f"/executions/{large[0]}?max_result_size={most}")
    assert reply.status_code == 400 and "max_result_size" in reply.json()["faultstring"]


def test_the_result_alone(serve, large):
    execution, size = large
    reply = serve.call("GET", f"/executions/{execution}/result")
    assert len(reply.text) == size and "Content-Disposition" not in reply.headers
    reply = serve.call("GET", f"/executions/{execution}/result?download=1&pretty_format=1")
    assert reply.text.startswith('{\n  "failed": false')
    name = f"execution_{execution}_result.json"
    assert reply.headers["Content-Disposition"] == f"attachment; filename={name}"


def test_lists_read_only_the_results_that_are_asked_for(serve, large):
    def listed(query):
        (found,) = [one for one in serve.get(f"/executions?{query}") if one["id"] == large[0]]
        return found

    assert listed("exclude_attributes=result")["result_size"] == large[1]
    assert "result" not in listed("include_attributes=status,result_size")
    assert len(listed("include_attributes=result.stdout")["result"]["stdout"]) == 1_000_000
    assert len(listed("")["result"]["stdout"]) == 1_000_000


def test_so_do_the_tasks_of_a_workflow(serve, until):
    workflow = serve.call("POST", "/executions", json={"action": "demo.wf"}).json()["id"]
    path = f"/executions/{workflow}"
    until(lambda: serve.get(path)["status"] == "succeeded", "it is over")
    for one in serve.get(f"{path}/children?include_attributes=result_size"):
        assert one.keys() == {"id", "result_size"} and one["result_size"] > 10
    assert all(one["result"]["succeeded"] for one in serve.get(f"{path}/children"))


def test_no_list_holds_more_than_64_mib_of_results(serve, until):
    workflow = serve.call("POST", "/executions", json={"action": "demo.wide"}).json()["id"]
    path = f"/executions/{workflow}"
    until(lambda: serve.get(path)["status"] == "succeeded", "it is over")
    with closing(sqlite3.connect(serve.folder / "state" / "st2solo.sqlite")) as store, store:
        size = 34 * _MIB
        changed = "UPDATE executions SET result = json_quote(hex(zeroblob(?))) WHERE parent = ?"
        store.execute(changed, (size // 2, workflow))
    for query in (f"{path}/children?", f"/executions?parent={workflow}&"):
        found = serve.get(f"{query}include_attributes=result,result_size")
        assert [one["result_size"] for one in found] == [size + 2] * 2
        assert ["result" in one for one in found] == [True, False]
        found = serve.get(f"{query}exclude_attributes=result")
        assert len(found) == 2 and all("context" in one and "result" not in one for one in found)


def test_no_list_holds_more_than_64_mib_of_payloads(serve, until):
    for _ in range(2):
        assert (
            serve.dispatch(
                "core.st2.generic.notifytrigger", {"message": "m", "route": "r"}
            ).status_code
            == 202
        )
    path = "/triggerinstances?trigger=core.st2.generic.notifytrigger&status=processed"
    until(lambda: len(serve.get(path)) == 2, "the rules have seen them")
    until(lambda: len(serve.get("/ruleenforcements?rule_ref=demo.on_notify")) == 2, "and acted")
    with closing(sqlite3.connect(serve.folder / "state" / "st2solo.sqlite")) as store, store:
        changed = (
            "UPDATE trigger_instances SET payload = json_object('x', hex(zeroblob(?)))"
            " WHERE trigger = 'core.st2.generic.notifytrigger'"
        )
        store.execute(changed, (34 * _MIB // 2,))
    found = serve.get(path)
    assert ["payload" in one for one in found] == [True, False]
    assert all(one["trigger"] == "core.st2.generic.notifytrigger" for one in found)
    found = serve.get("/ruleenforcements/views?rule_ref=demo.on_notify")
    assert ["payload" in one["trigger_instance"] for one in found] == [True, False]


def test_the_st2_command_shows_it_without_its_result(serve, large):
    token = f"--token={serve.token}"
    told = serve.st2("execution", "get", "--exclude-result", token, large[0])
    assert "succeeded" in told and "xxx" not in told
    assert "xxx" in serve.st2("execution", "get", token, large[0])
