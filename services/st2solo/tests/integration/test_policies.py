"""Policies: how many executions run at once, and which are tried again."""

import json

import pytest

from st2solo.testing import FolderPolicy


def _policy(kind, ref="demo.act", **parameters):
    return FolderPolicy(f"demo.{kind}", f"action.{kind}", ref, parameters)


@pytest.fixture
def gate(packs, tmp_path):
    """An action that writes when it begins and ends, and waits for a file in between."""
    effects, go = tmp_path / "effects", tmp_path / "go"
    packs.action(
        "demo.act",
        runner_type="local-shell-cmd",
        parameters={
            "site": {"type": "string", "default": "a"},
            "number": {"type": "integer", "default": 0},
            "cmd": {
                "immutable": True,
                "default": f"echo begun {{{{site}}}} {{{{number}}}} >> {effects};"
                f" until test -e {go}; do sleep 0.02; done; echo ended >> {effects}",
            },
        },
    )
    return effects, go


def _lines(effects):
    return effects.read_text().splitlines() if effects.exists() else []


def _statuses(engine, executions):
    return [engine.executions.get(e["id"])["status"] for e in executions]


def _request(engine, **parameters):
    return engine.executions.request("demo.act", parameters, user="ann")


def test_one_at_a_time_in_the_order_of_the_requests(engine_over, gate):
    effects, go = gate

    async def body(engine):
        engine.registry.registered_policies = [
            _policy("concurrency", threshold=1, action="delay"),
        ]
        asked = [_request(engine, number=number) for number in range(4)]
        await engine.until(lambda: _lines(effects))
        statuses = ["running", "delayed", "delayed", "delayed"]
        await engine.until(lambda: _statuses(engine, asked) == statuses)
        go.touch()
        for execution in asked:
            await engine.over(execution["id"])
        expected = [line for n in range(4) for line in (f"begun a {n}", "ended")]
        assert _lines(effects) == expected
        steps = [step["status"] for step in engine.executions.get(asked[3]["id"])["log"]]
        assert steps == ["requested", "delayed", "scheduled", "running", "succeeded"]

    engine_over(body)


def test_what_a_policy_delays_goes_on_after_a_restart(engine_over, gate):
    effects, go = gate
    asked = []
    policies = [_policy("concurrency", threshold=1, action="delay")]

    async def first(engine):
        engine.registry.registered_policies = policies
        asked.extend(_request(engine, number=number) for number in range(3))
        await engine.until(lambda: _lines(effects))
        await engine.until(lambda: _statuses(engine, asked)[1:] == ["delayed"] * 2)

    async def second(engine):
        engine.registry.registered_policies = policies
        go.touch()
        for execution in asked:
            assert (await engine.over(execution["id"]))["status"] == "succeeded"

    engine_over(first)
    engine_over(second)
    assert _lines(effects).count("ended") == 3


def test_above_the_threshold_it_is_canceled(engine_over, gate):
    _, go = gate

    async def body(engine):
        engine.registry.registered_policies = [
            _policy("concurrency", threshold=2, action="cancel"),
        ]
        asked = [_request(engine) for _ in range(3)]
        third = await engine.over(asked[2]["id"])
        assert third["status"] == "canceled"
        assert "demo.concurrency" in third["result"]["message"]
        go.touch()
        for execution in asked[:2]:
            assert (await engine.over(execution["id"]))["status"] == "succeeded"

    engine_over(body)


def test_only_those_with_the_same_parameter_count_together(engine_over, gate):
    _, go = gate

    async def body(engine):
        engine.registry.registered_policies = [
            _policy("concurrency.attr", threshold=1, action="delay", attributes=["site"]),
        ]
        asked = [_request(engine, site=site) for site in ("a", "a", "b")]
        await engine.until(lambda: _statuses(engine, asked) == ["running", "delayed", "running"])
        go.touch()
        for execution in asked:
            await engine.over(execution["id"])

    engine_over(body)


