"""Questions to people: who may answer, what is taken, and what goes on then."""

import sqlite3

import pytest

from st2solo.errors import ForbiddenError, InvalidError, NotFoundError

_SCHEMA = {"type": "object", "properties": {"approved": {"type": "boolean", "required": True}}}


@pytest.fixture(autouse=True)
def ask(packs):
    packs.action("core.ask", runner_type="inquirer")
    packs.workflow(
        "demo.approval",
        """
        version: 1.0
        tasks:
          ask:
            action: core.ask
            input:
              route: doctors
              schema:
                type: object
                properties: {approved: {type: boolean, required: true}}
            next:
              - when: <% succeeded() and result().response.approved %>
                do: go
              - when: <% failed() %>
                publish: late=<% true %>
                do: too_late
          go: {action: core.noop}
          too_late: {action: core.noop}
        """,
    )
    packs.workflow(
        "demo.outer",
        """
        version: 1.0
        tasks:
          inner: {action: demo.approval, next: [{when: <% succeeded() %>, do: after}]}
          after: {action: core.noop}
        """,
    )
    packs.workflow(
        "demo.outermost",
        """
        version: 1.0
        tasks:
          outer: {action: demo.outer, next: [{when: <% succeeded() %>, do: last}]}
          last: {action: core.noop}
        """,
    )


async def _opened(engine, ref, **parameters):
    """The execution of an action that asks, and the identifier of the open question."""
    execution = engine.executions.request(ref, parameters, user="ann")
    await engine.until(lambda: engine.executions.inquiries.list(limit=10, offset=0)[1])
    (inquiry,), _ = engine.executions.inquiries.list(limit=10, offset=0)
    return execution["id"], inquiry["id"]


def _respond(engine, inquiry, response, user="ann", roles=()):
    engine.executions.inquiries.respond(inquiry, response, user=user, roles=set(roles))


def test_an_answer_lets_the_workflow_go_on(engine_over):
    async def body(engine):
        told = []
        engine.executions.inquiries.on_opened.append(told.append)
        workflow, inquiry = await _opened(engine, "demo.approval")
        await engine.until(lambda: engine.executions.get(workflow)["status"] == "paused")
        shown = engine.executions.inquiries.get(inquiry)
        assert shown == {
            "id": inquiry,
            "schema": _SCHEMA,
            "route": "doctors",
            "roles": [],
            "users": [],
            "ttl": 1440,
        }
        assert [(one["id"], one["result"]["route"]) for one in told] == [(inquiry, "doctors")]
        _respond(engine, inquiry, {"approved": True})
        assert (await engine.over(workflow))["status"] == "succeeded"
        assert engine.names(workflow) == ["ask", "go"]
        answered = engine.executions.get(inquiry)
        assert answered["result"]["response"] == {"approved": True}
        assert [step["status"] for step in answered["log"]][-2:] == ["pending", "succeeded"]

    engine_over(body)


def test_a_secret_answer_is_shown_to_none_but_the_workflow(engine_over, packs):
    """ActionExecutionDB.mask_secrets of StackStorm 3.9; its action trigger shows the answer."""
    packs.workflow(
        "demo.factor",
        """
        version: 1.0
        tasks:
          ask:
            action: core.ask
            input: {schema: {type: object, properties: {factor: {type: string, secret: true}}}}
            next:
              - when: <% succeeded() and result().response.factor = "42 secrets" %>
                do: go
          go: {action: core.noop}
        """,
    )

    async def body(engine):
        streamed, ended = [], []
        engine.executions.on_change.append(streamed.append)
        engine.executions.on_completed.append(ended.append)
        workflow, inquiry = await _opened(engine, "demo.factor")
        await engine.until(lambda: engine.executions.get(workflow)["status"] == "paused")
        _respond(engine, inquiry, {"factor": "42 secrets"})
        assert (await engine.over(workflow))["status"] == "succeeded"
        assert engine.names(workflow) == ["ask", "go"]
        shown = [engine.executions.get(inquiry), *engine.executions.children(workflow)]
        shown += [d for d in streamed + ended if d["id"] == inquiry and d["status"] == "succeeded"]
        assert len(shown) == 5
        assert {d["result"]["response"]["factor"] for d in shown if d["id"] == inquiry} == {
            "********"
        }
        assert "42 secrets" not in str(streamed + ended + shown)
        clear = engine.executions.get(inquiry, show_secrets=True)
        assert clear["result"]["response"] == {"factor": "42 secrets"}

    engine_over(body)


