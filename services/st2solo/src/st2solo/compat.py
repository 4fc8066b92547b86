"""What orquesta 1.2.0 lacks on a modern Python, and what StackStorm's later orquesta does better.

Import this before anything of orquesta. `tests/unit/test_compat.py` fails when a release makes
one of these unnecessary.
"""

import collections
import collections.abc
import copy
import fractions
import functools
import importlib.util
import math
import queue
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from jinja2 import StrictUndefined

_LIB2TO3: dict[str, tuple[str, ...]] = {
    "lib2to3": (),
    "lib2to3.pgen2": (),
    "lib2to3.pgen2.parse": ("ParseError",),
    "lib2to3.pgen2.tokenize": ("TokenError",),
    "lib2to3.refactor": ("RefactoringTool",),
}
_ABSTRACT = ("Mapping", "MutableMapping", "MutableSequence", "Sequence", "Callable", "Hashable")


def _old_names() -> None:
    """networkx 1.11 and orquesta 1.2.0 look up names which Python 3.9 and 3.10 moved."""
    if not hasattr(fractions, "gcd"):
        fractions.gcd = math.gcd  # type: ignore[attr-defined]
    for name in _ABSTRACT:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))


def _inline_parameters() -> None:
    """Python 3.11 refuses a global flag in the middle of a pattern."""
    from orquesta.utils import parameters

    for word in ("true", "false"):
        parameters.REGEX_INLINE_PARAMS = parameters.REGEX_INLINE_PARAMS.replace(
            f"(?i){word}", f"(?i:{word})"
        )


