"""Actions: their entry points, and the defaults of their parameters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from st2solo.metadata_file import Keys, MetadataFile, Problem
from st2solo.pack_check import (
    calls,
    chains,
    elsewhere,
    ignored,
    python_code,
    templates,
    workflows,
)
from st2solo.pack_check.catalogue import Catalogue
from st2solo.pack_check.python_code import CodeError
from st2solo.packs import Pack
from st2solo.schema import merged_parameters

_NEED_FILES = (
    "orquesta",
    "python-script",
    "local-shell-script",
    "remote-shell-script",
    "action-chain",
    "winrm-ps-script",
)


def problems(pack: Pack, file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    runner = file.content["runner_type"]
    if runner in elsewhere.RUNNERS:
        message = f"runner_type: st2solo has no {runner}"
        yield file.problem(message, ["runner_type"], "runner.elsewhere")
    yield from _defaults(pack, file, catalogue)
    yield from _entry_point(pack, file, catalogue)


def _defaults(pack: Pack, file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    action = catalogue.actions[f"{file.content['pack']}.{file.content['name']}"]
    names = templates.ALWAYS | frozenset(action.parameters)
    yield from ignored.in_parameters(file, ("parameters",), action.own)
    yield from ignored.in_output(file)
    for name, definition in action.own.items():
        at = ("parameters", name, "default")
        merged = merged_parameters({name: action.parameters[name]}, {name: definition or {}})[name]
        fault = calls.unfit_default(name, merged)
        if fault is not None:
            yield file.problem(f"parameter {name}: {fault}", at, "parameter.default")
        default = (definition or {}).get("default")
        yield from templates.problems(file, at, default, names)
        yield from _configured(pack, file, at, default)


def _configured(pack: Pack, file: MetadataFile, at: Keys, default: Any) -> Iterator[Problem]:
    """Keys of the configuration that a default uses; unless that was refused."""
    if any(problem.file.name == "config.schema.yaml" for problem in pack.problems):
        return
    for path in templates.fields_of(default, "config_context"):
        if path and path[0] not in pack.config_schema:
            message = f"config.schema.yaml has no {path[0]}"
            yield file.problem(message, at, "config.unknown")


def _entry_point(pack: Pack, file: MetadataFile, catalogue: Catalogue) -> Iterator[Problem]:
    runner, entry_point = file.content["runner_type"], file.content.get("entry_point")
    if runner not in _NEED_FILES:
        return
    if not entry_point:
        message = f"entry_point: the runner {runner} needs a file below actions/, none is named"
        yield file.problem(message, ["entry_point"], "entry_point.missing")
        return
    path = pack.path / "actions" / entry_point
    if not path.is_file():
        message = f"entry_point: there is no file {path}"
        yield file.problem(message, ["entry_point"], "entry_point.not_there")
    elif runner == "orquesta":
        yield from workflows.problems(path, file, catalogue)
    elif runner == "action-chain":
        action = catalogue.actions[f"{file.content['pack']}.{file.content['name']}"]
        yield from chains.problems(path, action, catalogue)
    elif runner == "python-script":
        yield from _python(path)


def _python(path: Path) -> Iterator[Problem]:
    try:
        tree = python_code.read(path)
    except CodeError as error:
        yield error.problem
        return
    if not python_code.has_action(tree):
        message = "expected a class with the method run, such as a subclass of Action; found none"
        yield Problem(path, 1, message, 1, "python.no_class")
