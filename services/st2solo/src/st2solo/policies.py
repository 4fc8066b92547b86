"""Policies of actions: how many run at the same time, and which are tried again.

A delay is a status of the execution, and a retry is an execution that is written in the transaction
in which the one before it ends; so neither is lost with the process.

Source: st2actions/policies of StackStorm 3.9.
"""

import logging
from typing import Any

from st2solo.errors import NotFoundError
from st2solo.lifecycle import Lifecycle
from st2solo.ports import ActionSource, PolicyDefinition
from st2solo.records import Execution, Records
from st2solo.statuses import Status

_LOG = logging.getLogger(__name__)

_RETRIED = {Status.FAILED: "failure", Status.TIMEOUT: "timeout"}
#: What a retry does not take over from the context of the execution before it.
_OWN_CONTEXT = frozenset({"workflow_execution", "re-run"})

#: Executions of one lane have the same limits and are counted together.
Lane = tuple[Any, ...]


class Policies:
    """Every method is called inside a transaction."""

    def __init__(self, records: Records, lifecycle: Lifecycle, actions: ActionSource) -> None:
        self._records = records
        self._lifecycle = lifecycle
        self._actions = actions
        lifecycle.after_completion.append(self._retry)

    def lane(self, execution: Execution) -> Lane:
        limits = self._limits(execution)
        return execution.action_ref, *(str(_attributes(limit, execution)) for limit in limits)

    def blocking(self, execution: Execution) -> PolicyDefinition | None:
        """The policy by which this execution must not start now."""
        limits = self._limits(execution)
        if not limits:
            return None
        others = [e for e in self._records.at_work(execution.action_ref) if e.id != execution.id]
        for limit in limits:
            wanted = _attributes(limit, execution)
            count = sum(_attributes(limit, other) == wanted for other in others)
            if count >= limit.parameters["threshold"]:
                return limit
        return None

    def _limits(self, execution: Execution) -> list[PolicyDefinition]:
        policies = self._actions.policies(execution.action_ref)
        return [p for p in policies if p.policy_type.startswith("action.concurrency")]

    def _retry(self, execution: Execution) -> None:
        """Ask for the same once more, if a policy says so; never inside of a workflow."""
        reason = _RETRIED.get(execution.status)
        if reason is None or execution.context.get("parent"):
            return
        done = ((execution.context.get("policies") or {}).get("retry") or {}).get("retry_count", 0)
        for policy in self._actions.policies(execution.action_ref):
            retries = policy.policy_type == "action.retry"
            if retries and policy.parameters["retry_on"] == reason:
                if done < policy.parameters["max_retry_count"]:
                    self._again(execution, policy, done + 1)
                else:
                    about = {"execution_id": execution.id, "policy": policy.ref}
                    _LOG.info("it was tried often enough", extra=about)

    def _again(self, execution: Execution, policy: PolicyDefinition, count: int) -> None:
        try:
            action = self._actions.action(execution.action_ref)
        except NotFoundError:
            return
        kept = {k: v for k, v in execution.context.items() if k not in _OWN_CONTEXT}
        retry = {
            "applied_policy": policy.ref,
            "retry_count": count,
            "retried_liveaction_id": execution.id,
        }
        self._lifecycle.create(
            action,
            execution.parameters,
            user=execution.user,
            context={**kept, "policies": {"retry": retry}},
            delay_ms=int((policy.parameters.get("delay") or 0) * 1000) or None,
            origin=execution.origin,
            notify=execution.notify,
        )


def _attributes(limit: PolicyDefinition, execution: Execution) -> dict[str, Any]:
    """The given parameters by which a policy tells executions apart."""
    names = limit.parameters.get("attributes") or []
    return {name: value for name, value in execution.parameters.items() if name in names}
