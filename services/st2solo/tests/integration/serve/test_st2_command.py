"""The unmodified `st2` command (st2client 3.9.0) against a real process."""

import json
import subprocess
from contextlib import contextmanager

import pytest


@pytest.fixture(scope="module", autouse=True)
def logged_in(serve):
    assert "Logged in as alice" in serve.st2("login", "alice", "-p", "sesame")


def test_login_with_a_wrong_password_is_refused(serve):
    assert "alice" in serve.st2("login", "alice", "-p", "wrong", code=1)
    serve.st2("login", "alice", "-p", "sesame")


def test_run_and_task_tree(serve):
    out = serve.st2("run", "demo.wf", "n=7", "pin=1234")
    assert "succeeded" in out
    assert "1234" not in out
    newest = json.loads(serve.st2("execution", "list", "-a", "id", "-n", "100", "-j"))[-1]["id"]
    tree = serve.st2("execution", "get", newest)
    assert "first" in tree and "second" in tree and "n: 7" in tree


#: Arguments and words of the answer; run in this order. What most commands print stands in
#: test_st2_outputs.py.
_COMMANDS = [
    ("run core.local cmd=pwd", "return_code: 0"),
    ("run demo.wf n=x", "ERROR"),
    ("run demo.nothing", "doesn't exist"),
    ("action disable core.http", "False"),
    ("run core.http url=http://127.0.0.1:9/", "disabled"),
    ("action enable core.http", "True"),
    ("rule disable demo.on_event", "False"),
    ("pack register demo", "actions"),
    ("rule get demo.on_event -a enabled -j", '"enabled": false'),
    ("rule enable demo.on_event", "True"),
    ("rule create {folder}/rule.yaml", "default.made"),
    ("rule create {folder}/rule.yaml", "already"),
    ("rule delete default.made", "deleted"),
    ("rule get default.made", "not found"),
    ("trigger-instance list --trigger demo.tick", "processed"),
    ("trace list", "RUN1"),
    ("webhook list", "No matching"),
    ("timer list", "No matching"),
    ("policy get demo.limit -j", '"max_retry_count": 2'),
    ("run core.announcement message={{}}", "succeeded"),
    ("run core.uuid", "succeeded"),
    ("run core.pause max_pause=0", "succeeded"),
    ("run core.echo message=$(id)", "stdout: $(id)"),
    ("run core.error message=oh", "stderr: oh"),
    ("run core.inject_trigger trigger=demo.event payload={{}}", "payload of demo.event: "),
    ("run core.inject_trigger trigger_name=demo.tick trace_tag=RUN2", "succeeded"),
    ("trace list --trace-tag RUN2", "RUN2"),
]
#: What the command says when it fails, and its exit code then.
_FAILS = {
    "not found": 1,
    "doesn't exist": 1,
    "ERROR": 1,
    "disabled": 1,
    "payload of demo.event: ": 1,
    "already": 2,
    "failed": 1,
}


@pytest.fixture(scope="module")
def files(serve, until):
    (serve.folder / "rule.yaml").write_text(
        "name: made\npack: default\nenabled: false\ntrigger: {type: demo.event}\n"
        "action: {ref: core.noop}\n"
    )
    until(lambda: serve.get("/triggerinstances?trigger=demo.tick"), "the sensor dispatched")


@pytest.fixture(scope="module")
def answers(serve, files):
    return serve.st2_many([row[0].format(folder=serve.folder).split() for row in _COMMANDS])


@pytest.mark.parametrize("number", range(len(_COMMANDS)), ids=[row[0] for row in _COMMANDS])
def test_command(serve, answers, number):
    told, answer = _COMMANDS[number][1], answers[number]
    assert told in answer["out"]
    assert answer["code"] == _FAILS.get(told, 0), serve.log


def test_an_encrypted_key_is_not_shown(serve):
    serve.st2("key", "set", "hidden", "sesame-street", "--encrypt")
    assert "sesame-street" not in serve.st2("key", "get", "hidden", "-j")
    assert "sesame-street" not in serve.st2("key", "list", "-j")


def test_trigger_instance_re_emit(serve, until):
    serve.dispatch("demo.event", {"n": 3})
    old = until(lambda: serve.get("/triggerinstances?trigger=demo.event"), "written")[0]
    assert "re-sent" in serve.st2("trigger-instance", "re-emit", old["id"])
    found = serve.get("/triggerinstances?trigger=demo.event")
    again = {"n": 3, "__context": {"original_id": old["id"]}}
    assert [i["payload"] for i in found[:2]] == [again, {"n": 3}]
    assert serve.st2("trigger-instance", "re-emit", found[0]["id"])


