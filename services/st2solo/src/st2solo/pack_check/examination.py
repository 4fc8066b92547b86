"""Everything that is wrong with some packs, file by file."""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from st2solo import metadata_file, packs
from st2solo.findings import WARNING
from st2solo.metadata_file import MetadataError, MetadataFile, Problem
from st2solo.pack_check import (
    actions,
    aliases,
    calls,
    ignored,
    imports,
    python_code,
    requirements,
    rules,
    sensors,
    templates,
)
from st2solo.pack_check.catalogue import RUNNERS, Catalogue
from st2solo.pack_check.codes import CODES
from st2solo.packs import Pack


@dataclass(frozen=True)
class Fault:
    """What was found, and how grave it is: BAD or WARNING."""

    problem: Problem
    grade: str

    def document(self) -> dict[str, Any]:
        problem = self.problem
        return {
            "code": problem.code,
            "grade": self.grade,
            "file": str(problem.file),
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "hint": CODES[problem.code].hint,
        }


def examine(
    folders: Iterable[Path], lenient: Iterable[str] = (), roots: Sequence[Path] = ()
) -> list[Fault]:
    """What is wrong with the packs in these folders, by file and line.

    Args:
        lenient: patterns of paths within a pack; in such files everything is only a warning.
        roots: as `packs.read` takes them.
    """
    patterns = tuple(lenient)
    found: list[Fault] = []
    for folder, problem in _problems(list(folders), roots):
        grade = CODES[problem.code].grade
        if any(fnmatch.fnmatch(_within(problem.file, folder), pattern) for pattern in patterns):
            grade = WARNING
        found.append(Fault(problem, grade))
    return sorted(dict.fromkeys(found), key=_order)


def _order(fault: Fault) -> tuple[str, int, int, str, str]:
    problem = fault.problem
    where = (str(problem.file), problem.line or 0, problem.column or 0)
    return (*where, problem.code, problem.message)


def _within(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _problems(folders: list[Path], roots: Sequence[Path]) -> Iterator[tuple[Path, Problem]]:
    good: list[Pack] = []
    refused: list[Path] = []
    for folder in folders:
        try:
            good.append(packs.read(folder, RUNNERS, roots))
        except MetadataError as error:
            refused.append(folder)
            yield from ((folder, problem) for problem in error.problems)
    catalogue = Catalogue(good, refused)
    seen: dict[str, Path] = {}
    for pack in good:
        if pack.ref in seen:
            message = f"the pack {pack.ref} is in {seen[pack.ref]} already"
            yield pack.path, Problem(pack.path / "pack.yaml", 1, message, 1, "pack.twice")
        seen.setdefault(pack.ref, pack.path)
        yield from ((pack.path, problem) for problem in _pack(pack, catalogue))


def _pack(pack: Pack, catalogue: Catalogue) -> Iterator[Problem]:
    yield from pack.problems
    yield from _repeated(pack)
    yield from ignored.in_folders(pack.path)
    yield from requirements.problems(pack.path)
    yield from _libraries(pack)
    yield from imports.problems(pack.path)
    yield from _config_defaults(pack)
    for files in (pack.actions, pack.trigger_types, pack.rules, pack.aliases, pack.policies):
        yield from _same_names(files)
    for file in pack.trigger_types:
        yield from ignored.in_trigger_type(file)
    for file in pack.actions:
        yield from actions.problems(pack, file, catalogue)
    for file in pack.sensors:
        yield from ignored.in_sensor(file)
        yield from sensors.problems(pack, file, catalogue)
    for file in pack.rules:
        yield from rules.problems(file, catalogue)
    for file in pack.aliases:
        yield from aliases.alias_problems(file, catalogue)
    for file in pack.policies:
        yield from aliases.policy_problems(file, catalogue)


def _repeated(pack: Pack) -> Iterator[Problem]:
    """Keys that stand twice; those of workflows are told with these."""
    yield from metadata_file.read(pack.path / "pack.yaml").repetitions()
    rooms = (pack.actions, pack.trigger_types, pack.sensors, pack.rules, pack.aliases)
    for files in (*rooms, pack.policies):
        for file in files:
            yield from file.repetitions()


def _same_names(files: list[MetadataFile]) -> Iterator[Problem]:
    seen: dict[str, Path] = {}
    for file in files:
        name = file.content["name"]
        if name in seen:
            message = f"name: {name} is that of {seen[name].name}, too"
            yield file.problem(message, ["name"], "name.twice")
        seen.setdefault(name, file.path)


def _libraries(pack: Pack) -> Iterator[Problem]:
    """Code that every action or sensor may import; what does not compile fails all of them."""
    for room in ("lib", "actions/lib", "sensors/lib"):
        for path in sorted((pack.path / room).rglob("*.py")):
            try:
                python_code.read(path)
            except python_code.CodeError as error:
                yield error.problem


def _config_defaults(pack: Pack) -> Iterator[Problem]:
    path = pack.path / "config.schema.yaml"
    if not pack.config_schema:
        return
    file = metadata_file.read(path)
    yield from file.repetitions()
    yield from ignored.in_parameters(file, (), pack.config_schema)
    for name, definition in pack.config_schema.items():
        fault = calls.unfit_default(name, definition or {})
        if fault is not None:
            yield file.problem(f"{name}: {fault}", (name, "default"), "parameter.default")
        default = (definition or {}).get("default")
        yield from templates.problems(file, (name, "default"), default, frozenset({"st2kv"}))
