"""Expressions of workflows, YAQL and Jinja: whether they can be read, and which names they use."""

from st2solo import compat  # isort: skip  # noqa: F401 - before anything of orquesta

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError, meta
from orquesta.expressions import base
from orquesta.expressions.jinja import JinjaEvaluator
from orquesta.expressions.yql import YAQLEvaluator
from yaql.language.expressions import Function

_YAQL = re.compile(YAQLEvaluator.get_statement_regex())


def faults(text: str) -> Iterator[tuple[str, str]]:
    """Code and message of each thing that is wrong with the expressions in a text."""
    unreadable = [str(error["message"]) for error in base.validate(text)["errors"]]
    if unreadable:
        yield from (("template.syntax", message) for message in unreadable)
    elif _YAQL.search(text):
        for name in sorted(set(_yaql_names(text))):
            yield "template.name", f"there is no function {name}"
    elif JinjaEvaluator.has_expressions(text):
        yield from _jinja_faults(text)


def _yaql_names(text: str) -> Iterator[str]:
    """Functions and methods that YAQL does not know."""
    context = YAQLEvaluator._root_ctx
    for expression in _YAQL.findall(text):
        for name in _called(YAQLEvaluator._engine(YAQLEvaluator.strip_delimiter(expression))):
            if not any(context.collect_functions(name, predicate=lambda *_: True)):
                yield name


def _called(statement: Any) -> Iterator[str]:
    """The names that are called in a YAQL expression; those of operators begin with a sign."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function) and node.name[:1].isalpha():
            yield node.name
        waiting += getattr(node, "args", ())
        for part in ("expr", "expression", "source", "destination"):
            if hasattr(node, part):
                waiting.append(getattr(node, part))


def _jinja_faults(text: str) -> Iterator[tuple[str, str]]:
    environment = JinjaEvaluator._jinja_env
    try:
        environment.from_string(text)
    except TemplateError as error:  # such as an unknown filter
        yield "template.syntax", str(error)
        return
    known = set(JinjaEvaluator._custom_functions) | set(environment.globals)
    for name in sorted(meta.find_undeclared_variables(environment.parse(text)) - known):
        yield "template.name", f"{name} is not known; variables are read by ctx(), items by item()"
