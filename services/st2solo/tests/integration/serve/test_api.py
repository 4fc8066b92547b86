"""The API beyond what the `st2` command shows."""

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
import requests


@pytest.mark.parametrize("path", ["/actions", "/executions/", "/keys/x", "/user", "/webhooks/st2"])
@pytest.mark.parametrize("token", ["", "wrong"])
def test_every_call_needs_a_token(serve, path, token):
    reply = serve.call("GET", path, token=token)
    assert reply.status_code == 401
    assert "Unauthorized" in reply.json()["faultstring"]


def test_an_api_key_will_do(serve):
    made = serve.call("POST", "/apikeys", json={"user": "alice", "metadata": {"used_by": "t"}})
    assert made.status_code == 201
    key = {"St2-Api-Key": made.json()["key"]}
    assert requests.get(serve.url("api", "/v1/actions"), headers=key, timeout=120).ok
    assert serve.call("DELETE", f"/apikeys/{made.json()['id']}").status_code == 204
    reply = requests.get(serve.url("api", "/v1/actions"), headers=key, timeout=120)
    assert reply.status_code == 401


def test_api_keys_are_loaded_as_they_were_listed(serve):
    """st2api/controllers/v1/auth.py and st2client/commands/auth.py, `ApiKeyLoadCommand`."""
    serve.st2("login", "alice", "-p", "sesame")
    made = serve.call("POST", "/apikeys", json={"enabled": False}).json()
    assert "key_hash" not in made
    listed = serve.st2("apikey", "list", "--show-secrets", "-d", "-j")
    [document] = [one for one in json.loads(listed) if one["id"] == made["id"]]
    assert (len(document["key_hash"]), document["enabled"]) == (128, False)
    assert serve.get(f"/apikeys/{made['id']}")["key_hash"] == "********"
    headers = {"St2-Api-Key": made["key"]}
    assert (
        requests.get(serve.url("api", "/v1/user"), headers=headers, timeout=10).status_code == 401
    )
    serve.call("DELETE", f"/apikeys/{made['id']}")
    (serve.folder / "apikeys.json").write_text(json.dumps([document | {"enabled": True}]))
    for _ in range(2):
        assert made["id"] in serve.st2("apikey", "load", str(serve.folder / "apikeys.json"))
        assert requests.get(serve.url("api", "/v1/user"), headers=headers, timeout=10).ok
    path = f"/apikeys/{made['id']}"
    other = serve.call("PUT", path, json=document | {"key_hash": "0" * 128})
    assert (other.status_code, other.json()["faultstring"]) == (
        400,
        "Update of key_hash is not allowed.",
    )
    masked = serve.call("PUT", path, json=document | {"key_hash": "********", "enabled": True})
    assert masked.json()["enabled"]
    assert serve.call("DELETE", path).status_code == 204


def test_the_token_of_an_action_ends_with_it(serve, until):
    """st2actions/container/base.py, `_delete_auth_token`."""
    body = {"action": "core.local", "parameters": {"cmd": "echo t$ST2_ACTION_AUTH_TOKEN"}}
    path = f"/executions/{serve.call('POST', '/executions', json=body).json()['id']}"
    until(lambda: serve.get(path)["status"] == "succeeded", "it has printed its token")
    token = serve.get(path)["result"]["stdout"].removeprefix("t")
    assert len(token) == 32
    assert serve.call("GET", "/user", token=token).status_code == 401


def test_a_token_for_no_time_or_longer_than_a_day_is_refused(serve):
    """st2common/models/api/auth.py; st2common/services/access.py, `create_token`."""
    for ttl, status in ((86_400, 201), (None, 201), (0, 400), (True, 400), (86_401, 400)):
        reply = requests.post(
            serve.url("auth", "/tokens"), auth=("alice", "sesame"), json={"ttl": ttl}, timeout=10
        )
        assert reply.status_code == status
    assert reply.json()["faultstring"] == "TTL specified 86401 is greater than max allowed 86400."


def test_one_key_of_all_scopes_is_one_of_the_system(serve):
    """st2api/controllers/v1/keyvalue.py, `get_one`."""
    serve.call("PUT", "/keys/of_all", json={"name": "of_all", "value": "v"})
    assert serve.get("/keys/of_all?scope=all")["scope"] == "st2kv.system"


