"""What a rule hears of and hands to its action, in a real `st2solo serve`."""

import itertools
import json

import pytest

_numbers = itertools.count(1)
_EXECUTION = "SELECT id FROM executions WHERE json_extract(rule, '$.name') = ?"
_ENFORCEMENT = "SELECT failure_reason FROM rule_enforcements WHERE rule_ref = ?"


@pytest.fixture
def enforced(serve, until):
    """Makes a rule on demo.event, lets it happen, and gives what became of it."""
    made = []

    def make(payload, parameters, criteria=None, action="core.noop"):
        name = f"rule_{next(_numbers)}"
        body = {
            "name": name,
            "pack": "demo",
            "enabled": True,
            "trigger": {"type": "demo.event"},
            "criteria": criteria or {},
            "action": {"ref": action, "parameters": parameters},
        }
        reply = serve.call("POST", "/rules", json=body)
        assert reply.status_code == 201, reply.text
        made.append(reply.json()["id"])
        assert serve.dispatch("demo.event", payload).status_code == 202
        reasons = until(lambda: serve.rows(_ENFORCEMENT, f"demo.{name}"), "the rule is applied")
        found = [serve.get(f"/executions/{i}") for (i,) in serve.rows(_EXECUTION, name)]
        return found, [reason for (reason,) in reasons]

    yield make
    for rule in made:
        serve.call("DELETE", f"/rules/{rule}")


def test_parameters_name_the_trigger_each_other_and_the_context(enforced):
    # st2reactor/rules/enforcer.py renders them as parameters of an execution, once
    payload = {"n": 0, "run": "A1", "lanes": [1, 2]}
    parameters = {
        "run": "{{ trigger.run }}",
        "said": "{{ run }} by {{ action_context.user }}",
        "lanes": ["{{trigger}}", "{{ trigger.lanes | length }}"],
    }
    [execution], reasons = enforced(payload, parameters)
    assert reasons == [None]
    assert execution["parameters"] == {
        "run": "A1",
        "said": f"A1 by {execution['context']['user']}",
        "lanes": [payload, "2"],
    }


def test_what_cannot_be_rendered_is_a_failed_execution(enforced):
    [execution], [reason] = enforced({"n": 0}, {"x": "{{ trigger.nothing }}"})
    assert execution["status"] == "failed"
    assert 'Failed to render parameter "x"' in execution["result"]["error"]
    assert 'Failed to render parameter "x"' in reason


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "<% ctx() %>", "{% raw %}"])
def test_a_template_in_the_payload_goes_no_further(enforced, text):
    executions, [reason] = enforced({"n": 0, "text": text}, {"x": "{{ trigger.text }}"})
    assert executions == []
    assert "holds a template" in reason


def test_a_secret_of_a_rule_is_not_shown_and_not_lost(serve, until):
    """`st2 rule enable` gets the rule, and puts the whole of it back."""
    rule = {
        "name": "secret",
        "pack": "demo",
        "trigger": {"type": "demo.event"},
        "action": {"ref": "demo.wf", "parameters": {"n": 7, "pin": "47 11"}},
    }
    made = serve.call("POST", "/rules", json=rule)
    path = f"/rules/{made.json()['id']}"
    shown = serve.get(path)
    assert shown["action"]["parameters"] == {"n": 7, "pin": "********"}
    del shown["ref"]
    put = serve.call("PUT", path, json=shown | {"enabled": True})
    assert (put.status_code, put.json()["enabled"]) == (200, True)
    assert serve.dispatch("demo.event", {"n": 0}).status_code == 202
    asked = until(lambda: serve.get("/executions?rule=demo.secret"), "the rule fired")[0]["id"]
    for listed in ("/rules", "/rules/views", f"{path}", f"/rules/views/{made.json()['id']}"):
        assert "47 11" not in serve.call("GET", listed).text
        assert "47 11" in serve.call("GET", listed + "?show_secrets=true").text
    execution = serve.call("GET", f"/executions/{asked}").text
    assert "47 11" not in made.text + put.text + execution
    clear = serve.get(f"/executions/{asked}?show_secrets=true")
    assert clear["parameters"] == clear["rule"]["action"]["parameters"] == {"n": 7, "pin": "47 11"}
    other = shown | {"action": {"ref": "core.noop", "parameters": {"pin": "********"}}}
    refused = serve.call("PUT", path, json=other)
    assert (refused.status_code, "give the value itself" in refused.text) == (400, True)
    again = serve.call("POST", "/rules", json=shown | {"name": "copied"})
    assert (again.status_code, "give the value itself" in again.text) == (400, True)
    bob = serve.token_of("bob")
    assert serve.call("GET", path + "?show_secrets=true", token=bob).status_code == 403
    shows = {"ref": "demo.wf", "parameters": {"n": "{{ pin }}", "pin": "********"}}
    assert serve.call("PUT", path, token=bob, json=shown | {"action": shows}).status_code == 400
    serve.call("DELETE", path)


