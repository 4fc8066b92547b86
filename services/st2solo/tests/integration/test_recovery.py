"""kill -9 at the worst moments: nothing runs twice, nothing is forgotten."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).with_name("engine_process.py")
_SECONDS = 120  # a busy machine is no fault


@pytest.fixture
def doomed(tmp_path):
    """Starts an engine of its own, which `kill` ends with SIGKILL."""
    started = []

    def start(*arguments, die_at=None):
        environment = {**os.environ, **({"ST2SOLO_DIE_AT": die_at} if die_at else {})}
        process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(tmp_path), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        return process, process.stdout.readline().strip() if arguments else ""

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def _wait_for(path):
    end = time.monotonic() + _SECONDS
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.01)


def _count(tmp_path):
    """An action that writes a line when it begins, waits for `go`, and writes one at its end."""
    effects, go = tmp_path / "effects", tmp_path / "go"
    command = (
        f"echo begun >> {effects}; until test -e {go}; do sleep 0.02; done; echo ended >> {effects}"
    )
    return effects, go, command


@pytest.fixture
def flow(packs, tmp_path):
    effects, go, command = _count(tmp_path)
    packs.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          a: {{action: core.local, input: {{cmd: "{command}"}}, next: [{{do: b}}]}}
          b: {{action: core.local, input: {{cmd: "echo b >> {effects}"}}}}
        output: [{{done: true}}]
        """,
    )
    return effects, go


async def _finished(engine, execution_id, effects):
    done = await engine.over(execution_id)
    assert (done["status"], done["result"]) == ("succeeded", {"output": {"done": True}})
    assert engine.names(execution_id) == ["a", "b"]
    assert effects.read_text().split() == ["begun", "ended", "b"]


def _python(packs, tmp_path):
    """The like of `_count` as a Python action, demo.python, which the fork server forks."""
    effects, go = tmp_path / "effects", tmp_path / "go"
    packs.python(
        "demo.python",
        f"""
        def _note(self, word):
            with open({str(effects)!r}, "a") as file:
                file.write(word + chr(10))

        def run(self):
            self._note("begun")
            while not os.path.exists({str(go)!r}):
                time.sleep(0.02)
            self._note("ended")
        """,
    )
    return effects, go


def _fork_server_of(pid):
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if "fork_server.py" in Path(f"/proc/{child}/cmdline").read_text():
            return Path("/proc", child)
    raise AssertionError("it has no fork server")


def test_a_forked_action_outlives_the_engine_and_the_fork_server_does_not(
    doomed, engine_over, packs, tmp_path
):
    effects, go = _python(packs, tmp_path)
    process, execution_id = doomed("demo.python")
    _wait_for(effects)
    server = _fork_server_of(process.pid)
    process.kill()
    process.wait()

    async def body(engine):
        assert engine.executions.get(execution_id)["status"] == "running"
        await engine.until(lambda: _is_gone(server))
        go.touch()
        assert (await engine.over(execution_id))["status"] == "succeeded"
        assert effects.read_text().split() == ["begun", "ended"]

    engine_over(body)


@pytest.mark.parametrize("first", ["the engine", "the fork server"])
def test_killed_with_a_request_on_its_way(first, doomed, engine_over, packs, tmp_path):
    """The lock travels with the request: it is done, or certainly not, and never twice."""
    effects, go = _python(packs, tmp_path)
    packs.action(
        "demo.wait",
        runner_type="local-shell-cmd",
        parameters={"cmd": {"default": f"until test -e {go}; do sleep 0.02; done"}},
    )
    packs.workflow(
        "demo.flow",
        """
        version: 1.0
        tasks:
          a: {action: demo.python, next: [{do: [b]}]}
          b: {action: demo.python}
        """,
    )
    process, execution_id = doomed("demo.flow")
    _wait_for(effects)
    server = _fork_server_of(process.pid)
    os.kill(int(server.name), signal.SIGSTOP)
    go.touch()
    work = tmp_path / "work"
    locks = set()
    end = time.monotonic() + _SECONDS
    while len(locks) < 2:  # the second one's request is made
        locks |= set(work.glob("*/lock"))
        assert time.monotonic() < end
    process.kill()
    process.wait()
    os.kill(int(server.name), signal.SIGCONT if first == "the engine" else signal.SIGKILL)

    async def body(engine):
        assert (await engine.over(execution_id))["status"] == "succeeded"
        assert effects.read_text().split() == ["begun", "ended"] * 2
        await engine.until(lambda: _is_gone(server))

    engine_over(body)


