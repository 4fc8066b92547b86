"""A folder that cannot be reached, and comes back as it was.

What was found before is kept in the evidence, under `before`, so that a file system which is away
for a while, over a restart too, costs no second look at what was settled.
"""

from dataclasses import replace
from typing import Any

from arteriole.runfolder import sighting
from arteriole.runfolder.records import Run
from arteriole.runfolder.verdict import AT_REST, Verdict, VerdictKind

BEFORE = "before"


def before(run: Run) -> dict[str, Any] | None:
    """`{verdict, since, code, message, hint, evidence, ready}` of a run that is not reached now.

    `ready` is whether it could be claimed, which was told then.
    """
    found = run.evidence.get(BEFORE)
    return found if run.verdict is VerdictKind.UNREACHABLE and isinstance(found, dict) else None


def rested(run: Run) -> dict[str, Any] | None:
    """The evidence with which a folder may count as quiet while nobody watched it; None if none.

    That is of a verdict that was to stand until something changes; and, over a restart, of a run
    that is not marked yet, which would be given its hours after each of them anew.
    """
    kept = before(run)
    if kept is not None:
        return kept["evidence"] if VerdictKind(kept["verdict"]) in AT_REST else None
    return run.evidence if run.verdict in AT_REST or _awaits_marker(run.evidence) else None


def _awaits_marker(evidence: dict[str, Any]) -> bool:
    expected = {*evidence.get("expected_markers", ())}
    return bool(expected) and not expected & {*evidence.get("markers", ())}


def away(run: Run, verdict: Verdict) -> Verdict:
    """The verdict that a run cannot be reached, with what was known of it."""
    kept = before(run)
    if kept is None and run.verdict is not VerdictKind.UNREACHABLE:
        kept = {
            "verdict": run.verdict.value,
            "since": run.verdict_since,
            "code": run.code,
            "message": run.message,
            "hint": run.hint,
            "evidence": run.evidence,
            "ready": run.claimable,
        }
    return verdict if kept is None else replace(verdict, evidence=verdict.evidence | {BEFORE: kept})


def back(run: Run) -> Verdict | None:
    """The verdict of a complete run whose two upper levels are as they were.

    None if it must be judged. Raises OSError if it still cannot be reached.
    """
    kept = before(run)
    if kept is None or kept["verdict"] != VerdictKind.COMPLETE.value:
        return None
    if sighting.surface(run.path).digest != kept["evidence"].get("surface"):
        return None
    return Verdict(
        VerdictKind.COMPLETE,
        kept["code"],
        kept["message"],
        kept["hint"],
        kept["evidence"],
        run.metadata,
    )
