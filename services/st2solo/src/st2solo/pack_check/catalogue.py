"""What the given packs and the built-in ones offer to each other: actions and trigger types."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from st2solo import metadata_file, packs
from st2solo.metadata_file import MetadataError
from st2solo.pack_check import elsewhere
from st2solo.packs import Pack
from st2solo.registry import BUILT_IN
from st2solo.runner_types import RUNNER_TYPES
from st2solo.schema import merged_parameters

RUNNERS = {name: runner.parameters for name, runner in RUNNER_TYPES.items()} | elsewhere.RUNNERS


class Action:
    """An action as its file describes it; `parameters` are the runner's too.

    One without any takes whatever it is given, but from the task of an Orquesta workflow.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.enabled: bool = content.get("enabled", True)
        self.own: dict[str, dict[str, Any]] = content.get("parameters") or {}
        self.parameters = merged_parameters(RUNNERS[content["runner_type"]], self.own)


class Catalogue:
    """Refs of what was refused are known as such, so that one fault is told once."""

    def __init__(self, given: Iterable[Pack], refused: Iterable[Path]) -> None:
        self.actions: dict[str, Action] = {}
        self.trigger_types: dict[str, dict[str, Any]] = {}
        self._refused: set[str] = set()
        self._packs: set[str] = set()
        self._doubtful_packs = {_name_in(folder / "pack.yaml", folder.name) for folder in refused}
        for pack in given:
            self._add(pack)
        for pack in _built_in():
            self._add_trigger_types(pack)
            if pack.ref not in self._packs:
                self._add(pack, without=elsewhere.ACTIONS)

    def absence(self, kind: str, ref: str) -> str | None:
        """The code for a ref that is neither among the actions nor the trigger types.

        None if its file is there, and was refused for another reason.
        """
        pack = ref.partition(".")[0]
        if ref in self._refused or pack in self._doubtful_packs:
            return None
        if ref in elsewhere.ACTIONS or ref in elsewhere.TRIGGER_TYPES:
            return f"{kind}.elsewhere"
        return f"{kind}.unknown" if pack in self._packs or pack == ref else f"{kind}.unknown_pack"

    def _add(self, pack: Pack, without: frozenset[str] = frozenset()) -> None:
        self._packs.add(pack.ref)
        for file in pack.actions:
            ref = f"{pack.ref}.{file.content['name']}"
            if ref not in without:
                self.actions.setdefault(ref, Action(file.content))
        self._add_trigger_types(pack)
        for room, good in (
            ("actions", pack.actions),
            ("triggers", pack.trigger_types),
            ("sensors", pack.sensors),
        ):
            read = {file.path for file in good}
            for path in packs.metadata_paths(pack.path / room):
                if path not in read:
                    self._refuse(pack.ref, path)

    def _add_trigger_types(self, pack: Pack) -> None:
        declared = [file.content for file in pack.trigger_types]
        for file in pack.sensors:
            declared += file.content.get("trigger_types", [])
        for content in declared:
            ref = f"{content.get('pack', pack.ref)}.{content['name']}"
            self.trigger_types.setdefault(ref, content)

    def _refuse(self, pack: str, path: Path) -> None:
        self._refused.add(f"{pack}.{_name_in(path, path.stem)}")
        declared = _content(path).get("trigger_types")
        for content in declared if isinstance(declared, list) else ():
            if isinstance(content, dict):
                self._refused.add(f"{pack}.{content.get('name')}")


@functools.cache
def _built_in() -> list[Pack]:
    return [packs.read(folder, RUNNERS) for folder in BUILT_IN]


def _name_in(path: Path, otherwise: str) -> str:
    content = _content(path)
    return str(content.get("ref") or content.get("name") or otherwise)


def _content(path: Path) -> dict[str, Any]:
    try:
        return metadata_file.read(path).content
    except MetadataError:
        return {}