def test_a_question_in_a_workflow_in_a_workflow(engine_over):
    async def body(engine):
        outer, inquiry = await _opened(engine, "demo.outer")
        await engine.until(lambda: engine.executions.get(outer)["status"] == "paused")
        _respond(engine, inquiry, {"approved": True})
        assert (await engine.over(outer))["status"] == "succeeded"
        assert engine.names(outer) == ["inner", "after"]

    engine_over(body)


async def _opened_three_levels_down(engine):
    """The workflows around a question, the outermost first, all of which wait; and its id."""
    outermost, inquiry = await _opened(engine, "demo.outermost")
    inner = [child["id"] for child in engine.executions.children(outermost)]
    levels = [outermost, *inner[:2]]
    await engine.until(lambda: _statuses(engine, levels) == ["paused"] * 3)
    assert inner[2:] == [inquiry]
    return levels, inquiry


def _statuses(engine, executions):
    return [engine.executions.get(one)["status"] for one in executions]


@pytest.mark.parametrize("resumed", [None, 0, 1, 2])
def test_a_question_three_workflows_down(resumed, engine_over):
    """All three go on with the answer; and when a person resumes one of them before it."""

    async def body(engine):
        levels, inquiry = await _opened_three_levels_down(engine)
        if resumed is not None:
            engine.executions.resume(levels[resumed], "ann")
            assert _statuses(engine, levels) == ["running"] * 3
        _respond(engine, inquiry, {"approved": True})
        assert (await engine.over(levels[0]))["status"] == "succeeded"
        assert engine.names(levels[0]) == ["outer", "last"]
        assert _statuses(engine, levels) == ["succeeded"] * 3

    engine_over(body)


def test_a_workflow_that_was_resumed_before_the_answer_outlives_a_restart(engine_over, caplog):
    found = {}

    async def resume(engine):
        found["workflow"], found["inquiry"] = await _opened(engine, "demo.approval")
        await engine.until(lambda: _statuses(engine, [found["workflow"]]) == ["paused"])
        assert engine.executions.resume(found["workflow"], "ann")["status"] == "running"

    async def answer(engine):
        assert "rolled back" not in caplog.text
        _respond(engine, found["inquiry"], {"approved": True})
        assert (await engine.over(found["workflow"]))["status"] == "succeeded"

    engine_over(resume)
    engine_over(answer)


def test_each_of_two_answers_lets_its_own_part_go_on(engine_over, packs):
    """Below the items of a task: with the first answer it goes on, and then waits again."""
    packs.workflow(
        "demo.many",
        """
        version: 1.0
        tasks:
          each:
            with: <% list(1, 2) %>
            action: demo.outer
            next: [{when: <% succeeded() %>, do: last}]
          last: {action: core.noop}
        """,
    )

    async def body(engine):
        many = engine.executions.request("demo.many", {}, user="ann")["id"]
        asked = engine.executions.inquiries.list
        await engine.until(lambda: asked(limit=10, offset=0)[1] == 2)
        await engine.until(lambda: _statuses(engine, [many]) == ["paused"])
        first, second = (one["id"] for one in asked(limit=10, offset=0)[0])
        _respond(engine, first, {"approved": True})
        assert _statuses(engine, [many]) == ["running"]
        await engine.until(lambda: _statuses(engine, [many]) == ["paused"])
        outer = [child["status"] for child in engine.executions.children(many, 1)]
        assert sorted(outer) == ["paused", "succeeded"]
        _respond(engine, second, {"approved": True})
        assert (await engine.over(many))["status"] == "succeeded"
        assert engine.names(many) == ["each", "each", "last"]

    engine_over(body)


def test_a_question_three_workflows_down_times_out(engine_over, tmp_path):
    found = {}

    async def ask(engine):
        found["levels"], found["inquiry"] = await _opened_three_levels_down(engine)

    async def over(engine):
        assert (await engine.over(found["levels"][0]))["status"] == "succeeded"
        assert _statuses(engine, found["levels"]) == ["succeeded"] * 3
        assert _statuses(engine, [found["inquiry"]]) == ["timeout"]

    engine_over(ask)
    _let_time_pass(tmp_path)
    engine_over(over)