def test_an_inquiry(serve, until):
    """A question is listed, shown, told to the rules, and answered."""
    asked = serve.call("POST", "/executions", json={"action": "core.ask"}).json()["id"]
    until(lambda: serve.get("/inquiries"), "it waits")
    assert asked in serve.st2("inquiry", "list")
    assert "Would you like to continue" in serve.st2("inquiry", "get", asked, "-j")
    told = until(lambda: serve.get("/executions?rule=demo.on_inquiry"), "the rule fired")
    assert told[0]["parameters"] == {"asked": asked}
    wrong = serve.st2("inquiry", "respond", asked, "-r", '{"continue": "maybe"}', code=1)
    assert "did not pass schema validation" in wrong
    assert "accepted" in serve.st2("inquiry", "respond", asked, "-r", '{"continue": true}')
    answered = serve.get(f"/executions/{asked}")
    assert (answered["status"], answered["result"]["response"]) == ("succeeded", {"continue": True})
    again = serve.call("GET", f"/inquiries/{asked}")
    assert again.status_code == 400
    assert "already been responded" in again.json()["faultstring"]


def test_cancel_and_tail(serve, until):
    run = serve.call(
        "POST", "/executions", json={"action": "core.local", "parameters": {"cmd": "sleep 30"}}
    ).json()["id"]
    until(lambda: serve.get(f"/executions/{run}")["status"] == "running", "it runs")
    serve.st2("execution", "cancel", run)
    until(lambda: serve.get(f"/executions/{run}")["status"] == "canceled", "it is canceled")
    assert "has completed" in serve.st2("execution", "tail", run)
    over = serve.call("POST", "/executions", json={"action": "core.noop"}).json()["id"]
    until(lambda: serve.get(f"/executions/{over}")["status"] == "succeeded", "it is over")
    assert "cannot be canceled. State = succeeded." in serve.st2("execution", "cancel", over)


