"""The base of tests of aliases: what a person types, against what the action gets.

Commands are matched by st2solo's own code, the same as when it serves.

Source: st2tests/action_aliases.py and st2common/models/db/actionalias.py of StackStorm 3.9.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import yaml

from st2solo.alias_formats import MismatchError, extract
from st2tests.pack_resource import BasePackResourceTestCase


class ActionAlias:
    """An alias as its file has it; what the file leaves out is empty."""

    def __init__(self, content: dict[str, Any], pack: str) -> None:
        self.name = content["name"]
        self.pack = content.get("pack") or pack
        self.ref = f"{self.pack}.{self.name}"
        self.description = content.get("description")
        self.enabled = content.get("enabled", True)
        self.action_ref = content.get("action_ref")
        self.formats = content.get("formats") or []
        self.ack = content.get("ack") or {}
        self.result = content.get("result") or {}
        self.extra = content.get("extra") or {}
        self.immutable_parameters = content.get("immutable_parameters") or {}

    def get_format_strings(self) -> list[Any]:
        """Each representation; a format that has none as it is."""
        found: list[Any] = []
        for given in self.formats:
            texts = given.get("representation") if isinstance(given, dict) else None
            found += [texts] if isinstance(texts, str) else texts or [given]
        return found


class BaseActionAliasTestCase(BasePackResourceTestCase):
    """A subclass gives its `action_alias_name`; a test finds the alias as `action_alias_db`."""

    action_alias_name: Any = None
    action_alias_db: Any = None

    def setUp(self) -> None:
        super().setUp()
        if not self.action_alias_name:
            raise ValueError("expected the name of an alias as action_alias_name, found nothing")
        self.action_alias_db = self._get_action_alias_db_by_name(name=self.action_alias_name)

    def assertCommandMatchesExactlyOneFormatString(
        self, format_strings: list[str], command: str
    ) -> None:
        matched = [text for text in format_strings if _matches(text, command)]
        if len(matched) != 1:
            raise AssertionError(
                f'expected that the command "{command}" matches one of {format_strings}, found'
                f" {matched}"
            )

    def assertExtractedParametersMatch(
        self, format_string: str, command: str, parameters: dict[str, Any]
    ) -> None:
        """
        Raises:
            ValueError: the alias has no such format.
            MismatchError: the command does not match it.
        """
        if format_string not in self.action_alias_db.get_format_strings():
            raise ValueError(
                f'Format string "{format_string}" is not available on the alias'
                f' "{self.action_alias_db.name}"'
            )
        found = extract(format_string, command).values
        self.assertEqual(found, parameters, f'of "{command}" by "{format_string}"')

    def _get_action_alias_db_by_name(self, name: str) -> ActionAlias:
        folder = Path(self._get_base_pack_path())
        for content in _aliases(folder):
            if content.get("name") == name:
                return ActionAlias(content, _ref_of(folder))
        raise ValueError(f'expected an alias "{name}" in {folder / "aliases"}, found none')


def _matches(format_string: str, command: str) -> bool:
    try:
        extract(format_string, command)
    except MismatchError:
        return False
    return True


def _aliases(pack: Path) -> Iterator[dict[str, Any]]:
    for file in sorted((pack / "aliases").glob("*.y*ml")):
        yield yaml.safe_load(file.read_text(encoding="utf-8"))


def _ref_of(pack: Path) -> str:
    file = pack / "pack.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return str(content.get("ref") or content.get("name") or pack.name)
