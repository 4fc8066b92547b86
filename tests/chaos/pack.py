"""The pack `storm`: workflows whose every action leaves one line, and the lines each must leave.

A line is `<workflow> <task> <item> <execution id>`, appended with O_APPEND.
"""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_AUTHOR = {"author": "a", "email": "a@example.org", "version": "0.1.0", "description": "d"}
_TEXT = {"type": "string", "required": True}
_PARAMETERS = {
    "workflow": _TEXT,
    "task": _TEXT,
    "item": {"type": "string", "default": "-"},
    "seconds": {"type": "number", "default": 0},
}
#: Longer than a restart, so that the next st2solo finds the action running.
_LONG = 6.0
_PYTHON = """\
import os
import time

from st2common.runners.base_action import Action


class Line(Action):
    def run(self, workflow, task, item, seconds):
        time.sleep(seconds)
        line = "{{}} {{}} {{}} {{}}\\n".format(
            workflow, task, item, os.environ["ST2_ACTION_EXECUTION_ID"])
        file = os.open({lines!r}, os.O_WRONLY | os.O_APPEND)
        os.write(file, line.encode())
        os.close(file)
        return {{"done": task}}
"""


@dataclass(frozen=True)
class Shape:
    """A kind of workflow.

    Attributes:
        tasks: the tasks of its definition.
        lines: how often each (task, item) is written when nothing is killed.
        weight: how many of these there are beside others.
    """

    tasks: dict[str, Any]
    lines: Counter[tuple[str, str]]
    weight: int = 1


def _task(name: str, seconds: float = 0.0, action: str = "line", **more: Any) -> dict[str, Any]:
    given = {"workflow": "<% ctx(workflow) %>", "task": name, "seconds": seconds}
    return {"action": f"storm.{action}", "input": {**given, **more.pop("input", {})}, **more}


def _then(*names: str) -> dict[str, Any]:
    return {"next": [{"when": "<% succeeded() %>", "do": list(names)}]}


def _once(*names: str) -> Counter[tuple[str, str]]:
    return Counter((name, "-") for name in names)


_ITEMS = [str(number) for number in range(4)]
_INNER = {"p": _task("p", 0.4, **_then("q")), "q": _task("q")}
SHAPES = {
    "sequence": Shape(
        {
            "a": _task("a", 0.4, **_then("n")),
            "n": {"action": "core.noop", **_then("b")},
            "b": _task("b", **_then("c")),
            "c": _task("c"),
        },
        _once("a", "b", "c"),
        3,
    ),
    "join": Shape(
        {
            "a": _task("a", **_then("b", "c")),
            "b": _task("b", _LONG, **_then("d")),
            "c": _task("c", **_then("d")),
            "d": {"join": "all", **_task("d")},
        },
        _once("a", "b", "c", "d"),
        3,
    ),
    "items": Shape(
        {
            "x": _task(
                "x",
                0.4,
                input={"item": "<% item() %>"},
                **{"with": {"items": "<% ctx(items) %>", "concurrency": 2}},
                **_then("z"),
            ),
            "z": _task("z"),
        },
        Counter({("x", item): 1 for item in _ITEMS}) + _once("z"),
        3,
    ),
    "retry": Shape(
        {
            "s": _task("s", action="stumble", retry={"count": 2, "delay": 1}, **_then("z")),
            "z": _task("z"),
        },
        _once("s", "s", "z"),
        2,
    ),
    "nested": Shape(
        {
            "a": _task("a", **_then("i")),
            "i": {
                "action": "storm.inner",
                "input": {"workflow": "<% ctx(workflow) %>"},
                **_then("z"),
            },
            "z": _task("z"),
        },
        _once("a", "p", "q", "z"),
        2,
    ),
    "python": Shape(
        {"p": _task("p", 0.4, "python_line", **_then("z")), "z": _task("z")}, _once("p", "z"), 2
    ),
    "rerun": Shape(
        {"r": _task("r", _LONG, "line_again", **_then("z")), "z": _task("z")}, _once("r", "z"), 2
    ),
}
#: The actions that leave a line.
LEAVES = frozenset({"storm.line", "storm.line_again", "storm.stumble", "storm.python_line"})


def ref(shape: str) -> str:
    return f"storm.shape_{shape}"


def write(folder: Path, lines: Path) -> None:
    """Write the pack to `folder`, whose actions write to the file `lines`, which is made."""
    lines.touch()
    flags = lines.with_name("stumbled")
    flags.mkdir()
    actions = folder / "actions"
    (actions / "workflows").mkdir(parents=True)
    _yaml(folder / "pack.yaml", {"name": "storm", **_AUTHOR})
    line = (
        "sleep {{ seconds }}; echo {{ workflow }} {{ task }} {{ item }} $ST2_ACTION_EXECUTION_ID"
        f" >> {shlex.quote(str(lines))}"
    )
    # it fails the first time
    once = f"{line}; ! mkdir {shlex.quote(str(flags))}/{{{{ workflow }}}}"
    _shell(actions, "line", line)
    _shell(actions, "line_again", line, tags=[{"name": "rerun", "value": "true"}])
    _shell(actions, "stumble", once)
    _yaml(
        actions / "python_line.yaml",
        {
            "name": "python_line",
            "runner_type": "python-script",
            "entry_point": "line.py",
            "parameters": _PARAMETERS,
        },
    )
    (actions / "line.py").write_text(_PYTHON.format(lines=str(lines)))
    _workflow(actions, "inner", _INNER)
    for name, shape in SHAPES.items():
        _workflow(actions, f"shape_{name}", shape.tasks)
    _write_rule(folder / "rules")


def _shell(actions: Path, name: str, command: str, **more: Any) -> None:
    parameters = {**_PARAMETERS, "cmd": {"default": command, "immutable": True}}
    content = {"name": name, "runner_type": "local-shell-cmd", "parameters": parameters, **more}
    _yaml(actions / f"{name}.yaml", content)


def _workflow(actions: Path, name: str, tasks: dict[str, Any]) -> None:
    _yaml(
        actions / f"{name}.yaml",
        {
            "name": name,
            "runner_type": "orquesta",
            "entry_point": f"workflows/{name}.yaml",
            "parameters": {"workflow": _TEXT},
        },
    )
    definition = {
        "version": 1.0,
        "input": ["workflow"],
        "vars": [{"items": _ITEMS}],
        "tasks": tasks,
    }
    _yaml(actions / "workflows" / f"{name}.yaml", definition)


def _write_rule(rules: Path) -> None:
    """Each end of a workflow of a shape is answered by one execution of core.noop."""
    rules.mkdir()
    _yaml(
        rules / "told.yaml",
        {
            "name": "told",
            "enabled": True,
            "trigger": {"type": "core.st2.generic.actiontrigger"},
            "criteria": {"trigger.action_ref": {"type": "startswith", "pattern": ref("")}},
            "action": {"ref": "core.noop", "parameters": {"ended": "{{trigger.execution_id}}"}},
        },
    )


def _yaml(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
