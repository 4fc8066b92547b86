"""The rules engine: applies every rule to every trigger instance exactly once.

An instance is a row before anything is done about it. Matching the rules, requesting the
executions, recording the enforcements and marking the instance are one transaction, so a process
that dies leaves either all of it or an instance that is still pending.
"""

import asyncio
import logging
import sqlite3
from typing import Any, Protocol

from st2solo import criteria, jinja, notifications
from st2solo.criteria import CriteriaError, Payload
from st2solo.enforcements import Enforcements
from st2solo.errors import InvalidError, NotFoundError, ParameterError, St2SoloError
from st2solo.keys import Key, Keys
from st2solo.registry import Registry
from st2solo.resources import Kind, Resource, Resources
from st2solo.store import Store
from st2solo.triggers import (
    ACTION_TRIGGER,
    INQUIRY_TRIGGER,
    KEY_TRIGGER,
    NOTIFY_TRIGGER,
    Instance,
    InstanceStatus,
    Triggers,
)

_LOG = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
#: How often a rule may react to what it caused itself.
_ROUNDS = 3


class ExecutionRequests(Protocol):
    """What the rules engine needs of the executions."""

    def request(
        self,
        action_ref: str,
        parameters: dict[str, Any],
        *,
        user: str,
        names: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        trace_tag: str | None = None,
        rule: dict[str, Any] | None = None,
        trigger: dict[str, Any] | None = None,
        trigger_instance: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...

    def get(self, execution_id: str) -> dict[str, Any]: ...


class RulesEngine:
    def __init__(
        self,
        store: Store,
        resources: Resources,
        triggers: Triggers,
        enforcements: Enforcements,
        keys: Keys,
        registry: Registry,
        executions: ExecutionRequests,
        *,
        system_user: str,
    ) -> None:
        self._store = store
        self._resources = resources
        self._triggers = triggers
        self._enforcements = enforcements
        self._keys = keys
        self._registry = registry
        self._executions = executions
        self._user = system_user
        self._scheduled: asyncio.Handle | None = None

    def schedule(self) -> None:
        """Process what is pending as soon as the event loop is free (no transaction is open)."""
        if self._scheduled is None:
            self._scheduled = asyncio.get_running_loop().call_soon(self._run)

    def stop(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
        self._scheduled = None

    def _run(self) -> None:
        self._scheduled = None
        instance = self._triggers.next_pending()
        if instance is None:
            return
        try:
            self.process(instance)
        except sqlite3.Error:
            _LOG.exception("trigger instance %s waits: the store cannot be written", instance.id)
            loop = asyncio.get_running_loop()
            self._scheduled = loop.call_later(_RETRY_SECONDS, self._run)
        else:
            self.schedule()

    def process(self, instance: Instance) -> None:
        """Apply the rules to one pending instance.

        Raises:
            sqlite3.OperationalError: the store cannot be written, so the instance stays pending.
        """
        try:
            with self._store.transaction():
                self._apply(instance)
                self._triggers.mark(instance, InstanceStatus.PROCESSED)
        except sqlite3.OperationalError:
            raise
        except Exception:
            # Whatever a rule, its template or its action brought up must not stop the others.
            _LOG.exception("trigger instance %s (%s) failed", instance.id, instance.trigger)
            self._triggers.mark(instance, InstanceStatus.FAILED)

    def completed(self, execution: dict[str, Any]) -> None:
        """Tell the rules that an execution has ended; called inside the transaction that ends it.

        The payload is that of st2actions/notifier. Nothing is written when no enabled rule
        listens to the trigger.
        """
        self._notify(execution)
        if not self._listened(ACTION_TRIGGER):
            return
        action = execution["action"]
        payload = {
            "execution_id": execution["id"],
            "status": str(execution["status"]),
            "start_timestamp": execution.get("start_timestamp"),
            "action_name": action.get("ref"),
            "action_ref": action.get("ref"),
            "runner_ref": action.get("runner_type"),
            "parameters": execution.get("parameters") or {},
            "result": execution.get("result"),
        }
        self._triggers.emit(ACTION_TRIGGER, payload, trace_tag=_trace_tag(execution))

    def _notify(self, execution: dict[str, Any]) -> None:
        if execution["liveaction"].get("notify") and self._listened(NOTIFY_TRIGGER):
            for payload in notifications.payloads(execution, self._keys, self._user):
                self._triggers.emit(NOTIFY_TRIGGER, payload, trace_tag=_trace_tag(execution))

    def asked(self, inquiry: dict[str, Any]) -> None:
        """Tell the rules of a new inquiry; called inside the transaction that opens it."""
        payload = {"id": inquiry["id"], "route": inquiry["result"]["route"]}
        self._triggers.emit(INQUIRY_TRIGGER, payload, trace_tag=_trace_tag(inquiry))

    def sensor_changed(self, trigger: str, payload: dict[str, Any]) -> None:
        """Tell the rules that the process of a sensor has started or died."""
        self._tell(trigger, payload)

    def key_changed(self, before: Key | None, after: Key | None) -> None:
        """Tell the rules of a change of the datastore; called inside the transaction that makes it.

        Secrets stay encrypted. The payloads are those of st2common/persistence/keyvalue.py.
        """
        old, new = (key and self._keys.document(key, decrypt=False) for key in (before, after))
        operation = "delete" if new is None else "create" if old is None else "update"
        self._tell(KEY_TRIGGER + operation, {"object": new or old})
        if before and after and before.stored != after.stored:
            self._tell(KEY_TRIGGER + "value_change", {"old_object": old, "new_object": new})

    def _tell(self, trigger: str, payload: dict[str, Any]) -> None:
        if self._listened(trigger):
            self._triggers.emit(trigger, payload, trace_tag=None)

    def _listened(self, trigger_type: str) -> bool:
        return any(rule.content["trigger"]["type"] == trigger_type for rule in self._enabled())

    def _enabled(self) -> list[Resource]:
        return [rule for rule in self._resources.list(Kind.RULE) if rule.enabled]

    def _apply(self, instance: Instance) -> None:
        rules = [r for r in self._enabled() if r.content["trigger"]["ref"] == instance.trigger]
        standard = [rule for rule in rules if rule.content["type"]["ref"] != "backstop"]
        matched = [rule for rule in standard if self._matches(rule, instance)]
        if not matched:
            backstop = [rule for rule in rules if rule.content["type"]["ref"] == "backstop"]
            matched = [rule for rule in backstop if self._matches(rule, instance)]
        for rule in matched:
            self._enforce(rule, instance)

    def _matches(self, rule: Resource, instance: Instance) -> bool:
        wanted = rule.content["criteria"]
        if wanted and not instance.payload:
            return False
        keys = jinja.kv_context(self._keys, self._user)

        def told(err: CriteriaError) -> None:
            reason = (
                f'Failed to match rule "{rule.ref}" against trigger instance "{instance.id}": {err}'
            )
            self._enforcements.add(rule, instance.id, failure_reason=reason)

        try:
            return criteria.matches(wanted, Payload.of_trigger(instance.payload, keys), told)
        except CriteriaError as err:
            told(err)
            return False

    def _enforce(self, rule: Resource, instance: Instance) -> None:
        connection = self._store.execute
        connection("SAVEPOINT enforcement")
        try:
            execution = self._request(rule, instance)
            self._enforcements.add(rule, instance.id, execution_id=execution["id"])
        except ParameterError as err:
            # The execution is stored, as failed.
            self._enforcements.add(
                rule,
                instance.id,
                execution_id=getattr(err, "execution_id", None),
                failure_reason=str(err),
            )
        except (St2SoloError, ValueError, TypeError) as err:
            connection("ROLLBACK TO enforcement")
            _LOG.warning("rule %s failed on %s: %s", rule.ref, instance.id, err)
            self._enforcements.add(rule, instance.id, failure_reason=str(err))
        connection("RELEASE enforcement")

    def _request(self, rule: Resource, instance: Instance) -> dict[str, Any]:
        action = self._registry.action(rule.content["action"]["ref"])
        trigger = self._resources.get(Kind.TRIGGER, instance.trigger)
        return self._executions.request(
            action.ref,
            rule.content["action"]["parameters"],
            user=self._user,
            names={"trigger": instance.payload},
            context={
                "pack": action.pack,
                "rule": {"id": rule.id, "name": rule.content["name"]},
                "trigger_instance": {"id": instance.id, "name": None},
                "rules": self._chain(rule, instance),
            },
            trace_tag=instance.trace_tag,
            rule=rule.document(),
            trigger=trigger.document(),
            trigger_instance=instance.document(),
        )

    def _chain(self, rule: Resource, instance: Instance) -> list[str]:
        """The rules on the action trigger that led here, each by an execution of the one before.

        Raises:
            InvalidError: this rule is in it so often that it would go on for ever.
        """
        if instance.trigger != ACTION_TRIGGER:
            return []
        before: list[str] = []
        above = instance.payload.get("execution_id")
        while above is not None:
            try:
                execution = self._executions.get(str(above))
            except NotFoundError:
                break
            before = execution["context"].get("rules") or before
            above = execution.get("parent")
        if before.count(rule.ref) >= _ROUNDS:
            raise InvalidError(
                f"the rule reacts to what it caused itself, {_ROUNDS} times in a row: let its"
                " criteria leave out its own action"
            )
        return [*before, rule.ref]


def _trace_tag(execution: dict[str, Any]) -> str | None:
    trace = (execution.get("context") or {}).get("trace_context") or {}
    tag: str | None = trace.get("trace_tag")
    return tag
