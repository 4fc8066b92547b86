"""The registered objects, each a document with an id, a ref and an enabled flag."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from st2solo.errors import ConflictError, NotFoundError
from st2solo.ids import new_id
from st2solo.store import Store


class Kind(StrEnum):
    """What can be registered; the value is the first part of StackStorm's uid."""

    PACK = "pack"
    ACTION = "action"
    RULE = "rule"
    SENSOR = "sensor_type"
    TRIGGER_TYPE = "trigger_type"
    TRIGGER = "trigger"
    ALIAS = "action_alias"
    POLICY = "policy"


@dataclass(frozen=True)
class Resource:
    id: str
    kind: Kind
    ref: str
    pack: str
    enabled: bool
    from_file: bool
    content: dict[str, Any]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Resource":
        return cls(
            id=row["id"],
            kind=Kind(row["kind"]),
            ref=row["ref"],
            pack=row["pack"],
            enabled=bool(row["enabled"]),
            from_file=row["file_enabled"] is not None,
            content=json.loads(row["document"]),
        )

    def document(self) -> dict[str, Any]:
        """As StackStorm's API shows it."""
        name = self.content.get("class_name") or self.content.get("name")
        uid = f"{self.kind}:{self.pack}" + ("" if self.kind is Kind.PACK else f":{name}")
        shown = {**self.content, "id": self.id, "ref": self.ref, "uid": uid}
        if self.kind in (Kind.ACTION, Kind.RULE, Kind.SENSOR, Kind.ALIAS, Kind.POLICY):
            shown |= {"pack": self.pack, "enabled": self.enabled}
        return shown


class Resources:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, kind: Kind, ref_or_id: str) -> Resource:
        row = self._store.execute(
            "SELECT * FROM resources WHERE kind = ? AND (ref = ? OR id = ?)",
            (kind, ref_or_id, ref_or_id),
        ).fetchone()
        if row is None:
            name = kind.replace("_", " ")
            raise NotFoundError(f'Resource with a ref or id "{ref_or_id}" not found ({name})')
        return Resource.from_row(row)

    def list(self, kind: Kind) -> list[Resource]:
        rows = self._store.execute("SELECT * FROM resources WHERE kind = ? ORDER BY ref", (kind,))
        return [Resource.from_row(row) for row in rows]

    def put_from_file(
        self, kind: Kind, ref: str, pack: str, content: dict[str, Any], *, enabled: bool = True
    ) -> Resource:
        """Register what a file says.

        An object keeps its id. It keeps the enabled flag that was set through the API too, for as
        long as the file says what it said before.
        """
        self._store.execute(
            "INSERT INTO resources (id, kind, ref, pack, enabled, file_enabled, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, ref) DO UPDATE SET"
            " pack = excluded.pack, document = excluded.document,"
            " enabled = CASE WHEN file_enabled = excluded.file_enabled THEN enabled"
            "           ELSE excluded.enabled END,"
            " file_enabled = excluded.file_enabled",
            (new_id(), kind, ref, pack, enabled, enabled, _json(content)),
        )
        return self.get(kind, ref)

    def create(
        self, kind: Kind, ref: str, pack: str, content: dict[str, Any], *, enabled: bool
    ) -> Resource:
        """Register what came through the API."""
        try:
            self._store.execute(
                "INSERT INTO resources (id, kind, ref, pack, enabled, document)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (new_id(), kind, ref, pack, enabled, _json(content)),
            )
        except sqlite3.IntegrityError as err:
            raise ConflictError(f'there is already a {kind.replace("_", " ")} "{ref}"') from err
        return self.get(kind, ref)

    def update(self, resource: Resource, content: dict[str, Any], *, enabled: bool) -> Resource:
        self._store.execute(
            "UPDATE resources SET document = ?, enabled = ? WHERE id = ?",
            (_json(content), enabled, resource.id),
        )
        return self.get(resource.kind, resource.id)

    def move(self, kinds: Iterable[Kind], old: str, new: str) -> None:
        """Let what files of a pack registered be that of the pack's new name, enabled or not.

        What the new name has already stays, and what came through the API.
        """
        for kind in kinds:
            self._store.execute(
                "UPDATE OR IGNORE resources SET pack = ?, ref = ? || substr(ref, ?)"
                " WHERE kind = ? AND pack = ? AND file_enabled IS NOT NULL",
                (new, new, len(old) + 1, kind, old),
            )

    def delete(self, resource: Resource) -> None:
        self._store.execute("DELETE FROM resources WHERE id = ?", (resource.id,))

    def delete_vanished(self, kind: Kind, pack: str, kept: set[str]) -> None:
        """Forget what a file of the pack once registered and no file does any more."""
        for resource in self.list(kind):
            if resource.pack == pack and resource.from_file and resource.ref not in kept:
                self.delete(resource)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, default=str)
