"""Orquesta workflows, written as packs write them."""

import pytest

from st2solo.errors import InvalidError


def _flow(text):
    return "version: 1.0\n" + text


CASES = {
    "items in order, with concurrency": (
        _flow("""
input: [xs]
tasks:
  a:
    with: {items: <% ctx(xs) %>, concurrency: 2}
    action: demo.echo value=<% item() %>
    next: [{when: <% succeeded() %>, publish: [{o: "<% result().select($.result) %>"}]}]
output: [{o: <% ctx(o) %>}]
"""),
        {"xs": ["c", "a", "b"]},
        "succeeded",
        {"output": {"o": ["c", "a", "b"]}},
        ["a", "a", "a"],
    ),
    "no items": (
        _flow("""
input: [xs]
tasks:
  a: {with: <% ctx(xs) %>, action: demo.echo value=<% item() %>, next: [{do: b}]}
  b: {action: core.noop}
"""),
        {"xs": []},
        "succeeded",
        {"output": None},
        ["b"],
    ),
    "a join waits for both": (
        _flow("""
tasks:
  s: {next: [{do: [a, b]}]}
  a: {action: core.noop, next: [{publish: [{x: 1}], do: j}]}
  b: {action: core.noop, next: [{publish: [{y: 2}], do: j}]}
  j: {join: all, action: core.noop}
output: [{sum: <% ctx(x) + ctx(y) %>}]
"""),
        {},
        "succeeded",
        {"output": {"sum": 3}},
        ["a", "b", "j"],
    ),
    "a failure that is caught": (
        _flow("""
tasks:
  a:
    action: core.local cmd="exit 3"
    next: [{when: <% failed() %>, publish: [{c: <% result().return_code %>}], do: b}]
  b: {action: core.noop}
output: [{c: <% ctx(c) %>}]
"""),
        {},
        "succeeded",
        {"output": {"c": 3}},
        ["a", "b"],
    ),
    "a command that fails the workflow after a clean-up": (
        _flow("""
tasks:
  a: {action: core.noop, next: [{do: [tidy, fail]}]}
  tidy: {action: core.noop}
"""),
        {},
        "failed",
        None,
        ["a", "tidy"],
    ),
    "the command noop": (
        _flow("""
tasks:
  a: {action: core.local cmd="exit 1", next: [{when: <% failed() %>, do: noop}]}
"""),
        {},
        "succeeded",
        {"output": None},
        ["a"],
    ),
    "jinja, filters and the functions of StackStorm": (
        _flow("""
tasks:
  a:
    action: demo.echo
    input: {value: "{{ ctx().st2.user }}"}
    next: [{publish: [{who: "{{ result().result }}"}, {t: "<% task(a).result.result %>"}]}]
output:
  - who: "{{ ctx().who }}"
  - seen: <% task(a).status %>
  - t: <% ctx(t) %>
  - key: <% st2kv('system.site') %>
  - default: <% st2kv('system.nothing', default => 'none') %>
  - secret: <% st2kv('system.secret', decrypt => true) %>
  - base: <% basename('/a/b') %>
  - json: <% to_json_string(dict(a => 1)) %>
  - regex: "{{ 'abc' | regex_replace('b', 'x') }}"
"""),
        {},
        "succeeded",
        {
            "output": {
                "who": "ann",
                "seen": "succeeded",
                "t": "ann",
                "key": "uppsala",
                "default": "none",
                "secret": "plain",
                "base": "b",
                "json": '{"a": 1}',
                "regex": "axc",
            }
        },
        ["a"],
    ),
    "a join after a failed inbound task": (
        _flow("""
tasks:
  s: {next: [{do: [a, b]}]}
  a: {action: core.local cmd="exit 1", next: [{do: j}]}
  b: {action: core.noop, next: [{do: j}]}
  j: {join: all, action: core.noop}
"""),
        {},
        "succeeded",
        {"output": None},
        ["a", "b", "j"],
    ),
    "a loop": (
        _flow("""
vars: [{n: 0}]
tasks:
  s: {next: [{do: a}]}
  a:
    action: core.noop
    next:
      - {when: <% ctx(n) < 2 %>, publish: [{n: <% ctx(n) + 1 %>}], do: a}
output: [{n: <% ctx(n) %>}]
"""),
        {},
        "succeeded",
        {"output": {"n": 2}},
        ["a", "a", "a"],
    ),
}


@pytest.fixture
def demo(packs):
    packs.python(
        "demo.echo", "def run(self, value):\n    return value\n", {"value": {"type": "string"}}
    )
    return packs


