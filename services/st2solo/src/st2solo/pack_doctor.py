"""Looks at packs further than a registration does: at the files that they name, and at workflows.

Like StackStorm, st2solo registers an action whose entry point is not there, a workflow with errors
and a rule for an action that nobody has; all of them fail when they are needed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from st2solo import metadata_file, pack_config, packs
from st2solo.config import Config
from st2solo.errors import NotFoundError, WorkflowError
from st2solo.findings import BAD, GOOD, WARNING, Finding
from st2solo.metadata_file import MetadataError, MetadataFile
from st2solo.packs import Pack
from st2solo.registry import BUILT_IN
from st2solo.runner_types import RUNNER_TYPES
from st2solo.workflow_definitions import inspect, read

_CONTEXT: dict[str, Any] = {"st2": {}, "parent": {}}


class _Described:
    """An action as its file describes it; as much of one as the inspection of workflows needs."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.runner_type: str = content["runner_type"]
        self.parameters: dict[str, dict[str, Any]] = content.get("parameters") or {}


class _Actions:
    def __init__(self, found: list[Pack]) -> None:
        self._known = {
            f"{pack.ref}.{file.content['name']}": _Described(file.content)
            for pack in found
            for file in pack.actions
        }

    def action(self, ref: str) -> Any:
        if ref not in self._known:
            raise NotFoundError(f"no pack has the action {ref}")
        return self._known[ref]


def examine(config: Config) -> Iterator[Finding]:
    runners = {name: runner.parameters for name, runner in RUNNER_TYPES.items()}
    found: dict[str, Pack] = {}
    for folder in [*packs.folders(config.packs), *BUILT_IN]:
        try:
            pack = packs.read(folder, runners)
        except MetadataError as error:
            yield from (Finding(BAD, "pack", str(problem)) for problem in error.problems)
            continue
        if pack.ref in found and folder not in BUILT_IN:
            yield Finding(BAD, "pack", f"{pack.ref} is in {found[pack.ref].path} and in {folder}")
        found.setdefault(pack.ref, pack)
    actions = _Actions(list(found.values()))
    for pack in found.values():
        wrong = [*_pack(pack, config, actions)]
        yield from wrong
        if not wrong:
            yield Finding(GOOD, "pack", f"{pack.ref}, {len(pack.actions)} actions")


def _pack(pack: Pack, config: Config, actions: _Actions) -> Iterator[Finding]:
    yield from (Finding(BAD, "pack", str(problem)) for problem in pack.problems)
    for file in pack.actions:
        yield from _action(pack, file, actions)
    for file in pack.sensors:
        yield from _code(file, pack.path / "sensors" / file.content["entry_point"])
    for file in pack.rules:
        ref = file.content["action"]["ref"]
        try:
            actions.action(ref)
        except NotFoundError as error:
            yield Finding(BAD, "rule", str(file.problem(str(error), ["action", "ref"])))
    path = pack_config.path_of(config.configs, pack.ref)
    if path.is_file():
        yield from _configuration(path, pack)
    if config.environments.lacks(pack.ref, pack.path):
        message = f"{pack.ref} has no Python environment with its requirements: st2solo register"
        yield Finding(WARNING, "pack", message)


def _configuration(path: Path, pack: Pack) -> Iterator[Finding]:
    try:
        file = metadata_file.read(path)
    except MetadataError as error:
        yield from (Finding(BAD, "config", str(problem)) for problem in error.problems)
    else:
        for problem in pack_config.problems(file, pack.config_schema):
            yield Finding(BAD, "config", str(problem))


def _action(pack: Pack, file: MetadataFile, actions: _Actions) -> Iterator[Finding]:
    runner, entry_point = file.content["runner_type"], file.content.get("entry_point")
    path = pack.path / "actions" / entry_point if entry_point else None
    if runner == "orquesta" and path is not None:
        yield from _workflow(path, actions)
    elif runner == "python-script" and path is not None:
        yield from _code(file, path)
    elif path is not None and not path.is_file():
        message = f"entry_point: there is no file {path}"
        yield Finding(BAD, "action", str(file.problem(message, ["entry_point"])))
    elif path is None and runner in ("orquesta", "python-script", "local-shell-script"):
        yield Finding(BAD, "action", str(file.problem("entry_point: expected a file")))


def _workflow(path: Path, actions: _Actions) -> Iterator[Finding]:
    try:
        errors = inspect(read(path), actions, _CONTEXT)
    except WorkflowError as error:
        errors = error.errors
    for one in errors:
        where = one.get("spec_path")
        yield Finding(BAD, "workflow", f"{path}: {f'{where}: ' if where else ''}{one['message']}")


def _code(file: MetadataFile, path: Path) -> Iterator[Finding]:
    """Whether Python can read it; it is not run."""
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except OSError as error:
        message = f"entry_point: {path} cannot be read: {error.strerror}"
        yield Finding(BAD, "action", str(file.problem(message, ["entry_point"])))
    except (SyntaxError, ValueError) as error:
        yield Finding(BAD, "action", f"{path}: {error}")
