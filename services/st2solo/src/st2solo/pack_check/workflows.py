"""Orquesta workflows: what orquesta finds itself, and what it lets pass without a word."""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orquesta.expressions import base as expressions
from orquesta.utils import parameters as inline

from st2solo import metadata_file, workflow_definitions
from st2solo.errors import WorkflowError
from st2solo.metadata_file import Keys, MetadataError, MetadataFile, Problem
from st2solo.pack_check import calls, templates
from st2solo.pack_check.catalogue import Catalogue
from st2solo.pack_check.expressions import faults

_CONTEXT: dict[str, Any] = {"st2": {}, "parent": {}}

#: Words of orquesta's messages on the meaning of a workflow, and their codes.
_MEANINGS = {
    "is not defined": "workflow.unknown_task",
    "Unable to identify any tasks": "workflow.no_start",
    "is unreachable": "workflow.unreachable",
}
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_UNEXPECTED = re.compile(r"'([^']+)'(?: was|,.* were) unexpected")


def problems(path: Path, action: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    """Everything that is wrong with the workflow of an action, each once."""
    try:
        file = metadata_file.read(path)
    except MetadataError as error:
        yield from error.problems
        return
    if file.repeated:  # it is refused as a whole
        yield from file.repetitions()
        return
    try:
        spec = workflow_definitions.parse(path.read_text())
    except WorkflowError as error:
        yield file.problem(str(error), (), "workflow.syntax")
        return
    try:
        yield from dict.fromkeys(_Workflow(file, spec, catalogue).problems())
    except RecursionError:
        yield file.problem("is nested too deeply", (), "workflow.syntax")
    yield from _inputs(file, action)


def _inputs(file: MetadataFile, action: MetadataFile) -> Iterator[Problem]:
    declared = action.content.get("parameters") or {}
    for index, given in enumerate(file.content.get("input") or []):
        if isinstance(given, str) and given not in declared:  # a mapping gives it a default
            message = f"input {given}: {action.path.name} has no parameter of that name"
            yield file.problem(message, ("input", index), "workflow.input")


class _Workflow:
    def __init__(self, file: MetadataFile, spec: Any, catalogue: Catalogue) -> None:
        self._file = file
        self._spec = spec
        self._catalogue = catalogue
        self._tasks: Any = file.content.get("tasks")

    def problems(self) -> Iterator[Problem]:
        alone = list(self._inspected())
        yield from alone
        yield from self._expressions()
        if not isinstance(self._tasks, dict) or any(p.code == "workflow.syntax" for p in alone):
            return
        yield from self._unreachable()
        for name, task in self._spec.tasks.items():
            yield from self._inline(name)
            yield from self._call(name, task)

    def _inspected(self) -> Iterator[Problem]:
        for entry in workflow_definitions.inspect_alone(self._spec, _CONTEXT):
            at, message = _keys(entry.get("spec_path")), str(entry["message"])
            if entry["type"] == "syntax":
                yield self._syntax(at, message)
            elif entry["type"] == "semantic":
                found = (code for words, code in _MEANINGS.items() if words in message)
                yield self._file.problem(message, at, next(found, "workflow.syntax"))
            elif entry["type"] == "context":
                where = self._place_of(str(entry["expression"]), at)
                yield self._file.problem(message, where, "workflow.variable")

    def _syntax(self, at: Keys, message: str) -> Problem:
        unexpected = _UNEXPECTED.search(message)
        where = (*at, unexpected[1]) if unexpected else at
        field = ".".join(map(str, at))
        return self._file.problem(
            f"{field}: {message}" if field else message, where, "workflow.syntax"
        )

    def _place_of(self, expression: str, at: Keys) -> Keys:
        """Where the text stands at or below that field; the field itself if it was taken apart."""
        if at[:1] == ("tasks",) and at[2:3] == ("input",) and at[:3] not in self._file.places:
            at = (*at[:2], "action")
        for where, leaf in templates.leaves(_below(self._file.content, at), at):
            if leaf == expression:
                return where
        return at

    def _expressions(self) -> Iterator[Problem]:
        for where, leaf in templates.leaves(self._file.content):
            if not isinstance(leaf, str) or where == ("description",):
                continue
            for code, fault in faults(leaf):
                yield self._file.problem(f"{leaf!r}: {fault}", where, code)

    def _unreachable(self) -> Iterator[Problem]:
        tasks = self._spec.tasks
        waiting = [name for name, *_ in tasks.get_start_tasks()]
        reached = set(waiting)
        while waiting:
            following = {name for name, *_ in tasks.get_next_tasks(waiting.pop())}
            waiting += [n for n in following - reached if n in self._tasks]
            reached |= following
        if reached:
            for name in self._tasks:
                if name not in reached:
                    message = f"task {name}: no task that is begun leads to it"
                    yield self._file.problem(message, ("tasks", name), "workflow.unreachable")

    def _inline(self, name: str) -> Iterator[Problem]:
        """What is written behind an action or in `publish` and lost there."""
        task = self._tasks[name]
        ref, _, behind = str(task.get("action") or "").partition(" ")
        at = ("tasks", name, "action")
        if behind and not ref.startswith(("<%", "{{")):
            yield from self._dropped(behind, at)
            if task.get("input") and inline.parse_inline_params(behind):
                message = "input: is dropped, since parameters stand behind the action, too"
                yield self._file.problem(message, (*at[:2], "input"), "workflow.inline")
        for index, transition in enumerate(task.get("next") or []):
            published = transition.get("publish")
            if isinstance(published, str):
                yield from self._dropped(published, (*at[:2], "next", index, "publish"))

    def _dropped(self, text: str, at: Keys) -> Iterator[Problem]:
        left = re.sub(inline.REGEX_INLINE_PARAMS, "", text).strip()
        if left:
            message = f"orquesta drops {left!r}: expected name=value, text in quotes"
            yield self._file.problem(message, at, "workflow.inline")

    def _call(self, name: str, task: Any) -> Iterator[Problem]:
        ref = getattr(task, "action", None)
        if not isinstance(ref, str) or not ref or expressions.has_expressions(ref):
            return
        ref, at = ref.partition(" ")[0], ("tasks", name, "action")
        action = self._catalogue.actions.get(ref)
        if action is None:
            yield from calls.absence(self._catalogue, "action", ref, self._file, at)
            return
        given = getattr(task, "input", None) or {}
        if isinstance(given, dict):
            written = ("tasks", name, "input") in self._file.places
            where = ("tasks", name, "input") if written else at
            literal = {n: _Expression(v) if _evaluated(v) else v for n, v in given.items()}
            yield from calls.problems(self._file, where, at, literal, action)


class _Expression(str):
    """A value that orquesta evaluates, so that it may become anything."""

    def __new__(cls, value: object) -> "_Expression":
        return super().__new__(cls, f"<% {value} %>")


def _evaluated(value: Any) -> bool:
    return any(
        isinstance(leaf, str) and expressions.has_expressions(leaf)
        for _, leaf in templates.leaves(value)
    )


def _keys(path: str | None) -> Keys:
    """The keys of orquesta's path.

    >>> _keys("tasks.a.next[0].do")
    ('tasks', 'a', 'next', 0, 'do')
    """
    return tuple(int(i) if i else word for i, word in _STEP.findall(path or ""))


def _below(content: Any, at: Keys) -> Any:
    for key in at:
        try:
            content = content[key]
        except (KeyError, IndexError, TypeError):
            return None
    return content