@pytest.mark.parametrize("name", CASES)
def test_a_workflow(name, engine_over, demo):
    text, inputs, status, result, tasks = CASES[name]
    demo.workflow("demo.flow", text, {n: {"type": "array"} for n in inputs})

    async def body(engine):
        engine.keys.system.update(site="uppsala", secret="plain")
        engine.keys.encrypted.add("secret")
        done = await engine.run("demo.flow", **inputs)
        await engine.until(
            lambda: all(
                child["status"] in ("succeeded", "failed")
                for child in engine.executions.children(done["id"])
            )
        )
        assert (done["status"], sorted(engine.names(done["id"]))) == (
            status,
            sorted(tasks),
        ), done["result"]
        if result is not None:
            assert done["result"] == result

    engine_over(body)


def test_a_retry_runs_the_task_again_after_its_delay(engine_over, demo, tmp_path):
    mark = tmp_path / "mark"
    demo.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          a:
            action: core.local
            input: {{cmd: "echo x >> {mark}; test $(wc -l < {mark}) -ge 3"}}
            retry: {{count: 3, delay: 1}}
        """,
    )

    async def body(engine):
        done = await engine.run("demo.flow")
        assert done["status"] == "succeeded"
        children = engine.executions.children(done["id"])
        assert [c["status"] for c in children] == ["failed", "failed", "succeeded"]
        assert [c.get("delay") for c in children] == [None, 1000, 1000]
        assert done["elapsed_seconds"] >= 2

    engine_over(body)


def test_a_delay_holds_a_task_back(engine_over, demo):
    demo.workflow("demo.flow", "version: 1.0\ntasks:\n  a: {action: core.noop, delay: 1}\n")

    async def body(engine):
        execution = engine.executions.request("demo.flow", {}, user="ann")
        await engine.until(lambda: engine.names(execution["id"]))
        [child] = engine.executions.children(execution["id"])
        assert child["status"] == "delayed"
        done = await engine.over(execution["id"])
        assert done["status"] == "succeeded"
        assert done["elapsed_seconds"] >= 1

    engine_over(body)


def test_a_workflow_in_a_workflow(engine_over, demo):
    demo.workflow(
        "demo.inner",
        """
        version: 1.0
        input: [v]
        tasks:
          a:
            action: demo.echo value=<% ctx(v) %>
            next: [{publish: [{r: <% result().result %>}]}]
        output: [{r: <% ctx(r) %>}]
        """,
        {"v": {"type": "string"}},
    )
    demo.workflow(
        "demo.outer",
        """
        version: 1.0
        tasks:
          sub:
            action: demo.inner
            input: {v: deep}
            next: [{publish: [{r: <% result().output.r %>}]}]
        output: [{r: <% ctx(r) %>}]
        """,
    )

    async def body(engine):
        execution = engine.executions.request("demo.outer", {}, user="ann", trace_tag="run-1")
        done = await engine.over(execution["id"])
        assert done["result"] == {"output": {"r": "deep"}}
        deep = engine.executions.children(done["id"])
        assert [c["action"]["ref"] for c in deep] == ["demo.inner", "demo.echo"]
        assert {c["context"]["trace_context"]["trace_tag"] for c in deep} == {"run-1"}
        assert deep[1]["parent"] == deep[0]["id"]
        assert {c["context"]["user"] for c in deep} == {"ann"}

    engine_over(body)


FAULTS = {
    "an unknown action": (
        "version: 1.0\ntasks:\n  a: {action: core.nothing}\n",
        'The action "core.nothing" is not registered in the database.',
    ),
    "a missing input": (
        "version: 1.0\ntasks:\n  a: {action: core.local}\n",
        'Action "core.local" is missing required input "cmd".',
    ),
    "an unexpected input": (
        "version: 1.0\ntasks:\n  a: {action: core.local, input: {cmd: x, color: red}}\n",
        'Action "core.local" has unexpected input "color".',
    ),
    "a key twice": (
        "version: 1.0\ntasks:\n  a: {action: core.noop}\n  a: {action: core.noop}\n",
        'found duplicate key "a"',
    ),
    "an unknown variable": (
        "version: 1.0\ntasks:\n  a: {action: core.local cmd=<% ctx(x) %>}\n",
        'Variable "x" is referenced before assignment.',
    ),
    "an expression that cannot be read": (
        "version: 1.0\ntasks:\n  a: {action: core.local cmd=<% 1 + %>}\n",
        "Parse error",
    ),
    "no workflow": ("- a\n", "is not a mapping"),
    "an unknown task": (
        "version: 1.0\ntasks:\n  a: {action: core.noop, next: [{do: zzz}]}\n",
        'The task "zzz" is not defined.',
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_workflow_fails_before_its_first_task(name, engine_over, packs):
    text, message = FAULTS[name]
    packs.workflow("demo.flow", text)

    async def body(engine):
        done = await engine.run("demo.flow")
        assert done["status"] == "failed"
        assert done["result"]["output"] is None
        assert message in str(done["result"]["errors"])
        assert done["children"] == []

    engine_over(body)


ESCAPES = (
    "{{ ''.__class__.__mro__ }}",
    "{{ ctx.__globals__ }}",
    "{{ ctx.func.__globals__.__builtins__ }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{{ 'a' * 100000000000 }}",
    "{{ '{0.__class__}'.format(1) }}",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_in_a_workflow_cannot_leave_the_sandbox(escape, engine_over, packs):
    packs.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          a: {{action: core.noop, next: [{{publish: [{{x: "{escape}"}}]}}]}}
        output: [{{x: "<% ctx(x) %>"}}]
        """,
    )

    async def body(engine):
        done = await engine.run("demo.flow")
        assert "<class" not in str(done["result"])
        assert done["status"] == "failed", done["result"]

    engine_over(body)


