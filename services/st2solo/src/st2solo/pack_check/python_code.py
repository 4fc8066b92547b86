"""Python code of packs, read as text; nothing of it is imported or run."""

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

from st2solo.metadata_file import Problem


class CodeError(Exception):
    """Python cannot read the code."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def read(path: Path) -> ast.Module:
    """
    Raises:
        CodeError: it is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes(), str(path))
            compile(tree, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = error.lineno, error.offset
        raise CodeError(Problem(path, line, error.msg, column, "python.syntax")) from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise CodeError(Problem(path, None, str(error), code="python.syntax")) from error
    return tree


def imports(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """What is imported, by its whole name; but for what stands within `try`, and may be missing."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((one.name, node) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{one.name}", node) for one in node.names)
        elif not isinstance(node, ast.Try):
            waiting += ast.iter_child_nodes(node)


def has_name(tree: ast.Module, name: str) -> bool:
    """Whether the module could have this name once it is imported."""
    return any(found in (name, "*") for node in _outer(tree) for found in _names(node))


def has_action(tree: ast.Module) -> bool:
    """Whether one of its classes could have the method `run`, its own or an inherited one."""
    outer = list(_outer(tree))
    classes = [node for node in outer if isinstance(node, ast.ClassDef)]
    bare = {"Action", "object", *(node.name for node in classes)}
    imported = any("*" in _names(node) for node in outer)
    return imported or any(_may_run(node, bare) for node in classes)


def _may_run(node: ast.ClassDef, bare: set[str]) -> bool:
    """Whether it says `run`, or a base other than the bare ones may."""
    says = any("run" in _names(below) for below in node.body)
    return says or any(not (isinstance(b, ast.Name) and b.id in bare) for b in node.bases)


def texts_given(tree: ast.Module, method: str, argument: str) -> Iterator[tuple[str, ast.expr]]:
    """The literal texts that a method of any object is called with, as its first argument."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != method:
            continue
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == argument)]
        for value in given[:1]:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value, value


def _outer(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of the module itself, also within `if`, `try` and `with`."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            waiting += [
                below for below in ast.iter_child_nodes(node) if isinstance(below, ast.stmt)
            ]
            for handler in getattr(node, "handlers", []):
                waiting += handler.body


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [one.asname or one.name for one in node.names]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