@contextmanager
def _tail(serve, run):
    """What the command prints, line by line; it ends with the execution, which has to end."""
    command, env = serve.st2_command
    with subprocess.Popen(
        [command, "execution", "tail", run],
        env=env | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as tail:
        yield (line for line in tail.stdout if line.strip())


def test_tail_shows_what_a_running_action_prints(serve, until, tmp_path):
    command = "echo begun"
    for word in ("one", "two", "over"):
        command += f"; until [ -e {tmp_path}/{word} ]; do sleep 0.1; done; echo {word} >&2"
    body = {"action": "core.local", "parameters": {"cmd": command, "timeout": 30}}
    run = serve.call("POST", "/executions", json=body).json()["id"]
    until(lambda: serve.get(f"/executions/{run}")["status"] == "running", "it runs")
    with _tail(serve, run) as lines:
        assert next(lines) == "begun\n"
        for word in ("one", "two"):
            (tmp_path / word).touch()
            assert next(lines) == f"{word}\n"
        assert serve.get(f"/executions/{run}")["status"] == "running"
        (tmp_path / "over").touch()
        assert list(lines) == ["over\n", f"Execution {run} has completed (status=succeeded).\n"]


def test_tail_shows_what_the_tasks_of_a_workflow_print(serve, until, tmp_path):
    body = {"action": "demo.talk", "parameters": {"until": str(tmp_path / "go")}}
    run = serve.call("POST", "/executions", json=body).json()["id"]
    (child,) = until(lambda: serve.get(f"/executions/{run}/children"), "its task is there")
    with _tail(serve, run) as lines:
        assert next(line for line in lines if not line.startswith("Child")) == "waiting\n"
        (tmp_path / "go").touch()
        told = [line for line in lines if line != "waiting\n"]
    assert told == [
        "over\n",
        f"Child execution (task=it) {child['id']} has finished (status=succeeded).\n",
        f"Execution {run} has completed (status=succeeded).\n",
    ]


def _id_of(out, begins):
    return next(line.split()[-1] for line in out.splitlines() if line.strip().startswith(begins))


def test_an_alias_is_matched_executed_and_its_result_told(serve, until):
    assert "demo.greet" in serve.st2("action-alias", "match", "greet world", "-a", "ref")
    assert "matched no patterns" in serve.st2("action-alias", "match", "hello", code=1)
    out = serve.st2("action-alias", "execute", "greet world")
    assert "Matching Action-alias: 'demo.greet'" in out
    done = _id_of(out, "st2 execution get")
    until(lambda: serve.get(f"/executions/{done}")["status"] == "succeeded", "it ended")
    shown = serve.get(f"/executions/{done}")
    assert shown["parameters"]["message"] == "world"
    assert shown["context"]["source_channel"] == "cli"
    assert "more than 1 pattern" in serve.st2("action-alias", "execute", "greet you loudly", code=1)


def test_an_alias_is_tested(serve):
    out = serve.st2("action-alias", "test", "greet world", "-u", "ann")
    message = out.partition("Formatted ChatOps result message")[2]
    assert "world greet" in message


def test_the_trace_of_what_a_person_asked_for(serve, until):
    out = serve.st2("action-alias", "execute", "count to 2")
    done = _id_of(out, "st2 execution get")
    until(lambda: serve.get(f"/executions/{done}")["status"] == "succeeded", "it ended")
    listed = json.loads(serve.st2("trace", "list", "--execution", done, "-j"))
    assert listed["trace_tag"] == f"execution-{done}"
    assert "demo.wf" in serve.st2("trace", "get", done)
    children = [one["id"] for one in serve.get(f"/executions/{done}/children")]
    traces = serve.get(f"/traces?execution={children[0]}")
    assert [one["id"] for one in traces] == [done]
    parts = {part["object_id"]: part for part in traces[0]["action_executions"]}
    assert parts.keys() == {done, *children} and parts[done]["ref"] == "demo.wf"
    assert parts[done]["caused_by"] == {}
    assert parts[children[0]]["caused_by"] == {"type": "action_execution", "id": done}


def test_traces_by_tag(serve):
    body = {"action": "core.noop", "context": {"trace_context": {"trace_tag": "RUN7"}}}
    by_hand = serve.call("POST", "/executions", json=body).json()["id"]
    found = {
        trace["id"]: trace["trigger_instances"] for trace in serve.get("/traces?trace_tag=RUN7")
    }
    assert found[by_hand] == []
    assert by_hand in serve.st2("trace", "list", "--trace-tag", "RUN7")
    joined = serve.st2("run", "core.noop", "-a", "--trace-id", by_hand)
    tagged = [trace["id"] for trace in serve.get("/traces?trace_tag=RUN7")]
    assert _id_of(joined, "st2 execution get") in tagged and by_hand in tagged
    refused = serve.st2("run", "core.noop", "--trace-id", "0" * 24, code=1)
    assert f'Unable to find Trace with id="{"0" * 24}"' in refused


def test_the_trace_of_an_event_without_a_tag(serve, until):
    """st2reactor/rules/worker.py: such a trace is named by its trigger instance."""
    (serve.folder / "key_rule.json").write_text(
        json.dumps(
            {
                "name": "key_rule",
                "enabled": True,
                "trigger": {"type": "core.st2.key_value_pair.create"},
                "action": {"ref": "core.noop"},
            }
        )
    )
    serve.st2("rule", "create", str(serve.folder / "key_rule.json"))
    serve.call("PUT", "/keys/untagged", json={"value": "v"})
    path = "/triggerinstances?trigger=core.st2.key_value_pair.create"
    untagged = until(lambda: serve.get(path), "the key has come")[0]["id"]
    serve.st2("rule", "delete", "default.key_rule")
    tag = f"trigger_instance-{untagged}"
    assert serve.get(f"/traces/{untagged}")["trace_tag"] == tag
    assert [trace["id"] for trace in serve.get(f"/traces?trace_tag={tag}")] == [untagged]
    assert tag in serve.st2("trace", "list", "--trace-tag", tag)


def test_the_trace_of_what_a_rule_asked_for(serve, until):
    tick = until(lambda: serve.get("/triggerinstances?trigger=demo.tick"), "the sensor's")[0]["id"]
    enforced = until(lambda: serve.get(f"/ruleenforcements?trigger_instance={tick}"), "ruled")[0]
    rule, execution = enforced["rule"]["id"], enforced["execution_id"]
    for query in (f"trigger_instance={tick}", f"rule={rule}", f"execution={execution}"):
        assert tick in [trace["id"] for trace in serve.get(f"/traces?{query}")], query
    assert serve.get(f"/traces?trigger_instance={tick}&trace_tag=other") == []
    shown = serve.get(f"/traces/{tick}")
    parts = {part["object_id"]: part for part in shown["action_executions"]}
    assert parts[execution]["caused_by"] == {"type": "rule", "id": f"{rule}:{tick}"}
    assert parts[execution]["ref"] == serve.get(f"/executions/{execution}")["action"]["ref"]
    assert serve.call("GET", "/traces/none").status_code == 404


def test_the_order_of_traces(serve):
    pages = {order: serve.get(f"/traces?{order}=True&limit=50") for order in
             ("sort_asc", "sort_desc")}  # fmt: skip
    times = {order: [trace["start_timestamp"] for trace in page] for order, page in pages.items()}
    assert times["sort_asc"] == sorted(times["sort_asc"])
    assert times["sort_desc"] == sorted(times["sort_desc"], reverse=True)
    assert {bool(trace["trigger_instances"]) for trace in pages["sort_asc"]} == {True, False}
