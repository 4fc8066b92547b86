"""What a list may be asked for, as the controllers of st2api of StackStorm 3.9 know it."""

import pytest


@pytest.fixture(scope="module")
def known(serve, until):
    """Identifiers of what there is: three executions, the last of them by a rule."""
    made = [
        serve.call("POST", "/executions", json={"action": action}).json()["id"]
        for action in ("core.noop", "demo.wf")
    ]
    tick = until(lambda: serve.get("/executions?rule=demo.on_tick"), "the sensor's")[0]
    until(lambda: not serve.get("/executions?status=running"), "all are over")
    return {
        "first": made[0],
        "second": made[1],
        "ruled": tick["id"],
        "instance": tick["trigger_instance"]["id"],
        "start": serve.get(f"/executions/{made[0]}")["start_timestamp"],
    }


def _ids(serve, path):
    return [one["id"] for one in serve.get(path)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id={first}", ["first"]),
        ("id={second},{first}&sort=%2Btimestamp", ["first", "second"]),
        ("id={second},{first}&sort=-timestamp", ["second", "first"]),
        ("id={second},{first}&sort=action", ["first", "second"]),
        ("id={second},{first}&sort=-action", ["second", "first"]),
        ("id={second},{first}&sort=nothing", ["second", "first"]),
        ("id={second},{first}&timestamp_gt=2020-01-01", ["first", "second"]),
        ("id={second},{first}&timestamp_gt=2020-01-01&sort_desc=True", ["second", "first"]),
        (
            "id={second},{first}&timestamp_gt=2020-01-01&timestamp_lt=9000-01-01",
            ["second", "first"],
        ),
        ("liveaction={first}", ["first"]),
        ("trigger=demo.tick", ["ruled"]),
        ("trigger_type=demo.tick", ["ruled"]),
        ("trigger_type=tick", ["ruled"]),
        ("trigger=null&id={first},{ruled}", ["first"]),
        ("timestamp={start}&id={first}", ["first"]),
        ("id=", None),
    ],
)
def test_executions(serve, known, query, found):
    ids = _ids(serve, "/executions?" + query.format(**known))
    assert len(ids) > 2 if found is None else ids == [known[name] for name in found]


def test_executions_show_secrets_to_administrators(serve, until):
    body = {"action": "demo.wf", "parameters": {"pin": "4711"}}
    asked = serve.call("POST", "/executions?show_secrets=true", json=body).json()
    assert asked["parameters"]["pin"] == "4711"
    shown = {
        flag: serve.get(f"/executions?id={asked['id']}&show_secrets={flag}")[0]["parameters"]["pin"]
        for flag in ("true", "false")
    }
    assert shown == {"true": "4711", "false": "********"}
    bob = serve.token_of("bob")
    assert serve.call("GET", "/executions?show_secrets=1", token=bob).status_code == 403
    assert serve.call("POST", "/executions?show_secrets=1", token=bob, json=body).status_code == 403


def test_what_is_not_offered_is_named(serve):
    reply = serve.call("GET", "/executions?filter=action.ref:core.noop")
    assert reply.status_code == 400
    assert "does not offer filter" in reply.json()["faultstring"]
    many = ",".join(["x"] * 101)
    for path in ("/executions", "/rules", "/traces", "/triggerinstances"):
        assert serve.call("GET", f"{path}?id={many}").status_code == 400


@pytest.mark.parametrize(
    ("path", "refs"),
    [
        ("/sensortypes?trigger=demo.tick", ["demo.Feed"]),
        ("/sensortypes?trigger=demo.event", []),
        ("/sensortypes?enabled=1", ["demo.Feed"]),
        ("/sensortypes?enabled=False", []),
        ("/rules?name=on_tick&enabled=true", ["demo.on_tick"]),
        ("/rules?name=on_tick&enabled=0", []),
        ("/actions?tags=nightly", []),
    ],
)
def test_what_is_registered(serve, path, refs):
    assert [one["ref"] for one in serve.get(path)] == refs


def test_a_wrong_boolean_is_refused(serve):
    assert serve.call("GET", "/rules?enabled=maybe").status_code == 400


def test_tags_of_actions(serve):
    path = serve.folder / "packs/demo/actions/tagged.yaml"
    path.write_text("name: tagged\nrunner_type: noop\ntags: [{name: nightly, value: a}]\n")
    assert serve.call("POST", "/packs/register", json={"packs": ["demo"]}).status_code == 200
    assert [one["ref"] for one in serve.get("/actions?tags=nightly")] == ["demo.tagged"]
    assert serve.get("/actions?tags=other") == []


@pytest.mark.parametrize(
    "path",
    ["/actions", "/rules", "/sensortypes", "/packs", "/runnertypes", "/policies", "/policytypes",
     "/triggertypes", "/triggers", "/actionalias", "/configs", "/ruletypes", "/timers",
     "/triggerinstances", "/ruleenforcements", "/traces", "/executions", "/keys"],
)  # fmt: skip
def test_one_of_a_list_by_its_identifier(serve, known, path):
    serve.call("PUT", "/keys/any", json={"name": "any", "value": "v"})
    for wanted in _ids(serve, path)[:2]:
        assert _ids(serve, f"{path}?id={wanted}") == [wanted]
    assert serve.get(f"{path}?id={'0' * 24}") == []


def test_keys_and_trigger_instances(serve, known):
    serve.call("PUT", "/keys/one", json={"name": "one", "value": "v"})
    assert [key["name"] for key in serve.get("/keys?name=one")] == ["one"]
    assert known["instance"] in _ids(serve, "/triggerinstances?trigger_type=demo.tick")
    assert serve.get("/triggerinstances?trigger_type=demo.none") == []