def test_a_failed_workflow_is_run_again_from_its_failed_task(engine_over, packs, tmp_path):
    mark = tmp_path / "now"
    packs.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          a: {{action: core.noop, next: [{{when: <% succeeded() %>, do: b}}]}}
          b: {{action: core.local cmd="test -e {mark}", next: [{{when: <% succeeded() %>, do: c}}]}}
          c: {{action: core.noop}}
        output: [{{done: true}}]
        """,
    )

    async def body(engine):
        first = await engine.run("demo.flow")
        assert first["status"] == "failed"
        mark.touch()
        again = engine.executions.rerun(
            first["id"], parameters={}, tasks=["b"], reset=[], user="bob"
        )
        done = await engine.over(again["id"])
        assert done["result"] == {"output": {"done": True}}
        assert done["context"]["re-run"] == {"ref": first["id"], "tasks": ["b"]}
        assert engine.names(done["id"]) == ["b", "c"]
        wrong = engine.executions.rerun(
            done["id"], parameters={}, tasks=["zzz"], reset=[], user="bob"
        )
        assert "zzz" in str((await engine.over(wrong["id"]))["result"]["errors"])

    engine_over(body)


@pytest.mark.parametrize("concurrency", ["0", "<% 1 - 2 %>"])
def test_a_concurrency_of_none_is_one_of_one(concurrency, engine_over, packs):
    packs.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          each:
            with: {{items: <% range(3) %>, concurrency: {concurrency}}}
            action: core.noop
        """,
    )

    async def body(engine):
        done = await engine.run("demo.flow")
        assert (done["status"], engine.names(done["id"])) == ("succeeded", ["each"] * 3)

    engine_over(body)