def test_an_action_of_a_pack_reads_secrets_for_whoever_runs_it(serve, until):
    """`get_value(decrypt=True)` works as in StackStorm; bob himself may not."""
    for name, text in {
        "reads.yaml": "name: reads\nrunner_type: python-script\nentry_point: reads.py\n",
        "reads.py": (
            "from st2common.runners.base_action import Action\n\n\n"
            "class Reads(Action):\n    def run(self):\n"
            "        return self.action_service.get_value('hidden', local=False, decrypt=True)\n"
        ),
    }.items():
        (serve.folder / "packs/demo/actions" / name).write_text(text)
    assert serve.call("POST", "/packs/register", json={"packs": ["demo"]}).status_code == 200
    serve.call("PUT", "/keys/hidden", json={"name": "hidden", "value": "open it", "secret": True})
    bob = serve.token_of("bob")
    assert serve.call("GET", "/keys/hidden?decrypt=true", token=bob).status_code == 403
    asked = serve.call("POST", "/executions", token=bob, json={"action": "demo.reads"}).json()["id"]
    ended = until(
        lambda: (e := serve.get(f"/executions/{asked}")).get("end_timestamp") and e, "it ended"
    )
    assert ended["result"]["result"] == "open it"


def test_what_an_action_notifies_reaches_the_rules(serve, until):
    body = {"action": "demo.told", "parameters": {"who": "R1"}}
    serve.call("POST", "/executions", json=body)
    found = until(lambda: serve.get("/executions?rule=demo.on_notify"), "the rule fired")
    assert found[0]["parameters"] == {"message": "done for R1", "route": "lab"}


@pytest.mark.parametrize(
    "notify", [[], "lab", {"on-success": "lab"}, {"on-friday": {}}, {"on-success": {"x": 1}}]
)
def test_what_is_no_notification_is_refused(serve, notify):
    reply = serve.call("POST", "/executions", json={"action": "core.noop", "notify": notify})
    assert reply.status_code == 400


def test_an_announcement_reaches_who_listens(serve):
    url = serve.url("stream", "/v1/stream?events=st2.announcement__general")
    headers = {"X-Auth-Token": serve.token}
    with requests.get(url, headers=headers, stream=True, timeout=120) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        next(lines)
        body = {"action": "core.announcement", "parameters": {"message": {"run": "R1"}}}
        assert serve.call("POST", "/executions", json=body).status_code == 201
        told = [next(line for line in lines if line) for _ in range(2)]
    assert told[0] == "event: st2.announcement__general"
    assert json.loads(told[1].partition(" ")[2]) == {"payload": {"message": {"run": "R1"}}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/keys?scope=system&decrypt=True", None),
        ("GET", "/keys?user=alice", None),
        ("GET", "/executions?limit=-1", None),
        ("GET", "/configs/demo?show_secrets=true", None),
        ("GET", "/apikeys?show_secrets=true", None),
        ("POST", "/packs/register", {}),
        ("POST", "/apikeys", {"user": "alice"}),
        ("POST", "/executions", {"action": "core.noop", "user": "alice"}),
    ],
)
def test_some_things_are_for_administrators(serve, method, path, body):
    reply = serve.call(method, path, token=serve.token_of("bob"), json=body)
    assert reply.status_code == 403
    assert "administrator" in reply.json()["faultstring"]
    assert serve.call(method, path, json=body).ok


