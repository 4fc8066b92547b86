"""Single actions, with real processes."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from st2solo.errors import InvalidError, NotFoundError, ParameterError


def test_a_command_gives_its_output_and_code(engine_over):
    async def body(engine):
        done = await engine.run("core.local", cmd="echo '{\"a\": 1}'; echo oh >&2")
        assert done["status"] == "succeeded"
        assert done["result"] == {
            "failed": False,
            "succeeded": True,
            "return_code": 0,
            "stdout": {"a": 1},
            "stderr": "oh",
        }
        statuses = [entry["status"] for entry in done["log"]]
        assert statuses == ["requested", "scheduled", "running", "succeeded"]

    engine_over(body)


COMMANDS = {
    "a failure": ({"cmd": "exit 3"}, "failed", {"return_code": 3}),
    "text": ({"cmd": "echo a; echo b"}, "succeeded", {"stdout": "a\nb"}),
    "a number is JSON": ({"cmd": "echo 5"}, "succeeded", {"stdout": 5}),
    "NaN is no JSON": ({"cmd": "echo NaN"}, "succeeded", {"stdout": "NaN"}),
    "variables": ({"cmd": "echo $A", "env": {"A": "x y"}}, "succeeded", {"stdout": "x y"}),
    "a folder": ({"cmd": "pwd", "cwd": "/"}, "succeeded", {"stdout": "/"}),
    "no such folder": ({"cmd": "pwd", "cwd": "/none/here"}, "failed", {"return_code": None}),
    "its own variables": (
        {"cmd": "echo $ST2_ACTION_PACK_NAME $ST2_ACTION_AUTH_TOKEN"},
        "succeeded",
        {"stdout": "core token-of-ann"},
    ),
    "out of time": (
        {"cmd": "sleep 60 & sleep 60", "timeout": 1},
        "timeout",
        {"return_code": -9, "error": "Action failed to complete in 1 seconds"},
    ),
    "no input": ({"cmd": "cat"}, "succeeded", {"stdout": ""}),
    "a terminated command": ({"cmd": "kill -TERM $$"}, "abandoned", {"return_code": -15}),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command(name, engine_over):
    parameters, status, part = COMMANDS[name]

    async def body(engine):
        done = await engine.run("core.local", **parameters)
        assert done["status"] == status
        assert {k: done["result"][k] for k in part} == part

    engine_over(body)


def test_noop_takes_any_parameter(engine_over):
    async def body(engine):
        done = await engine.run("core.noop", anything=1)
        assert done["status"] == "succeeded"
        assert done["result"] == {"failed": False, "succeeded": True, "return_code": 0}

    engine_over(body)


PYTHON = {
    "a status and data": ("return True, [1, 'a', None]", "succeeded", [1, "a", None], 0),
    "a failure with data": ("return False, {'why': 'x'}", "failed", {"why": "x"}, 0),
    "data alone": ("return {'a': (1, 2)}", "succeeded", {"a": [1, 2]}, 0),
    "plain False is data": ("return False", "succeeded", False, 0),
    "nothing": ("pass", "succeeded", None, 0),
    "an exception": ("raise ValueError('no')", "failed", "None", 1),
    "an exit": ("sys.exit(4)", "failed", "None", 4),
    "what is no JSON": ("return True, {1, }", "succeeded", "{1}", 0),
}


@pytest.mark.parametrize("name", PYTHON)
def test_a_python_action(name, engine_over, packs):
    code, status, result, exit_code = PYTHON[name]
    packs.python("demo.act", f"def run(self):\n    print('hello')\n    {code}\n")

    async def body(engine):
        done = await engine.run("demo.act")
        assert (done["status"], done["result"]["result"]) == (status, result), done["result"]
        assert done["result"]["exit_code"] == exit_code
        assert done["result"]["stdout"] == "hello\n"
        if name == "an exception":
            assert "ValueError: no" in done["result"]["stderr"]

    engine_over(body)


def test_what_a_python_action_has(engine_over, packs, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ST2")]:
        monkeypatch.delenv(name)
    packs.file("demo", "lib/shared.py", "WORD = 'from lib'\n")
    packs.file("demo", "beside.py", "WORD = 'from beside'\n")
    packs.python(
        "demo.act",
        """
        def run(self, secret, missing=None):
            import beside, shared
            self.logger.info('logged')
            try:
                self.config['nothing']
            except ValueError as error:
                missing = str(error)
            return {
                'words': [shared.WORD, beside.WORD],
                'config': self.config['color'],
                'missing': missing,
                'command_line': open('/proc/self/cmdline').read(),
                'env': {k: v for k, v in os.environ.items() if k.startswith('ST2')},
            }
        """,
        {"secret": {"type": "string", "secret": True}},
    )

    async def body(engine):
        engine.registry.configs["demo"] = {"color": "red"}
        done = await engine.run("demo.act", secret="s3cret")
        result = done["result"]["result"]
        assert result["words"] == ["from lib", "from beside"]
        assert result["config"] == "red"
        assert 'Config for pack "demo" is missing key "nothing"' in result["missing"]
        assert "s3cret" not in result["command_line"]
        assert result["env"] == {
            "ST2_ACTION_PACK_NAME": "demo",
            "ST2_ACTION_EXECUTION_ID": done["id"],
            "ST2_ACTION_API_URL": "http://127.0.0.1:1/v1",
            "ST2_ACTION_DEBUG": "False",
            "ST2_ACTION_AUTH_TOKEN": "token-of-ann",
            "ST2_API_URL": "http://127.0.0.1:1/v1",
            "ST2_AUTH_TOKEN": "token-of-ann",
        }
        assert "actions.python.Act: INFO     logged" in done["result"]["stderr"]
        assert done["parameters"] == {"secret": "********"}
        shown = engine.executions.get(done["id"], show_secrets=True)
        assert shown["parameters"] == {"secret": "s3cret"}

    engine_over(body)


def test_old_imports_and_an_old_constructor(engine_over, packs):
    packs.file(
        "demo",
        "old.py",
        """
        from st2actions.runners.pythonrunner import Action

        class Old(Action):
            def __init__(self, config):
                super(Old, self).__init__(config)

            def run(self):
                return self.action_service is not None
        """,
    )
    packs.action("demo.old", runner_type="python-script", entry_point="old.py")

    async def body(engine):
        assert (await engine.run("demo.old"))["result"]["result"] is True

    engine_over(body)


@pytest.fixture
def api():
    """A server that keeps keys as StackStorm's API does, and notes what it was asked."""
    keys, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, code, document=None):
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            if document is not None:
                self.wfile.write(json.dumps(document).encode())

        def _handle(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked.append((self.command, self.path, self.headers.get("X-Auth-Token")))
            name = self.path.partition("?")[0].removeprefix("/v1/keys").lstrip("/")
            if self.path.startswith("/v1/slow"):
                slow.wait(10)
                self._answer(200, {})
            elif self.path.startswith("/v1/user"):
                self._answer(200, {"username": "ann"})
            elif self.path.startswith("/v1/echo"):
                self._answer(200, {"method": self.command, "body": body, "path": self.path})
            elif self.command == "PUT":
                keys[name] = body
                self._answer(200, body)
            elif not name:
                self._answer(200, list(keys.values()))
            elif name not in keys:
                self._answer(404, {"faultstring": "not found"})
            elif self.command == "DELETE":
                del keys[name]
                self._answer(204)
            else:
                self._answer(200, keys[name])

        do_GET = do_PUT = do_POST = do_DELETE = _handle

        def log_message(self, *_):
            pass

    slow = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    server.asked = asked
    yield server
    slow.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_datastore_from_an_action(engine_over, packs, api):
    packs.python(
        "demo.act",
        """
        def run(self):
            service = self.action_service
            return [
                service.get_value('x'),
                service.set_value('x', 5, ttl=60),
                service.get_value('x'),
                service.get_value('demo.Act:x', local=False),
                [(k.name, k.value) for k in service.list_values()],
                service.delete_value('x'),
                service.get_value('x'),
                service.get_user_info()['username'],
            ]
        """,
    )

    async def body(engine):
        done = await engine.run("demo.act")
        assert done["result"]["result"] == [
            None,
            True,
            "5",
            "5",
            [["demo.Act:x", "5"]],
            True,
            None,
            "ann",
        ], done["result"]

    engine_over(body, api_url=api.url)
    assert {token for _, _, token in api.asked} == {"token-of-ann"}


HTTP = {
    "a GET": ({"url": "/echo"}, "succeeded", {"method": "GET"}),
    "a POST of JSON": (
        {
            "url": "/echo",
            "method": "POST",
            "body": '{"a": 1}',
            "headers": {"Content-Type": "application/json"},
        },
        "succeeded",
        {"method": "POST", "body": {"a": 1}},
    ),
    "not found": ({"url": "/keys/none"}, "failed", {"faultstring": "not found"}),
}


def _http_action(packs):
    packs.action(
        "core.http",
        runner_type="http-request",
        parameters={
            "method": {"type": "string"},
            "body": {"type": "string"},
            "timeout": {"type": "integer", "default": 60},
        },
    )


@pytest.mark.parametrize("name", HTTP)
def test_an_http_request(name, engine_over, packs, api):
    parameters, status, part = HTTP[name]
    _http_action(packs)

    async def body(engine):
        done = await engine.run("core.http", **{**parameters, "url": api.url + parameters["url"]})
        assert done["status"] == status, done["result"]
        assert done["result"]["parsed"] is True
        assert {k: done["result"]["body"][k] for k in part} == part

    engine_over(body)


def test_http_requests_that_get_no_answer(engine_over, packs, api):
    _http_action(packs)

    async def body(engine):
        slow = await engine.run("core.http", url=api.url + "/slow", timeout=1)
        assert slow["status"] == "timeout"
        refused = await engine.run(
            "core.http", url=api.url + "/echo", url_hosts_blacklist=["127.0.0.1"]
        )
        assert refused["status"] == "failed"
        assert "is blacklisted" in refused["result"]["error"]

    engine_over(body)


def test_a_script_gets_named_and_positional_arguments(engine_over, packs):
    packs.file("demo", "script.sh", '#!/bin/sh\nfor a in "$@"; do echo "[$a]"; done\n')
    packs.action(
        "demo.script",
        runner_type="local-shell-script",
        entry_point="script.sh",
        parameters={
            "second": {"type": "boolean", "position": 1},
            "first": {"type": "array", "position": 0},
            "name": {"type": "string"},
            "flag": {"type": "boolean"},
            "unset": {"type": "string"},
        },
    )

    async def body(engine):
        done = await engine.run(
            "demo.script", first=["a", "b"], second=True, name="$(id) 'x'", flag=True
        )
        lines = done["result"]["stdout"].split("\n")
        assert lines == ["[--name=$(id) 'x']", "[--flag]", "[a,b]", "[1]"]

    engine_over(body)


def test_cancel_kills_the_process_group(engine_over, tmp_path):
    mark = tmp_path / "begun"

    async def body(engine):
        command = f"trap '' TERM; touch {mark}; sleep 60; sleep 60"
        execution = engine.executions.request("core.local", {"cmd": command}, user="ann")
        await engine.until(mark.exists)
        assert engine.executions.cancel(execution["id"], "ann")["status"] == "canceling"
        done = await engine.over(execution["id"])
        assert done["status"] == "canceled"
        assert engine.executions.cancel(execution["id"], "ann")["status"] == "canceled"

    engine_over(body)


REFUSED = {
    "an unknown action": ("core.none", {}, NotFoundError, "core.none"),
    "a missing parameter": ("core.local", {}, InvalidError, "'cmd' is a required property"),
    "an unknown parameter": (
        "core.local",
        {"cmd": "x", "y": 1},
        InvalidError,
        "'y' was unexpected",
    ),
    "a wrong value": ("demo.act", {"color": "blue"}, InvalidError, "is not one of"),
    "an immutable one": ("core.local", {"cmd": "x", "sudo": True}, InvalidError, "immutable"),
    "a disabled action": ("demo.off", {}, InvalidError, "disabled"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_leaves_no_trace(name, engine_over, packs):
    ref, parameters, error, message = REFUSED[name]
    packs.action("demo.off", runner_type="noop", enabled=False)
    packs.action(
        "demo.act",
        runner_type="noop",
        parameters={"color": {"type": "string", "enum": ["red"], "default": "red"}},
    )

    async def body(engine):
        with pytest.raises(error, match=message):
            engine.executions.request(ref, parameters, user="ann")
        assert engine.executions.list()[1] == 0

    engine_over(body)


def test_a_template_that_fails_is_recorded(engine_over):
    async def body(engine):
        completed = []
        engine.executions.on_completed.append(completed.append)
        with pytest.raises(
            ParameterError, match='Dependency unsatisfied in variable "x"'
        ) as raised:
            engine.executions.request("core.local", {"cmd": "{{ x }}"}, user="ann")
        recorded = engine.executions.get(raised.value.execution_id)
        assert recorded["status"] == "failed"
        assert "unsatisfied" in recorded["result"]["error"]
        assert [e["id"] for e in completed] == [recorded["id"]]

    engine_over(body)


def test_results_are_not_evaluated_again(engine_over, packs):
    """A text that looks like a template comes out of an action as it is."""
    packs.python(
        "demo.act", "def run(self, v):\n    return v\n", {"v": {"type": "string", "default": None}}
    )

    async def body(engine):
        text = "{% raw %}{{ st2kv.system.secret }}{% endraw %}"
        engine.keys.system["secret"] = "s3cret"
        done = await engine.run("demo.act", v=text)
        assert done["result"]["result"] == "{{ st2kv.system.secret }}"

    engine_over(body)


def test_a_request_in_a_transaction_that_is_rolled_back_never_was(engine_over, packs):
    async def body(engine):
        store = engine.executions._store
        told = []
        engine.executions.on_change.append(told.append)
        with pytest.raises(RuntimeError), store.transaction():
            engine.executions.request("core.noop", {}, user="ann")
            raise RuntimeError
        with store.transaction():
            kept = engine.executions.request("core.noop", {}, user="ann")
        await engine.over(kept["id"])
        assert engine.executions.list()[1] == 1
        assert {document["id"] for document in told} == {kept["id"]}

    engine_over(body)


def test_an_end_that_cannot_be_written_is_written_later(engine_over):
    async def body(engine):
        failures = []

        def refuse_once(document):
            if not failures:
                failures.append(document["id"])
                raise RuntimeError("the disk is full")

        engine.executions.on_completed.append(refuse_once)
        done = await engine.run("core.local", cmd="echo once")
        assert done["status"] == "succeeded"
        assert failures == [done["id"]]

    engine_over(body)


def test_lists_and_filters(engine_over, packs):
    packs.workflow("demo.flow", "version: 1.0\ntasks:\n  a: {action: core.noop}\n")

    async def body(engine):
        flow = await engine.run("demo.flow")
        execution = engine.executions.request(
            "core.noop",
            {},
            user="bob",
            rule={"id": "r1", "name": "on_run", "ref": "demo.on_run"},
            trigger_instance={"id": "t1", "payload": {}},
        )
        await engine.over(execution["id"])

        def found(**filters):
            return [e["id"] for e in engine.executions.list(filters=filters)[0]]

        assert found(parent="null") == [execution["id"], flow["id"]]
        assert found(parent=flow["id"]) == flow["children"]
        assert found(action="core.noop", user="bob") == [execution["id"]]
        assert found(rule="demo.on_run") == found(trigger_instance="t1") == [execution["id"]]
        assert found(timestamp_gt=flow["start_timestamp"], runner="orquesta") == []
        assert found(status="failed") == []
        assert engine.executions.get("last")["id"] == execution["id"]
        assert engine.executions.list(limit=1, sort_asc=True)[0][0]["id"] == flow["id"]
        with pytest.raises(InvalidError, match="cannot be filtered by colour"):
            found(colour="red")

    engine_over(body)


def test_an_end_that_can_never_be_written_does_not_keep_the_engine_busy(engine_over):
    async def body(engine):
        calls = []

        def refuse(document):
            calls.append(document["id"])
            raise RuntimeError("the disk is full")

        engine.executions.on_completed.append(refuse)
        execution = engine.executions.request("core.noop", {}, user="ann")
        await engine.until(lambda: len(calls) > 2)
        assert len(calls) < 10
        engine.executions.on_completed.remove(refuse)
        await engine.over(execution["id"])

    engine_over(body)
