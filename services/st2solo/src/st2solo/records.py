"""Executions as rows, and as the documents that the API shows."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from st2solo import clock, moments, output_schema, rule_secrets
from st2solo.errors import InvalidError, NotFoundError
from st2solo.room import Room
from st2solo.runner_types import RUNNER_TYPES
from st2solo.schema import masked, merged_parameters
from st2solo.statuses import COMPLETED, Status, require_transition
from st2solo.store import Store


@dataclass(frozen=True)
class Origin:
    """The documents of the rule, trigger and trigger instance that asked for an execution."""

    rule: dict[str, Any] | None = None
    trigger: dict[str, Any] | None = None
    trigger_instance: dict[str, Any] | None = None


@dataclass(frozen=True)
class Execution:
    """One execution of an action. `context` holds what StackStorm keeps there."""

    id: str
    action: dict[str, Any]
    runner: str
    status: Status
    user: str
    parameters: dict[str, Any]
    context: dict[str, Any]
    start_timestamp: str
    log: list[dict[str, str]]
    parent: str | None = None
    result: Any = field(default_factory=dict)
    origin: Origin = Origin()
    end_timestamp: str | None = None
    delay_ms: int | None = None
    #: When something is due in this status (seconds since the epoch): the end of a delay or of the
    #: time to answer an inquiry. A delayed one without it waits for a policy.
    due: float | None = None
    notify: dict[str, Any] | None = None
    #: Bytes of the result as JSON.
    result_size: int = 0
    #: Which of `LARGE` were not read and are empty here.
    left_out: frozenset[str] = frozenset()

    @property
    def action_ref(self) -> str:
        return str(self.action["ref"])

    @property
    def instant(self) -> bool:
        """Whether it needs no process."""
        return self.runner in _WITHOUT_PROCESS

    @property
    def completed(self) -> bool:
        return self.status in COMPLETED


#: The runners that need no process.
_WITHOUT_PROCESS = (
    "noop",
    "orquesta",
    "inquirer",
    "announcement",
    "chat-result",
    "pack-registration",
)
_ALL = "*, length(result) AS result_size"
#: Attributes, and columns, that may be as large as a call to the API or a result. Where there is
#: not room for all of them, the first come first.
LARGE = ("context", "parameters", "trigger_instance", "result")
_OTHERS = (
    "id, action_ref, runner, status, user, parent, log, action, rule, trigger, start_timestamp,"
    " end_timestamp, delay_ms, due, notify, length(result) AS result_size"
)
_SIZES = ", ".join(f"coalesce(length({name}), 0) AS {name}" for name in LARGE)
#: As the index of open executions has it.
_OPEN = "status NOT IN ('succeeded', 'failed', 'timeout', 'canceled', 'abandoned')"

_NAMED = "? IN (json_extract({0}, '$.ref'), json_extract({0}, '$.name'), json_extract({0}, '$.id'))"
_TYPE = "json_extract(trigger, '$.type')"
_FILTERS = {
    "action": "action_ref = ?",
    "status": "status = ?",
    "user": "user = ?",
    "runner": "runner = ?",
    "parent": "parent = ?",
    "id": "id IN (SELECT value FROM json_each(?))",
    "liveaction": "id = ?",
    "trigger_instance": "json_extract(trigger_instance, '$.id') = ?",
    "rule": _NAMED.format("rule"),
    "trigger": _NAMED.format("trigger"),
    "trigger_type": f"? IN ({_TYPE}, substr({_TYPE}, instr({_TYPE}, '.') + 1))",
    "timestamp": "start_timestamp = ?",
    "timestamp_gt": "start_timestamp > ?",
    "timestamp_lt": "start_timestamp < ?",
}
#: The columns that are empty where a filter is the text `null`, as in StackStorm.
_NULLABLE = {
    "parent": "parent",
    "rule": "rule",
    "trigger": "trigger",
    "trigger_type": "trigger",
    "trigger_instance": "trigger_instance",
}
#: What a list may be sorted by, beside the order of time.
SORTS = {
    "id": "id",
    "action": "action_ref",
    "status": "status",
    "user": "user",
    "runner": "runner",
    "parent": "parent",
    "rule": "json_extract(rule, '$.name')",
    "trigger": "json_extract(trigger, '$.name')",
    "trigger_type": "json_extract(trigger, '$.type')",
    "trigger_instance": "json_extract(trigger_instance, '$.id')",
    "timestamp": "start_timestamp",
    "start_timestamp": "start_timestamp",
    "liveaction": "id",
}


class Records:
    """The table of executions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def insert(self, execution: Execution) -> None:
        self._store.execute(
            "INSERT INTO executions (id, action_ref, runner, status, user, parent, parameters,"
            " context, result, log, action, rule, trigger, trigger_instance, start_timestamp,"
            " end_timestamp, delay_ms, due, notify)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                execution.id,
                execution.action_ref,
                execution.runner,
                execution.status.value,
                execution.user,
                execution.parent,
                json.dumps(execution.parameters),
                json.dumps(execution.context),
                json.dumps(execution.result),
                json.dumps(execution.log),
                json.dumps(execution.action),
                _optional(execution.origin.rule),
                _optional(execution.origin.trigger),
                _optional(execution.origin.trigger_instance),
                execution.start_timestamp,
                execution.end_timestamp,
                execution.delay_ms,
                execution.due,
                _optional(execution.notify),
            ),
        )

    def get(self, execution_id: str) -> Execution:
        """One execution; `last` is the newest.

        Raises:
            NotFoundError: there is none of that identifier.
        """
        if execution_id == "last":
            rows = self._rows("ORDER BY start_timestamp DESC, id DESC LIMIT 1")
        else:
            rows = self._rows("WHERE id = ?", execution_id)
        if not rows:
            raise NotFoundError(f"there is no execution {execution_id}")
        return rows[0]

    def fitting(
        self, ids: Iterable[str], room: Room, *, unwanted: Collection[str] = ()
    ) -> list[Execution]:
        """These executions without what of `LARGE` is unwanted, or does not fit into the room.

        Raises:
            NotFoundError: there is none of one of the identifiers.
        """
        return [self._fitting(one, room, frozenset(unwanted)) for one in ids]

    def _fitting(self, execution_id: str, room: Room, left_out: frozenset[str]) -> Execution:
        sql = f"SELECT {_SIZES} FROM executions WHERE id = ?"  # noqa: S608 - texts of this module
        sizes = self._store.execute(sql, (execution_id,)).fetchone()
        if sizes is None:
            raise NotFoundError(f"there is no execution {execution_id}")
        left_out |= {n for n in LARGE if n not in left_out and not room.takes(sizes[n])}
        large = (f"{'NULL' if name in left_out else name} AS {name}" for name in LARGE)
        columns = ", ".join([_OTHERS, *large])
        [execution] = self._rows("WHERE id = ?", execution_id, columns=columns)
        return replace(execution, left_out=left_out)

    def children(self, execution_id: str) -> list[Execution]:
        """The direct children, oldest first."""
        return self._rows("WHERE parent = ? ORDER BY start_timestamp, id", execution_id)

    def child_ids(self, execution_id: str) -> list[str]:
        sql = "SELECT id FROM executions WHERE parent = ? ORDER BY start_timestamp, id"
        return [row["id"] for row in self._store.execute(sql, (execution_id,))]

    def with_status(self, *statuses: Status) -> list[Execution]:
        """The executions of these statuses, oldest first."""
        marks = ",".join("?" * len(statuses))
        values = [s.value for s in statuses]
        return self._rows(f"WHERE status IN ({marks}) AND {_OPEN} ORDER BY id", *values)

    def requested(self, *, processes: bool, limit: int) -> list[Execution]:
        """The oldest that wait to start: those that need a process, or those that need none."""
        chosen = "NOT IN" if processes else "IN"
        return self._rows(
            f"WHERE status = 'requested' AND {_OPEN} AND runner {chosen} {_WITHOUT_PROCESS}"
            " ORDER BY id LIMIT ?",
            limit,
        )

    def due(self, moment: float) -> list[Execution]:
        """Those whose delay or time to answer is over at a moment, oldest first."""
        return self._rows(
            f"WHERE status IN ('delayed', 'pending') AND {_OPEN} AND due <= ? ORDER BY id", moment
        )

    def next_due(self) -> float | None:
        """The next moment at which `due` finds something."""
        sql = (
            "SELECT min(due) FROM executions"  # noqa: S608 - a constant of this module
            f" WHERE status IN ('delayed', 'pending') AND {_OPEN}"
        )
        found: float | None = self._store.execute(sql).fetchone()[0]
        return found

    def held(self) -> list[Execution]:
        """Those that a policy delays, oldest first."""
        return self._rows(f"WHERE status = 'delayed' AND {_OPEN} AND due IS NULL ORDER BY id")

    def at_work(self, action_ref: str) -> list[Execution]:
        """The executions of an action that count against a limit of its concurrency."""
        return self._rows(
            f"WHERE status IN ('scheduled', 'running') AND {_OPEN} AND action_ref = ?", action_ref
        )

    def find(
        self, *, limit: int, offset: int, sort_asc: bool, filters: dict[str, Any]
    ) -> tuple[list[Execution], int]:
        """The executions themselves, as `find_ids` finds them."""
        ids, total = self.find_ids(limit=limit, offset=offset, sort_asc=sort_asc, filters=filters)
        return [self.get(one) for one in ids], total

    def find_ids(
        self,
        *,
        limit: int,
        offset: int,
        sort_asc: bool,
        filters: dict[str, Any],
        sort: Iterable[str] = (),
    ) -> tuple[list[str], int]:
        """The ids of a page of executions and how many there are in all; a limit of -1 gives all.

        `sort` has names of `SORTS`, with `-` before those that go down; without one the order is
        that of time.

        Raises:
            InvalidError: there is no such filter.
        """
        clauses: list[str] = []
        values: list[Any] = []
        for name, value in filters.items():
            if name not in _FILTERS:
                known = ", ".join(sorted(_FILTERS))
                raise InvalidError(f"executions cannot be filtered by {name}; there are {known}")
            if name in _NULLABLE and value in ("null", None):
                clauses.append(f"{_NULLABLE[name]} IS NULL")
                continue
            clauses.append(_FILTERS[name])
            if name == "id":
                value = json.dumps([value] if isinstance(value, str) else value)
            elif name.startswith("timestamp"):
                value = moments.normal(str(value))
            values.append(str(value))
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        rows = self._store.execute(
            f"SELECT id FROM executions {where}"  # noqa: S608 - clauses of this module
            f" ORDER BY {_order(sort, sort_asc)} LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        sql = f"SELECT count(*) FROM executions {where}"  # noqa: S608 - clauses of this module
        total = self._store.execute(sql, tuple(values))
        return [row["id"] for row in rows], int(total.fetchone()[0])

    def _rows(self, clause: str, *values: Any, columns: str = _ALL) -> list[Execution]:
        sql = f"SELECT {columns} FROM executions {clause}"  # noqa: S608 - texts of this module
        cursor = self._store.execute(sql, values)
        return [_execution(row) for row in cursor.fetchall()]

    def move(
        self,
        execution: Execution,
        status: Status,
        *,
        result: Any = None,
        context: dict[str, Any] | None = None,
        due: float | None = None,
    ) -> Execution:
        """Write a change of status that the table of transitions allows; call in a transaction.

        Raises:
            ConflictError: it does not allow this one.
        """
        require_transition(execution.id, execution.status, status)
        moment = clock.now()
        log = [*execution.log, {"timestamp": moment, "status": status.value}]
        self._store.execute(
            "UPDATE executions SET status = ?, log = ?, result = ?, context = ?,"
            " end_timestamp = ?, due = ? WHERE id = ?",
            (
                status.value,
                json.dumps(log),
                json.dumps(execution.result if result is None else result),
                json.dumps(execution.context if context is None else context),
                moment if status in COMPLETED else None,
                due,
                execution.id,
            ),
        )
        return self.get(execution.id)

    def save_context(self, execution_id: str, context: dict[str, Any]) -> None:
        self._store.execute(
            "UPDATE executions SET context = ? WHERE id = ?", (json.dumps(context), execution_id)
        )

    def document(self, execution: Execution, *, show_secrets: bool = False) -> dict[str, Any]:
        """The execution as StackStorm's API shows it; secret values are masked."""
        runner = RUNNER_TYPES[execution.runner]
        schema = merged_parameters(runner.parameters, execution.action.get("parameters") or {})
        shown = execution.parameters if show_secrets else masked(execution.parameters, schema)
        hidden = output_schema.masked(execution.action, execution.runner, execution.result)
        rule = execution.origin.rule
        if rule is not None and not show_secrets:
            rule = rule_secrets.masked_by(rule, schema)
        document = {
            "id": execution.id,
            "action": execution.action,
            "runner": runner.document(),
            "liveaction": {
                "id": execution.id,
                "action": execution.action_ref,
                "action_is_workflow": execution.runner == "orquesta",
                "runner_info": {},
                "callback": {},
                "notify": execution.notify,
            },
            "parameters": shown,
            "status": execution.status.value,
            "context": execution.context,
            "result": execution.result if show_secrets else hidden,
            "result_size": execution.result_size if execution.completed else 0,
            "start_timestamp": execution.start_timestamp,
            "log": execution.log,
            "children": self.child_ids(execution.id),
        }
        if execution.end_timestamp is not None:
            document["end_timestamp"] = execution.end_timestamp
            document["elapsed_seconds"] = clock.seconds_between(
                execution.start_timestamp, execution.end_timestamp
            )
        optional = {
            "parent": execution.parent,
            "rule": rule,
            "trigger": execution.origin.trigger,
            "trigger_instance": execution.origin.trigger_instance,
            "delay": execution.delay_ms,
        }
        document |= {k: v for k, v in optional.items() if v is not None}
        return {k: v for k, v in document.items() if k not in execution.left_out}


def _order(sort: Iterable[str], ascending: bool) -> str:
    direction = "ASC" if ascending else "DESC"
    order = []
    for name in sort:
        direction = "DESC" if name.startswith("-") else "ASC"
        order.append(f"{SORTS[name.lstrip('-')]} {direction}")
    return ", ".join([*(order or [f"start_timestamp {direction}"]), f"id {direction}"])


def _optional(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _loaded(text: str | None, default: Any = None) -> Any:
    return default if text is None else json.loads(text)


def _execution(row: Any) -> Execution:
    return Execution(
        id=row["id"],
        action=json.loads(row["action"]),
        runner=row["runner"],
        status=Status(row["status"]),
        user=row["user"],
        parameters=_loaded(row["parameters"], {}),
        context=_loaded(row["context"], {}),
        start_timestamp=row["start_timestamp"],
        log=json.loads(row["log"]),
        parent=row["parent"],
        result=_loaded(row["result"], {}),
        origin=Origin(
            _loaded(row["rule"]), _loaded(row["trigger"]), _loaded(row["trigger_instance"])
        ),
        end_timestamp=row["end_timestamp"],
        delay_ms=row["delay_ms"],
        due=row["due"],
        notify=_loaded(row["notify"]),
        result_size=row["result_size"],
    )