@pytest.mark.parametrize("what", ["executions", "rules", "keys", "triggerinstances", "traces"])
def test_a_long_page_is_for_administrators(serve, what):
    """st2api/controllers/resource.py, `validate_limit_query_param`."""
    bob = serve.token_of("bob")
    reply = serve.call("GET", f"/{what}?limit=101", token=bob)
    assert reply.status_code == 403
    assert reply.json()["faultstring"] == 'Limit "101" specified, maximum value is "100"'
    assert serve.call("GET", f"/{what}?limit=100", token=bob).ok
    assert serve.call("GET", f"/{what}?limit=101").ok


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/webhooks/st2", {"trigger": "demo.no", "payload": {}}, 400, "demo.no"),
        ("POST", "/webhooks/st2", {"trigger": "demo.event", "payload": {"n": "x"}}, 400, "n"),
        ("POST", "/webhooks/st2", {"trigger": "demo.event", "payload": {}}, 400, "required"),
        ("POST", "/webhooks/st2", {"payload": {}}, 400, "Trigger not specified"),
        ("POST", "/webhooks/st2", [1], 400, "object"),
        ("POST", "/webhooks/other", {}, 404, "not registered"),
        ("GET", "/actions?limit=0", None, 400, "positive"),
        ("GET", "/actions?include_attributes=a&exclude_attributes=b", None, 400, "exclusive"),
        ("GET", "/actions/demo.no", None, 404, "demo.no"),
        ("GET", "/nothing", None, 404, "does not offer"),
        ("DELETE", "/actions/core.noop", None, 405, "does not offer"),
        ("PATCH", "/actions/core.noop", None, 405, "Method Not Allowed"),
        ("OPTIONS", "/actions", None, 405, "Method Not Allowed"),
        ("POST", "/stream", None, 405, "Method Not Allowed"),
        ("STEAL", "/actions", None, 405, "Method Not Allowed"),
        ("POST", "/rules", {"name": "x"}, 400, "required"),
        ("POST", "/executions", {"action": 5}, 400, "ref"),
        ("POST", "/executions", {"action": "demo.wf", "parameters": {"m": 1}}, 400, "m"),
        ("POST", "/executions", {"action": "core.noop", "params": {}}, 400, "field 'params'"),
        ("PUT", "/keys/k", {"value": "v", "secrets": True}, 400, "field 'secrets'"),
        ("POST", "/apikeys", {"meta": {}}, 400, "field 'meta'"),
        ("POST", "/apikeys", {"key_hash": "********"}, 400, "expected key_hash"),
        ("POST", "/apikeys", {"enabled": "no"}, 400, "enabled"),
    ],
)
def test_refusals(serve, method, path, body, status, told):
    reply = serve.call(method, path, json=body)
    assert reply.status_code == status, reply.text
    assert told in reply.json()["faultstring"]


@pytest.mark.parametrize("base", ["/v1", "/api/v1"])
@pytest.mark.parametrize("end", ["", "/"])
def test_lists_tell_their_size_under_every_address(serve, base, end):
    headers = {"X-Auth-Token": serve.token}
    url = serve.url("stream", f"{base}/actions{end}?limit=1&include_attributes=ref")
    reply = requests.get(url, headers=headers, timeout=120)
    assert int(reply.headers["X-Total-Count"]) >= 5
    assert reply.headers["X-Limit"] == "1"
    assert [set(document) for document in reply.json()] == [{"id", "ref"}]


def test_secret_parameters_are_masked(serve):
    made = serve.call(
        "POST", "/executions", json={"action": "demo.wf", "parameters": {"pin": "4711"}}
    )
    assert "4711" not in made.text
    path = f"/executions/{made.json()['id']}"
    assert serve.get(path)["parameters"]["pin"] == "********"
    assert serve.get(path + "?show_secrets=True")["parameters"]["pin"] == "4711"
    bob = serve.call("GET", path + "?show_secrets=True", token=serve.token_of("bob"))
    assert bob.status_code == 403


def test_the_end_of_an_execution_fires_the_rule_on_it(serve, until):
    run = serve.call("POST", "/executions", json={"action": "demo.fail"}).json()["id"]

    def told():
        found = serve.get("/executions?rule=demo.on_failure&action=core.noop")
        return [e for e in found if e["parameters"].get("failed") == run]

    (execution,) = until(told, "the rule fired")
    assert execution["context"]["rule"]["name"] == "on_failure"
    payload = serve.get(f"/triggerinstances/{execution['trigger_instance']['id']}")["payload"]
    assert payload["status"] == "failed"
    assert payload["action_ref"] == "demo.fail"


def test_a_webhook_keeps_its_trace_tag(serve, until):
    body = {"trigger": "demo.event", "payload": {"n": 99}}
    reply = serve.call("POST", "/webhooks/st2", json=body, headers={"St2-Trace-Tag": "RUN99"})
    assert (reply.status_code, reply.json()) == (202, body)
    trace = until(lambda: serve.get("/traces?trace_tag=RUN99&sort_asc=True"), "it is there")[0]
    until(lambda: serve.get(f"/traces/{trace['id']}")["action_executions"], "it led to something")
    execution = serve.get(f"/traces/{trace['id']}")["action_executions"][0]["object_id"]
    context = serve.get(f"/executions/{execution}")["context"]
    assert context["trace_context"]["trace_tag"] == "RUN99"


