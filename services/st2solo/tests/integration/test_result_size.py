"""What prints or returns more than `max_result_size` fails, and says so."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

MOST = 50_000
MORE = 60_000
ALLOWED = "more than the 50,000 bytes that max_result_size of st2solo.yaml allows"
STOPPED = rf"the action has printed [\d,]+ bytes, {ALLOWED}; it was stopped"
#: A short one may end before it is looked at.
PRINTED = rf"{STOPPED}|{STOPPED.replace('was stopped', 'had come to its end')}"

COMMANDS = {
    "standard output": (f"head -c {MORE} /dev/zero | tr '\\0' 7", "stdout"),
    "standard error": (f"head -c {MORE} /dev/zero | tr '\\0' 7 >&2", "stderr"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_prints_too_much_has_failed(name, engine_over):
    command, stream = COMMANDS[name]

    async def body(engine):
        done = await engine.run("core.local", cmd=command)
        assert done["status"] == "failed"
        result = done["result"]
        assert re.match(PRINTED, result["error"])
        assert (result["failed"], result["succeeded"]) == (True, False)
        assert re.fullmatch(r"\[the last of [\d,]+ bytes\] 7{8192}", result[stream])

    engine_over(body, max_result_size=MOST)


def test_a_command_that_prints_for_ever_is_stopped(engine_over):
    async def body(engine):
        done = await engine.run("core.local", cmd="trap '' TERM; yes; echo not yet")
        assert done["status"] == "failed"
        assert re.match(STOPPED, done["result"]["error"])
        assert done["result"]["return_code"] == -9
        assert done["result"]["stdout"].endswith("\ny\ny")

    engine_over(body, max_result_size=MOST)


def test_what_just_fits_is_kept_whole(engine_over):
    async def body(engine):
        done = await engine.run("core.local", cmd=f"head -c {MOST} /dev/zero | tr '\\0' x")
        assert (done["status"], done["result"]["stdout"]) == ("succeeded", MOST * "x")
        assert done["result_size"] > MOST

    engine_over(body, max_result_size=MOST)


RETURNED = rf"the action has returned 60,0\d\d bytes, {ALLOWED}; what it did is done"
PYTHON = {
    "returns": (f"return True, {MORE} * 'x'", RETURNED),
    "prints": (f"print({MORE} * 'x')\n    return 1", PRINTED),
    "prints for ever": (f"while True:\n        sys.stderr.write({MORE} * 'x')", STOPPED),
}


@pytest.mark.parametrize("name", PYTHON)
def test_a_python_action(name, engine_over, packs):
    code, told = PYTHON[name]
    packs.python("demo.act", f"def run(self):\n    {code}\n")

    async def body(engine):
        done = await engine.run("demo.act")
        assert done["status"] == "failed"
        assert re.match(told, done["result"]["error"])
        assert done["result"]["result"] == "None"

    engine_over(body, max_result_size=MOST)


@contextmanager
def _answering(text, kind="text/plain"):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_answer_to_a_request(engine_over, packs):
    packs.action("demo.ask", runner_type="http-request", parameters={"url": {"required": True}})

    async def body(engine):
        with _answering(MORE * b"x") as url:
            done = await engine.run("demo.ask", url=url)
        assert done["status"] == "failed"
        assert "the action has returned 60," in done["result"]["error"]

    engine_over(body, max_result_size=MOST)


def test_an_answer_that_is_nested_too_deep_stays_a_text(engine_over, packs):
    packs.action("demo.ask", runner_type="http-request", parameters={"url": {"required": True}})

    async def body(engine):
        with _answering(MOST * b"[", "application/json") as url:
            done = await engine.run("demo.ask", url=url)
        assert (done["status"], done["result"]["parsed"]) == ("succeeded", False)
        assert done["result"]["body"] == MOST * "["

    engine_over(body)


GATHERS = """
version: 1.0
tasks:
  each:
    with: {items: <% range(3) %>}
    action: demo.half
    next: [{do: [after], publish: [{all: <% result() %>}]}]
  after:
    action: core.noop
"""
RETURNS = """
version: 1.0
tasks:
  a: {action: demo.half, next: [{do: [b], publish: [{a: <% result().result %>}]}]}
  b: {action: demo.half, next: [{publish: [{b: <% result().result %>}]}]}
output: [{a: <% ctx(a) %>}, {b: <% ctx(b) %>}, {c: <% ctx(b) %>}]
"""
WORKFLOWS = {
    "its items together": (GATHERS, "the items of the task have returned"),
    "its output": (RETURNS, "the workflow has returned"),
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_that_gathers_too_much(name, engine_over, packs):
    text, told = WORKFLOWS[name]
    packs.python("demo.half", f"def run(self):\n    return {MOST // 2} * 'x'\n")
    packs.workflow("demo.flow", text)

    async def body(engine):
        done = await engine.run("demo.flow")
        assert (done["status"], done["result"]["output"]) == ("failed", None)
        (message,) = [error["message"] for error in done["result"]["errors"]]
        assert told in message and ALLOWED in message
        assert "after" not in engine.names(done["id"])

    engine_over(body, max_result_size=MOST)
