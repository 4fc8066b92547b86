"""Traces: what led to what.

A trace is one trigger instance with the rules that it met, or one execution that a person or a chat
asked for; with the executions that these led to, those of workflows' tasks too. st2solo keeps no
graph beyond that; a tag, such as the name of a run, joins them.

Source: st2api/controllers/v1/traces.py and st2common/services/trace.py of StackStorm 3.9.
"""

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from st2solo.errors import NotFoundError
from st2solo.store import Store

_TAG = "coalesce(json_extract(context, '$.trace_context.trace_tag'), 'execution-' || id)"
_BY_HAND = "parent IS NULL AND trigger_instance IS NULL"
_INSTANCE_TAG = "coalesce(trace_tag, 'trigger_instance-' || id)"
_INSTANCES = (
    f"SELECT id, {_INSTANCE_TAG} AS tag, trigger AS ref, occurrence_time AS time,"  # noqa: S608
    " 'instance' AS kind FROM trigger_instances WHERE "
)
_EXECUTIONS = (
    f"SELECT id, {_TAG}, action_ref, start_timestamp, 'execution'"  # noqa: S608 - fixed texts
    f" FROM executions WHERE {_BY_HAND} AND "
)
#: All of them: SQLite would look at the many that rules asked for, too.
_ALL_EXECUTIONS = _EXECUTIONS.replace(
    "FROM executions", "FROM executions INDEXED BY executions_by_hand"
)
#: The executions of a list of ids (JSON) with all that are below them, the oldest first.
_WITH_CHILDREN = (
    "WITH RECURSIVE found(id) AS (SELECT value FROM json_each(?)"
    " UNION ALL SELECT child.id FROM executions child JOIN found ON child.parent = found.id)"
    " SELECT id, action_ref, parent, start_timestamp FROM executions JOIN found USING (id)"
    " ORDER BY start_timestamp, id"
)
_AMONG = "id IN (SELECT value FROM json_each(?))"
_ENFORCED = "id IN (SELECT trigger_instance_id FROM rule_enforcements WHERE "

#: What a list may be asked for: conditions on the trigger instances, and on the executions.
_FILTERS = {
    "ids": (_AMONG, _AMONG),
    "trace_tag": (
        f"(trace_tag = ? OR id = substr(?, 18) AND {_INSTANCE_TAG} = ?)",
        f"{_TAG} = ?",
    ),
    "trigger_instance": ("id = ?", None),
    "rule": (f"{_ENFORCED} ? IN (rule_id, rule_ref))", None),
    "execution": (f"{_ENFORCED} execution_id = ?)", "id = ?"),
}
FILTERS = tuple(name for name in _FILTERS if name != "ids")
# NB: inside the class, `list` is the method.
Parts = list[dict[str, Any]]
Ids = Collection[str]


class Traces:
    def __init__(self, store: Store) -> None:
        self._store = store

    def list(
        self,
        filters: dict[str, str],
        *,
        ids: Ids = (),
        limit: int,
        offset: int,
        ascending: bool,
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of traces, and how many there are in all; of `filters` those in FILTERS count.

        `ids` restricts them to some, if it is not empty.
        """
        if ids:
            filters = {**filters, "ids": json.dumps([*ids])}
        if "execution" in filters:
            filters = {**filters, "execution": self._outermost(filters["execution"])}
        chosen = [(_FILTERS[name], filters[name]) for name in _FILTERS if filters.get(name)]
        selects, values = [], []
        executions = _EXECUTIONS if chosen else _ALL_EXECUTIONS
        for begins, place in ((_INSTANCES, 0), (executions, 1)):
            conditions = [pair[place] for pair, _ in chosen]
            if None not in conditions:
                condition = " AND ".join(map(str, conditions)) or "1"
                selects.append(begins + condition)
                values += [v for pair, v in chosen for _ in range(str(pair[place]).count("?"))]
        both = " UNION ALL ".join(selects)
        order = "ASC" if ascending else "DESC"
        rows = self._store.execute(
            f"{both} ORDER BY time {order}, id {order} LIMIT ? OFFSET ?", (*values, limit, offset)
        ).fetchall()
        total = self._store.execute(f"SELECT count(*) FROM ({both})", tuple(values))  # noqa: S608
        return [self._document(row) for row in rows], total.fetchone()[0]

    def get(self, trace_id: str) -> dict[str, Any]:
        """
        Raises:
            NotFoundError: there is no such trace.
        """
        row = self._store.execute(
            f"{_INSTANCES} id = ? UNION ALL {_EXECUTIONS} id = ?", (trace_id, trace_id)
        ).fetchone()
        if row is None:
            raise NotFoundError(f'there is no trace with the id "{trace_id}"')
        return self._document(row)

    def _outermost(self, execution_id: str) -> str:
        """The execution on whose behalf one runs in the end; itself if there is none."""
        while row := self._store.execute(
            "SELECT parent FROM executions WHERE id = ? AND parent IS NOT NULL", (execution_id,)
        ).fetchone():
            execution_id = row["parent"]
        return execution_id

    def _document(self, row: sqlite3.Row) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": row["id"],
            "uid": f"trace:{row['id']}",
            "trace_tag": row["tag"],
            "start_timestamp": row["time"],
            "trigger_instances": [],
            "rules": [],
        }
        if row["kind"] == "execution":
            return shown | {"action_executions": self._executions({row["id"]: {}})}
        enforced = self._store.execute(
            "SELECT rule_id, rule_ref, execution_id, enforced_at FROM rule_enforcements"
            " WHERE trigger_instance_id = ? ORDER BY id",
            (row["id"],),
        ).fetchall()
        by_instance = {"type": "trigger_instance", "id": row["id"]}
        return shown | {
            "trigger_instances": [_part(row["id"], row["ref"], row["time"], {})],
            "rules": [
                _part(r["rule_id"], r["rule_ref"], r["enforced_at"], by_instance) for r in enforced
            ],
            "action_executions": self._executions(
                {
                    r["execution_id"]: {"type": "rule", "id": f"{r['rule_id']}:{row['id']}"}
                    for r in enforced
                    if r["execution_id"]
                }
            ),
        }

    def _executions(self, causes: dict[str, dict[str, str]]) -> Parts:
        """The parts of these executions, of which it is told what caused them, and of all below."""
        if not causes:
            return []
        rows = self._store.execute(_WITH_CHILDREN, (json.dumps([*causes]),))
        return [
            _part(
                row["id"],
                row["action_ref"],
                row["start_timestamp"],
                causes.get(row["id"], {"type": "action_execution", "id": row["parent"]}),
            )
            for row in rows
        ]


def _part(object_id: str, ref: str, moment: str, cause: dict[str, Any]) -> dict[str, Any]:
    return {"object_id": object_id, "ref": ref, "updated_at": moment, "caused_by": cause}