def test_a_criterion_that_fails_within_a_search_does_not_stop_the_rule(enforced):
    # st2reactor/rules/filter.py: it writes a failed enforcement and counts as not met
    above = {"item.n": {"type": "gt", "pattern": 3}}
    criteria = {"trigger.fields": {"type": "search", "condition": "any", "pattern": above}}
    executions, reasons = enforced({"n": 0, "fields": [{}, {"n": 5}]}, {}, criteria)
    assert len(executions) == 1
    assert sorted(reason is None for reason in reasons) == [False, True]


@pytest.mark.parametrize("creds", ["s3cret", '{"port": "s3cret"}', "[" * 500 + "s3cret"])
def test_no_error_tells_a_secret(enforced, serve, creds):
    serve.call("PUT", "/keys/creds", json={"name": "creds", "value": creds, "secret": True})
    given = {"creds": "{{ st2kv.system.creds | decrypt_kv }}"}
    executions, [reason] = enforced({"n": 0}, given, action="demo.login")
    assert "creds" in reason and "does not fit its type" in reason
    assert "s3cret" not in reason + json.dumps(executions) + serve.log


def test_a_change_of_the_datastore_is_an_event_where_a_rule_listens(serve):
    # st2common/persistence/keyvalue.py
    def put(value, **more):
        body = {"name": "colour", "value": value, **more}
        return serve.call("PUT", "/keys/colour", json=body).json()

    put("blue")
    rules = []
    for operation in ("create", "update", "value_change", "delete"):
        trigger = f"core.st2.key_value_pair.{operation}"
        rule = {"name": f"key_{operation}", "pack": "demo", "trigger": {"type": trigger}}
        more = {"enabled": True, "action": {"ref": "core.noop"}}
        reply = serve.call("POST", "/rules", json=rule | more)
        assert reply.status_code == 201, reply.text
        rules.append(reply.json()["id"])
    same, secret = put("blue"), put("s3cret", secret=True)
    serve.call("DELETE", "/keys/colour")
    new = put("red")
    sql = "SELECT trigger, payload FROM trigger_instances WHERE trigger LIKE ? ORDER BY id"
    prefix = "core.st2.key_value_pair."
    found = [(t.removeprefix(prefix), json.loads(p)) for t, p in serve.rows(sql, f"{prefix}%")]
    assert found == [
        ("update", {"object": same}),
        ("update", {"object": secret}),
        ("value_change", {"old_object": same, "new_object": secret}),
        ("delete", {"object": secret}),
        ("create", {"object": new}),
    ]
    assert "s3cret" not in str(found)
    for rule in rules:
        serve.call("DELETE", f"/rules/{rule}")


def test_a_trigger_goes_with_the_last_rule_that_names_it(serve):
    """st2common/services/triggers.py, `cleanup_trigger_db_for_rule`."""

    def urls():
        return [t["parameters"]["url"] for t in serve.get("/triggers?type=core.st2.webhook")]

    def body(name, url):
        trigger = {"type": "core.st2.webhook", "parameters": {"url": url}}
        return {"name": name, "pack": "demo", "trigger": trigger, "action": {"ref": "core.noop"}}

    one, other = (serve.call("POST", "/rules", json=body(n, "a")).json()["id"] for n in "xy")
    assert urls() == ["a"]
    assert serve.call("DELETE", f"/rules/{other}").status_code == 204
    assert urls() == ["a"]
    assert serve.call("PUT", f"/rules/{one}", json=body("x", "b")).ok
    assert urls() == ["b"]
    assert serve.call("DELETE", f"/rules/{one}").status_code == 204
    assert urls() == []


def test_a_rule_names_who_wrote_it_last(serve):
    """st2api/controllers/v1/rules.py: `context.user`."""
    rule = {"name": "written", "trigger": {"type": "demo.tick"}, "action": {"ref": "core.noop"}}
    rule["context"] = {"user": "eve", "why": "a trial"}
    made = serve.call("POST", "/rules", token=serve.token_of("bob"), json=rule).json()
    assert made["context"] == {"user": "bob", "why": "a trial"}
    changed = serve.call("PUT", "/rules/default.written", json=made | {"enabled": True}).json()
    assert changed["context"] == {"user": "alice", "why": "a trial"}
    serve.call("DELETE", "/rules/default.written")
