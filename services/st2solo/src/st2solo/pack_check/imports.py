"""What Python code of a pack imports of StackStorm's own, and st2solo does not have.

Packs find all of StackStorm's packages in their environments there, st2client among them.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

from st2solo.metadata_file import Problem
from st2solo.pack_check import python_code, requirements
from st2solo.pack_check.python_code import CodeError
from st2solo.runners.python_script import CHILD

_CODE = "python.import"
_STACKSTORM = frozenset({"st2actions", "st2client", "st2common", "st2reactor"})
_ROOMS = ("actions", "lib", "sensors")


def problems(folder: Path) -> Iterator[Problem]:
    named = requirements.names(folder)
    for room in _ROOMS:
        for path in sorted((folder / room).rglob("*.py")):
            try:
                tree = python_code.read(path)
            except CodeError:
                continue  # told where the file is used
            for name, node in python_code.imports(tree):
                top = name.partition(".")[0]
                if top in _STACKSTORM - named and not _is_there(name):
                    message = f"st2solo has no {name}"
                    yield Problem(path, node.lineno, message, node.col_offset + 1, _CODE)


@functools.cache
def _is_there(name: str) -> bool:
    """Whether st2solo has a module of this name, or one with what this names in it."""
    path = (CHILD / "lib").joinpath(*name.split("."))
    module = path.parent.with_suffix(".py")
    if module.is_file():
        return path.name == "*" or python_code.has_name(python_code.read(module), path.name)
    return path.is_dir() or path.with_suffix(".py").is_file()
