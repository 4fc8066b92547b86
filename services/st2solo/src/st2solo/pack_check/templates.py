"""Jinja templates in metadata: whether they can be read, and which names they use."""

from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError, meta, nodes

from st2solo.jinja import ENVIRONMENT, is_template
from st2solo.metadata_file import Keys, MetadataFile, Problem

#: Names that every template of a parameter may use.
ALWAYS = frozenset({"st2kv", "action_context", "config_context"})


def leaves(value: Any, at: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value in a document that is no mapping and no list, and every key, with its place."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*at, str(key)), key
            yield from leaves(below, (*at, str(key)))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, (*at, index))
    else:
        yield at, value


def holds_template(value: Any) -> bool:
    return any(is_template(leaf) for _, leaf in leaves(value))


def problems(
    file: MetadataFile, at: Keys, value: Any, names: frozenset[str] | None
) -> Iterator[Problem]:
    """What is wrong with the templates in the value at that place of the file.

    Args:
        names: all that they may use; None if that is not known.
    """
    for where, leaf in leaves(value, at):
        if not is_template(leaf):
            continue
        fault = _fault(leaf)
        if fault is not None:
            yield file.problem(f"{leaf!r}: {fault}", where, "template.syntax")
        elif names is not None:
            for name in sorted(meta.find_undeclared_variables(ENVIRONMENT.parse(leaf)) - names):
                message = f"{leaf!r}: {name} is not known; known: {', '.join(sorted(names))}"
                yield file.problem(message, where, "template.name")


def _fault(template: str) -> str | None:
    try:
        ENVIRONMENT.from_string(template)
    except (TemplateError, RecursionError, SyntaxError) as error:
        return str(error)
    return None


def fields_of(template: Any, name: str) -> Iterator[list[str]]:
    """The paths below a name that a template uses; none of what is no template.

    >>> list(fields_of("{{ trigger.body.run }} {{ trigger['x'] }}", "trigger"))
    [['body', 'run'], ['x']]
    """
    if not is_template(template):
        return
    try:
        tree = ENVIRONMENT.parse(template)
    except (TemplateError, RecursionError):
        return  # told as such
    inner = {id(node.node) for node in _steps(tree)}
    for node in _steps(tree):
        path = _path(node)
        if id(node) not in inner and path and path[0] == name:
            yield path[1:]


def _steps(tree: nodes.Node) -> list[Any]:
    return list(tree.find_all((nodes.Getattr, nodes.Getitem)))


def _path(node: nodes.Node) -> list[str] | None:
    if isinstance(node, nodes.Name):
        return [node.name]
    step = _step(node)
    above = _path(node.node) if step is not None else None  # type: ignore[attr-defined]
    return None if above is None or step is None else [*above, step]


def _step(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return str(node.arg.value)
    return None
