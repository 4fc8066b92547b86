"""The record of what rules did: one row for each rule and trigger instance that it was tried on."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from st2solo import moments
from st2solo.errors import NotFoundError
from st2solo.ids import new_id
from st2solo.resources import Resource
from st2solo.store import Store


@dataclass(frozen=True)
class Enforcement:
    id: str
    trigger_instance_id: str
    rule_id: str
    rule_ref: str
    execution_id: str | None
    failure_reason: str | None
    status: str
    enforced_at: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Enforcement":
        return cls(**{name: row[name] for name in row.keys()})  # noqa: SIM118 - a Row is no dict

    def document(self) -> dict[str, Any]:
        """As StackStorm's API shows it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "trigger_instance_id": self.trigger_instance_id,
            "rule": {
                "id": self.rule_id,
                "ref": self.rule_ref,
                "uid": "rule:" + self.rule_ref.replace(".", ":", 1),
            },
            "status": self.status,
            "enforced_at": self.enforced_at,
        }
        optional = {"execution_id": self.execution_id, "failure_reason": self.failure_reason}
        return shown | {name: value for name, value in optional.items() if value}


class Enforcements:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        rule: Resource,
        instance_id: str,
        *,
        execution_id: str | None = None,
        failure_reason: str | None = None,
    ) -> None:
        self._store.execute(
            "INSERT INTO rule_enforcements (id, trigger_instance_id, rule_id, rule_ref,"
            " execution_id, failure_reason, status, enforced_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new_id(),
                instance_id,
                rule.id,
                rule.ref,
                execution_id,
                failure_reason,
                "failed" if failure_reason else "succeeded",
                moments.now_text(),
            ),
        )

    def get(self, enforcement_id: str) -> Enforcement:
        row = self._store.execute(
            "SELECT * FROM rule_enforcements WHERE id = ?", (enforcement_id,)
        ).fetchone()
        if row is None:
            raise NotFoundError(f'there is no rule enforcement with the id "{enforcement_id}"')
        return Enforcement.from_row(row)
