"""Finds the action class in a file of a pack."""

from __future__ import annotations

import importlib.util
import inspect
import pathlib
import sys

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


def load_module(path: str) -> Any:
    """The file as a module; its folder becomes importable, as under StackStorm."""
    file = pathlib.Path(path)
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(file.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def action_class(path: str) -> type:
    """The first class, by name, that the file defines and that has a `run` of its own.

    Whatever the file raises while it is loaded comes out as it is.
    """
    module = load_module(path)
    for _, cls in inspect.getmembers(module, inspect.isclass):
        run = getattr(cls, "run", None)
        usable = callable(run) and not getattr(run, "__isabstractmethod__", False)
        if cls.__module__ == module.__name__ and usable:
            return cls
    raise ImportError(f"the file {path} defines no class with a run method")