def _is_gone(process):
    """No longer there, or waiting for its parent to notice."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_an_action_that_outlives_the_engine_is_adopted(doomed, engine_over, flow):
    effects, go = flow
    process, execution_id = doomed("demo.flow")
    _wait_for(effects)
    process.kill()
    process.wait()

    async def body(engine):
        [child] = engine.executions.children(execution_id)
        assert child["status"] == "running"
        go.touch()
        await _finished(engine, execution_id, effects)

    engine_over(body)


def test_an_action_that_ended_while_the_engine_was_down(doomed, engine_over, flow, tmp_path):
    effects, go = flow
    process, execution_id = doomed("demo.flow")
    _wait_for(effects)
    process.kill()
    process.wait()
    go.touch()
    [folder] = (tmp_path / "work").iterdir()
    _wait_for(folder / "result.json")

    async def body(engine):
        await _finished(engine, execution_id, effects)

    engine_over(body)


def _unreadable(folder):
    (folder / "output.json").write_text("[" * 100_000)


def _without_lock(folder):
    (folder / "lock").unlink()
    (folder / "lock").mkdir()


@pytest.mark.parametrize(
    ("damage", "status"),
    [(None, "succeeded"), (_unreadable, "failed"), (_without_lock, "succeeded")],
)
def test_what_an_ended_action_has_left_does_not_end_the_start(
    damage, status, doomed, engine_over, packs, tmp_path
):
    effects, go, command = _count(tmp_path)
    deep = f"{command}; head -c 100000 /dev/zero | tr '\\0' '['"
    packs.action("demo.deep", runner_type="local-shell-cmd", parameters={"cmd": {"default": deep}})
    process, execution_id = doomed("demo.deep")
    _wait_for(effects)
    process.kill()
    process.wait()
    go.touch()
    folder = tmp_path / "work" / execution_id
    _wait_for(folder / "result.json")
    if damage is not None:
        damage(folder)

    async def body(engine):
        assert (await engine.run("core.local", cmd="true"))["status"] == "succeeded"
        if damage is _without_lock:
            (folder / "lock").rmdir()
        done = await engine.over(execution_id)
        assert done["status"] == status
        told = done["result"]["error" if status == "failed" else "stdout"]
        assert ("cannot be read" if status == "failed" else "[" * 100_000) in told

    engine_over(body)


@pytest.mark.parametrize("point", ["launch", "record"])
def test_the_engine_dies_between_record_and_effect(point, doomed, engine_over, flow):
    effects, go = flow
    go.touch()
    process, execution_id = doomed("demo.flow", die_at=point)
    assert process.wait(_SECONDS) == 9
    assert effects.exists() is (point == "record")

    async def body(engine):
        await _finished(engine, execution_id, effects)

    engine_over(body)


@pytest.mark.parametrize(
    ("ref", "by"),
    [
        ("demo.wait", "nothing"),
        ("demo.wait", "its tag"),
        ("demo.wait", "the site"),
        ("demo.python", "nothing"),
        ("demo.python", "the site"),
    ],
)
def test_an_action_that_was_killed_with_its_supervisor(
    ref, by, doomed, engine_over, packs, tmp_path
):
    effects, go, command = _count(tmp_path)
    _python(packs, tmp_path)
    packs.action(
        "demo.wait",
        runner_type="local-shell-cmd",
        parameters={"cmd": {"default": command}},
        tags=[{"name": "rerun", "value": "true"}] if by == "its tag" else [],
    )
    rerun = by != "nothing"
    process, execution_id = doomed(ref)
    _wait_for(effects)
    process.kill()
    process.wait()
    folder = tmp_path / "work" / execution_id
    _wait_for(folder / "action.pid")
    os.kill(int((folder / "supervisor.pid").read_text()), signal.SIGKILL)
    orphan = Path("/proc", (folder / "action.pid").read_text().split()[0])

    async def body(engine):
        if rerun:
            await engine.until(lambda: effects.read_text().split() == ["begun", "begun"])
            go.touch()
        done = await engine.over(execution_id)
        assert done["status"] == ("succeeded" if rerun else "abandoned")
        await engine.until(lambda: _is_gone(orphan))
        assert effects.read_text().split().count("ended") == int(rerun)

    engine_over(body, rerun=frozenset({ref} if by == "the site" else ()))


def test_a_request_that_was_not_started_is_started(doomed, engine_over, packs, tmp_path):
    async def request(engine):
        await engine.executions.stop()
        engine.later = engine.executions.request("core.noop", {}, user="ann")["id"]
        requested.append(engine.later)

    requested = []
    engine_over(request)

    async def body(engine):
        assert (await engine.over(requested[0]))["status"] == "succeeded"

    engine_over(body)


@pytest.mark.parametrize("after", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_killed_at_any_moment(after, doomed, engine_over, packs, tmp_path):
    effects = tmp_path / "effects"
    packs.workflow(
        "demo.flow",
        f"""
        version: 1.0
        tasks:
          s: {{action: core.noop, next: [{{do: [a]}}]}}
          a:
            with: {{items: "<% list(1, 2, 3, 4) %>", concurrency: 2}}
            action: core.local
            input: {{cmd: "echo a<% item() %> >> {effects}"}}
            next: [{{when: <% succeeded() %>, do: b}}]
          b: {{action: core.local, input: {{cmd: "echo b >> {effects}"}}}}
        output: [{{done: true}}]
        """,
    )
    process, execution_id = doomed("demo.flow")
    time.sleep(after)
    process.kill()
    process.wait()

    async def body(engine):
        done = await engine.over(execution_id)
        assert (done["status"], done["result"]) == ("succeeded", {"output": {"done": True}})
        found = effects.read_text().split()
        assert sorted(found) == ["a1", "a2", "a3", "a4", "b"]
        assert found[-1] == "b"
        assert list((tmp_path / "work").iterdir()) == []

    engine_over(body)
