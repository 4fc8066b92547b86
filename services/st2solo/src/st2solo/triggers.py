"""Trigger types, triggers (a type with parameters) and trigger instances (something happened)."""

import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from st2solo import moments, schedules, schema
from st2solo.errors import InvalidError, NotFoundError
from st2solo.ids import new_id
from st2solo.resources import Kind, Resource, Resources
from st2solo.room import Room
from st2solo.store import Store

ACTION_TRIGGER = "core.st2.generic.actiontrigger"
NOTIFY_TRIGGER = "core.st2.generic.notifytrigger"
INQUIRY_TRIGGER = "core.st2.generic.inquiry"
SENSOR_SPAWN_TRIGGER = "core.st2.sensor.process_spawn"
SENSOR_EXIT_TRIGGER = "core.st2.sensor.process_exit"
#: `create`, `update`, `value_change` or `delete` of a key of the datastore.
KEY_TRIGGER = "core.st2.key_value_pair."
WEBHOOK = "core.st2.webhook"


class InstanceStatus(StrEnum):
    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "processing_failed"


@dataclass(frozen=True)
class Instance:
    """Something that happened, once, with what the rules may know of it."""

    id: str
    trigger: str
    payload: dict[str, Any]
    occurrence_time: str
    status: InstanceStatus
    trace_tag: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Instance":
        return cls(
            id=row["id"],
            trigger=row["trigger"],
            payload=json.loads(row["payload"]),
            occurrence_time=row["occurrence_time"],
            status=InstanceStatus(row["status"]),
            trace_tag=row["trace_tag"],
        )

    def document(self) -> dict[str, Any]:
        """As StackStorm's API shows it."""
        return {
            "id": self.id,
            "trigger": self.trigger,
            "payload": self.payload,
            "occurrence_time": self.occurrence_time,
            "status": str(self.status),
        }


