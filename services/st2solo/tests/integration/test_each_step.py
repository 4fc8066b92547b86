"""kill -9 before and after each persisted step in turn: a workflow ends, each effect once.

A step is an outermost transaction. The marked tests go through all of them (`make storm`); the
others take some.
"""

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).with_name("engine_process.py")
_SECONDS = 60
#: How often each line is there at the end.
_LINES = Counter(["a", "b", "c", "d", "e1", "e2", "e3", "f", "g"])
#: Each action begins and ends.
_FEWEST_STEPS = 2 * len(_LINES)


@pytest.fixture
def flow(packs, tmp_path):
    """Sequence, join, items, a workflow in it, a Python action; each leaves a line in a file."""
    lines = tmp_path / "lines"
    lines.touch()
    parameters = {"line": {"type": "string"}}
    command = {"default": f"echo {{{{ line }}}} >> {lines}", "immutable": True}
    packs.action(
        "demo.line", runner_type="local-shell-cmd", parameters={**parameters, "cmd": command}
    )
    packs.python(
        "demo.python",
        f"""
        def run(self, line):
            with open({str(lines)!r}, "a") as file:
                file.write(line + "\\n")
        """,
        parameters,
    )
    packs.workflow(
        "demo.inner",
        """
        version: 1.0
        tasks:
          n: {action: core.noop, next: [{when: <% succeeded() %>, do: f}]}
          f: {action: demo.line, input: {line: f}}
        """,
    )
    packs.workflow(
        "demo.flow",
        """
        version: 1.0
        tasks:
          a: {action: demo.line, input: {line: a}, next: [{when: <% succeeded() %>, do: [b, c]}]}
          b: {action: demo.line, input: {line: b}, next: [{when: <% succeeded() %>, do: d}]}
          c: {action: demo.line, input: {line: c}, next: [{when: <% succeeded() %>, do: d}]}
          d:
            join: all
            action: demo.line
            input: {line: d}
            next: [{when: <% succeeded() %>, do: e}]
          e:
            with: {items: "<% list(1, 2, 3) %>", concurrency: 2}
            action: demo.line
            input: {line: "e<% item() %>"}
            next: [{when: <% succeeded() %>, do: i}]
          i: {action: demo.inner, next: [{when: <% succeeded() %>, do: g}]}
          g: {action: demo.python, input: {line: g}}
        output: [{done: true}]
        """,
    )
    return lines


def _live(folder, die_at, *arguments):
    """Run the engine until it kills itself or all is over; whether it was killed."""
    done = subprocess.run(
        [sys.executable, str(_PROGRAM), str(folder), *arguments],
        env={**os.environ, "ST2SOLO_DIE_AT": die_at},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert done.returncode in (0, -signal.SIGKILL), f"{die_at}: {done.stderr}"
    return done.returncode != 0


def _assert_ends_once(engine_over, lines, die_at):
    """After one more start all that was asked for is over, with each effect once."""

    async def body(engine):
        found, _ = engine.executions.list(filters={"parent": "null"})
        assert len(found) <= 1
        for execution in found:
            done = await engine.over(execution["id"], _SECONDS)
            told = die_at, lines.read_text().split(), engine.overview()
            assert (done["status"], done["result"]) == ("succeeded", {"output": {"done": True}}), (
                told
            )
            assert Counter(lines.read_text().split()) == _LINES, told
            for one in (done, *engine.executions.children(execution["id"])):
                steps = [entry["status"] for entry in one["log"]]
                assert steps.count("succeeded") == 1 and steps[-1] == "succeeded", told
            assert list((lines.parent / "work").iterdir()) == [], told
        assert found or not lines.read_text(), die_at

    engine_over(body)


def _start_over(folder):
    for path in folder.glob("st2solo.db*"):
        path.unlink()
    (folder / "lines").write_text("")


@pytest.mark.parametrize("die_at", ["before:3", "after:3", "before:4", "after:12", "before:18"])
def test_killed_at_one_of_five_steps(die_at, engine_over, flow, tmp_path):
    assert _live(tmp_path, die_at, "demo.flow")
    _assert_ends_once(engine_over, flow, die_at)


def test_an_engine_that_lives_for_eight_steps_at_a_time(engine_over, flow, tmp_path):
    arguments, lives = ["demo.flow"], 1
    while _live(tmp_path, "after:8", *arguments):
        arguments, lives = [], lives + 1
    assert lives > 2
    _assert_ends_once(engine_over, flow, f"{lives} lives")


@pytest.mark.storm
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_every_step(side, engine_over, flow, tmp_path, record_property):
    for number in itertools.count(1):
        _start_over(tmp_path)
        killed = _live(tmp_path, f"{side}:{number}", "demo.flow")
        _assert_ends_once(engine_over, flow, f"{side}:{number}")
        if not killed:
            break
    assert number > _FEWEST_STEPS
    record_property(f"kills_{side}_a_step", number - 1)


@pytest.fixture
def asking(packs):
    """A question in a workflow in a workflow in a workflow."""
    packs.action("core.ask", runner_type="inquirer")
    for name, inner in (("third", "core.ask"), ("second", "demo.third"), ("first", "demo.second")):
        packs.workflow(
            f"demo.{name}",
            f"""
            version: 1.0
            tasks:
              inner: {{action: {inner}, next: [{{when: <% succeeded() %>, do: after}}]}}
              after: {{action: core.noop}}
            """,
        )


def _assert_answered(engine_over, folder, die_at):
    """One more start that is not killed answers, if nobody has; then all of it is over."""
    assert not _live(folder, "before:0")

    async def body(engine):
        found, _ = engine.executions.list(limit=-1)
        ends = Counter((one["action"]["ref"], one["status"]) for one in found)
        expected = ("core.ask", "demo.third", "demo.second", "demo.first")
        assert ends == {
            **{(ref, "succeeded"): 1 for ref in expected},
            ("core.noop", "succeeded"): 3,
        } or (die_at == "before:1" and not ends), (die_at, engine.overview())

    engine_over(body)


#: The request, the beginnings of three workflows and of the question, and then the answer.
_ANSWER = 6


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_around_an_answer_three_workflows_down(side, engine_over, asking, tmp_path):
    assert _live(tmp_path, f"{side}:{_ANSWER}", "demo.first")
    _assert_answered(engine_over, tmp_path, side)


@pytest.mark.storm
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_every_step_around_an_answer(
    side, engine_over, asking, tmp_path, record_property
):
    for number in itertools.count(1):
        for path in tmp_path.glob("st2solo.db*"):
            path.unlink()
        killed = _live(tmp_path, f"{side}:{number}", "demo.first")
        _assert_answered(engine_over, tmp_path, f"{side}:{number}")
        if not killed:
            break
    assert number > _ANSWER
    record_property(f"kills_{side}_a_step_of_an_answer", number - 1)