def _sandbox() -> None:
    """orquesta 1.6 evaluates Jinja in a sandbox; in 1.2.0 a template reaches Python itself."""
    from orquesta.expressions import jinja as orquesta_jinja

    from st2solo.sandbox import Sandbox

    evaluator = orquesta_jinja.JinjaEvaluator
    environment = Sandbox(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(evaluator._custom_functions)
    evaluator._jinja_env = environment


class _Delimited:
    """Finds what the pattern `opening.*?closing` finds, in one pass over the text.

    The pattern itself looks from each opening to the end of its line, if nothing closes it.
    """

    def __init__(self, opening: str, closing: str) -> None:
        self._opening = opening
        self._closing = closing

    def findall(self, text: str) -> list[str]:
        return [found for line in text.split("\n") for found in self._within(line)]

    def _within(self, line: str) -> Iterator[str]:
        begin = line.find(self._opening)
        while begin >= 0:
            end = line.find(self._closing, begin + len(self._opening))
            if end < 0:
                return
            end += len(self._closing)
            yield line[begin:end]
            begin = line.find(self._opening, end)


def _delimiters() -> None:
    """orquesta looks for expressions in the values of expressions, too, which are anybody's.

    In a megabyte of openings its patterns look for hours, while nothing else is done.
    """
    from orquesta.expressions.jinja import JinjaEvaluator
    from orquesta.expressions.yql import YAQLEvaluator

    JinjaEvaluator._regex_parser = _Delimited("{{", "}}")
    JinjaEvaluator._regex_block_parser = _Delimited("{%", "%}")
    JinjaEvaluator._regex_raw_block_parser = _Delimited("{% raw %}", "{% endraw %}")
    YAQLEvaluator._regex_parser = _Delimited("<%", "%>")


def _barrier_follows(state: Any, task_id: str, route: int) -> bool:
    """Whether a transition that was taken from this task leads to a join."""
    from orquesta import constants, statuses

    conductor = state.conductor
    entry = conductor.get_task_state_entry(task_id, route)
    if not entry or entry.get("status") not in statuses.COMPLETED_STATUSES:
        return False
    for transition in conductor.graph.get_next_transitions(task_id):
        _, next_id, key = transition[:3]
        name = constants.TASK_STATE_TRANSITION_FORMAT % (next_id, str(key))
        taken = next_id != "continue" and entry["next"].get(name)
        if taken and conductor.graph.has_barrier(next_id):
            return True
    return False


def _joins() -> None:
    """A failed task whose transition leads to a join counts as remediated, as in orquesta 1.6.

    1.2.0 fails the workflow with UnreachableJoinError while the join still waits.
    """
    from orquesta import events, machines, statuses

    original = machines.WorkflowStateMachine.add_context_to_task_event.__func__

    def add_context(cls: Any, state: Any, event: Any) -> Any:
        abended = event.status in statuses.ABENDED_STATUSES and getattr(event, "task_id", None)
        if abended and _barrier_follows(state, event.task_id, event.route):
            event = copy.copy(event)
            event.name = events.TASK_REMEDIATED
        return original(cls, state, event)

    machines.WorkflowStateMachine.add_context_to_task_event = classmethod(add_context)


class _OnceQueue(queue.Queue[Any]):
    """A queue that takes the same item once.

    An item is a task, alone or with the splits or the variables that lead to it. Without the
    variables (None) it stands for those gathered so far, which may have grown: it is taken again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._taken: set[Any] = set()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if isinstance(item, tuple) and item[-1] is None:
            super().put(item, block, timeout)
            return
        key = (*item[:-1], frozenset(item[-1])) if isinstance(item, tuple) else item
        if key not in self._taken:
            self._taken.add(key)
            super().put(item, block, timeout)


def _walks() -> None:
    """orquesta 1.6 walks through a workflow task by task, 1.2.0 along every path that there is.

    Twenty forks with joins in a row are a million paths.
    """
    from orquesta.composers import native
    from orquesta.specs.native.v1 import models

    for module in (native, models):
        module.queue = types.SimpleNamespace(Queue=_OnceQueue)


def _concurrency() -> None:
    """A concurrency of no items or less is one of one item, as in orquesta 1.6.

    1.2.0 starts none, and the workflow never ends.
    """
    from orquesta import conducting

    original = conducting.WorkflowConductor._evaluate_task_actions

    def evaluate(self: Any, task: dict[str, Any]) -> Any:
        if task.get("concurrency") is not None and task["concurrency"] <= 0:
            task["concurrency"] = 1
        return original(self, task)

    conducting.WorkflowConductor._evaluate_task_actions = evaluate


def _schemas() -> None:
    """The schemas of a class of specifications never change; orquesta merges them anew each time.

    It does so for each part of a workflow and for each task that starts: most of the time that a
    step takes. What comes out is only read, or merged into copies.
    """
    from orquesta.specs import base

    for name in ("get_schema", "get_meta_schema"):
        original = getattr(base.Spec, name).__func__
        setattr(base.Spec, name, classmethod(_remembered(original)))


def _remembered(original: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    @functools.wraps(original)
    def remembering(cls: Any, *args: Any, **kwargs: Any) -> Any:
        key = (cls, repr(args), repr(sorted(kwargs.items())))
        if key not in known:
            known[key] = original(cls, *args, **kwargs)
        return known[key]

    return remembering


class StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice, as orquesta 1.6 does.

    NB: not libyaml's reader, which deep nesting crashes together with the process.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        "while constructing a mapping",
                        node.start_mark,
                        f'found duplicate key "{key_node.value}"',
                        key_node.start_mark,
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _old_imports() -> None:
    """networkx 1.11 imports modules of the standard library that warn of their end, or are gone.

    Of lib2to3, which Python 3.13 has no more, its reader of a file format (GML) takes three names;
    nobody here reads that.
    """
    gone = {} if importlib.util.find_spec("lib2to3") else _LIB2TO3
    for module, names in gone.items():
        sys.modules[module] = types.ModuleType(module)
        for name in names:
            setattr(sys.modules[module], name, type(name, (Exception,), {}))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            importlib.import_module("orquesta.conducting")
    finally:
        for module in gone:
            del sys.modules[module]


_old_names()
_old_imports()
_inline_parameters()
_sandbox()
_delimiters()
_joins()
_walks()
_concurrency()
_schemas()