@pytest.mark.parametrize("name", ["{{ st2kv.system.x }}", "<% st2kv('system.x') %>", "{% raw %}"])
def test_a_template_in_a_payload_is_not_evaluated(serve, until, name):
    serve.call("POST", "/webhooks/st2", json={"trigger": "demo.tick", "payload": {"site": name}})

    def told():
        found = serve.get("/ruleenforcements?rule_ref=demo.on_tick&limit=1")
        return found and found[0].get("failure_reason")

    assert "holds a template" in until(told, "the rule was tried")


def test_the_stream_tells_of_an_execution_until_it_ends(serve):
    query = {"x-auth-token": serve.token, "events": "st2.execution__*"}
    with requests.get(
        serve.url("stream", "/v1/stream"), params=query, stream=True, timeout=120
    ) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b""
        run = serve.call("POST", "/executions", json={"action": "core.noop"}).json()["id"]
        seen = []
        for line in lines:
            if line.startswith(b"data: "):
                document = json.loads(line[6:])
                if document["id"] == run:
                    seen.append(document["status"])
                    if document["status"] == "succeeded":
                        break
    assert seen[-1] == "succeeded"


def test_the_stream_of_an_ended_execution_closes_at_once(serve, until):
    run = serve.call("POST", "/executions", json={"action": "core.noop"}).json()["id"]
    until(lambda: serve.get(f"/executions/{run}")["status"] == "succeeded", "it ended")
    query = {"end_event": "st2.execution__update", "end_execution_id": run}
    reply = requests.get(
        serve.url("stream", "/v1/stream"),
        params=query | {"x-auth-token": serve.token},
        timeout=120,
    )
    assert f'"id": "{run}"' in reply.text


def test_what_is_run_again_may_be_delayed(serve):
    run = serve.call("POST", "/executions", json={"action": "core.noop"}).json()["id"]
    again = serve.call("POST", f"/executions/{run}/re_run", json={"delay": 60_000})
    assert again.status_code == 201, again.text
    assert (again.json()["status"], again.json()["delay"]) == ("delayed", 60_000)
    path = f"/executions/{again.json()['id']}"
    for _ in range(2):
        assert serve.call("DELETE", path).json()["status"] == "canceled"


@pytest.mark.parametrize("status", ["canceling", "pausing", "resuming"])
def test_what_is_over_stays_as_it_is(serve, until, status):
    """st2api/controllers/v1/actionexecutions.py, `put` and `delete`."""
    path = (
        "/executions/" + serve.call("POST", "/executions", json={"action": "demo.wf"}).json()["id"]
    )
    until(lambda: serve.get(path)["status"] == "succeeded", "it is over")
    refused = serve.call("PUT", path, json={"status": status})
    assert refused.status_code == 400
    assert refused.json()["faultstring"] == "Execution is already in completed state."
    told = serve.call("DELETE", path)
    assert told.status_code == 200
    assert told.json() == {"faultstring": "Action cannot be canceled. State = succeeded."}


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("sent", "headers", "body"),
    [
        ({"run": ["A 1", "ä"], "ok": "yes"}, {}, {"run": ["A 1", "ä"], "ok": ["yes"]}),
        (
            "run=A+1&none=",
            {"Content-Type": f"{_FORM['Content-Type']}; charset=utf-8"},
            {"run": ["A 1"]},
        ),
        ("", _FORM, {}),
        ("", {}, {}),
        ("null", {}, None),
        ('{"run": 1}', {}, {"run": 1}),
        ('{"run": 1}', {"Content-Type": "text/plain"}, {"run": 1}),
        ('{"run": 1}', _FORM, None),
        ("run=%ff", _FORM, None),
        (b"run=\xff", _FORM, None),
        ("run=1", {"Content-Type": "application/json"}, None),
        ("run=1", {"Content-Type": "text/plain"}, None),
    ],
)
def test_a_webhook_takes_json_and_forms(serve, sent, headers, body):
    # st2common/router.py and StackStorm's test_webhooks.py
    rule = {
        "name": "hooked",
        "pack": "demo",
        "trigger": {"type": "core.st2.webhook", "parameters": {"url": "hooked"}},
        "action": {"ref": "core.noop"},
    }
    made = serve.call("POST", "/rules", json=rule)
    reply = serve.call("POST", "/webhooks/hooked", data=sent, headers=headers)
    if body is None:
        assert reply.status_code == 400, reply.text
    else:
        assert (reply.status_code, reply.json()) == (202, body)
        trigger = made.json()["trigger"]["ref"]
        [instance] = serve.get(f"/triggerinstances?trigger={trigger}&limit=1")
        assert instance["payload"]["body"] == body
    serve.call("DELETE", f"/rules/{made.json()['id']}")