def test_tasks_of_a_workflow_are_limited_too(engine_over, packs, gate):
    effects, go = gate
    packs.workflow(
        "demo.many",
        """
        version: 1.0
        tasks:
          each: {with: <% range(5) %>, action: demo.act}
        """,
    )

    async def body(engine):
        engine.registry.registered_policies = [_policy("concurrency", threshold=2, action="delay")]
        workflow = engine.executions.request("demo.many", {}, user="ann")
        await engine.until(lambda: len(_lines(effects)) == 2)
        children = engine.executions.children(workflow["id"])
        assert sorted(_statuses(engine, children)) == ["delayed"] * 3 + ["running"] * 2
        go.touch()
        assert (await engine.over(workflow["id"]))["status"] == "succeeded"

    engine_over(body)


@pytest.fixture
def failing(packs, tmp_path):
    """An action that fails, or runs out of its second, as often as it is told."""
    count = tmp_path / "count"
    packs.action(
        "demo.act",
        runner_type="local-shell-cmd",
        parameters={
            "times": {"type": "integer", "required": True},
            "how": {"type": "string", "default": "exit 1"},
            "timeout": {"default": 1},
            "cmd": {
                "immutable": True,
                "default": f"echo >> {count}; test $(wc -l < {count}) -gt {{{{times}}}}"
                " || {{how}}",
            },
        },
    )
    return count


RETRIES = {
    # times, how, policy, statuses of the executions in order
    "a failure": (1, "exit 1", {"retry_on": "failure"}, ["failed", "succeeded"]),
    "twice at most": (9, "exit 1", {"retry_on": "failure"}, ["failed"] * 3),
    "once at most": (9, "exit 1", {"retry_on": "failure", "max_retry_count": 1}, ["failed"] * 2),
    "a failure is no timeout": (9, "exit 1", {"retry_on": "timeout"}, ["failed"]),
    "a timeout": (1, "sleep 60", {"retry_on": "timeout"}, ["timeout", "succeeded"]),
    "a timeout is no failure": (9, "sleep 60", {"retry_on": "failure"}, ["timeout"]),
    "success": (0, "exit 1", {"retry_on": "failure"}, ["succeeded"]),
}


def _all(engine):
    return engine.executions.list(filters={"action": "demo.act"}, sort_asc=True)[0]


@pytest.mark.parametrize("name", RETRIES)
def test_what_is_tried_again(name, engine_over, failing):
    times, how, parameters, statuses = RETRIES[name]

    async def body(engine):
        engine.registry.registered_policies = [
            _policy("retry", **{"max_retry_count": 2, **parameters})
        ]
        first = _request(engine, times=times, how=how)
        await engine.until(lambda: [e["status"] for e in _all(engine)] == statuses)
        for number, (earlier, later) in enumerate(
            zip(_all(engine), _all(engine)[1:], strict=False)
        ):
            assert later["context"]["policies"]["retry"] == {
                "applied_policy": "demo.retry",
                "retry_count": number + 1,
                "retried_liveaction_id": earlier["id"],
            }
            assert later["parameters"] == _all(engine)[0]["parameters"]
        assert first["id"] == _all(engine)[0]["id"]

    engine_over(body)


def test_a_retry_that_waits_outlives_a_restart(engine_over, failing):
    policy = _policy("retry", retry_on="failure", max_retry_count=1, delay=1)

    async def first(engine):
        engine.registry.registered_policies = [policy]
        _request(engine, times=1)
        await engine.until(lambda: [e["status"] for e in _all(engine)] == ["failed", "delayed"])

    async def second(engine):
        engine.registry.registered_policies = [policy]
        await engine.until(lambda: [e["status"] for e in _all(engine)] == ["failed", "succeeded"])

    engine_over(first)
    engine_over(second)


def test_tasks_of_a_workflow_are_not_tried_again(engine_over, packs, failing):
    packs.workflow(
        "demo.flow",
        "version: 1.0\ntasks:\n  a: {action: demo.act, input: {times: 9}}\n",
    )

    async def body(engine):
        engine.registry.registered_policies = [
            _policy("retry", retry_on="failure", max_retry_count=3)
        ]
        done = await engine.run("demo.flow")
        assert done["status"] == "failed"
        assert json.dumps(_all(engine)).count('"retry_count"') == 0
        assert len(_all(engine)) == 1

    engine_over(body)
