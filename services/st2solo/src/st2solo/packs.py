"""Reading a pack's folder: its files checked one by one, what is wrong told with file and line."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from st2solo import metadata_file, pack_schemas
from st2solo.alias_formats import formats_of, require_format
from st2solo.errors import InvalidError
from st2solo.metadata_file import MetadataError, MetadataFile, Problem
from st2solo.policy_types import POLICY_TYPES

_REF = re.compile("[a-z0-9_]+")
#: ALLOWED_EXTS of st2common/constants/meta.py.
_SUFFIXES = (".yaml", ".yml")

#: The attributes of a runner's parameter that an action may set to something else
#: (RUNNER_PARAM_OVERRIDABLE_ATTRS of st2common/util/schema).
_OVERRIDABLE = frozenset({"default", "description", "enum", "immutable", "required"})

#: A runner type's name -> its parameters.
RunnerParameters = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Pack:
    """A pack as its files tell it; only files without a problem are in it."""

    ref: str
    path: Path
    document: dict[str, Any]
    actions: list[MetadataFile]
    trigger_types: list[MetadataFile]
    sensors: list[MetadataFile]
    rules: list[MetadataFile]
    aliases: list[MetadataFile]
    policies: list[MetadataFile]
    config_schema: dict[str, dict[str, Any]]
    problems: list[Problem]


def folders(roots: list[Path]) -> list[Path]:
    """The packs (folders with a pack.yaml) directly below the roots; a root may itself be one."""
    found: list[Path] = []
    for root in roots:
        candidates = [root] if (root / "pack.yaml").is_file() else sorted(root.iterdir())
        found += [folder for folder in candidates if (folder / "pack.yaml").is_file()]
    return found


def metadata_paths(room: Path) -> list[Path]:
    """The files in a folder such as `actions` that describe something.

    As in StackStorm neither hidden ones do, nor `config.yaml` among actions.
    """
    paths = sorted(room.iterdir()) if room.is_dir() else []
    return [
        path
        for path in paths
        if path.suffix in _SUFFIXES
        and not path.name.startswith(".")
        and (room.name, path.stem) != ("actions", "config")
    ]


def read(folder: Path, runners: RunnerParameters, roots: Iterable[Path] = ()) -> Pack:
    """
    Args:
        roots: as `ref_of` takes them.

    Raises:
        MetadataError: pack.yaml itself is missing or wrong, so that nothing else can be used.
    """
    return _Reader(folder, _document(folder, roots), runners).read()


def ref_of(folder: Path, roots: Iterable[Path]) -> str:
    """
    Args:
        roots: folders of packs; below one a pack without a `ref` has the name of its folder, if
            that can be one, and elsewhere its `name`: get_pack_ref_from_metadata of
            st2common/util/pack.py.

    Raises:
        MetadataError: pack.yaml is missing or wrong.
    """
    return str(_document(folder, roots)["ref"])


def _document(folder: Path, roots: Iterable[Path]) -> dict[str, Any]:
    file = metadata_file.read(folder / "pack.yaml").without_nulls(pack_schemas.PACK)
    document = dict(file.content)
    if document.get("version"):
        document["version"] = str(document["version"])
    if not document.get("ref"):
        by_folder = folder.parent in roots and _REF.fullmatch(folder.name)
        document["ref"] = folder.name if by_folder else document.get("name")
    problems = dataclasses.replace(file, content=document).problems_with(pack_schemas.PACK)
    if problems:
        raise MetadataError(problems)
    return {key: value for key, value in document.items() if value is not None}


class _Reader:
    def __init__(self, folder: Path, document: dict[str, Any], runners: RunnerParameters) -> None:
        self._folder = folder
        self._document = document
        self._ref: str = document["ref"]
        self._runners = runners
        self._problems: list[Problem] = []

    def read(self) -> Pack:
        return Pack(
            ref=self._ref,
            path=self._folder,
            document=self._document | {"path": str(self._folder), "files": self._files()},
            actions=self._each("actions", pack_schemas.ACTION, self._action_problems),
            trigger_types=self._each("triggers", pack_schemas.TRIGGER_TYPE),
            sensors=self._each("sensors", pack_schemas.SENSOR, self._sensor_problems),
            rules=self._each("rules", pack_schemas.RULE),
            aliases=self._each("aliases", pack_schemas.ALIAS, self._alias_problems),
            policies=self._each("policies", pack_schemas.POLICY, self._policy_problems),
            config_schema=self._config_schema(),
            problems=self._problems,
        )

    def _files(self) -> list[str]:
        return sorted(
            str(path.relative_to(self._folder))
            for path in self._folder.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.parts)
        )

    def _each(
        self,
        room: str,
        schema: dict[str, Any],
        more: Callable[[MetadataFile], Iterator[Problem]] | None = None,
    ) -> list[MetadataFile]:
        good: list[MetadataFile] = []
        for path in metadata_paths(self._folder / room):
            try:
                file = metadata_file.read(path).without_nulls(schema)
            except MetadataError as err:
                self._problems += err.problems
                continue
            problems = file.problems_with(schema) + list(self._pack_problems(file))
            if not problems and more is not None:
                problems = list(more(file))
            self._problems += problems
            if not problems:
                good.append(self._completed(file, room))
        return good

    def _completed(self, file: MetadataFile, room: str) -> MetadataFile:
        own = {"pack": self._ref, "metadata_file": f"{room}/{file.path.name}"}
        return dataclasses.replace(file, content=file.content | own)

    def _pack_problems(self, file: MetadataFile) -> Iterator[Problem]:
        named = file.content.get("pack") or self._ref
        if named != self._ref:
            message = f'pack: expected "{self._ref}", the pack of this folder, found "{named}"'
            yield file.problem(message, ["pack"], "field.pack")

    def _action_problems(self, file: MetadataFile) -> Iterator[Problem]:
        runner = file.content["runner_type"]
        if runner not in self._runners:
            known = ", ".join(sorted(self._runners))
            message = f'runner_type: "{runner}" is not offered; known: {known}'
            yield file.problem(message, ["runner_type"], "runner.unknown")
            return
        parameters: dict[str, dict[str, Any]] = file.content.get("parameters", {})
        for name, definition in parameters.items():
            at = ["parameters", name]
            above = self._runners[runner].get(name, {})
            if "immutable" in definition and "default" not in {**above, **definition}:
                message = f"parameter {name}: immutable needs a default"
                yield file.problem(message, at, "parameter.immutable")
            for message in _override_messages(above, definition):
                yield file.problem(f"parameter {name}: {message}", at, "parameter.override")
        yield from _position_problems(file, parameters)
        yield from self._inside(file, "actions")

    def _sensor_problems(self, file: MetadataFile) -> Iterator[Problem]:
        yield from self._inside(file, "sensors")

    def _alias_problems(self, file: MetadataFile) -> Iterator[Problem]:
        for format_ in formats_of(file.content):
            try:
                require_format(format_.representation)
            except InvalidError as err:
                yield file.problem(f"formats: {err}", ["formats", format_.index], "alias.format")

    def _policy_problems(self, file: MetadataFile) -> Iterator[Problem]:
        kind = POLICY_TYPES.get(file.content["policy_type"])
        if kind is None:
            known = ", ".join(sorted(POLICY_TYPES))
            message = f'policy_type: there is no "{file.content["policy_type"]}"; known: {known}'
            yield file.problem(message, ["policy_type"], "policy.type")
            return
        try:
            kind.checked(file.content.get("parameters") or {})
        except InvalidError as err:
            yield file.problem(f"parameters: {err}", ["parameters"], "policy.parameters")

    def _inside(self, file: MetadataFile, room: str) -> Iterator[Problem]:
        root = (self._folder / room).resolve()
        entry_point = file.content.get("entry_point", "")
        if not (root / entry_point).resolve().is_relative_to(root):
            message = f"entry_point: must stay within {room}/, found {entry_point!r}"
            yield file.problem(message, ["entry_point"], "entry_point.outside")

    def _config_schema(self) -> dict[str, dict[str, Any]]:
        path = self._folder / "config.schema.yaml"
        if not path.is_file():
            return {}
        try:
            file = metadata_file.read(path)
        except MetadataError as err:
            self._problems += err.problems
            return {}
        problems = file.problems_with(pack_schemas.CONFIG_SCHEMA)
        self._problems += problems
        return {} if problems else file.content


def _override_messages(runner: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    if "immutable" in runner and "immutable" in definition:
        yield "the runner says whether its parameter of this name is immutable"
    for attribute, value in definition.items():
        if runner and attribute not in _OVERRIDABLE and value != runner.get(attribute):
            own = repr(runner[attribute]) if attribute in runner else "not given"
            yield (f"{attribute} is {own} in the runner's parameter of this name, found {value!r}")


def _position_problems(
    file: MetadataFile, parameters: dict[str, dict[str, Any]]
) -> Iterator[Problem]:
    seen: dict[Any, str] = {}
    for name, definition in parameters.items():
        position = definition.get("position")
        if position in seen:
            message = f"parameter {name}: position {position} is that of {seen[position]} already"
            yield file.problem(message, ["parameters", name, "position"], "parameter.position")
        elif position is not None:
            seen[position] = name
    if seen and sorted(seen) != list(range(int(min(seen)), int(max(seen)) + 1)):
        message = f"positions must follow each other without a gap, found {sorted(seen)}"
        yield file.problem(message, ["parameters"], "parameter.position")
