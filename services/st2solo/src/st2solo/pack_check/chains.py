"""Action chains: what the runner action-chain of StackStorm refuses, or comes to grief with.

Source: contrib/runners/action_chain_runner and st2common/models/system/actionchain.py of
StackStorm 3.9.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from st2solo import metadata_file
from st2solo.jinja import is_template
from st2solo.metadata_file import Keys, MetadataError, MetadataFile, Problem
from st2solo.pack_check import calls, ignored, templates
from st2solo.pack_check.catalogue import Action, Catalogue
from st2solo.pack_schemas import NOTIFY

_TEXT: dict[str, Any] = {"type": "string"}
_OBJECT: dict[str, Any] = {"type": "object"}
_VARIABLES: dict[str, Any] = {"type": "object", "patternProperties": {r"^\w+$": {}}}
_TASK: dict[str, Any] = {
    "type": "object",
    "required": ["name", "ref"],
    "properties": {
        "name": _TEXT,
        "ref": _TEXT,
        "params": _OBJECT,
        "parameters": _OBJECT,
        "on-success": _TEXT,
        "on-failure": _TEXT,
        "publish": _VARIABLES,
        "notify": NOTIFY,
    },
}
#: NB: StackStorm holds only the first task against its schema, and passes over keys of the others.
_CHAIN: dict[str, Any] = {
    "type": "object",
    "required": ["chain"],
    "properties": {
        "chain": {
            "type": "array",
            "minItems": 1,
            "items": [_TASK | {"additionalProperties": False}],
            "additionalItems": _TASK,
        },
        "default": _TEXT,
        "vars": _VARIABLES,
    },
    "additionalProperties": False,
}
_FOLLOWING = ("on-success", "on-failure")
#: Names that templates may use beside parameters, variables and the results of tasks.
_PUBLISHED = frozenset({"st2kv", "system", "__results"})
_GIVEN = _PUBLISHED | templates.ALWAYS


def problems(path: Path, action: Action, catalogue: Catalogue) -> Iterator[Problem]:
    """Everything that is wrong with the chain of an action."""
    try:
        file = metadata_file.read(path)
    except MetadataError as error:
        yield from error.problems
        return
    yield from file.repetitions()
    refused = file.problems_with(_CHAIN)
    yield from refused
    if refused:
        return
    for index, task in enumerate(file.content["chain"][1:], start=1):
        yield from ignored.unknown(file, ("chain", index), task, _TASK["properties"])
    yield from _Chain(file, action, catalogue).problems()


class _Chain:
    """A chain whose form is right."""

    def __init__(self, file: MetadataFile, action: Action, catalogue: Catalogue) -> None:
        self._file = file
        self._catalogue = catalogue
        self._tasks: list[dict[str, Any]] = file.content["chain"]
        self._own = frozenset(action.own)
        variables = [file.content.get("vars") or {}]
        variables += [task.get("publish") or {} for task in self._tasks]
        self._known = self._own.union(*variables, (task["name"] for task in self._tasks))

    def problems(self) -> Iterator[Problem]:
        yield from self._names()
        yield from self._unreachable()
        for index, task in enumerate(self._tasks):
            yield from self._task(("chain", index), task)
        names = self._own | {"st2kv"}
        yield from templates.problems(self._file, ("vars",), self._file.content.get("vars"), names)

    def _names(self) -> Iterator[Problem]:
        """Names of tasks that are not there, or are there twice."""
        seen: set[str] = set()
        for index, task in enumerate(self._tasks):
            if task["name"] in seen:
                message = f"name: an earlier task is called {task['name']}, too"
                yield self._file.problem(message, ("chain", index, "name"), "chain.same_task")
            seen.add(task["name"])
        named: list[tuple[Keys, Any]] = [(("default",), self._file.content.get("default"))]
        for index, task in enumerate(self._tasks):
            named += [(("chain", index, word), task.get(word)) for word in _FOLLOWING]
        for at, name in named:
            if name and not is_template(name) and name not in seen:
                message = f"{at[-1]}: there is no task {name}; there are: {', '.join(sorted(seen))}"
                yield self._file.problem(message, at, "chain.unknown_task")

    def _unreachable(self) -> Iterator[Problem]:
        """Tasks to which none leads that is begun; a name that is a template may lead to any."""
        following = {
            task["name"]: [task[word] for word in _FOLLOWING if task.get(word)]
            for task in reversed(self._tasks)  # the first of a name counts
        }
        waiting = [self._first(following)]
        reached: set[str] = set()
        while waiting:
            name = waiting.pop()
            if is_template(name):
                return
            if name in following and name not in reached:
                reached.add(name)
                waiting += following[name]
        for index, task in enumerate(self._tasks):
            if reached and task["name"] not in reached:
                message = f"task {task['name']}: no task that is begun leads to it"
                yield self._file.problem(message, ("chain", index), "chain.unreachable")

    def _first(self, following: dict[str, list[str]]) -> str:
        """The default, or the first task to which none leads, or else the first."""
        if self._file.content.get("default"):
            return str(self._file.content["default"])
        led_to = {name for names in following.values() for name in names}
        names: list[str] = [task["name"] for task in self._tasks]
        return next((name for name in names if name not in led_to), names[0])

    def _task(self, at: Keys, task: dict[str, Any]) -> Iterator[Problem]:
        if task.get("params") and task.get("parameters"):
            message = "params: the task has parameters, too"
            yield self._file.problem(message, (*at, "params"), "chain.parameters")
        field = "parameters" if task.get("parameters") else "params"
        given, where = task.get(field) or {}, (*at, field)
        action = self._catalogue.actions.get(task["ref"])
        if action is None:
            yield from calls.absence(
                self._catalogue, "action", task["ref"], self._file, (*at, "ref")
            )
        elif action.parameters:
            yield from calls.problems(self._file, where, (*at, "ref"), given, action)
        yield from templates.problems(self._file, where, given, self._known | _GIVEN)
        published = task.get("publish")
        names = self._known | _PUBLISHED
        yield from templates.problems(self._file, (*at, "publish"), published, names)