@pytest.mark.parametrize(
    ("path", "name", "field"),
    [
        ("/executions?", "timestamp", "start_timestamp"),
        ("/triggerinstances?", "timestamp", "occurrence_time"),
        ("/ruleenforcements?", "enforced_at", "enforced_at"),
    ],
)
def test_times_of_a_list_are_moments_in_any_zone(serve, until, path, name, field):
    serve.dispatch("demo.tick", {"site": "here"})
    newest = until(lambda: serve.get(f"{path}limit=1"), "there is one")[0]
    before = datetime.fromisoformat(newest[field]) - timedelta(milliseconds=1)
    for hours in (-12, 14):
        there = quote(before.astimezone(timezone(timedelta(hours=hours))).isoformat())
        assert newest["id"] in [e["id"] for e in serve.get(f"{path}limit=5&{name}_gt={there}")]
        assert newest["id"] not in [e["id"] for e in serve.get(f"{path}limit=5&{name}_lt={there}")]


def _output_of(serve, port, path, **query):
    """The events of what an execution prints, one by one: name and payload."""
    url, headers = serve.url(port, path), {"X-Auth-Token": serve.token}
    with requests.get(url, query, headers=headers, stream=True, timeout=120) as stream:
        assert stream.status_code == 200, stream.text
        lines = (line for line in stream.iter_lines(chunk_size=1, decode_unicode=True) if line)
        for name in lines:
            data = next(lines).removeprefix("data: ")
            yield name.removeprefix("event: "), data


def test_the_output_of_an_execution_comes_as_events(serve, tmp_path):
    """st2stream/controllers/v1/executions.py: what there is, what comes, and EOF."""
    go = tmp_path / "go"
    command = f"echo begun; until [ -e {go} ]; do sleep 0.1; done; echo over; echo why >&2"
    body = {"action": "core.local", "parameters": {"cmd": command, "timeout": 30}}
    run = serve.call("POST", "/executions", json=body).json()["id"]
    path = f"/stream/v1/executions/{run}/output"
    events = _output_of(serve, "api", path)
    name, data = next(events)
    assert name == "st2.execution.output__create"
    assert json.loads(data) == {
        "execution_id": run,
        "action_ref": "core.local",
        "runner_ref": "local-shell-cmd",
        "timestamp": json.loads(data)["timestamp"],
        "output_type": "stdout",
        "data": "begun\n",
    }
    go.touch()
    *more, last = events
    assert last == ("EOF", "''")
    assert [json.loads(data)["data"] for _, data in more] == ["over\n", "why\n"]
    for port, address in (("api", path), ("stream", path.removeprefix("/stream"))):
        *told, last = _output_of(serve, port, address, output_type="stderr")
        assert [json.loads(data)["data"] for _, data in told] == ["why"]
        assert last == ("EOF", "''")
    plain = serve.call("GET", f"/executions/{run}/output").text
    assert plain == "begun\noverwhy"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [("none", None, 404), ("last?output_type=both", None, 400), ("last", "wrong", 401)],
)
def test_no_such_output(serve, path, token, status):
    execution, _, query = path.partition("?")
    url = serve.url("api", f"/stream/v1/executions/{execution}/output?{query}")
    serve.call("POST", "/executions", json={"action": "core.noop"})
    headers = {"X-Auth-Token": token or serve.token}
    reply = requests.get(url, headers=headers, timeout=120)
    assert reply.status_code == status and reply.json()["faultstring"]