@pytest.fixture
def canceled(packs, tmp_path):
    """A workflow in a workflow, whose task waits for a file."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    packs.workflow(
        "demo.inner",
        f"""
        version: 1.0
        tasks:
          a:
            action: core.local
            input:
              cmd: "touch {begun}; until test -e {go}; do sleep 0.02; done"
            next: [{{do: b}}]
          b: {{action: core.noop}}
        """,
    )
    packs.workflow("demo.outer", "version: 1.0\ntasks:\n  s: {action: demo.inner}\n")
    return begun, go


def test_cancel_of_a_workflow_lets_finish_what_runs(engine_over, canceled):
    begun, go = canceled

    async def body(engine):
        outer = engine.executions.request("demo.outer", {}, user="ann")
        await engine.until(begun.exists)
        inner, task = engine.executions.children(outer["id"])
        engine.executions.cancel(inner["id"], "ann")
        shown = [engine.executions.get(e["id"])["status"] for e in (outer, inner, task)]
        assert shown == ["canceling", "canceling", "running"]
        go.touch()
        assert (await engine.over(outer["id"]))["status"] == "canceled"
        statuses = [e["status"] for e in engine.executions.children(outer["id"])]
        assert statuses == ["canceled", "succeeded"]

    engine_over(body)


def test_cancel_of_a_task_ends_its_process_and_the_workflow(engine_over, canceled):
    begun, _ = canceled

    async def body(engine):
        outer = engine.executions.request("demo.outer", {}, user="ann")
        await engine.until(begun.exists)
        _, task = engine.executions.children(outer["id"])
        engine.executions.cancel(task["id"], "ann")
        assert (await engine.over(outer["id"]))["status"] == "canceled"
        statuses = [e["status"] for e in engine.executions.children(outer["id"])]
        assert statuses == ["canceled", "canceled"]

    engine_over(body)


def test_cancel_ends_tasks_that_have_not_begun(engine_over, packs, canceled):
    """They wait for their turn, for the end of a delay, or for a free process."""
    begun, go = canceled
    packs.workflow(
        "demo.wide",
        """
        version: 1.0
        tasks:
          now: {action: demo.inner}
          later: {action: core.noop, delay: 60}
        """,
    )

    async def body(engine):
        wide = engine.executions.request("demo.wide", {}, user="ann")
        await engine.until(begun.exists)
        engine.executions.cancel(wide["id"], "ann")
        go.touch()
        assert (await engine.over(wide["id"]))["status"] == "canceled"
        statuses = {
            e["context"]["orquesta"]["task_name"]: e["status"]
            for e in engine.executions.children(wide["id"], 1)
        }
        assert statuses == {"now": "canceled", "later": "canceled"}

    engine_over(body)


def test_pause_and_resume(engine_over, packs, tmp_path):
    go = tmp_path / "go"
    packs.workflow(
        "demo.inner",
        f"""
        version: 1.0
        tasks:
          a:
            action: core.local cmd="until test -e {go}; do sleep 0.05; done"
            next: [{{do: b}}]
          b: {{action: core.noop}}
        """,
    )
    packs.workflow(
        "demo.outer",
        """
        version: 1.0
        tasks:
          s: {action: demo.inner, next: [{do: t}]}
          t: {action: core.noop}
        """,
    )

    async def body(engine):
        execution = engine.executions.request("demo.outer", {}, user="ann")
        get = engine.executions.get
        await engine.until(lambda: len(engine.executions.children(execution["id"])) == 2)
        # st2common/services/action.py: asked again, each answers with what is
        for _ in range(2):
            assert engine.executions.pause(execution["id"], "ann")["status"] == "pausing"
        go.touch()
        await engine.until(lambda: get(execution["id"])["status"] == "paused")
        inner = engine.executions.children(execution["id"], 1)[0]["id"]
        assert (get(inner)["status"], engine.names(inner)) == ("paused", ["a"])
        assert engine.executions.pause(execution["id"], "ann")["status"] == "paused"
        for _ in range(2):
            assert engine.executions.resume(execution["id"], "ann")["status"] == "running"
        done = await engine.over(execution["id"])
        assert (done["status"], engine.names(inner)) == ("succeeded", ["a", "b"])
        for ask in (engine.executions.pause, engine.executions.resume):
            with pytest.raises(InvalidError, match="is succeeded, not"):
                ask(execution["id"], "ann")
        assert engine.names(execution["id"]) == ["s", "t"]

    engine_over(body)


def test_a_workflow_goes_on_when_the_one_in_it_is_resumed_and_has_nothing_left_to_do(
    engine_over, packs, tmp_path
):
    go = tmp_path / "go"
    packs.workflow(
        "demo.inner",
        f"""
        version: 1.0
        tasks:
          a: {{action: core.local cmd="until test -e {go}; do sleep 0.05; done"}}
        """,
    )
    for outer, inner in ("demo.middle", "demo.inner"), ("demo.outer", "demo.middle"):
        packs.workflow(
            outer,
            f"""
            version: 1.0
            tasks:
              s: {{action: {inner}, next: [{{do: t}}]}}
              t: {{action: core.noop}}
            """,
        )

    async def body(engine):
        outer = engine.executions.request("demo.outer", {}, user="ann")["id"]
        levels = [outer]
        for _ in range(2):
            await engine.until(lambda: engine.executions.children(levels[-1], 1))
            levels.append(engine.executions.children(levels[-1], 1)[0]["id"])
        await engine.until(lambda: engine.names(levels[-1]) == ["a"])
        engine.executions.pause(levels[-1], "ann")
        go.touch()
        await engine.until(
            lambda: [engine.executions.get(level)["status"] for level in levels] == ["paused"] * 3
        )
        engine.executions.resume(levels[-1], "ann")
        assert (await engine.over(outer))["status"] == "succeeded"
        assert [engine.names(level) for level in levels] == [["s", "t"], ["s", "t"], ["a"]]

    engine_over(body)