REFUSED = {
    "an answer of another form": ({}, {"approved": "maybe"}, "ann", (), InvalidError),
    "no answer": ({}, {}, "ann", (), InvalidError),
    "an answer to something else": ({}, {"approved": True, "x": 1}, "ann", (), None),
    "a user who is not named": ({"users": ["bob"]}, {"approved": True}, "ann", (), ForbiddenError),
    "a user who is named": ({"users": ["bob"]}, {"approved": True}, "bob", (), None),
    "a user without the role": ({"roles": ["admin"]}, {"approved": True}, "a", (), ForbiddenError),
    "a user with the role": ({"roles": ["admin"]}, {"approved": True}, "a", ("admin",), None),
    "a user with the role who is not named": (
        {"roles": ["admin"], "users": ["bob"]},
        {"approved": True},
        "ann",
        ("admin",),
        ForbiddenError,
    ),
    "a schema that is none": ({"schema": {"type": "wish"}}, {"a": 1}, "ann", (), InvalidError),
    "a schema on another host": (
        {"schema": {"$ref": "http://127.0.0.1:9/schema"}},
        {"a": 1},
        "ann",
        (),
        InvalidError,
    ),
    "a schema whose properties are none": (
        {"schema": {"type": "object", "properties": [1]}},
        {"a": 1},
        "ann",
        (),
        InvalidError,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_may_answer_what(name, engine_over):
    asked, response, user, roles, error = REFUSED[name]

    async def body(engine):
        _, inquiry = await _opened(engine, "core.ask", **{"schema": _SCHEMA, **asked})
        if error is None:
            _respond(engine, inquiry, response, user, roles)
            assert engine.executions.get(inquiry)["status"] == "succeeded"
        else:
            with pytest.raises(error):
                _respond(engine, inquiry, response, user, roles)
            assert engine.executions.get(inquiry)["status"] == "pending"

    engine_over(body)


def test_it_is_answered_once(engine_over):
    async def body(engine):
        _, inquiry = await _opened(engine, "core.ask")
        _respond(engine, inquiry, {"continue": True})
        with pytest.raises(InvalidError, match="already been responded"):
            _respond(engine, inquiry, {"continue": False})
        noop = await engine.run("core.noop")
        with pytest.raises(InvalidError, match="is not an inquiry"):
            engine.executions.inquiries.get(noop["id"])
        with pytest.raises(NotFoundError):
            engine.executions.inquiries.get("0" * 24)

    engine_over(body)


def test_a_question_outlives_a_restart_and_times_out(engine_over, tmp_path):
    """Its time is over while nothing runs; the next start closes it, and the workflow goes on."""
    found = {}

    async def ask(engine):
        found["workflow"], found["inquiry"] = await _opened(engine, "demo.approval")
        workflow = found["workflow"]
        await engine.until(lambda: engine.executions.get(workflow)["status"] == "paused")

    async def still_open(engine):
        assert engine.executions.inquiries.get(found["inquiry"])["route"] == "doctors"

    async def over(engine):
        done = await engine.over(found["workflow"])
        assert engine.executions.get(found["inquiry"])["status"] == "timeout"
        assert engine.names(found["workflow"]) == ["ask", "too_late"]
        assert done["status"] == "succeeded"
        with pytest.raises(InvalidError, match="timed out"):
            _respond(engine, found["inquiry"], {"approved": True})

    engine_over(ask)
    engine_over(still_open)
    _let_time_pass(tmp_path)
    engine_over(over)


def _let_time_pass(folder):
    """The time to answer is over."""
    with sqlite3.connect(folder / "st2solo.db") as connection:
        changed = connection.execute("UPDATE executions SET due = 1 WHERE status = 'pending'")
        assert changed.rowcount == 1
    connection.close()


def test_canceling_the_workflow_closes_the_question(engine_over):
    async def body(engine):
        workflow, inquiry = await _opened(engine, "demo.approval")
        await engine.until(lambda: engine.executions.get(workflow)["status"] == "paused")
        engine.executions.cancel(workflow, "ann")
        assert (await engine.over(workflow))["status"] == "canceled"
        assert engine.executions.get(inquiry)["status"] == "canceled"

    engine_over(body)
