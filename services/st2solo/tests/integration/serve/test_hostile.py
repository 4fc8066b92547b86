"""Input that nobody should send, and machines that are not as they should be."""

import http.client
import json
import subprocess
import sys
import threading
import time

import pytest
import requests

from st2solo.api.handlers import LARGEST_BODY

DEEP = "[" * 5000 + "]" * 5000
BRACES = "{{ " * 5000
RULE = {"name": "r", "trigger": {"type": "demo.event"}, "action": {"ref": "core.noop"}}


def _second(served, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "st2solo", *arguments],
        cwd=served.folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("command", ["serve", "register"])
def test_a_state_folder_in_use_is_refused(serve, command):
    before = serve.ports_file.read_text()
    done = _second(serve, command)
    assert done.returncode == 1
    assert f"in use by another st2solo (process {serve.process.pid}" in done.stderr
    assert serve.ports_file.read_text() == before
    assert serve.get("/user")["username"] == "alice"


def test_users_and_keys_can_be_added_while_it_serves(serve):
    serve.run("user", "add", "carol", stdin="open\n")
    reply = requests.post(serve.url("auth", "/tokens"), auth=("carol", "open"), timeout=120)
    assert reply.status_code == 201
    serve.run("key", "set", "beside", stdin="value\n")
    assert serve.get("/keys/beside")["value"] == "value"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/executions", DEEP),
        ("POST", "/executions", '{"action": "core.noop", "parameters": {"x": NaN}}'),
        ("POST", "/executions", '{"action": "core.noop", "parameters": {"x": 1e999}}'),
        ("POST", "/executions", '{"action": "core.noop", "parameters": {"x": "\\ud800"}}'),
        ("POST", "/executions", f'{{"action": "core.noop", "parameters": {{"x": "{BRACES}"}}}}'),
        ("POST", "/executions", '{"action": "core.noop", "delay": 1e30}'),
        ("POST", "/executions", '{"action": "core.noop", "delay": "soon"}'),
        ("POST", "/executions", '{"action": "core.noop", "delay": -1}'),
        ("POST", "/executions", '{"action": "core.noop", "context": [1]}'),
        ("POST", "/executions", '{"action": "core.noop", "user": ["alice"]}'),
        ("POST", "/executions/last/re_run", '{"tasks": 3}'),
        ("POST", "/executions/last/re_run", '{"delay": "soon"}'),
        ("POST", "/executions/last/re_run", '{"params": {"x": 1}}'),
        ("POST", "/rules", '{"name": "", "trigger": {"type": "a.b"}, "action": {"ref": "c.d"}}'),
        ("POST", "/packs/register", '{"packs": 3}'),
        ("POST", "/apikeys", '{"user": ["alice"]}'),
        ("POST", "/webhooks/st2", f'{{"trigger": "demo.event", "payload": {{"n": {DEEP}}}}}'),
        ("PUT", "/keys/k", f'{{"name": "k", "value": "v", "ttl": {10**30}}}'),
        ("PUT", "/keys/k", '{"name": "k", "value": "v", "description": {}, "scope": [1]}'),
        ("GET", f"/executions?offset={'9' * 30}", None),
        ("GET", "/executions?status=%ff", None),
        ("GET", "/executions?timestamp_gt=soon", None),
        ("GET", "/triggerinstances?timestamp_gt=soon", None),
        ("GET", "/triggerinstances?timestamp_lt=0001-01-01T00:00:00%2B02:00", None),
        ("GET", "/ruleenforcements?enforced_at_lt=soon", None),
        ("GET", "/ruleenforcements/views?enforced_at_gt=soon", None),
    ],
)
def test_a_wrong_request_is_refused_with_a_reason(serve, method, path, body):
    reply = serve.call(method, path, data=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["faultstring"]
    assert "Traceback" not in reply.text


def test_an_address_that_is_none_is_refused_in_json(serve):
    connection = http.client.HTTPConnection("127.0.0.1", serve.ports["api"], timeout=120)
    for path in ("*", "http://example.org/v1/user"):
        connection.request("GET", path, headers={"X-Auth-Token": serve.token})
        reply = connection.getresponse()
        told = {"faultstring": f"st2solo does not offer GET {path}"}
        assert (reply.status, json.load(reply)) == (404, told)
    connection.close()


def test_a_body_that_is_too_large_is_refused_in_words(serve):
    body = b'{"pack": "%s"}' % (b"x" * (LARGEST_BODY - 12))
    larger = body + b" "

    def search(content):
        return serve.call("POST", "/packs/index/search", data=content)

    assert search(body).json() == []
    for content in (larger, iter([larger[:100], larger[100:]])):
        reply = search(content)
        assert reply.status_code == 413
        told = f"expected a body of at most {LARGEST_BODY} bytes, found more"
        assert reply.json() == {"faultstring": told}


def test_what_is_no_number_of_json_is_answered_as_null(stopped, until):
    actions = stopped.folder / "packs" / "demo" / "actions"
    (actions / "nan.yaml").write_text(
        "name: nan\nrunner_type: orquesta\nentry_point: workflows/nan.yaml\n"
    )
    (actions / "workflows" / "nan.yaml").write_text(
        "version: 1.0\ntasks: {t: {action: core.noop}}\noutput:\n- x: <% float(nan) %>\n"
    )
    stopped.start()
    made = stopped.call("POST", "/executions", json={"action": "demo.nan"}).json()["id"]
    path = f"/executions/{made}"
    until(lambda: stopped.get(path)["status"] == "succeeded", "it ran")
    assert '"result": {"output": {"x": null}}' in stopped.call("GET", path).text
    assert stopped.call("GET", f"{path}/result").text == '{"output": {"x": null}}'


@pytest.mark.parametrize(
    ("timer", "parameters", "told"),
    [
        ("IntervalTimer", {"unit": "weeks", "delta": 10**12}, "expected fewer weeks"),
        ("DateTimer", {"date": "9999-12-31T23:59:59-12:00"}, "expected another time"),
    ],
)
def test_a_timer_beyond_all_time_is_refused(serve, timer, parameters, told):
    trigger = {"type": f"core.st2.{timer}", "parameters": parameters}
    reply = serve.call("POST", "/rules", json=RULE | {"trigger": trigger})
    assert reply.status_code == 400, reply.text
    assert told in reply.text


@pytest.mark.parametrize("name", ["orquesta", "re-run", "parent", "workflow_execution", "rules"])
def test_nobody_can_say_where_an_execution_belongs(serve, until, name):
    body = {"action": "core.noop", "context": {name: {"user": "root", "task_id": "x"}}}
    made = serve.call("POST", "/executions", json=body).json()
    assert name not in made["context"]
    until(lambda: serve.get(f"/executions/{made['id']}")["status"] == "succeeded", "it ran")


def test_many_wrong_logins_do_not_hold_the_api_up(serve):
    def attempt():
        with_wrong = ("alice", "wrong")
        for _ in range(6):
            reply = requests.post(serve.url("auth", "/tokens"), auth=with_wrong, timeout=120)
            assert reply.status_code == 401

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        serve.get("/user")
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 5


def test_a_rule_that_reacts_to_itself_is_stopped(stopped, until):
    (stopped.folder / "packs/demo/rules/again.yaml").write_text(
        "name: again\nenabled: true\ntrigger: {type: core.st2.generic.actiontrigger}\n"
        "criteria: {trigger.status: {type: eq, pattern: failed}}\naction: {ref: demo.fail}\n"
    )
    stopped.start()
    stopped.call("POST", "/executions", json={"action": "demo.fail"})
    sql = "SELECT failure_reason FROM rule_enforcements WHERE rule_ref = 'demo.again' ORDER BY id"
    until(lambda: any(reason for (reason,) in stopped.rows(sql)), "the rule is stopped")
    reasons = [reason for (reason,) in stopped.rows(sql)]
    assert reasons[:-1] == [None] * 3
    assert "reacts to what it caused itself" in reasons[-1]


def test_a_full_disk_refuses_and_recovers_by_itself(stopped, until):
    """The limit of a file's size stands for a full disk: SQLite cannot grow its log."""
    (stopped.folder / "packs/demo/rules/timer.yaml").write_text(
        "name: timer\nenabled: true\n"
        "trigger: {type: core.st2.IntervalTimer, parameters: {unit: seconds, delta: 1}}\n"
        "action: {ref: core.noop}\n"
    )
    stopped.start()
    body = {"action": "core.noop"}

    def limit(size):
        subprocess.run(
            ["prlimit", "--pid", str(stopped.process.pid), f"--fsize={size}:unlimited"], check=True
        )

    def ask():
        reply = stopped.call("POST", "/executions", json=body)
        if reply.status_code == 201:
            accepted.append(reply.json()["id"])
        return reply.status_code

    accepted = []
    limit((stopped.folder / "state" / "st2solo.sqlite-wal").stat().st_size)
    until(lambda: ask() == 503, "refused")
    assert ask() == 503
    limit("unlimited")
    assert ask() == 201
    for execution in accepted:
        path = f"/executions/{execution}"
        until(lambda path=path: stopped.get(path)["status"] == "succeeded", "what was accepted ran")
    ticks = "SELECT count(*) FROM rule_enforcements WHERE rule_ref = 'demo.timer'"
    before = stopped.rows(ticks)
    until(lambda: stopped.rows(ticks) > before, "the timer ticks on")
