"""Looks at a site's packs as `st2solo check` does, and at their configurations and environments."""

from collections.abc import Iterator
from pathlib import Path

from st2solo import installed_packs, metadata_file, pack_config, packs
from st2solo.config import Config
from st2solo.findings import BAD, GOOD, WARNING, Finding
from st2solo.metadata_file import MetadataError
from st2solo.pack_check.catalogue import RUNNERS
from st2solo.pack_check.examination import Fault
from st2solo.pack_check.examination import examine as faults_of
from st2solo.packs import Pack

#: What is a warning only as long as the pack might run elsewhere, or beside others.
_WRONG_HERE = ("unknown_pack", "elsewhere")
_SUBJECTS = {
    "actions": "action",
    "aliases": "alias",
    "policies": "policy",
    "rules": "rule",
    "sensors": "sensor",
    "triggers": "trigger",
}


def examine(config: Config) -> Iterator[Finding]:
    folders = packs.folders(config.packs) + installed_packs.paths(
        config.store, config.installed_packs
    )
    faults = faults_of(folders, roots=config.packs)
    for fault in faults:
        yield _finding(fault, folders)
    for folder in folders:
        try:
            pack = packs.read(folder, RUNNERS, config.packs)
        except MetadataError:
            continue  # it is among the faults
        wrong = [*_pack(pack, config)]
        yield from wrong
        if not wrong and not any(f.problem.file.is_relative_to(folder) for f in faults):
            yield Finding(GOOD, "pack", f"{pack.ref}, {len(pack.actions)} actions")


def _finding(fault: Fault, folders: list[Path]) -> Finding:
    problem = fault.problem
    grade = BAD if problem.code.rpartition(".")[2] in _WRONG_HERE else fault.grade
    return Finding(grade, _subject(problem.file, problem.code, folders), str(problem))


def _subject(file: Path, code: str, folders: list[Path]) -> str:
    if code.startswith("workflow."):
        return "workflow"
    rooms = (file.relative_to(f).parts[0] for f in folders if file.is_relative_to(f))
    return _SUBJECTS.get(next(rooms, ""), "pack")


def _pack(pack: Pack, config: Config) -> Iterator[Finding]:
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