def checked(type_ref: str, expected: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a trigger of that type, with defaults.

    Raises:
        InvalidError: they do not fit the type's schema, or are no time.
    """
    if expected:
        parameters = schema.validate(parameters, expected)
    elif parameters:
        raise InvalidError(f'the trigger type "{type_ref}" takes no parameters')
    if type_ref in schedules.TIMERS:
        schedules.schedule(type_ref, parameters)
    return parameters


class Triggers:
    def __init__(self, store: Store, resources: Resources) -> None:
        self._store = store
        self._resources = resources
        #: Called when an instance has been written; its transaction may still be open.
        self.on_instance: Callable[[], None] = lambda: None

    def register_type(self, content: dict[str, Any], pack: str) -> Resource:
        """Register a trigger type; one without parameters gets its only trigger at once."""
        content = {
            "name": content["name"],
            "pack": content.get("pack", pack),
            "description": content.get("description", ""),
            "payload_schema": content.get("payload_schema", {}),
            "parameters_schema": content.get("parameters_schema", {}),
            "tags": content.get("tags", []),
            "metadata_file": content.get("metadata_file", ""),
        }
        ref = f"{content['pack']}.{content['name']}"
        registered = self._resources.put_from_file(Kind.TRIGGER_TYPE, ref, pack, content)
        if not content["parameters_schema"]:
            self._put_trigger(content["name"], content["pack"], ref, {})
        return registered

    def ensure(self, type_ref: str, parameters: dict[str, Any]) -> Resource:
        """The trigger of this type with these parameters, made if no rule has used it before.

        Raises:
            InvalidError: there is no such type, or it does not take these parameters.
        """
        try:
            trigger_type = self._resources.get(Kind.TRIGGER_TYPE, type_ref)
        except NotFoundError as err:
            raise InvalidError(f'there is no trigger type "{type_ref}"') from err
        parameters = checked(type_ref, trigger_type.content["parameters_schema"], parameters)
        found = self._find(type_ref, parameters)
        pack = trigger_type.content["pack"]
        return found or self._put_trigger(str(uuid.uuid4()), pack, type_ref, parameters)

    def forget_unused(self) -> None:
        """Delete the triggers with parameters that no rule names, in the transaction of a change.

        Source: st2common/services/triggers.py, `cleanup_trigger_db_for_rule`, of StackStorm 3.9.
        """
        named = {rule.content["trigger"]["ref"] for rule in self._resources.list(Kind.RULE)}
        for trigger in self._resources.list(Kind.TRIGGER):
            if trigger.content["parameters"] and trigger.ref not in named:
                self._resources.delete(trigger)

    def of_type(self, type_ref: str) -> list[Resource]:
        triggers = self._resources.list(Kind.TRIGGER)
        return [trigger for trigger in triggers if trigger.content["type"] == type_ref]

    def watched(self, type_refs: Iterable[str]) -> list[tuple[dict[str, Any], int]]:
        """The triggers of these types that a sensor is to know, and how many rules use each.

        The only one of a type without parameters is always there, and its rules are not counted;
        another one is there while a rule uses it, enabled or not.
        """
        rules = self._resources.list(Kind.RULE)
        used = Counter(rule.content["trigger"]["ref"] for rule in rules)
        found = []
        for type_ref in type_refs:
            for trigger in self.of_type(type_ref):
                if trigger.ref == type_ref:
                    found.append((trigger.document(), 0))
                elif trigger.ref in used:
                    found.append((trigger.document(), used[trigger.ref]))
        return found

    def dispatch(
        self,
        trigger: str | dict[str, Any],
        payload: dict[str, Any] | None,
        *,
        trace_tag: str | None,
    ) -> Instance:
        """Write that something happened; the rules are then applied exactly once.

        Args:
            trigger: a trigger's ref (for a type without parameters, the type's), or
                `{"type", "parameters"}`.

        Raises:
            InvalidError: the trigger is unknown, or its type does not take this payload.
        """
        resource = self._resolve(trigger)
        payload = {} if payload is None else payload
        if not isinstance(payload, dict):
            raise InvalidError(f"expected the payload as an object, found {payload!r}")
        try:
            trigger_type = self._resources.get(Kind.TRIGGER_TYPE, resource.content["type"])
        except NotFoundError as err:
            message = f'the trigger type "{resource.content["type"]}" is not registered any more'
            raise InvalidError(message) from err
        expected = trigger_type.content["payload_schema"]
        if expected:
            try:
                schema.validate(payload, expected)
            except InvalidError as err:
                raise InvalidError(f"payload of {resource.ref}: {err}") from err
        return self._write(resource.ref, payload, trace_tag)

    def emit(self, ref: str, payload: dict[str, Any], *, trace_tag: str | None) -> Instance:
        """As `dispatch`, for what st2solo itself makes happen: like StackStorm without a check."""
        return self._write(ref, payload, trace_tag)

    def re_emit(self, instance_id: str) -> Instance:
        """A new instance with the payload of an old one, which its `__context` names."""
        old = self.instance(instance_id)
        payload = {**old.payload, "__context": {"original_id": instance_id}}
        return self._write(old.trigger, payload, old.trace_tag)

    def instance(self, instance_id: str) -> Instance:
        row = self._store.execute(
            "SELECT * FROM trigger_instances WHERE id = ?", (instance_id,)
        ).fetchone()
        if row is None:
            raise NotFoundError(f'there is no trigger instance with the id "{instance_id}"')
        return Instance.from_row(row)

    def fitting(self, instance_id: str, room: Room) -> dict[str, Any]:
        """A trigger instance as the API shows it, without a payload that has not room.

        Raises:
            NotFoundError: there is none.
        """
        sql = "SELECT length(payload) AS size FROM trigger_instances WHERE id = ?"
        row = self._store.execute(sql, (instance_id,)).fetchone()
        if row is None or room.takes(row["size"]):
            return self.instance(instance_id).document()
        row = self._store.execute(
            "SELECT id, trigger, '{}' AS payload, occurrence_time, status, trace_tag"
            " FROM trigger_instances WHERE id = ?",
            (instance_id,),
        ).fetchone()
        document = Instance.from_row(row).document()
        return {name: value for name, value in document.items() if name != "payload"}

    def next_pending(self) -> Instance | None:
        row = self._store.execute(
            "SELECT * FROM trigger_instances WHERE status = ? ORDER BY id LIMIT 1",
            (InstanceStatus.PENDING,),
        ).fetchone()
        return row and Instance.from_row(row)

    def mark(self, instance: Instance, status: InstanceStatus) -> None:
        self._store.execute(
            "UPDATE trigger_instances SET status = ? WHERE id = ?", (status, instance.id)
        )

    def _write(self, ref: str, payload: dict[str, Any], trace_tag: str | None) -> Instance:
        instance_id = new_id()
        self._store.execute(
            "INSERT INTO trigger_instances (id, trigger, payload, occurrence_time, status,"
            " trace_tag) VALUES (?, ?, ?, ?, ?, ?)",
            (
                instance_id,
                ref,
                json.dumps(payload, default=str),
                moments.now_text(),
                InstanceStatus.PENDING,
                trace_tag,
            ),
        )
        self.on_instance()
        return self.instance(instance_id)

    def _resolve(self, trigger: str | dict[str, Any]) -> Resource:
        if isinstance(trigger, dict):
            ref = str(trigger.get("ref") or trigger.get("type"))
            found = self._find(str(trigger.get("type")), trigger.get("parameters") or {})
            if found is not None:
                return found
        else:
            ref = str(trigger)
        try:
            return self._resources.get(Kind.TRIGGER, ref)
        except NotFoundError as err:
            raise InvalidError(
                f'Trigger type with reference "{ref}" doesn\'t exist, or takes parameters and no'
                " rule uses it with these"
            ) from err

    def _find(self, type_ref: str, parameters: dict[str, Any]) -> Resource | None:
        for trigger in self.of_type(type_ref):
            if trigger.content["parameters"] == parameters:
                return trigger
        return None

    def _put_trigger(
        self, name: str, pack: str, type_ref: str, parameters: dict[str, Any]
    ) -> Resource:
        content = {"name": name, "pack": pack, "type": type_ref, "parameters": parameters}
        return self._resources.put_from_file(Kind.TRIGGER, f"{pack}.{name}", pack, content)
