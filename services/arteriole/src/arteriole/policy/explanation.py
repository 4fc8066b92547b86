"""What the policy says of an attempt: of each kind of data and each destination, and why."""

from collections.abc import Sequence
from typing import Any

from arteriole.policy.policy import Policy, Subject
from arteriole.policy.settings import DataKind

#: What each service sends.
SENT = {"transfer": (DataKind.RAW, DataKind.FASTQ), "archive": tuple(DataKind)}


def explain(policy: Policy, subjects: Sequence[Subject]) -> dict[str, Any]:
    """`{kinds: [{kind, keep_days, copies, rules, destinations: [...]}]}`, without a project's name.

    Of destinations `{destination, allowed, rule, line, why}`.
    """
    return {"kinds": [_of_kind(policy, subjects, kind) for kind in DataKind]}


def _of_kind(policy: Policy, subjects: Sequence[Subject], kind: DataKind) -> dict[str, Any]:
    kept = policy.retention(subjects, kind)
    return {
        "kind": kind.value,
        "keep_days": kept.keep_days,
        "copies": kept.copies,
        "rules": list(kept.rules),
        "destinations": [
            _of_destination(policy, subjects, kind, destination)
            for destination in sorted(policy.labels)
            if kind in SENT[destination.partition(".")[0]]
        ],
    }


def _of_destination(
    policy: Policy, subjects: Sequence[Subject], kind: DataKind, destination: str
) -> dict[str, Any]:
    judged = policy.strictest(subjects, kind, destination)
    return {
        "destination": destination,
        "allowed": judged.allowed,
        "rule": judged.rule,
        "line": judged.line,
        "why": judged.why,
    }
